"""What a search says of its counts: in one sentence, as JSON, as Markdown."""

from __future__ import annotations

import io
import json
from pathlib import Path

import jsonschema
import pytest
from rich.console import Console

from fixwatch.commands.pinpoint.document import build_document
from fixwatch.commands.pinpoint.findings import Finding, Settings, Spent
from fixwatch.commands.pinpoint.observations import (
    UNSELECTED_WEIGHT,
    MeasuringSetup,
    observe,
    select_records,
)
from fixwatch.commands.pinpoint.summary import print_answer, render_markdown, state_answer
from fixwatch.history.listing import ListedCommit
from fixwatch.statistics.search_planning import SearchAnswer
from tests.fixwatch.sample_records import (
    new_batch,
    new_controls,
    new_exploration,
    new_explored_controls,
    new_record,
)

OWN = MeasuringSetup("m", "3.11", "delay")
SCHEMA = json.loads(
    (Path(__file__).resolve().parents[4] / "docs" / "pinpoint.schema.json").read_text()
)


def commit(number, *reasons, name=None):
    """Return the commit of a number."""
    return ListedCommit(
        commit=f"{number:040x}",
        name=name or f"c{number}",
        date=f"2024-01-{number + 1:02d}T00:00:00+00:00",
        is_on_branch=True,
        reasons=reasons or ("touches the simulator",),
    )


def record(number, *batches, **overrides):
    """Return the record of that commit."""
    return new_record(
        f"c{number}", *batches, source="commits", commit=f"{number:040x}", **overrides
    )


def measured(number, failures, trials=100, **overrides):
    """Return the record of a commit with controls that behaved."""
    return record(number, new_batch(failures=failures, trials=trials), *new_controls(), **overrides)


def find(commits, records):
    """Return what is found in records."""
    records = select_records(records, "numba", "simulator")
    observations = observe(commits, records, "local-array", OWN)
    return Finding(
        settings=Settings(
            range="c0..c9", workload="local-array", target="simulator", own=OWN, max_builds=None
        ),
        upstream="numba",
        change=observations.infer(),
        commits=tuple(commits),
        observations=observations,
        n_candidates=len(commits),
        spent=Spent(builds=2, trials=240, duration_s=31.5),
    )


def explored(number, exploration, failures=0):
    """Return the record of a commit with an exploration beside its trials."""
    batches = (new_batch(failures=failures), exploration, *new_controls())
    return record(number, *batches, *new_explored_controls())


FAILED = new_exploration(run=123, failing="0,0@79:1,1@57:0")
WHOLE = new_exploration()


def test_an_exploration_decides_a_commit_at_which_delay_is_silent():
    """The commit is no gap, its silence does not count, and it asks for no more of its kind."""
    commits = [commit(n) for n in range(2)]
    records = [explored(0, FAILED), explored(1, WHOLE)]
    observed = observe(commits, records, "local-array", OWN)
    assert [setup.schedule for setup in observed.setups] == ["delay", "explore"]
    assert observed.trials.tolist() == [[0, 1], [100, 1]]
    assert observed.failures.tolist() == [[0, 1], [0, 0]]
    assert observed.gaps == {}
    assert [observed.describe(n) for n in (0, 1)] == [
        "0 of 0 trials failed; explored: a schedule failed",
        "0 of 100 trials failed; explored: every schedule passed",
    ]
    assert observed.count_trials() == (0, 100)


def test_a_part_of_a_space_says_nothing_of_a_commit():
    """It is neither silence nor a gap."""
    part = explored(0, new_exploration(run=1202))
    observed = observe([commit(0), commit(1)], [part], "local-array", OWN)
    assert [setup.schedule for setup in observed.setups] == ["delay"]
    assert (observed.trials[0].tolist(), observed.gaps) == ([100], {})


def test_explorations_find_a_change_that_trials_do_not_show():
    """A rare race: delay is silent at every commit, and one experiment each is enough."""
    commits = [commit(n) for n in range(8)]
    records = [explored(n, FAILED if n < 4 else WHOLE) for n in range(8)]
    finding = find(commits, records)
    place = finding.change.placement
    assert (place.kind.value, place.at) == ("fixed", 4)
    assert finding.answer is SearchAnswer.FOUND
    document = check_document(finding)
    rows = [m for m in document["measurements"] if m["schedule"] == "explore"]
    assert [(row["failures"], row["trials"]) for row in rows] == [(1, 1)] * 4 + [(0, 1)] * 4
    assert "explored: a schedule failed | last before |" in render_markdown(finding)


def check_document(finding):
    """Return the document of a finding, which the schema describes."""
    document = json.loads(json.dumps(build_document(finding), allow_nan=False))
    jsonschema.Draft202012Validator(
        SCHEMA, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    ).validate(document)
    return document


def test_neighbours_that_differ_make_it_exact():
    """A commit and its direct predecessor were measured, so nothing lies in between."""
    finding = find([commit(n) for n in range(4)], [measured(1, 95), measured(2, 0, 500)])
    document = check_document(finding)
    assert document["answer"] == "found"
    assert (document["kind"], document["exact"], document["missing"]) == ("fixed", True, [])
    assert (document["after"]["name"], document["at"]["name"]) == ("c1", "c2")
    assert document["probability"] > 0.99
    assert f"fixed in {2:040x}" in state_answer(finding)
    assert "| `c1` | 2024-01-02 | 95 of 100 trials failed | last before |" in render_markdown(
        finding
    )
    assert "the place is exact" in render_markdown(finding)


def test_what_was_not_measured_in_between_is_named():
    """A commit that touches nothing relevant is an unlikely place, but none that was looked at."""
    commits = [commit(0), commit(1), commit(2, *()), commit(3)]
    commits[2] = ListedCommit(**{**vars(commits[2]), "reasons": ()})
    finding = find(commits, [measured(1, 95), measured(3, 0, 500)])
    assert finding.observations.weights == (1.0, 1.0, UNSELECTED_WEIGHT, 1.0)
    document = check_document(finding)
    assert (document["answer"], document["exact"]) == ("found", False)
    assert [commit["name"] for commit in document["missing"]] == ["c2"]
    assert "may lie in `c2`" in render_markdown(finding)


def test_an_undecided_search_names_its_places_and_gaps():
    """Here the change lies in one of two commits, and the first of them does not build."""
    broken = record(1, not_run_stage="build", not_run_reason="gcc: error")
    finding = find([commit(n) for n in range(3)], [measured(0, 95), broken, measured(2, 0, 500)])
    document = check_document(finding)
    assert document["answer"] == "not-decided"
    assert [commit["name"] for commit in document["places"]] == ["c1", "c2"]
    (gap,) = document["unmeasurable"]
    assert (gap["revision"]["name"], gap["stage"], gap["reason"]) == ("c1", "build", "gcc: error")
    assert "| `c1` | 2024-01-02 | not run | `build: gcc: error` |" in render_markdown(finding)
    assert "0 of" not in state_answer(finding)


@pytest.mark.parametrize(
    ("n_commits", "failures", "trials", "text"),
    [
        (3, 95, 100, "affected throughout, 285 of 300 trials failed"),
        # Rates vary between commits, so that the silence of a few says little.
        (40, 0, 6000, "never observed"),
    ],
)
def test_no_change_says_what_the_range_is_like(n_commits, failures, trials, text):
    """It is affected throughout, or silent with a bound on the rate."""
    commits = [commit(n) for n in range(n_commits)]
    finding = find(commits, [measured(n, failures, trials) for n in range(n_commits)])
    document = check_document(finding)
    assert finding.answer is SearchAnswer.NO_CHANGE
    assert (document["kind"], document["at"], document["places"]) == (None, None, [])
    assert text in state_answer(finding)
    # 1 - 0.05 ** (1 / 18000) is 1.7e-4.
    assert ("rate at most 1.2e-05" in state_answer(finding)) is (failures == 0)


def test_other_machines_count_with_rates_of_their_own():
    """95 of 100 there and 40 of 100 here are no change."""
    records = [measured(0, 95, machine="other"), measured(1, 40), measured(2, 38)]
    finding = find([commit(n) for n in range(3)], records)
    assert finding.observations.setups == (OWN, MeasuringSetup("other", "3.11", "delay"))
    assert finding.answer is SearchAnswer.NO_CHANGE
    assert finding.observations.trials.tolist() == [[0, 100], [100, 0], [100, 0]]


def test_a_record_with_a_broken_control_is_a_gap():
    """Its counts are not evidence, whatever they are."""
    spoiled = record(1, new_batch(failures=0), *new_controls(positive=0))
    finding = find([commit(n) for n in range(3)], [measured(0, 95), spoiled, measured(2, 0, 500)])
    assert finding.observations.trials[1].sum() == 0
    assert finding.observations.gaps[1].stage == "verdict"


def test_a_summary_lists_the_commits_around_the_change():
    """Thirty measured commits make no page-long comment."""
    records = [measured(n, 95 if n < 20 else 0) for n in range(30)]
    finding = find([commit(n) for n in range(30)], records)
    text = render_markdown(finding)
    assert "| 14 more commits | | measured | |" in text
    assert "| `c19` |" in text
    assert "| `c20` |" in text
    assert "| `c2` |" not in text
    assert len(check_document(finding)["measurements"]) == 30


def test_failures_under_another_schedule_are_no_silence():
    """Delay is silent and hand-off fails: whatever that is, it is not clean."""
    odd = record(
        1,
        new_batch(trials=500),
        new_batch(failures=20, trials=20, schedule="handoff"),
        *new_controls(),
    )
    finding = find([commit(n) for n in range(3)], [measured(0, 95), odd, measured(2, 0, 500)])
    assert finding.observations.trials[1].sum() == 0
    assert "under another schedule" in finding.observations.gaps[1].reason


def test_a_workload_that_was_not_part_of_the_run_is_not_measured():
    """Nothing went wrong, so it is no gap."""
    other = record(1, new_batch("shared-array", failures=50, trials=50), *new_controls())
    finding = find([commit(n) for n in range(3)], [measured(0, 95), other, measured(2, 0, 500)])
    assert (1 in finding.observations.own, finding.observations.gaps) == (False, {})


def test_counts_of_another_meaning_are_left_out():
    """Records of an older measurement version are ignored on every machine."""
    old = measured(0, 95, machine="other", measurement_version="1")
    finding = find([commit(n) for n in range(3)], [old, measured(1, 0, 500)])
    assert finding.observations.trials[0].sum() == 0


def test_names_and_reasons_of_upstream_add_no_markup():
    """A tag with a bar and a message with a link stay within their code spans."""
    reason = "x](https://evil.example) `|\n# heading @everyone\x1b[2J\u202e"
    broken = record(1, not_run_stage="build", not_run_reason=reason)
    commits = [commit(0), commit(1), commit(2, name="v1`|[a](b)")]
    text = render_markdown(find(commits, [measured(0, 95), broken, measured(2, 0, 500)]))
    assert "\n# heading" not in text
    assert "`v1'\\|[a](b)`" in text
    assert "`build: x](https://evil.example) '\\| # heading @everyone\ufffd[2J\ufffd`" in text


def show(finding, **options):
    """Return what the terminal shows, styles included."""
    console = Console(file=io.StringIO(), width=160, force_terminal=True)
    print_answer(finding, console, **options)
    return console.file.getvalue()


def test_the_terminal_has_the_answer_first_and_commits_if_asked():
    """Each that was measured, and each that could not be, has a row."""
    broken = record(1, not_run_stage="build", not_run_reason="gcc: [red]\x1b[31m error")
    finding = find([commit(n) for n in range(3)], [measured(0, 95), broken, measured(2, 0, 500)])
    short, long = show(finding), show(finding, shows_commits=True)
    assert short.startswith("not decided: fixed ")
    assert len(short.splitlines()) <= 4
    assert long.startswith(short)
    assert "95 of 100 trials failed" in long
    assert "0 of 500 trials failed" in long
    assert "not run, build: gcc: [red]\ufffd[31m error" in long
