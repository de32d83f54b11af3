"""Which releases are free of which defects."""

from __future__ import annotations

from dataclasses import replace

import pytest
from packaging.version import Version

from fixwatch.history.order import RevisionOrder
from fixwatch.history.release_table import load_release_table
from fixwatch.records.evidence import BatchEvidence
from fixwatch.verdicts.judgements import Verdict
from fixwatch.verdicts.pin_advice import advise_on_releases
from fixwatch.verdicts.series import build_series
from tests.fixwatch.sample_records import (
    new_batch,
    new_controls,
    new_exploration,
    new_explored_controls,
    new_gap,
    new_record,
    of_defect,
)

TABLE = load_release_table()


def judge(*records):
    """Return what is known of the releases of the first upstream."""
    order = RevisionOrder(TABLE)
    return advise_on_releases(build_series(records, order), TABLE)[0]


def release(version, *batches, **overrides):
    """Return a record of numba-cuda with controls that behave."""
    return new_record(version, *batches, *new_controls(), upstream="numba-cuda", **overrides)


def versions_of(releases):
    """Return the versions of releases."""
    return [release.version for release in releases]


AFFECTED = release("0.24.0", new_batch(failures=90))
FIXED = release("0.26.0", new_batch())
LOST = new_gap("did not finish within 120 s")


def test_every_release_since_the_fix_is_free_of_the_defect():
    """Newest first; those between them that were not measured are counted."""
    found = judge(AFFECTED, FIXED, release("0.30.4", new_batch()))
    assert [(release.version, release.find("cuda-swap").verdict) for release in found.releases] == [
        ("0.30.4", Verdict.NOT_OBSERVED),
        ("0.26.0", Verdict.NOT_OBSERVED),
        ("0.24.0", Verdict.OBSERVED),
    ]
    n_uploaded = sum(
        release.upstream == "numba-cuda"
        and not release.is_yanked
        and Version("0.26.0") < release.parsed_version < Version("0.30.4")
        for release in TABLE
    )
    free = found.find_free_from("cuda-swap")
    assert versions_of(free) == ["0.30.4", "0.26.0"]
    assert found.count_unmeasured(free) == n_uploaded
    assert found.releases[2].find("cuda-swap").workloads == ("local-array",)


def test_a_release_that_was_not_measured_is_not_known():
    """Nothing is said from an older one on, as it lies between."""
    missing = new_record("0.30.4", upstream="numba-cuda", not_run_reason="no wheel")
    found = judge(AFFECTED, FIXED, missing)
    assert found.releases[0].find("cuda-swap").verdict is Verdict.NOT_RUN
    assert found.find_free_from("cuda-swap") == []
    assert [versions_of(run) for run in found.find_free_runs("cuda-swap")] == [["0.26.0"]]


def test_one_workload_that_fails_gives_a_release_the_defect():
    """However silent the others are."""
    other = BatchEvidence(
        **{**vars(new_batch(failures=80)), "workload": "shared-array", "role": "workload"}
    )
    found = judge(AFFECTED, release("0.26.0", new_batch(), other))
    assert found.releases[0].find("cuda-swap").verdict is Verdict.OBSERVED
    assert found.releases[0].find("cuda-swap").workloads == ("shared-array",)
    assert found.find_free_runs("cuda-swap") == []


def test_a_release_is_free_of_one_defect_and_has_another():
    """A workload of one defect says nothing of another, and neither do its counts."""
    lost = of_defect("lost-sum", new_batch(failures=70), *new_controls())
    found = judge(
        release("0.24.0", new_batch(failures=90), *lost), release("0.26.0", new_batch(), *lost)
    )
    newest = found.releases[0]
    assert newest.is_free_of("cuda-swap")
    assert not newest.is_free_of("lost-sum")
    assert [newest.find(name).counts.n_failures for name in ("cuda-swap", "lost-sum")] == [0, 70]
    assert found.find_free_runs("cuda-swap", "lost-sum") == []
    assert {"cuda-swap", "lost-sum"} <= set(found.defects)


def test_a_defect_that_was_not_measured_in_a_release_is_not_known_there():
    """Its absence from a record is no silence."""
    lost = of_defect("lost-sum", new_batch(failures=70), *new_controls())
    found = judge(release("0.24.0", new_batch(failures=90), *lost), FIXED)
    assert found.releases[0].find("lost-sum").verdict is Verdict.NOT_RUN


def test_releases_are_free_of_a_defect_that_only_another_upstream_ever_had():
    """Its rate says what their silence is worth; the status says the same of them."""
    elsewhere = new_record("0.57.0", new_batch(failures=90), *new_controls())
    found = advise_on_releases(build_series((elsewhere, FIXED), RevisionOrder(TABLE)), TABLE)
    assert [upstream.releases[0].is_free_of("cuda-swap") for upstream in found] == [False, True]


def test_tags_count_only_if_they_were_uploaded():
    """0.25.0 was tagged, and never uploaded."""
    commits = [
        release(name, new_batch(failures=k), source="commits", commit=f"c{name}")
        for name, k in (("v0.24.0", 90), ("v0.25.0", 0), ("v0.26.0", 0))
    ]
    found = judge(*commits)
    assert versions_of(found.releases) == ["0.26.0", "0.24.0"]


def test_a_workload_that_was_explored_in_part_is_left_to_the_others():
    """Check and judge say the same of it; the one that stands for the defect has to be whole."""
    for part, whole, verdict in (
        ("local-array-2d", "local-array", Verdict.NOT_OBSERVED),
        ("local-array", "local-array-2d", Verdict.INCONCLUSIVE),
    ):
        explored = [new_exploration(part, run=123), new_exploration(whole)]
        found = judge(release("0.26.0", *explored, *new_explored_controls()))
        assert found.releases[0].find("cuda-swap").verdict is verdict


@pytest.mark.parametrize(("refusals", "is_free"), [(4, True), (0, False)])
def test_a_release_that_refuses_the_launch_is_free_whatever_its_history_says(refusals, is_free):
    """4 silent trials between affected releases are doubted; an error that says so is none."""
    found = judge(
        release("0.24.0", new_batch(failures=90)),
        release("0.26.0", new_batch(trials=4, refusals=refusals)),
        release("0.30.4", new_batch(failures=90)),
    )
    assert found.releases[1].is_free_of("cuda-swap") is is_free


def test_a_python_without_a_wheel_leaves_a_release_to_the_others():
    """Where one Python ran it and was silent it is free, and where none did it is not known."""
    affected, silent = (
        [replace(record, python=python) for python in ("3.11", "3.13")]
        for record in (AFFECTED, FIXED)
    )
    missing = [
        replace(record, batches=(), not_run_stage="availability", not_run_reason="no wheel")
        for record in silent
    ]
    assert judge(*affected, silent[0], missing[1]).releases[0].is_free_of("cuda-swap")
    nowhere = judge(*affected, *missing).releases[0].find("cuda-swap")
    assert nowhere.verdict is Verdict.NOT_RUN


HISTORY = [
    *(release(version, new_batch(failures=90)) for version in ("0.23.0", "0.24.0")),
    *(release(version, new_batch()) for version in ("0.26.0", "0.27.0", "0.28.0", "0.29.0")),
]


def as_tags(records):
    """Return records of releases as those of the commits of their tags, older than the uploads."""
    return [
        replace(
            record,
            source="commits",
            commit=f"c{record.name}",
            name=f"v{record.name}",
            date="2023-04-30T00:00:00+00:00",
        )
        for record in records
    ]


def elsewhere(record, *batches, **changes):
    """Return a record as another machine has it, with other batches if some are given."""
    batches = (*batches, *new_controls()) if batches else record.batches
    return replace(record, machine="newer", batches=batches, **changes)


def verdicts_of(*records):
    """Return the verdict on the race by version."""
    return {found.version: found.find("cuda-swap").verdict for found in judge(*records).releases}


def test_releases_and_release_tags_count_together():
    """A version that was measured either way is known, and one both ways is counted once."""
    found = judge(*as_tags(HISTORY[:4]), *HISTORY[2:])
    assert versions_of(found.releases) == [
        "0.29.0", "0.28.0", "0.27.0", "0.26.0", "0.24.0", "0.23.0"
    ]  # fmt: skip
    assert versions_of(found.find_free_from("cuda-swap"))[-1] == "0.26.0"
    swap = {release.version: release.find("cuda-swap") for release in found.releases}
    assert [swap[version].counts.n_trials for version in ("0.26.0", "0.24.0")] == [100, 100]
    assert {release.version: release.date[:10] for release in found.releases} == {
        **dict.fromkeys(("0.29.0", "0.28.0", "0.27.0", "0.26.0"), "2023-05-02"),
        **dict.fromkeys(("0.24.0", "0.23.0"), "2023-04-30"),
    }


@pytest.mark.parametrize("source", [list, as_tags])
@pytest.mark.parametrize("newest", ["0.24.0", "0.29.0"])
@pytest.mark.parametrize("batch", [new_batch(), new_batch(trials=3), new_batch(trials=200), LOST])
@pytest.mark.parametrize("place", [{}, {"python": "3.13"}, {"measured_at": "2027-01-01T00:00:00Z"}])
def test_one_release_that_is_measured_elsewhere_takes_nothing_back(source, newest, batch, place):
    """Its silence says nothing there, as nothing else was measured, and the others are still known.

    Where it observes nothing of what was observed elsewhere, that stands as well.
    """
    known = source(HISTORY)
    (record,) = [record for record in HISTORY if record.name == newest]
    assert verdicts_of(*known, elsewhere(record, batch, **place)) == verdicts_of(*known)


def test_what_another_machine_observes_counts():
    """However little it has measured."""
    here = elsewhere(HISTORY[-1], new_batch(failures=60))
    assert verdicts_of(*HISTORY, here)["0.29.0"] is Verdict.OBSERVED
    assert verdicts_of(*HISTORY)["0.29.0"] is Verdict.NOT_OBSERVED


def test_another_machine_that_ran_less_adds_nothing():
    """A workload that is not decided stays so where another was silent elsewhere."""
    lost = replace(LOST, workload="shared-array")
    known = [*HISTORY[:-1], release("0.29.0", new_batch(), lost)]
    assert verdicts_of(*known)["0.29.0"] is Verdict.INCONCLUSIVE
    others = [elsewhere(record) for record in HISTORY]
    assert verdicts_of(*known, *others)["0.29.0"] is Verdict.INCONCLUSIVE


def test_what_one_machine_lost_another_can_measure():
    """Each workload counts as it was measured best."""
    known = [*HISTORY[:-1], release("0.29.0", LOST)]
    assert verdicts_of(*known)["0.29.0"] is Verdict.NOT_RUN
    others = [elsewhere(record) for record in HISTORY]
    assert verdicts_of(*known, *others)["0.29.0"] is Verdict.NOT_OBSERVED


def test_silence_that_a_long_history_doubts_stays_doubted():
    """A Python that has just begun has no history that could doubt it."""
    few = release("0.26.0", new_batch(trials=4))
    later = [release(version, new_batch(failures=90)) for version in ("0.27.0", "0.28.0")]
    doubting = [*HISTORY[:2], few, *later]
    more = release("0.26.0", new_batch())
    begun = [replace(record, python="3.13") for record in (HISTORY[0], more)]
    assert verdicts_of(*begun)["0.26.0"] is Verdict.NOT_OBSERVED
    assert verdicts_of(*doubting, *begun)["0.26.0"] is Verdict.INCONCLUSIVE
