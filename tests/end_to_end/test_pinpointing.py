"""Finding the commit of a change in the small upstream, through real asv."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

import jsonschema
import pytest

from fixwatch.__main__ import main
from fixwatch.layout import COMMITS_CONFIGURATION, RELEASES_CONFIGURATION
from tests.end_to_end.small_history import copy_unmeasured_history

pytestmark = pytest.mark.end_to_end

FIX = "0.58.0..main"
SEED = 20261121
N_KILLS = 4


def pinpoint(history, *arguments):
    """Run the search; return its exit status and document."""
    done = history.fixwatch("pinpoint", *arguments, "--json")
    assert done.returncode in (0, 4), done.stderr
    document = json.loads(done.stdout)
    schema = json.loads((Path("docs") / "pinpoint.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(document)
    return done.returncode, document


def names(history, revisions):
    """Return the small upstream's own names of revisions."""
    return [history.names[revision["commit"]] for revision in revisions]


def has_all_of(record, older):
    """Return whether a record has the batches of an older one of it, or the same with more trials.

    A batch that goes on keeps its seed, and what failed in its first trials.
    """
    pairs = zip(older.batches, record.batches, strict=True)
    return all(
        old == new
        or (old.printed.seed, old.printed.failing_trials)
        == (
            new.printed.seed,
            tuple(n for n in new.printed.failing_trials if n <= old.printed.trials),
        )
        for old, new in pairs
    )


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """Return a project with nothing measured."""
    return copy_unmeasured_history(tmp_path_factory, "history")


def test_a_limit_of_builds_leaves_it_undecided(history):
    """The exit status is 4, and what was measured is kept for the next call."""
    status, document = pinpoint(history, FIX, "--max-builds", "1")
    assert (status, document["answer"]) == (4, "not-decided")
    assert len(history.records()) == document["spent"]["builds"] == 1


def test_the_fix_is_found_between_gaps_and_checked_against_its_direct_parent(history):
    """Two commits cannot be measured; the parent touches nothing relevant and is measured too."""
    n_before = len(history.records())
    status, document = pinpoint(history, FIX)
    assert (status, document["answer"], document["kind"]) == (0, "found", "fixed")
    assert history.names[document["at"]["commit"]] == "fixed"
    assert history.names[document["after"]["commit"]] == "remark"
    assert (document["exact"], document["missing"]) == (True, [])
    assert document["probability"] >= 0.99
    assert document["candidates"] == 6
    counted = names(history, [found["revision"] for found in document["measurements"]])
    assert {"racy", "remark", "fixed"} <= set(counted)
    assert document["spent"]["builds"] == len(history.records()) - n_before
    # What it measured is kept like any other: with its controls, and for the status.
    record = history.records()["fixed"]
    assert {"planted-race", "one-thread"} <= {batch.workload for batch in record.batches}
    assert history.entry()["fixed_in"]["commit"] == history.commits["fixed"]


def test_a_second_search_measures_nothing(history):
    """Everything is on disk, and the answer is the same."""
    before = history.records()
    status, document = pinpoint(history, FIX)
    assert (status, history.names[document["at"]["commit"]]) == (0, "fixed")
    assert document["spent"]["builds"] == document["spent"]["trials"] == 0
    assert history.records() == before


def test_an_appearance_is_found_and_what_does_not_build_is_passed_over(history):
    """The other direction; a commit that does not build is no candidate for anything but a gap."""
    status, document = pinpoint(history, "v0.57..0.58.0")
    assert document["missing"] == document["unmeasurable"] == []
    assert (status, document["kind"], document["exact"]) == (0, "appeared", True)
    assert history.names[document["at"]["commit"]] == "appeared"
    assert history.names[document["after"]["commit"]] == "sound"


def test_a_silent_range_gets_more_trials_than_the_plan_and_stays_undecided(history):
    """The silence of two commits decides nothing: on a noisy machine either may have its rate.

    The search gives up at a number of trials for which this copy of the program has no time.
    """
    planning = history.path / "fixwatch" / "statistics" / "search_planning.py"
    text = planning.read_text()
    assert "MAX_TRIALS = 6_000" in text
    planning.write_text(text.replace("MAX_TRIALS = 6_000", "MAX_TRIALS = 300"))
    before = history.records()["newest"]
    status, document = pinpoint(history, "main~1..main")
    assert (status, document["answer"]) == (4, "not-decided")
    delay = [batch for batch in document["measurements"] if batch["schedule"] == "delay"]
    assert [batch["trials"] for batch in delay] == [300, 300]
    assert sum(batch["failures"] for batch in delay) == 0
    newest = history.records()["newest"]
    batches = {(b.workload, b.schedule): b.printed for b in newest.batches}
    for old in before.batches:
        new = batches[old.workload, old.schedule]
        # Other batches are as they were; the longer one is the same batch, gone on.
        is_longer = (old.workload, old.schedule) == ("local-array", "delay")
        assert new.seed == old.printed.seed
        assert new == old.printed or (is_longer and new.trials > old.printed.trials)
    # asv's own result has the same number.
    (result,) = [
        json.loads(path.read_text())
        for path in history.results.glob(f"*/{history.commits['newest'][:8]}-*.json")
    ]
    (recorded,) = [
        b.printed.trials
        for b in newest.batches
        if (b.workload, b.schedule) == ("local-array", "delay")
    ]
    columns = dict(zip(result["result_columns"], result["results"]["track_trials"], strict=False))
    assert recorded in columns["result"]


def test_a_longer_batch_is_not_replaced_by_one_of_the_plan(history):
    """Measuring the commit again by asv alone loses none of its trials."""
    before = history.records()["newest"]
    done = history.asv("run", "--machine", before.machine, "main^!")
    assert "does not replace that" in done.stdout
    assert history.records()["newest"] == before


def test_a_range_with_two_changes_is_refused_with_both(history):
    """Once what is on disk shows them; a search for one would make nonsense of it."""
    done = history.fixwatch("pinpoint", "v0.57..main")
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = [line for line in done.stderr.splitlines() if "changes" in line]
    assert "has 2 changes: appeared in" in line
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("v0.99..main",), "no revision 'v0.99'"),
        (("main..main",), "no commit leads from the first to the second end"),
        (("main..0.58.0",), "give the older one first"),
        (("main",), "not of the form A..B"),
        (("main...0.58.0",), "not of the form A..B"),
        (("main --graph",), "not of the form A..B"),
        ((FIX, "--workload", "nope"), "unknown workload 'nope'"),
        ((FIX, "--workload", "one-thread"), "is a negative-control, which never changes"),
        ((FIX, "--workload", "event-query"), "is not for the target simulator"),
        ((FIX, "--config", RELEASES_CONFIGURATION), "lists releases"),
        ((FIX, "--max-builds", "-1"), "--max-builds is -1"),
        ((), "required: range"),
    ],
)
def test_bad_input_gets_one_line(history, monkeypatch, capsys, arguments, message):
    """The line says what was found and what to do, and nothing is measured."""
    before = history.records()
    monkeypatch.chdir(history.path)
    # In this process: a new one takes a second to import what none of these cases differs in.
    assert main(["pinpoint", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert message in printed.err.splitlines()[-1]
    assert "Traceback" not in printed.err
    assert history.records() == before


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_search_that_is_killed_goes_on_where_it_was(tmp_path_factory):
    """Kills at random moments, of the whole group or alone, lose and repeat nothing finished."""
    history = copy_unmeasured_history(tmp_path_factory, "killed-search")
    chance = random.Random(SEED)
    finished = {}
    command = [sys.executable, "-m", "fixwatch", "pinpoint", FIX, "--config", COMMITS_CONFIGURATION]
    n_kills = 0
    while n_kills < N_KILLS or not finished:
        status = history.kill_at_random(command, chance, is_early=n_kills == 1)
        if status is not None:
            assert status == 0
            # What it has is all there is to lose.
            break
        n_kills += 1
        for name, record in history.records().items():
            assert has_all_of(record, finished.get(name, record))
            finished[name] = record
    assert n_kills
    status, document = pinpoint(history, FIX)
    assert (status, document["exact"]) == (0, True)
    assert history.names[document["at"]["commit"]] == "fixed"
    assert document["spent"]["builds"] <= len(history.records()) - len(finished) + 1
    for name, record in history.records().items():
        if name in finished and not any(batch.reason for batch in record.batches):
            # Commits with gaps may be tried again; of the others nothing is measured twice.
            assert has_all_of(record, finished[name])
