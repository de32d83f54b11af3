"""Installing the next revision beside the one that is measured."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fixwatch.asv_adapter import preparation as preparation_module
from fixwatch.asv_adapter.environments import AsOfVirtualenv
from fixwatch.asv_adapter.preparation import IMPORT_TIMEOUT_S, Preparation
from fixwatch.installing.as_of import ResolutionError, create_environment, find_site_packages
from fixwatch.records.install_record import InstallRecord

WAIT_S = 60.0


@pytest.fixture
def environment(tmp_path):
    """Return an environment that holds a revision."""
    made = create_environment(tmp_path / "env", Path(sys.executable))
    (packages,) = find_site_packages(made.path)
    (packages / "old.py").touch()
    return made


@pytest.fixture
def preparation(tmp_path):
    """Return what prepares the next one."""
    return Preparation(tmp_path / "env-next", Path(sys.executable), {})


def list_packages(environment):
    """Return the names of the files that an environment's packages consist of."""
    (packages,) = find_site_packages(environment.path)
    return {path.name for path in packages.glob("*.py") if not path.name.startswith("_")}


def fill(commit, *, after_s=0.0):
    """Return a function that installs a commit which is a module of that name."""

    def install(environment):
        time.sleep(after_s)
        (packages,) = find_site_packages(environment.path)
        (packages / f"{commit}.py").touch()
        return InstallRecord(commit=commit, upstream="numba", name=commit, date="2026-01-01")

    return install


def test_what_was_prepared_takes_the_place_of_what_was_there(preparation, environment):
    """It is waited for, and nothing of the revision before remains."""
    preparation.start("new", fill("new", after_s=0.2))
    record = preparation.take("new", environment)
    assert record is not None
    assert record.commit == "new"
    assert list_packages(environment) == {"new.py"}


def test_another_commit_is_not_taken_and_stays_ready(preparation, environment):
    """asv may leave a revision out; the next is still that one, and is not installed twice."""
    preparation.start("new", fill("new"))
    assert preparation.take("other", environment) is None
    assert list_packages(environment) == {"old.py"}
    preparation.start("new", fill("wrong"))
    assert preparation.take("new", environment) is not None
    assert list_packages(environment) == {"new.py"}


def test_a_failure_leaves_the_installing_to_who_needs_it(preparation, environment):
    """There it is said."""

    def fail(_environment):
        raise ResolutionError("no such version")

    preparation.start("new", fail)
    assert preparation.take("new", environment) is None
    assert list_packages(environment) == {"old.py"}


@pytest.fixture
def endless(preparation, tmp_path):
    """Prepare a commit whose import does not end, and return its process once it has begun."""
    begun = tmp_path / "begun"
    code = f"import time\nopen({str(begun)!r}, 'w').close()\ntime.sleep(3600)\n"

    def install(environment):
        (packages,) = find_site_packages(environment.path)
        (packages / "numba.py").write_text(code)
        return fill("new")(environment)

    preparation.start("new", install)
    wait_for(begun.exists)
    return preparation._importing


def wait_for(condition):
    """Wait until something is so."""
    deadline_s = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def test_nobody_waits_for_an_import_that_does_not_end(preparation, environment, endless):
    """Only its bytecode is lost; the import is ended, and what is installed is taken."""
    with ThreadPoolExecutor() as pool:
        taken = pool.submit(preparation.take, "new", environment)
        # Half of the time after which the import ends by itself.
        assert taken.result(timeout=IMPORT_TIMEOUT_S / 2) is not None
    assert endless.poll() is not None
    assert list_packages(environment) == {"new.py", "numba.py"}


def test_an_import_that_nobody_waits_for_ends_and_leaves_what_is_installed(
    monkeypatch, preparation, environment, request
):
    """The revision before may be measured for long."""
    monkeypatch.setattr(preparation_module, "IMPORT_TIMEOUT_S", 1.0)
    importing = request.getfixturevalue("endless")
    wait_for(lambda: importing.returncode is not None)
    assert preparation.take("new", environment) is not None


def test_the_next_is_the_first_without_a_result(tmp_path, monkeypatch):
    """Whichever machine it is of; after the last there is none."""
    environment = AsOfVirtualenv.__new__(AsOfVirtualenv)
    environment._results_dir = tmp_path
    monkeypatch.setattr(AsOfVirtualenv, "name", "e")
    monkeypatch.setattr(AsOfVirtualenv, "queue", ["1" * 40, "2" * 40, "3" * 40])
    (tmp_path / "machine").mkdir()
    (tmp_path / "machine" / "22222222-e.json").touch()
    assert environment._find_next("1" * 40) == "3" * 40
    assert environment._find_next("3" * 40) is None
    assert environment._find_next("4" * 40) is None
