"""From evidence to series and to the document."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest

from fixwatch.history.listing import ListedCommit, Listing
from fixwatch.history.order import RevisionOrder
from fixwatch.history.release_table import load_release_table
from fixwatch.records.evidence import BatchEvidence
from fixwatch.report.answer import describe_state
from fixwatch.report.badge import describe_badges
from fixwatch.report.status import build_document
from fixwatch.verdicts.pin_advice import advise_on_releases
from fixwatch.verdicts.series import build_series
from tests.fixwatch.sample_records import hash_of, new_batch, new_controls, new_record

NOW = datetime(2026, 11, 20, tzinfo=timezone.utc)
ORDER = RevisionOrder(load_release_table())


def numba_cuda(version, failures, date="2026-01-01", trials=100, **overrides):
    """Return the record of a numba-cuda release with controls that behave."""
    batches = (new_batch(failures=failures, trials=trials), *new_controls())
    return new_record(version, *batches, upstream="numba-cuda", date=date, **overrides)


def document_of(*records):
    """Return the document for some records."""
    return document_in(ORDER, *records)


def document_in(order, *records):
    """Return the document for records whose revisions stand in an order."""
    all_series = build_series(records, order)
    return build_document(all_series, NOW, advise_on_releases(all_series, order.releases))


def entry_of(document, upstream="numba-cuda", workload="local-array"):
    """Return the one entry of an upstream and workload."""
    (entry,) = [
        entry
        for entry in document["upstreams"]
        if (entry["upstream"], entry["workload"]) == (upstream, workload)
    ]
    return entry


def series_of(*records):
    """Return the series of the one workload."""
    (series,) = [own for own in build_series(records, ORDER) if own.key.workload == "local-array"]
    return series


FIXED = (
    numba_cuda("0.24.0", 88),
    numba_cuda("0.26.0", 0),
    # Uploaded after 0.24.0, without the fix.
    numba_cuda("0.19.2", 91, date="2026-01-20"),
    numba_cuda("0.0.15", 90),
)


def test_a_fix_is_found_in_version_order():
    """A late maintenance release reopens nothing, and the neighbours in the table make it exact."""
    entry = entry_of(document_of(*FIXED))
    assert entry["state"] == "fixed"
    assert entry["fixed_in"]["name"] == "0.26.0"
    assert entry["since"]["name"] == "0.26.0"
    assert entry["last_affected"]["name"] == "0.24.0"
    assert entry["confidence"] > 0.99
    (transition,) = entry["transitions"]
    assert (transition["kind"], transition["exact"]) == ("fixed", True)


def test_a_transition_over_an_unmeasured_release_is_not_exact():
    """Between 0.23.0 and 0.26.0 lies 0.24.0."""
    entry = entry_of(document_of(numba_cuda("0.23.0", 90), numba_cuda("0.26.0", 0)))
    assert entry["transitions"][0]["exact"] is False


@pytest.mark.parametrize(
    ("is_between", "says"),
    [
        (False, "affected since 0.19.2, not in 0.12.1, those between were not measured (newest"),
        (True, "affected since 0.19.2, not in 0.12.1, those between are not decided (new"),
    ],
)
def test_what_appeared_is_not_told_as_sharper_than_it_is(is_between, says):
    """Between the two lie other releases, that nothing is known of."""
    records = [numba_cuda(version, k) for version, k in (("0.12.1", 0), ("0.19.2", 91))]
    if is_between:
        records.append(
            new_record(
                "0.14.0",
                new_batch(),
                *new_controls(positive=0),
                upstream="numba-cuda",
                date="2026-01-01",
            )
        )
    assert describe_state(series_of(*records)).startswith(says)


def test_what_appeared_between_neighbours_is_told_without_the_one_before():
    """0.23.0 and 0.24.0 follow each other."""
    series = series_of(numba_cuda("0.23.0", 0), numba_cuda("0.24.0", 91))
    assert describe_state(series).startswith("affected since 0.24.0 (newest")


def test_the_document_has_the_documented_fields():
    """Every name of the interface is there, and it is JSON without NaN."""
    document = document_of(*FIXED)
    json.dumps(document, allow_nan=False)
    assert document["version"] == 2
    assert document["generated_at"] == "2026-11-20T00:00:00+00:00"
    assert document["last_looked_at"] is None
    entry = entry_of(document)
    fields = (
        "upstream source target workload defect role state since fixed_in last_affected confidence "
        "transitions measurements"
    )
    assert set(fields.split()) <= entry.keys()
    measurement_fields = (
        "revision schedule trials failures failures_by_mode rate_low rate_high verdict reason"
    )
    for measurement in entry["measurements"]:
        assert set(measurement_fields.split()) <= measurement.keys()
        assert measurement["revision"].keys() == {"commit", "name", "date"}
    roles = {entry["workload"]: entry["role"] for entry in document["upstreams"]}
    assert roles == {
        "local-array": "workload",
        "planted-race": "positive-control",
        "same-module": "negative-control",
    }


def test_what_was_not_run_is_no_zero():
    """A release without a wheel has no count and no rate, and says why."""
    missing = new_record(
        "0.30.0",
        upstream="numba-cuda",
        not_run_stage="availability",
        not_run_reason="no wheel for CPython 3.14 on this platform (linux)",
    )
    entry = entry_of(document_of(*FIXED, missing))
    measurement = entry["measurements"][-1]
    assert measurement["verdict"] == "not-run"
    assert "no wheel" in measurement["reason"]
    assert measurement["trials"] is measurement["failures"] is measurement["rate_low"] is None
    assert entry["state"] == "fixed"
    assert entry["fixed_in"]["name"] == "0.26.0"


@pytest.mark.parametrize(
    "delay",
    [
        BatchEvidence(
            defect="cuda-swap",
            workload="local-array",
            role="workload",
            schedule="delay",
            stage="batch",
            reason="no",
        ),
        new_batch(failures=60, failures_by_mode={"wrong-result": 60}, attributes={}),
    ],
    ids=["not-run", "fails-otherwise"],
)
def test_one_silent_schedule_alone_declares_no_fix(delay):
    """A hand-off that is silent misses wrong fixes; what delay said, or did not, counts."""
    handoff = new_batch(trials=20, schedule="handoff")
    affected = new_record(
        "0.24.0",
        new_batch(failures=90),
        new_batch(failures=20, trials=20, schedule="handoff"),
        *new_controls(),
        upstream="numba-cuda",
    )
    record = new_record("0.26.0", delay, handoff, *new_controls(), upstream="numba-cuda")
    entry = entry_of(document_of(affected, record))
    assert entry["state"] == "affected"
    assert entry["fixed_in"] is None


def test_where_nothing_could_run_there_is_still_an_answer():
    """The state of the fallback workload is "not run", with the reason."""
    record = new_record(not_run_stage="build", not_run_reason="no compiler")
    entry = entry_of(document_of(record), upstream="numba")
    assert entry["state"] == "not-run"
    assert entry["measurements"][0]["reason"] == "no compiler"


def test_a_batch_that_did_not_finish_is_no_zero():
    """Its measurement names the step and the reason."""
    batch = BatchEvidence(
        defect="cuda-swap",
        workload="local-array",
        role="workload",
        schedule="delay",
        stage="batch",
        reason="killed",
    )
    record = new_record("0.30.0", batch, *new_controls(), upstream="numba-cuda")
    entry = entry_of(document_of(*FIXED, record))
    assert entry["measurements"][-1]["verdict"] == "not-run"
    assert entry["measurements"][-1]["reason"] == "batch: killed"
    assert entry["fixed_in"]["name"] == "0.26.0"


@pytest.mark.parametrize(
    ("controls", "reason"),
    [
        (new_controls(positive=0), "positive control planted-race did not fail in 50 trials"),
        (new_controls(negative=1), "negative control same-module failed in 1 of 50 trials"),
        (new_controls()[:1], "no negative-control was part of the run"),
        (new_controls()[1:], "no positive-control was part of the run"),
        (
            (
                new_batch("planted-race", 50, 50, failures_by_mode={"crash": 50}),
                new_controls()[1],
            ),
            "positive control planted-race did not fail in 50 trials",
        ),
        (
            (
                BatchEvidence(
                    defect="cuda-swap",
                    workload="planted-race",
                    role="positive-control",
                    schedule="delay",
                    stage="batch",
                    reason="killed",
                ),
                new_controls()[1],
            ),
            "positive-control planted-race was not run",
        ),
    ],
)
def test_a_run_whose_controls_misbehave_does_not_count(controls, reason):
    """Both its silence and its failures are ignored."""
    for failures in (0, 90):
        record = new_record(
            "0.30.0", new_batch(failures=failures), *controls, upstream="numba-cuda"
        )
        entry = entry_of(document_of(*FIXED, record))
        assert entry["measurements"][-1]["verdict"] == "inconclusive"
        assert reason in entry["measurements"][-1]["reason"]
        assert entry["state"] == "fixed"


@pytest.mark.parametrize(
    ("failures", "single", "verdict"),
    [(90, 0, "observed"), (90, 1, "inconclusive"), (0, 0, "inconclusive")],
)
def test_a_negative_control_that_a_wrong_fix_broke_does_not_hide_it(failures, single, verdict):
    """As long as a single thread stays silent, failures are upstream's; silence is no fix."""
    controls = (*new_controls(negative=48), new_batch("one-thread", single, 50))
    broken = new_batch(failures=failures), *controls
    record = new_record("0.30.0", *broken, upstream="numba-cuda")
    entry = entry_of(document_of(*FIXED, record))
    assert entry["measurements"][-1]["verdict"] == verdict
    assert entry["state"] == ("affected" if verdict == "observed" else "fixed")
    # Right after an affected release it closes nothing.
    entry = entry_of(document_of(numba_cuda("0.24.0", 88), record))
    assert entry["state"] == "affected"


def test_different_pythons_and_targets_are_never_pooled():
    """Silence elsewhere says nothing about the rate here."""
    for overrides, alone in (
        ({"python": "3.12"}, "inconclusive"),
        # A device is measured for something else, and needs no affected revision beside.
        ({"target": "cuda"}, "never-observed"),
        ({"source": "commits", "measurement_version": "4"}, "inconclusive"),
    ):
        document = document_of(numba_cuda("0.24.0", 90), numba_cuda("0.26.0", 0, **overrides))
        states = [e["state"] for e in document["upstreams"] if e["workload"] == "local-array"]
        assert sorted(states) == ["affected", alone]


def test_machines_share_a_history_and_no_rates():
    """A fix that another machine saw is one where it saw the failures before, and only there."""
    here = [numba_cuda("0.23.0", 90), numba_cuda("0.24.0", 90)]
    silent = numba_cuda("0.26.0", 0, machine="other")
    entry = entry_of(document_of(*here, silent))
    assert (entry["state"], entry["machine"]) == ("affected", "m, other")
    assert entry["measurements"][-1]["verdict"] == "inconclusive"
    bridge = numba_cuda("0.24.0", 80, machine="other")
    entry = entry_of(document_of(*here, silent, bridge))
    assert (entry["state"], entry["fixed_in"]["name"]) == ("fixed", "0.26.0")
    assert entry["measurements"][-1]["verdict"] == "not-observed"


def test_of_a_revision_that_two_machines_measured_the_fuller_record_speaks():
    """It stands in the history once, and a newer, smaller measurement takes nothing from it."""
    later = {"machine": "other", "measured_at": "2026-11-21T00:00:00+00:00"}
    less = new_record("0.26.0", new_batch("shared-array"), upstream="numba-cuda", **later)
    entry = entry_of(document_of(*FIXED, less))
    assert (entry["state"], entry["fixed_in"]["name"]) == ("fixed", "0.26.0")
    names = [measured["revision"]["name"] for measured in entry["measurements"]]
    assert len(names) == len(set(names))


def test_of_two_records_that_say_the_same_the_fuller_one_is_shown():
    """Whichever was read first."""
    records = [
        numba_cuda("0.24.0", 88),
        numba_cuda("0.24.0", 190, trials=200, machine="other"),
    ]
    for own in (records, records[::-1]):
        (shown,) = series_of(*own).revisions
        assert shown.record is records[1]


def test_rates_of_another_upstream_serve_where_there_are_none():
    """Measured the same way on the same machine, numba's affected releases say what would fail."""
    numba = new_record("0.68.1", new_batch(failures=90), *new_controls())
    document = document_of(numba, numba_cuda("0.26.0", 0))
    assert entry_of(document)["state"] == "never-observed"
    alone = entry_of(document_of(numba_cuda("0.26.0", 0)))
    assert alone["state"] == "inconclusive"


def test_a_silent_natural_batch_is_inconclusive_beside_a_silent_delay_batch():
    """The schedule under which an affected revision would have failed decides."""
    natural = new_batch(failures=0, schedule="natural")
    record = new_record("0.26.0", new_batch(), natural, *new_controls(), upstream="numba-cuda")
    entry = entry_of(document_of(numba_cuda("0.24.0", 90), record))
    verdicts = {m["schedule"]: m["verdict"] for m in entry["measurements"][1:]}
    assert verdicts == {"delay": "not-observed", "natural": "inconclusive"}
    assert entry["state"] == "fixed"


def test_the_answer_in_words():
    """It is one line with the counts that it rests on."""
    series = {series.key.workload: series for series in build_series(FIXED, ORDER)}
    assert describe_state(series["local-array"]) == (
        "fixed in 0.26.0; last affected 0.24.0 (88 of 100 trials failed, then 0 of 100)"
    )
    assert describe_state(series["same-module"]).startswith("never observed in 4 releases")
    record = new_record("0.57.0", new_batch(failures=9, trials=10), *new_controls())
    affected = {series.key.workload: series for series in build_series([record], ORDER)}
    assert describe_state(affected["local-array"]) == (
        "affected in every release measured, 0.57.0 to 0.57.0 "
        "(1 measured; newest: 9 of 10 trials failed)"
    )


def test_counts_of_an_older_meaning_are_left_out():
    """Beside version 3 a record of version 1 neither shows nor serves as a rate."""
    old = numba_cuda("0.24.0", 90, measurement_version="1")
    entry = entry_of(document_of(old, numba_cuda("0.26.0", 0)))
    assert [m["revision"]["name"] for m in entry["measurements"]] == ["0.26.0"]
    assert entry["state"] == "inconclusive"


def test_nothing_measured_gives_no_series():
    """An empty folder is no state at all."""
    assert build_series([], ORDER) == []


def test_a_history_has_only_the_workloads_that_it_ran():
    """Commits with one workload beside releases with two are not silent about the other."""
    shared = BatchEvidence(**{**vars(new_batch(failures=60)), "workload": "shared-array"})
    releases = new_record("0.57.0", new_batch(failures=90), shared, *new_controls())
    commits = new_record("abc", new_batch(failures=90), *new_controls(), source="commits")
    entries = [
        (entry["source"], entry["workload"])
        for entry in document_of(releases, commits)["upstreams"]
        if entry["role"] == "workload"
    ]
    assert sorted(entries) == [
        ("commits", "local-array"),
        ("releases", "local-array"),
        ("releases", "shared-array"),
    ]


def test_a_machine_that_measured_nothing_does_not_speak_for_an_upstream():
    """One failed build elsewhere does not turn a badge."""
    elsewhere = new_record(
        "0.30.0", upstream="numba-cuda", machine="other", not_run_stage="build", not_run_reason="x"
    )
    badge = describe_badges(document_of(*FIXED, elsewhere))["numba-cuda--cuda-swap"]
    assert badge["message"] == "fixed in 0.26.0"


def test_a_change_with_several_possible_places_is_not_exact():
    """It is not exact even if its likeliest sides are neighbours."""
    failures = [2, 1, 0, 2, 3, 1, 0, 1, 2, 1, 0, 0, *[0] * 40]
    listing = Listing(
        "numba-cuda",
        tuple(
            ListedCommit(
                commit=hash_of("numba-cuda", number),
                name=str(number),
                date=f"2025-01-01T00:{number:02}:00+00:00",
                is_on_branch=True,
                reasons=("x",),
            )
            for number in range(len(failures))
        ),
    )
    order = RevisionOrder(listings={"numba-cuda": listing})
    records = [
        numba_cuda(str(number), count, date=listing.commits[number].date, source="commits")
        for number, count in enumerate(failures)
    ]
    document = document_in(order, *records)
    (transition,) = entry_of(document)["transitions"]
    assert len(transition["places"]) > 1
    assert transition["exact"] is False


def listed(name, day, *, is_on_branch=True):
    """Return a commit of the listing, of a day of January 2026."""
    return ListedCommit(
        commit=hash_of("numba-cuda", name),
        name=name,
        date=f"2026-01-{day:02}",
        is_on_branch=is_on_branch,
        reasons=("touches x",),
    )


LISTED = (
    listed("one", 1),
    listed("two", 10),
    # A committer's clock ran backwards.
    listed("three", 9),
    listed("beside", 20, is_on_branch=False),
    listed("four", 30),
)
COMMITS = {"numba-cuda": Listing("numba-cuda", LISTED)}


def commit_entry(failures):
    """Return the entry of a history of commits with these failures by name."""
    dates = {commit.name: commit.date for commit in LISTED}
    records = [
        numba_cuda(name, count, date=dates[name], source="commits")
        for name, count in failures.items()
    ]
    order = RevisionOrder(listings=COMMITS)
    return entry_of(document_in(order, *records))


def test_commits_stand_in_the_order_of_their_branch():
    """Their dates do not matter; two neighbours of the branch make a change exact."""
    entry = commit_entry({"one": 90, "two": 90, "three": 0, "four": 0})
    assert entry["fixed_in"]["name"] == "three"
    assert entry["last_affected"]["name"] == "two"
    assert entry["transitions"][0]["exact"] is True
    assert [commit["name"] for commit in entry["unmeasured"]] == ["beside"]


def test_an_unmeasured_commit_between_makes_a_change_inexact():
    """The change may lie in that commit."""
    entry = commit_entry({"one": 90, "three": 0, "four": 0})
    assert entry["transitions"][0]["exact"] is False
    assert [commit["name"] for commit in entry["unmeasured"]] == ["two", "beside"]


def test_a_release_beside_the_branch_reopens_nothing():
    """It was made without the fix after the branch had it, so it changes no state."""
    entry = commit_entry({"two": 90, "three": 0, "beside": 90, "four": 0})
    assert (entry["state"], entry["fixed_in"]["name"]) == ("fixed", "three")
    assert len(entry["transitions"]) == 1
    beside = [found for found in entry["measurements"] if found["revision"]["name"] == "beside"]
    assert {found["verdict"] for found in beside} == {"observed"}


def test_without_their_listing_commits_are_no_neighbours():
    """Nothing is known of what lies between them, so the change is not exact."""
    records = [
        numba_cuda("a", 90, date="2026-01-01", source="commits"),
        numba_cuda("b", 0, date="2026-01-02", source="commits"),
    ]
    entry = entry_of(document_of(*records))
    assert entry["fixed_in"]["name"] == "b"
    assert entry["transitions"][0]["exact"] is False


def test_the_answer_says_how_much_is_not_measured():
    """It gives the number of relevant commits without a record, and nothing if there are none."""
    dates = {commit.name: commit.date for commit in LISTED}

    def answer(*names):
        records = [numba_cuda(name, 90, date=dates[name], source="commits") for name in names]
        series = build_series(records, RevisionOrder(listings=COMMITS))
        return next(describe_state(e) for e in series if e.key.workload == "local-array")

    assert answer("one", "two", "three", "beside").endswith("; 1 relevant commit is not measured")
    assert answer("one").endswith("; 4 relevant commits are not measured")
    assert "not measured" not in answer(*dates)
