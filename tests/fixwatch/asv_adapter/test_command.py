"""Running asv: what becomes of its status and of what it prints."""

from __future__ import annotations

import json
import shutil

import pytest

from fixwatch.asv_adapter.command import record_machine, run_asv
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
