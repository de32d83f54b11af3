"""What compilers made, judged: one answer decides, and the target has rows of its own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fixwatch.history.order import RevisionOrder
from fixwatch.report.answer import describe_upstreams
from fixwatch.report.badge import describe_badges
from fixwatch.verdicts.defects import find_verdicts, list_defects
from fixwatch.verdicts.judgements import Verdict
from fixwatch.verdicts.series import build_series
from fixwatch.verdicts.stretches import find_stretches
from mwe.defects import WORKLOADS, find_defect
from tests.fixwatch.sample_records import new_batch, new_controls, new_record
from tests.fixwatch.verdicts.test_series import document_of

DEFECT = "captured-reversed-array"
VERSIONS = ["0.18.1", "0.19.1", "0.20.0", "0.20.1", "0.21.1", "0.22.2", "0.24.0", "0.26.0"]


def compiled(workload, failures=0, mode="wrong-result", shown=None):
    """Return the evidence of a compilation, which failed or did not."""
    batch = new_batch(
        workload,
        failures,
        1,
        schedule="natural",
        failures_by_mode={mode: failures} if failures else {},
        signature_failures=failures if shown is None else shown,
        attributes={},
    )
    known = WORKLOADS[workload]
    defect = find_defect(workload).name
    return replace(batch, decides=True, defect=defect, role=known.role.value)


def new_release(version, *batches, positive=1, negative=0):
    """Return the record of a release on the compiler, with the controls of the judge."""
    controls = (compiled("planted-ptx", positive), compiled("captured-array", negative))
    return new_record(
        version, *batches, *controls, upstream="numba-cuda", target="compiler", environment="c"
    )


def verdict_of(record, workload=DEFECT):
    """Return the judgement of the one revision of a workload."""
    (series,) = [
        series
        for series in build_series([record], RevisionOrder())
        if series.key.workload == workload
    ]
    (revision,) = series.revisions
    return revision.verdict


@pytest.mark.parametrize(
    ("failures", "verdict"), [(1, Verdict.OBSERVED), (0, Verdict.NOT_OBSERVED)]
)
def test_one_answer_of_a_compiler_decides(failures, verdict):
    """It makes the same of a kernel each time, so silence needs no rate to be measured by."""
    assert verdict_of(new_release("0.20.1", compiled(DEFECT, failures))) is verdict


def test_a_failure_of_another_kind_says_nothing_of_the_defect():
    """A kernel that is refused reads nothing beside its constant."""
    refused = compiled(DEFECT, 1, mode="exception", shown=0)
    assert verdict_of(new_release("0.20.1", refused)) is Verdict.INCONCLUSIVE


def test_nothing_counts_where_the_judge_does_not_see_a_damage():
    """The damaged text has to be judged wrong in the same run, and the sound one right."""
    for controls in ({"positive": 0}, {"negative": 1}):
        for failures in (0, 1):
            record = new_release("0.20.1", compiled(DEFECT, failures), **controls)
            assert verdict_of(record) is Verdict.INCONCLUSIVE
    lost = replace(compiled("planted-ptx"), printed=None, stage="import", reason="cannot follow")
    own = new_release("0.20.1", compiled(DEFECT))
    batches = tuple(lost if batch.workload == "planted-ptx" else batch for batch in own.batches)
    assert verdict_of(replace(own, batches=batches)) is Verdict.INCONCLUSIVE


def test_the_controls_of_one_defect_show_that_the_judge_works_for_all():
    """Workloads of the simulator's defects have no damaged text of their own."""
    single = compiled("one-thread")
    assert verdict_of(new_release("0.20.1", compiled("local-array"), single), "local-array") is (
        Verdict.NOT_OBSERVED
    )


@pytest.mark.parametrize("at", range(1, len(VERSIONS)))
def test_a_fix_is_placed_exactly_wherever_it_is(at):
    """One compilation a release tells on which side of the change it lies."""
    records = [
        new_release(version, compiled(DEFECT, int(place < at)))
        for place, version in enumerate(VERSIONS)
    ]
    (series,) = [
        series for series in build_series(records, RevisionOrder()) if series.key.workload == DEFECT
    ]
    (change,) = series.history.changes
    assert (change.at, change.places) == (at, (at,))
    assert (series.state.fixed_in, series.state.last_affected) == (at, at - 1)


def test_what_is_free_of_a_defect_stays_known():
    """However many revisions are silent: none of them is so by chance."""
    versions = [f"0.{minor}.0" for minor in range(1, 31)]
    records = [
        new_release(version, compiled(DEFECT, int(place < 3)))
        for place, version in enumerate(versions)
    ]
    all_series = build_series(records, RevisionOrder())
    (verdict,) = [found for found in find_verdicts(all_series) if found.defect == DEFECT]
    assert {found.is_affected for found in find_stretches(verdict)} == {True, False}


def test_a_compiler_has_rows_and_verdicts_of_its_own():
    """What it makes of a kernel says nothing of the simulator, and the other way round."""
    racy = new_record("0.20.1", new_batch(failures=90), *new_controls(), upstream="numba-cuda")
    single = compiled("one-thread")
    record = new_release("0.20.1", compiled(DEFECT, 1), compiled("local-array"), single)
    verdicts = find_verdicts(build_series([racy, record], RevisionOrder()))
    found = {(found.target, found.defect): found.state.value for found in verdicts}
    assert found["simulator", "cuda-swap"] == "affected"
    assert found["compiler", DEFECT] == "affected"
    # Right programs: nothing of the simulator's defects can be there.
    assert found["compiler", None] == "never-observed"
    assert ("simulator", DEFECT) not in found
    (line,) = [line for line in describe_upstreams(verdicts) if "compiled" in line]
    assert line == (
        "numba-cuda compiled for a device: affected by captured-reversed-array; "
        "any other failure never observed"
    )


def test_badges_are_named_for_the_target():
    """A compiler's say nothing of the simulator's state, and do not count among its defects."""
    racy = new_record("0.20.1", new_batch(failures=90), *new_controls(), upstream="numba-cuda")
    single = compiled("one-thread")
    record = new_release("0.20.1", compiled(DEFECT, 1), compiled("local-array"), single)
    badges = describe_badges(document_of(racy, record))
    assert "numba-cuda-compiled--captured-reversed-array" in badges
    assert badges["numba-cuda-compiled"]["message"] == "never-observed"
    assert badges["numba-cuda"]["message"] == "has 1 of 4 known defects"


def test_each_target_has_the_defects_that_can_be_there():
    """Those of the simulator are no faults of a compiler."""
    assert list_defects("compiler") == ["inline-lost", DEFECT]
    assert list_defects("cuda") == [DEFECT]
    assert not {"inline-lost", DEFECT} & set(list_defects("simulator"))
