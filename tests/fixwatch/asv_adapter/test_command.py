"""Running asv: what becomes of its status and of what it prints."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys

import pytest

from fixwatch.asv_adapter import command
from fixwatch.asv_adapter.command import measure_commits, record_machine, run_asv
from fixwatch.errors import CouldNotMeasureError
from fixwatch.layout import RELEASES_CONFIGURATION
from fixwatch.machine import Machine
from tests.project import ROOT

MACHINE = Machine(name="test", system="o", architecture="a", n_cores=977)


@pytest.fixture(autouse=True)
def checkout(tmp_path, monkeypatch):
    """Run in a folder with a configuration, and with a home of its own."""
    shutil.copy(ROOT / RELEASES_CONFIGURATION, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def replace_asv(tmp_path, monkeypatch):
    """Return what puts a shell script in the place of asv."""

    def put(script):
        (tmp_path / "asv").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "asv").chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(tmp_path / "asv"))

    return put


def test_the_machine_is_recorded_and_what_asv_prints_is_logged(tmp_path):
    """asv knows the machine afterwards, and nothing of its output reaches the terminal."""
    record_machine(MACHINE)
    known = json.loads((tmp_path / ".asv-machine.json").read_text())
    assert known["test"]["num_cpu"] == "977"
    assert (tmp_path / ".fixwatch" / "asv-machine.log").exists()


def test_a_machine_that_cannot_be_recorded_is_one_error_with_a_remedy(tmp_path):
    """The error names asv's status, its last line and the file to mend."""
    (tmp_path / ".asv-machine.json").write_text("not JSON")
    with pytest.raises(CouldNotMeasureError, match=r"stopped with status 1: .*\.log has .*whole\?"):
        record_machine(MACHINE)


def test_an_asv_that_stops_is_an_error_with_its_last_line(tmp_path):
    """A log keeps what it printed, below what was there before."""
    log_path = tmp_path / "logs" / "asv.log"
    log_path.parent.mkdir()
    log_path.write_text("printed before\n")
    with pytest.raises(CouldNotMeasureError, match="asv run stopped with status 1: .*nope"):
        run_asv("nope.json", ["run"], log_path=log_path)
    assert log_path.read_text().startswith("printed before\n")
    assert "nope.json" in log_path.read_text()


def test_without_a_log_the_error_points_above(capfd):
    """Where asv prints to the terminal, its words stand there already."""
    with pytest.raises(CouldNotMeasureError, match="asv run stopped with status 1, see above"):
        run_asv("nope.json", ["run"])
    assert "nope.json" in "".join(capfd.readouterr())


def test_a_status_of_2_is_an_error_of_anything_but_a_run(tmp_path):
    """Only `asv run` says by it that it went through and something failed."""
    with pytest.raises(CouldNotMeasureError, match="asv publish stopped with status 2"):
        run_asv(RELEASES_CONFIGURATION, ["publish", "--nonsense"], log_path=tmp_path / "log")


def test_commits_that_could_not_all_be_measured_are_no_error(replace_asv, tmp_path):
    """asv gets machine, commits and variables, and ends with 2; the log has all that it printed."""
    replace_asv('echo "$@"; cat; echo "; $KNOB" >&2; exit 2')
    log_path = tmp_path / "log"
    variables = {"KNOB": "turned"}
    measure_commits("c.json", "m", ["aaaa", "bbbb"], log_path=log_path, environment=variables)
    command = "-m asv --config c.json run --machine m HASHFILE:-"
    assert log_path.read_text() == f"{command}\naaaa\nbbbb; turned\n"


def test_an_earlier_run_in_the_log_is_not_quoted(replace_asv, tmp_path):
    """An asv that says nothing is said to have printed nothing."""
    replace_asv("exit 1")
    (tmp_path / "log").write_text("of an earlier run\n")
    with pytest.raises(CouldNotMeasureError, match="status 1: it printed nothing; .*log has"):
        run_asv("c.json", ["run"], log_path=tmp_path / "log")


def test_a_caller_looks_while_asv_runs(replace_asv, tmp_path):
    """What it sees came before the end."""
    replace_asv(f"touch {tmp_path}/begun; while [ ! -e {tmp_path}/seen ]; do sleep 0.01; done")

    def look():
        if (tmp_path / "begun").exists():
            (tmp_path / "seen").touch()

    run_asv("c.json", ["run"], log_path=tmp_path / "log", look=look)


@pytest.mark.parametrize("ends_by_itself", [True, False])
def test_asv_does_not_outlive_an_interrupt(replace_asv, tmp_path, monkeypatch, ends_by_itself):
    """It is left the time to end by itself, and ended where it does not."""
    monkeypatch.setattr(command, "ENDING_TIMEOUT_S", 0.5)
    end = "echo tidy; exit 1" if ends_by_itself else ":"
    replace_asv(f"echo $$ > {tmp_path}/pid; trap '{end}' INT; while :; do sleep 0.01; done")

    def look():
        if (tmp_path / "pid").exists() and (pid := (tmp_path / "pid").read_text()):
            os.kill(int(pid), signal.SIGINT)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_asv("c.json", ["run"], log_path=tmp_path / "log", look=look)
    assert (tmp_path / "log").read_text() == ("tidy\n" if ends_by_itself else "")
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
