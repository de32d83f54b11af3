"""Releases on the target that needs no device: what their compilers make of every kernel."""

from __future__ import annotations

import pytest

from fixwatch.history.order import RevisionOrder
from fixwatch.layout import COMPILER_RELEASES_CONFIGURATION
from fixwatch.verdicts.series import build_series
from mwe.defects import WORKLOADS
from mwe.targets import Target
from mwe.workloads.subject import Role
from tests.end_to_end.measuring import ReleaseProject

pytestmark = pytest.mark.end_to_end

AFFECTED, FIXED = ("numba-cuda", "0.20.1"), ("numba-cuda", "0.21.1")
# The built-in target has both defects.
BUILT_IN = ("numba", "0.68.1")
LOST = {"returned-local-array", "returned-shared-array"}
CAPTURED = {"captured-reversed-array", "captured-strided-array"}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Return a project in which three releases were measured."""
    project = ReleaseProject(tmp_path_factory.mktemp("compiler"), COMPILER_RELEASES_CONFIGURATION)
    for release in (AFFECTED, FIXED, BUILT_IN):
        done = project.measure(release)
        assert done.returncode == 0, done.stdout + done.stderr
    return project


@pytest.mark.parametrize(
    ("release", "expected"), [(AFFECTED, CAPTURED), (FIXED, set()), (BUILT_IN, CAPTURED | LOST)]
)
def test_every_kernel_is_judged_and_only_the_defects_fail(project, release, expected):
    """All kernels are compiled once; what fails has the signature of its defect."""
    record = project.evidence(release)
    assert record.target == "compiler"
    assert {batch.workload for batch in record.batches} == {
        name for name, workload in WORKLOADS.items() if Target.COMPILER in workload.targets
    }
    failed = {batch.workload for batch in record.batches if batch.printed.signature_failures}
    must_fail = {name for name, found in WORKLOADS.items() if found.role is Role.POSITIVE_CONTROL}
    assert failed - must_fail == expected
    assert {batch.printed.trials for batch in record.batches} == {1}


def test_the_verdicts_say_so(project):
    """A compiler's one answer decides, beside controls that failed and passed as they must."""
    records = [project.evidence(release) for release in (AFFECTED, FIXED)]
    found = {
        series.key.workload: [revision.verdict.value for revision in series.revisions]
        for series in build_series(records, RevisionOrder())
    }
    assert found["captured-reversed-array"] == ["observed", "not-observed"]
    assert found["returned-local-array"] == ["not-observed", "not-observed"]
    assert found["local-array"] == ["not-observed", "not-observed"]
