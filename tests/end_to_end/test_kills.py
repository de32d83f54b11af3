"""asv killed with SIGKILL in the middle of real work, and run again."""

from __future__ import annotations

import sys

import pytest

from fixwatch.records.evidence import iter_evidence, parse_printed
from tests.end_to_end.measuring import AFFECTED, FIXED, ReleaseProject, counts

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL"),
]


def test_a_kill_during_a_batch_loses_only_that_batch(tmp_path):
    """What was finished comes into the record, is not measured again, and no file is left."""
    project = ReleaseProject(tmp_path)
    project.measure_few_workloads()
    system = tmp_path / "system"
    system.mkdir()
    project.environment["TMPDIR"] = str(system)
    project.start_and_kill(FIXED, is_time=lambda: len(project.spooled()) >= 3)
    kept = {name: batch for (_, name), batch in project.spooled().items() if name != "plan.json"}
    assert kept
    done = project.measure(FIXED)
    assert done.returncode == 0, done.stdout + done.stderr
    record = project.evidence(FIXED)
    assert record.is_complete
    measured = {f"{b.workload}--{b.schedule}.json": b.printed for b in record.batches}
    # A workload under three schedules, and two controls under two of them.
    assert len(measured) == 7
    for name, spooled in kept.items():
        # The same to the microsecond: not measured a second time.
        assert measured[name] == parse_printed(spooled["batch"])
    assert project.spooled() == {}
    # Neither among the system's temporary files nor beside the spool.
    assert list(system.iterdir()) == []
    assert list((project.path / ".fixwatch").glob("temporary-*")) == []


def test_a_kill_during_an_install_leaves_nothing_behind(tmp_path):
    """The next run installs the release whole, with its own packages only."""
    project = ReleaseProject(tmp_path)
    project.measure_few_workloads()
    environments = project.path / ".fixwatch" / "envs" / "releases"

    def is_installing():
        return any(environments.glob("*/lib*/python*/site-packages/numba*"))

    project.start_and_kill(AFFECTED, is_time=is_installing)
    assert list(iter_evidence(project.path / "results" / "releases")) == []
    done = project.measure(AFFECTED)
    assert done.returncode == 0, done.stdout + done.stderr
    assert counts(project.evidence(AFFECTED), "local-array")[0] > 0
    installed = {
        path.name.split("-")[0]
        for path in environments.glob("*/lib*/python*/site-packages/*.dist-info")
    }
    expected = {name.replace("-", "_") for name in project.evidence(AFFECTED).packages}
    assert installed == expected | {"asv_runner"}
