"""The reproducer against real upstream packages that it cannot, or must, measure."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fixwatch.history.release_table import load_release_table
from fixwatch.installing.as_of import NoSolutionError, install_exactly, resolve_as_of
from fixwatch.installing.as_of_exceptions import find_missing_requirements
from tests.project import ROOT

pytestmark = pytest.mark.end_to_end

TABLE = {(release.upstream, release.version): release for release in load_release_table()}


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Return an empty virtual environment's folder."""
    folder = tmp_path_factory.mktemp("env")
    subprocess.run([sys.executable, "-m", "virtualenv", "-q", folder], check=True)
    return folder


def install(environment, upstream, version, *extra):
    """Install a release as of its upload day; return the interpreter."""
    release = TABLE[upstream, version]
    python = next(environment.glob("[bS]*/python*"))
    resolution = resolve_as_of(
        [f"{upstream}=={version}", *extra], release.resolved_as_of, python, exempt=[upstream]
    )
    install_exactly(resolution.pins, environment, python)
    return python


def run_mwe(python: Path, *arguments):
    """Run ``python -m mwe`` with an environment's Python."""
    command = [python, "-m", "mwe", "--json", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_simulator_that_does_not_import_is_no_outcome(environment):
    """numba-cuda 0.19.1 without cuda-bindings exits with 3, one line of reason and no counts."""
    python = install(environment, "numba-cuda", "0.19.1")
    done = run_mwe(python)
    assert done.returncode == 3
    assert done.stdout == ""
    assert "CUDA bindings not found" in done.stderr
    assert done.stderr.count("\n") == 1


def test_what_the_metadata_leaves_out_makes_it_measurable(environment):
    """The same release is affected, with what the table of exceptions adds."""
    extra = find_missing_requirements("numba-cuda", "0.19.1")
    python = install(environment, "numba-cuda", "0.19.1", *extra)
    # Measured 0.8 a trial and more; with p >= 0.5, P(no failure in 40) <= 2**-40.
    done = run_mwe(python, "--trials", "40")
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["failures_by_mode"].keys() == {"missing-attribute"}


def test_numba_cuda_out_of_effect_is_not_measured_as_if_it_were(environment):
    """With its .pth file gone the built-in target would run; the exit status is 3 instead."""
    python = install(environment, "numba-cuda", "0.24.0")
    (redirector,) = environment.glob("lib*/python*/site-packages/*numba_cuda*.pth")
    redirector.unlink()
    done = run_mwe(python, "--trials", "1")
    assert done.returncode == 3
    assert "numba.cuda is the built-in target" in done.stderr


def test_what_did_not_exist_yet_has_no_solution(environment):
    """As of a day before the release of what it needs, nothing fits, and that is said apart."""
    python = next(environment.glob("[bS]*/python*"))
    before_numba_063 = TABLE["numba", "0.62.1"].resolved_as_of
    with pytest.raises(NoSolutionError, match=r"numba==0\.63\.1"):
        resolve_as_of(["numba==0.63.1"], before_numba_063, python)
