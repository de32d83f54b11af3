"""How far a run is, by the records that it leaves."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from fixwatch.commands import progress as progress_module
from fixwatch.commands.progress import MAX_LINES, Progress, ProgressLine, describe_left
from fixwatch.records.evidence import save_evidence
from mwe.planned.client import BatchResult
from mwe.planned.plan import PlannedBatch
from mwe.planned.spool import Spool
from tests.fixwatch.sample_records import new_batch, new_controls, new_record

RECORDS = [
    new_record("0.24.0", new_batch(failures=90), *new_controls(), upstream="numba-cuda"),
    new_record("0.26.0", new_batch(), *new_controls(), upstream="numba-cuda"),
    new_record("0.27.0", upstream="numba-cuda", not_run_reason="no wheel"),
]
PLANNED = [
    PlannedBatch(
        workload="local-array", role="workload", schedule=schedule, target="simulator", n_trials=20
    )
    for schedule in ("delay", "handoff")
]


@pytest.fixture
def clock(monkeypatch):
    """Return the clock that a progress goes by."""
    clock = SimpleNamespace(now_s=100.0)
    monkeypatch.setattr(progress_module.time, "monotonic", lambda: clock.now_s)
    return clock


def start(tmp_path, records=RECORDS):
    """Return the progress of a run over the revisions of these records."""
    names = {record.commit: f"numba-cuda {record.name}" for record in records}
    return Progress(names, tmp_path / "machine", tmp_path / "spool")


def finish(tmp_path, *records):
    """Leave records, as asv does."""
    for record in records:
        save_evidence(record, tmp_path / "machine" / f"{record.commit}.evidence")


@pytest.mark.usefixtures("clock")
def test_it_begins_with_the_first_revision_and_a_guess(tmp_path):
    """What a revision takes on two cores is known roughly."""
    assert start(tmp_path).describe() == "1 of 3, numba-cuda 0.24.0: about 1 min left"


def test_it_says_where_it_is_what_was_found_and_how_long_it_takes(tmp_path, clock):
    """By the time of the revisions so far; one without a wheel is counted apart."""
    progress = start(tmp_path)
    assert not progress.look()
    clock.now_s += 120
    finish(tmp_path, RECORDS[0])
    assert progress.look()
    assert progress.describe() == (
        "2 of 3, numba-cuda 0.26.0: about 4 min left; so far cuda-swap in 1"
    )
    clock.now_s += 120
    finish(tmp_path, *RECORDS[1:])
    assert progress.look()
    assert progress.n_done == 3
    assert progress.describe() == "all 3 measured; so far cuda-swap in 1, 1 could not be measured"


def test_finished_batches_count(tmp_path, clock):
    """They are a part of the revision that is being measured."""
    progress = start(tmp_path, RECORDS[:2])
    clock.now_s += 120
    finish(tmp_path, RECORDS[0])
    progress.look()
    assert "about 2 min left" in progress.describe()
    clock.now_s += 60
    spool = Spool(tmp_path / "spool" / RECORDS[1].commit / "e", {}, {})
    spool.save_plan(PLANNED)
    spool.save(PLANNED[0], BatchResult(stage="batch", reason="-"))
    assert "about 1 min left" in progress.describe()


def test_what_was_there_before_is_not_of_this_run(tmp_path):
    """A record that is written again is."""
    finish(tmp_path, RECORDS[0])
    progress = start(tmp_path)
    assert not progress.look()
    finish(tmp_path, RECORDS[0])
    assert progress.look()


def test_a_damaged_record_is_left_to_others(tmp_path):
    """Whoever reads all records names it; the progress goes on."""
    progress = start(tmp_path)
    (tmp_path / "machine").mkdir()
    (tmp_path / "machine" / "x.evidence").write_text("{")
    assert not progress.look()


@pytest.mark.parametrize(
    ("left_s", "text"),
    [(0, "less than a minute left"), (29, "less than a minute left"), (31, "about 1 min left")],
)
def test_minutes_are_rounded(left_s, text):
    """Nobody waits by the second."""
    assert describe_left(left_s) == text


@pytest.mark.parametrize("n_revisions", [3, 23, 79, 500])
def test_without_a_terminal_there_are_few_lines(tmp_path, capfd, n_revisions):
    """One for each revision, and fewer where there are many."""
    records = [new_record(f"0.{number}.0", not_run_reason="-") for number in range(n_revisions)]
    with ProgressLine(start(tmp_path, records), redraws=False) as line:
        for record in records:
            finish(tmp_path, record)
            line.look()
            line.look()
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) <= 1 + MAX_LINES
    assert len(lines) > min(n_revisions, MAX_LINES / 2)
    assert lines[0].startswith(f"fixwatch: 1 of {n_revisions}, numba-cuda 0.0.0: ")


def test_on_a_terminal_it_is_one_line_whatever_the_width(tmp_path, monkeypatch):
    """It is redrawn in its place."""
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, width=40)
    monkeypatch.setattr(progress_module, "Console", lambda stderr: console)
    with ProgressLine(start(tmp_path), redraws=True) as line:
        finish(tmp_path, RECORDS[0])
        line.look()
    assert "2 of 3, numba-cuda 0.26.0: " in shown.getvalue()
    assert "…" in shown.getvalue()
    assert shown.getvalue().count("\n") <= 1
