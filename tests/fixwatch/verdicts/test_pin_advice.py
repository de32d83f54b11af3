"""Which releases may be pinned."""

from __future__ import annotations

from packaging.version import Version

from fixwatch.history.order import RevisionOrder
from fixwatch.history.release_table import load_release_table
from fixwatch.records.evidence import BatchEvidence
from fixwatch.verdicts.judgements import Verdict
from fixwatch.verdicts.pin_advice import advise_on_releases
from fixwatch.verdicts.series import build_series
from tests.fixwatch.sample_records import new_batch, new_controls, new_record

TABLE = load_release_table()


def judge(*records):
    """Return what is known of the releases of the first upstream."""
    order = RevisionOrder(TABLE)
    return advise_on_releases(build_series(records, order), TABLE)[0]


def release(version, *batches, **overrides):
    """Return a record of numba-cuda with controls that behave."""
    return new_record(version, *batches, *new_controls(), upstream="numba-cuda", **overrides)


AFFECTED = release("0.24.0", new_batch(failures=90))
FIXED = release("0.26.0", new_batch())


def test_every_release_since_the_fix_may_be_pinned():
    """Newest first, and the advice names the oldest of them."""
    found = judge(AFFECTED, FIXED, release("0.30.4", new_batch()))
    assert [(release.version, release.verdict) for release in found.releases] == [
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
    assert found.advice == (
        "numba-cuda >= 0.26.0 may be pinned: every measured release from there to 0.30.4 is not "
        f"affected; {n_uploaded} between them were not measured"
    )
    assert found.releases[2].workloads == ("local-array",)


def test_a_release_that_was_not_measured_is_not_known():
    """The advice does not reach beyond it to older releases."""
    missing = new_record("0.30.4", upstream="numba-cuda", not_run_reason="no wheel")
    found = judge(AFFECTED, FIXED, missing)
    assert found.releases[0].verdict is Verdict.NOT_RUN
    assert found.advice == "only these releases of numba-cuda may be pinned: 0.26.0"


def test_one_workload_that_fails_makes_a_release_unsafe():
    """It may not be pinned, however silent the others are."""
    other = BatchEvidence(
        **{**vars(new_batch(failures=80)), "workload": "shared-array", "role": "workload"}
    )
    found = judge(AFFECTED, release("0.26.0", new_batch(), other))
    assert found.releases[0].verdict is Verdict.OBSERVED
    assert found.releases[0].workloads == ("shared-array",)
    assert found.advice == "no measured release of numba-cuda may be pinned"


def test_tags_count_only_if_they_were_uploaded():
    """0.25.0 was tagged, and never uploaded."""
    commits = [
        release(name, new_batch(failures=k), source="commits", commit=f"c{name}")
        for name, k in (("v0.24.0", 90), ("v0.25.0", 0), ("v0.26.0", 0))
    ]
    found = judge(*commits)
    assert [release.version for release in found.releases] == ["0.26.0", "0.24.0"]
