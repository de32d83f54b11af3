"""Replays of failing schedules, as text and through the command line."""

from __future__ import annotations

import json

import pytest

from mwe.defects import find_workload
from mwe.errors import BadArgumentError, HarnessError
from mwe.runner import iter_trials
from mwe.schedules import Explore
from mwe.schedules.explore.plans import parse_plan
from mwe.targets import Target, prepare_target
from mwe.workloads.planted_race.subjects import SwapSubject
from tests.mwe.test_main import mwe
from tests.subjects.programs import ProgramSubject, make_notes
from tests.subjects.swaps import RACY

N_REPLAYS = 50


def find_failing(make_subject):
    """Return the first failing trial of an exploration."""
    *_, last = iter_trials(make_subject(), Explore(), 1, range(1, 10**6))
    assert last.outcome.failed
    return last


def make_workload(name):
    """Return the subject of a workload as an exploration has it."""
    workload = find_workload(name)
    if workload.needs_numba:
        pytest.importorskip("numba")
        prepare_target(Target.SIMULATOR)
    subject = workload.load(2)
    subject.threads_per_block = 2
    return subject


def make_swap(name):
    """Return a planted subject that swaps in a wrong way."""
    subject = SwapSubject(RACY[name](), 2)
    subject.threads_per_block = 2
    return subject


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (make_workload, "planted-race"),
        (make_workload, "local-array"),
        (make_swap, "lock-on-entry-only"),
        (make_swap, "check-outside-lock"),
    ],
)
def test_a_failing_schedule_fails_in_the_same_way_each_time(make, name):
    """The text alone is enough, in as many replays as are asked for."""
    found = find_failing(lambda: make(name))
    for _ in range(N_REPLAYS):
        replay = Explore(replay=found.exploration.schedule)
        (trial,) = iter_trials(make(name), replay, 2, range(1, 10))
        assert (trial.outcome.mode, trial.outcome.detail) == (
            found.outcome.mode,
            found.outcome.detail,
        )


@pytest.mark.parametrize("text", ["0", "1", "0,0@17:1", "12,0@1:3,3@999:0"])
def test_a_schedule_is_written_as_it_is_read(text):
    """Nothing is lost on the way from a report to a replay."""
    assert str(parse_plan(text)) == text


@pytest.mark.parametrize(
    "text", ["", "x", "0,", "0,1", "0,0@1", "0 ,0@1:1", "0,0@1:1,", "-1", "0\n"]
)
def test_a_text_that_is_no_schedule_is_refused(text):
    """The message shows what one looks like."""
    with pytest.raises(BadArgumentError, match="such as 0,0@17:1"):
        Explore(replay=text)


@pytest.mark.parametrize("text", ["7", "0,0@500:1", "0,0@2:5", "0,1@2:0"])
def test_a_schedule_of_another_program_is_no_outcome(text):
    """A first thread, a point or a thread that there is not: nothing was run that counts."""
    with pytest.raises(HarnessError, match="cannot be run here"):
        list(iter_trials(make_notes(3, 3), Explore(replay=text), 1, range(1, 10)))


def test_a_replay_shows_what_threads_ran_between_switches():
    """Each stretch has file, line, function and source, and what was read and written by name."""
    subject = ProgramSubject(make_lost_update, lambda: COUNTER["n"], expected=2)
    found = find_failing(lambda: subject)
    (trial,) = iter_trials(subject, Explore(replay=found.exploration.schedule), 1, range(1, 10))
    stretches = trial.exploration.stretches
    first, other = found.exploration.schedule[0], "10"[int(found.exploration.schedule[0])]
    assert [str(stretch.thread) for stretch in stretches] == [first, other, first]
    lines = [line for stretch in stretches for line in stretch.lines]
    assert {line.file for line in lines} == {__file__}
    assert {line.function for line in lines} == {"add_one"}
    assert 'seen = COUNTER["n"]' in [line.source for line in stretches[0].lines]
    (written,) = [line for line in stretches[-1].lines if "seen + 1" in line.source]
    assert written.writes == ("[...]",)


COUNTER = {"n": 0}


def add_one():
    """Lose an update where another thread comes between."""
    seen = COUNTER["n"]
    COUNTER["n"] = seen + 1


def make_lost_update():
    """Return two threads that add one each."""
    COUNTER["n"] = 0
    return add_one, add_one


def test_the_command_line_finds_replays_and_shows():
    """The report has a column for each thread; `--json` has the space and the schedule."""
    found = mwe("--workload", "planted-race", "--schedule", "explore", "--json")
    batch = json.loads(found.stdout)
    assert found.returncode == 1
    assert set(batch["space"]) == {"schedules", "run", "exhausted", "switches", "threads", "points"}
    assert (batch["space"]["switches"], batch["space"]["threads"]) == (2, 2)
    assert batch["space"]["run"] == batch["trials"] == batch["first_failure_trial"]
    replay = ["--workload", "planted-race", "--replay", batch["first_failure_schedule"]]
    shown = mwe(*replay)
    assert shown.returncode == 1
    assert "module 'numba.cuda' has no attribute 'local'" in shown.stdout
    lines = shown.stdout.splitlines()
    (head,) = [n for n, line in enumerate(lines) if line.startswith("thread 0 ")]
    column = lines[head].index("| thread 1")
    left = [line[:column] for line in lines[head:]]
    right = [line[column:] for line in lines[head:]]
    for side in (left, right):
        assert any("simulator.py, swap_on_each_call:" in line for line in side)
        assert any("names = [name for name" in line for line in side)
    again = json.loads(mwe(*replay, "--json").stdout)
    assert again["failures_by_mode"] == batch["failures_by_mode"]
    assert {stretch["thread"] for stretch in again["stretches"]} == {0, 1}


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--schedule", "delay", "--switches", "1"], 2, "--switches is for --schedule explore"),
        (["--schedule", "natural", "--threads", "2"], 2, "--threads is for --schedule explore"),
        (["--schedule", "delay", "--limit", "1"], 2, "--limit is for --schedule explore"),
        (["--schedule", "handoff", "--all"], 2, "--all is for --schedule explore"),
        (["--schedule", "delay", "--replay", "0"], 2, "--replay is for --schedule explore"),
        (["--schedule", "explore", "--switches", "-1"], 2, "--switches is -1; give 0 or more"),
        (["--schedule", "explore", "--threads", "1"], 2, "--threads is 1; give at least 2"),
        (["--schedule", "explore", "--limit", "0"], 2, "--limit is 0; give seconds"),
        (["--replay", "0;1"], 2, "'0;1' is no schedule"),
        (["--replay", "0,0@9999:1"], 3, "schedule 0,0@9999:1 cannot be run here"),
    ],
)
def test_what_cannot_be_explored_is_one_line(arguments, status, message):
    """The line says what was found, without a traceback."""
    done = mwe("--workload", "planted-race", *arguments)
    assert done.returncode == status
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_limit_says_how_much_is_left():
    """A space that was not run to the end is none that was."""
    done = mwe(
        "--workload", "planted-race", "--schedule", "explore", "--all", "--limit", "0.000001"
    )
    assert "1 schedule of 2 threads with at most 2 forced switches was run" in done.stdout
    assert "at least" in done.stdout
    assert "were not" in done.stdout
    assert done.returncode == 0
