"""What a check says: unchanged, changed, or that it could not measure."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace

import pytest

from fixwatch.commands.check.comparison import (
    CHECKS_A_YEAR,
    EXIT_STATUS,
    Checked,
    CheckResult,
    Recorded,
    RecordedHistory,
    compare,
    find_broken_control,
    find_needed_failures,
)
from fixwatch.commands.check.issue import MARKER, describe_changes, plan_issue
from fixwatch.commands.check.planning import find_newest
from fixwatch.commands.check.recorded import describe_recorded
from fixwatch.commands.check.summary import render_summary
from fixwatch.history.order import RevisionOrder
from fixwatch.history.release_table import load_release_table
from fixwatch.report.markdown import quote_markdown
from fixwatch.verdicts.judgements import Verdict
from fixwatch.verdicts.series import build_series
from tests.fixwatch.sample_records import new_batch, new_controls, new_record

CONTROLLED = {
    "defect": "cuda-swap",
    "positive_control": "numba-cuda 0.24.0",
    "negative_control": "numba-cuda 0.26.0",
}
NUMBA = Recorded(
    upstream="numba", state="affected", since="0.57.0", newest="5340f052", **CONTROLLED
)
NUMBA_CUDA = Recorded(
    upstream="numba-cuda", state="fixed", since="d41b90d3", newest="b18b944b", **CONTROLLED
)
RECORDED = (NUMBA, NUMBA_CUDA)


def checked(upstream, kind, name, verdict, failures, trials=120, reason=None):
    """Return a measured revision."""
    return Checked(
        upstream=upstream,
        defect="cuda-swap",
        kind=kind,
        name=name,
        commit=f"{upstream}-{name}",
        date="2026-11-20T00:00:00+00:00",
        verdict=Verdict(verdict),
        n_failures=failures,
        n_trials=trials,
        reason=reason,
    )


POSITIVE = replace(
    checked("numba-cuda", "positive control", "0.24.0", "observed", 118),
    explored="a schedule failed in local-array",
)
NEGATIVE = checked("numba-cuda", "negative control", "0.26.0", "not-observed", 0)
CONTROLS = (POSITIVE, NEGATIVE)
MOMENT = "2026-11-23T04:17:00+00:00"


def newest(upstream, commit, version, verdict, failures):
    """Return the newest commit and the newest release of an upstream, with the same verdict."""
    return (
        checked(upstream, "newest commit", commit, verdict, failures),
        checked(upstream, "newest release", version, verdict, failures),
    )


OLD_NUMBA = newest("numba", "aaaaaaaa", "0.68.1", "observed", 117)
NEW_NUMBA = newest("numba", "aaaaaaaa", "0.69.0", "not-observed", 0)
CLEAN_CUDA = newest("numba-cuda", "bbbbbbbb", "0.30.4", "not-observed", 0)
RELAPSED_CUDA = (
    CLEAN_CUDA[0],
    checked("numba-cuda", "newest release", "0.31.0", "observed", 20),
)
BROKEN_NUMBA = (
    checked("numba", "newest commit", "aaaaaaaa", "not-run", 0, 0, "build: no compiler"),
    OLD_NUMBA[1],
)


@pytest.mark.parametrize(
    ("measured", "outcome", "outcomes"),
    [
        (OLD_NUMBA + CLEAN_CUDA, CheckResult.UNCHANGED, [CheckResult.UNCHANGED] * 2),
        (NEW_NUMBA + CLEAN_CUDA, CheckResult.CHANGED, [CheckResult.CHANGED, CheckResult.UNCHANGED]),
        (
            OLD_NUMBA + RELAPSED_CUDA,
            CheckResult.CHANGED,
            [CheckResult.UNCHANGED, CheckResult.CHANGED],
        ),
        (
            BROKEN_NUMBA + CLEAN_CUDA,
            CheckResult.COULD_NOT_MEASURE,
            [CheckResult.COULD_NOT_MEASURE, CheckResult.UNCHANGED],
        ),
        # A change of one upstream is told although the other could not be measured.
        (
            BROKEN_NUMBA + RELAPSED_CUDA,
            CheckResult.CHANGED,
            [CheckResult.COULD_NOT_MEASURE, CheckResult.CHANGED],
        ),
        (
            CLEAN_CUDA,
            CheckResult.COULD_NOT_MEASURE,
            [CheckResult.COULD_NOT_MEASURE, CheckResult.UNCHANGED],
        ),
        # One of the two is missing: nothing is known of it, whatever the other says.
        (
            OLD_NUMBA[:1] + CLEAN_CUDA,
            CheckResult.COULD_NOT_MEASURE,
            [CheckResult.COULD_NOT_MEASURE, CheckResult.UNCHANGED],
        ),
    ],
)
def test_what_was_measured_is_compared_with_what_is_recorded(measured, outcome, outcomes):
    """The result is stated for each upstream, and the worst one for the check as a whole."""
    comparison = compare(RECORDED, (*CONTROLS, *measured))
    assert comparison.outcome is outcome
    assert [compared.outcome for compared in comparison.findings] == outcomes
    json.dumps(asdict(comparison), allow_nan=False)


@pytest.mark.parametrize(
    ("controls", "reason"),
    [
        ((NEGATIVE,), "no positive control was measured"),
        ((POSITIVE,), "no negative control was measured"),
        (
            (replace(POSITIVE, verdict=Verdict.NOT_OBSERVED), NEGATIVE),
            "positive control numba-cuda 0.24.0",
        ),
        (
            (POSITIVE, replace(NEGATIVE, verdict=Verdict.OBSERVED, n_failures=20)),
            "negative control numba-cuda 0.26.0",
        ),
        (
            (replace(POSITIVE, verdict=Verdict.NOT_RUN, reason="no wheel"), NEGATIVE),
            "not-run: no wheel",
        ),
    ],
)
def test_a_control_that_misbehaves_is_never_a_fix(controls, reason):
    """The check could not measure then, even if the newest revisions were silent."""
    comparison = compare(RECORDED, (*controls, *NEW_NUMBA, *CLEAN_CUDA))
    assert comparison.outcome is CheckResult.COULD_NOT_MEASURE
    assert EXIT_STATUS[comparison.outcome] == 3
    assert all(reason in finding.detail for finding in comparison.findings)
    assert describe_changes(comparison, MOMENT) == ()


def test_nothing_sure_in_the_record_is_nothing_to_compare_with():
    """An inconclusive record does not make a silent commit a change."""
    unsure = replace(NUMBA, state="inconclusive")
    comparison = compare([unsure], (*CONTROLS, *NEW_NUMBA))
    assert comparison.outcome is CheckResult.COULD_NOT_MEASURE


def test_a_defect_that_is_recorded_as_inconclusive_was_measured():
    """Without a release that could be its control, too, nothing is known of it."""
    unsure = replace(NUMBA, state="inconclusive", positive_control=None, negative_control=None)
    comparison = compare([unsure, NUMBA_CUDA], (*CONTROLS, *OLD_NUMBA, *CLEAN_CUDA))
    assert comparison.findings[0].outcome is CheckResult.COULD_NOT_MEASURE
    assert comparison.findings[0].detail == "nothing sure is recorded"
    assert comparison.outcome is CheckResult.COULD_NOT_MEASURE


def of_another(*revisions, **changes):
    """Return the same of another defect."""
    return tuple(replace(revision, defect="another", **changes) for revision in revisions)


UNCONTROLLED = of_another(*RECORDED, positive_control=None, negative_control=None)


def test_a_defect_without_recorded_controls_says_so_and_fails_nothing():
    """Its planted twin and its negative controls, part of every run, stand for them."""
    measured = (*CONTROLS, *OLD_NUMBA, *CLEAN_CUDA, *of_another(*OLD_NUMBA, *CLEAN_CUDA))
    comparison = compare((*RECORDED, *UNCONTROLLED), measured)
    assert comparison.outcome is CheckResult.UNCHANGED
    assert [found.defect for found in comparison.findings] == ["cuda-swap"] * 2 + ["another"] * 2
    for found in comparison.findings:
        is_alone = found.defect == "another"
        assert ("no affected release is recorded, its planted twin" in found.detail) is is_alone
        assert ("no clean release is recorded, its negative" in found.detail) is is_alone


def test_a_control_that_misbehaves_takes_nothing_from_other_defects():
    """A change of one is told although the other could not be measured."""
    measured = (*CONTROLS, *NEW_NUMBA, *CLEAN_CUDA, *of_another(*OLD_NUMBA, *CLEAN_CUDA))
    broken = of_another(replace(POSITIVE, verdict=Verdict.NOT_OBSERVED))
    rows = (*RECORDED, *of_another(*RECORDED, negative_control=None))
    comparison = compare(rows, (*measured, *broken))
    results = [found.outcome for found in comparison.findings]
    assert results == [
        CheckResult.CHANGED,
        CheckResult.UNCHANGED,
        CheckResult.COULD_NOT_MEASURE,
        CheckResult.COULD_NOT_MEASURE,
    ]
    assert comparison.outcome is CheckResult.CHANGED


def test_a_defect_that_was_never_measured_leaves_the_result_to_the_others():
    """Alone it is no result: nothing is there to compare with."""
    new = tuple(replace(row, state="not-run", newest=None) for row in UNCONTROLLED)
    measured = (*CONTROLS, *OLD_NUMBA, *CLEAN_CUDA, *of_another(*OLD_NUMBA))
    comparison = compare((*RECORDED, *new), measured)
    assert comparison.outcome is CheckResult.UNCHANGED
    assert comparison.findings[-1].outcome is CheckResult.NOT_RECORDED
    alone = compare(new, measured)
    assert EXIT_STATUS[alone.outcome] == 3


def test_what_was_explored_alone_is_told_without_counts():
    """0 of 0 trials is no finding."""
    explored = "every schedule passed in local-array"
    newest = (replace(one, n_trials=0, explored=explored) for one in CLEAN_CUDA)
    comparison = compare(RECORDED, (*CONTROLS, *OLD_NUMBA, *newest))
    assert "newest commit bbbbbbbb: explored: every schedule" in comparison.findings[1].detail
    assert "of 0" not in render_summary(comparison)


def measured_releases(upstream, *outcomes):
    """Return records of releases of so many failures each, by version."""
    return [
        new_record(
            version,
            new_batch(failures=failures),
            *new_controls(),
            upstream=upstream,
            date=f"2025-01-{number:02}T00:00:00+00:00",
        )
        for number, (version, failures) in enumerate(outcomes, 1)
    ]


def recorded_of(*records):
    """Return by upstream what is recorded of the race."""
    rows = describe_recorded(build_series(records, RevisionOrder()), load_release_table())
    assert len(rows) == 2 * len({row.defect for row in rows})
    return {row.upstream: row for row in rows if row.defect == "cuda-swap"}


def test_controls_are_releases_of_which_the_results_say_so():
    """Preferred ones go first, else the newest, of either upstream."""
    numba = measured_releases("numba", ("0.60.0", 90), ("0.61.0", 90))
    cuda = measured_releases("numba-cuda", ("0.24.0", 90), ("0.26.0", 0), ("0.27.0", 0))
    rows = recorded_of(*numba, *cuda)
    assert rows["numba"].positive_control == rows["numba-cuda"].positive_control
    assert rows["numba"].positive_control == "numba-cuda 0.24.0"
    assert rows["numba"].negative_control == "numba-cuda 0.26.0"
    assert (rows["numba"].state, rows["numba-cuda"].state) == ("affected", "fixed")
    assert recorded_of(*numba, *cuda[::2])["numba"].negative_control == "numba-cuda 0.27.0"
    alone = recorded_of(*numba)
    assert alone["numba"].positive_control == "numba 0.61.0"
    assert alone["numba"].negative_control is None
    assert alone["numba-cuda"].state == "not-run"


def test_a_release_that_the_index_does_not_have_is_no_control():
    """0.25.0 of numba-cuda was tagged and never uploaded."""
    cuda = measured_releases("numba-cuda", ("0.24.0", 90), ("0.25.0", 0))
    assert recorded_of(*cuda)["numba"].negative_control is None


def test_the_exit_statuses_are_those_of_the_interface():
    """The command exits with 0 if unchanged, 10 if changed, 3 if it could not measure."""
    assert {result.value: status for result, status in EXIT_STATUS.items()} == {
        "unchanged": 0,
        "changed": 10,
        "could not measure": 3,
        "not recorded": 3,
    }


FIXED = compare(RECORDED, (*CONTROLS, *NEW_NUMBA, *CLEAN_CUDA))
SUMMARY = r"""## Fix status: changed

| upstream | defect | recorded | now | |
|---|---|---|---|---|
| `numba` | `cuda-swap` | `affected` | `fixed` | `newest commit aaaaaaaa: 0 of 120 trials failed, newest release 0.69.0: 0 of 120 trials failed; recorded up to 5340f052` |
| `numba-cuda` | `cuda-swap` | `fixed` | `fixed` | `newest commit bbbbbbbb: 0 of 120 trials failed, newest release 0.30.4: 0 of 120 trials failed` |

| measured | defect | revision | date | verdict | trials that failed | explored |
|---|---|---|---|---|---|---|
| `numba-cuda, positive control` | `cuda-swap` | `0.24.0` | `2026-11-20` | `observed` | `118 of 120` | `a schedule failed in local-array` |
| `numba-cuda, negative control` | `cuda-swap` | `0.26.0` | `2026-11-20` | `not-observed` | `0 of 120` |  |
| `numba, newest commit` | `cuda-swap` | `aaaaaaaa` | `2026-11-20` | `not-observed` | `0 of 120` |  |
| `numba, newest release` | `cuda-swap` | `0.69.0` | `2026-11-20` | `not-observed` | `0 of 120` |  |
| `numba-cuda, newest commit` | `cuda-swap` | `bbbbbbbb` | `2026-11-20` | `not-observed` | `0 of 120` |  |
| `numba-cuda, newest release` | `cuda-swap` | `0.30.4` | `2026-11-20` | `not-observed` | `0 of 120` |  |
"""  # noqa: E501 (as it is printed)
BODY = rf"""{MARKER}
<!-- fixwatch: numba-cuda-swap-affected-fixed-5340f052 -->
**`numba`, `cuda-swap`**: `affected` was recorded, `fixed` is measured since `2026-11-23` (`newest commit aaaaaaaa: 0 of 120 trials failed, newest release 0.69.0: 0 of 120 trials failed; recorded up to 5340f052`). The range to scan: `5340f052..numba-aaaaaaaa`.

Next: `python -m fixwatch pinpoint` on the range, with a workload of the defect, finds the commit. Close this issue when that is known; another change reopens it.
"""  # noqa: E501 (as it is printed)


def test_a_change_that_only_an_exploration_shows_names_it():
    """The counts beside it say that nothing failed."""
    newest = (
        replace(
            revision,
            verdict=Verdict.OBSERVED,
            explored="a schedule failed in local-array",
            n_failed_explorations=1,
        )
        for revision in CLEAN_CUDA
    )
    (_, found) = compare(RECORDED, (*CONTROLS, *OLD_NUMBA, *newest)).findings
    assert found.new == "affected"
    assert "0 of 120 trials failed; explored: a schedule failed in local-array" in found.detail


def test_the_summary_of_a_run():
    """The Markdown of a known comparison is the same word for word."""
    assert render_summary(FIXED) == SUMMARY


def test_a_change_opens_one_issue():
    """Its text is the same word for word, with the marker by which it is found again."""
    action = plan_issue(describe_changes(FIXED, MOMENT), None)
    assert (action.kind, action.body) == ("open", BODY)


def test_the_issue_is_never_duplicated():
    """What it says is not said again, open or closed; news are a comment, and reopen it."""
    told = describe_changes(FIXED, MOMENT)
    for existing in ("open", "closed"):
        assert plan_issue(told, existing, known=BODY).kind == "nothing"
    relapse = compare(RECORDED, (*CONTROLS, *OLD_NUMBA, *RELAPSED_CUDA))
    changes = (*told, *describe_changes(relapse, MOMENT))
    news = plan_issue(changes, "open", known=BODY)
    assert news.kind == "comment"
    assert MARKER not in news.body
    assert "numba-cuda-cuda-swap" in news.body
    assert "numba-cuda-swap-affected-fixed" not in news.body
    assert plan_issue(changes, "closed", known=BODY).kind == "reopen"


def test_what_an_earlier_look_could_not_tell_is_told_later():
    """A change stays among those that were found, until the issue says it."""
    unchanged = compare(RECORDED, (*CONTROLS, *OLD_NUMBA, *CLEAN_CUDA))
    assert describe_changes(unchanged, MOMENT) == ()
    changes = (*describe_changes(FIXED, MOMENT), *describe_changes(unchanged, MOMENT))
    assert plan_issue(changes, None).kind == "open"


def test_upstreams_names_add_no_markup():
    """A tag with a link, a row, a mention or HTML stays within its code span, and short."""
    hostile = "x](https://e.org) | @everyone #1 <img src=x> `code` -->\n# heading" + "y" * 8000
    quoted = quote_markdown(hostile)
    assert "\n" not in quoted
    assert quoted.startswith("`")
    assert quoted.count("`") == 2
    assert quoted.replace("\\|", "").count("|") == 0
    assert len(quoted) <= 204
    odd = tuple(replace(revision, name=hostile) for revision in NEW_NUMBA)
    found = compare(RECORDED, (*CONTROLS, *odd, *CLEAN_CUDA))
    body = plan_issue(describe_changes(found, MOMENT), None).body
    assert len(body) < 5000
    assert "\n# heading" not in body


def test_the_newest_release_is_the_highest_that_was_not_yanked():
    """A maintenance release that was uploaded last does not count as the newest."""
    table = load_release_table()
    own = [release for release in table if release.upstream == "numba-cuda"]
    highest = max(own, key=lambda release: release.parsed_version)
    assert find_newest(table, "numba-cuda") == ("numba-cuda", highest.version)
    yanked = [replace(release, is_yanked=release is highest) for release in own]
    assert find_newest(yanked, "numba-cuda")[1] != highest.version


@pytest.mark.parametrize("n_trials", [20, 120, 400, 5000])
def test_the_failures_that_a_change_needs_are_rare_as_artefacts(n_trials):
    """With one artefact in 10,000 trials, a year of checks has so many with at most 1 %."""
    needed = find_needed_failures(n_trials)
    chance = 1 - math.fsum(
        math.comb(n_trials, k) * 1e-4**k * (1 - 1e-4) ** (n_trials - k) for k in range(needed)
    )
    assert CHECKS_A_YEAR * chance <= 0.01
    assert needed > 1


def test_a_stray_failure_is_said_and_is_no_change():
    """One failure may be an artefact, twenty are none; silence where failures were is a change."""
    for n_failures, outcome in ((1, CheckResult.UNCHANGED), (20, CheckResult.CHANGED)):
        release = replace(RELAPSED_CUDA[1], n_failures=n_failures)
        found = compare(RECORDED, (*CONTROLS, *OLD_NUMBA, CLEAN_CUDA[0], release)).findings[1]
        assert found.outcome is outcome
        assert f"{n_failures} of 120 trials failed" in found.detail


def test_a_stray_failure_of_the_clean_release_breaks_no_check():
    """A harness that fails so rarely makes no change of the newest revisions either."""
    stray = replace(NEGATIVE, verdict=Verdict.OBSERVED, n_failures=1)
    assert find_broken_control(NUMBA, (POSITIVE, stray)) is None
    few = replace(POSITIVE, verdict=Verdict.OBSERVED, n_failures=1)
    assert find_broken_control(NUMBA, (few, stray)) is None
    silent = replace(POSITIVE, verdict=Verdict.NOT_OBSERVED, n_failures=0)
    assert "positive control" in find_broken_control(NUMBA, (silent, stray))


def test_failures_beside_a_control_that_fails_too_are_no_alarm():
    """They may be the harness's; silence, and a schedule that fails, are judged as ever."""
    stray = replace(NEGATIVE, verdict=Verdict.OBSERVED, n_failures=1)
    controls = (POSITIVE, stray)
    found = compare(RECORDED, (*controls, *OLD_NUMBA, *RELAPSED_CUDA)).findings[1]
    assert found.outcome is CheckResult.COULD_NOT_MEASURE
    assert "negative control 0.26.0: 1 of 120 trials failed" in found.detail
    assert compare(RECORDED, (*controls, *NEW_NUMBA, *CLEAN_CUDA)).findings[0].new == "fixed"
    explored = [replace(one, n_failed_explorations=1) for one in RELAPSED_CUDA]
    found = compare(RECORDED, (*controls, *OLD_NUMBA, *explored)).findings[1]
    assert (found.outcome, found.new) == (CheckResult.CHANGED, "affected")


def test_each_newest_revision_is_compared_with_its_own_history():
    """What is fixed in a commit and in no release yet is news once, and so is the release."""
    histories = (
        RecordedHistory(source="releases", state="affected", newest="0.68.0"),
        RecordedHistory(source="commits", state="fixed", newest="bbbbbbbb"),
    )
    recorded = [replace(NUMBA, histories=histories)]
    commit, release = NEW_NUMBA
    old_release = OLD_NUMBA[1]
    found = compare(recorded, (*CONTROLS, commit, old_release)).findings[0]
    assert found.outcome is CheckResult.UNCHANGED
    found = compare(recorded, (*CONTROLS, commit, release)).findings[0]
    assert (found.outcome, found.new) == (CheckResult.CHANGED, "fixed")
    assert found.recorded_up_to == "0.68.0"
    relapse = replace(commit, verdict=Verdict.OBSERVED, n_failures=100)
    found = compare(recorded, (*CONTROLS, relapse, old_release)).findings[0]
    assert (found.old, found.new, found.recorded_up_to) == ("fixed", "affected", "bbbbbbbb")
