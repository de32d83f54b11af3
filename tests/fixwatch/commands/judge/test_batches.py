"""What a judge adds to the runner of planned batches: its plan, its environments, its records."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest

from fixwatch.commands.judge import batches
from fixwatch.commands.judge.batches import enter, plan_judge, run_batches
from fixwatch.commands.judge.snapshots import Snapshot
from fixwatch.errors import FixwatchError
from fixwatch.records.install_record import InstallRecord
from mwe.planned.plan import PlannedBatch, plan_batches
from mwe.targets import Target, find_packages
from tests.fixwatch.sample_records import SIMULATED_DEFECTS

SWAP = plan_judge(defects=["cuda-swap"])
PLANTED = PlannedBatch(
    workload="planted-race",
    role="positive-control",
    schedule="handoff",
    target="simulator",
    n_trials=5,
)


@pytest.fixture
def new_contender(tmp_path, monkeypatch):
    """Return a maker of contenders in the environment of the tests, as if installed into it."""
    monkeypatch.setattr(batches, "SPOOL_DIR", tmp_path / "spool")

    def new(name="judged", packages=None, python=sys.executable):
        moment = datetime(2024, 5, 1, tzinfo=timezone.utc)
        snapshot = Snapshot(
            upstream="numba",
            commit=name * 3,
            tree="t" * 40,
            head="h" * 40,
            name="0.1.0",
            date=moment,
        )
        packages = find_packages() if packages is None else packages
        record = InstallRecord(
            commit=snapshot.commit, upstream="numba", name="", date="", packages=packages
        )
        return enter(name, snapshot, Path(python), record)

    return new


def test_the_plan_is_that_of_the_histories_and_explores_more():
    """A judge without names runs what asv runs on a revision in the simulator, and explores all."""
    planned = plan_judge()
    assert [batch for batch in planned if batch in plan_batches(Target.SIMULATOR)] == plan_batches(
        Target.SIMULATOR
    )
    explored = {batch.workload for batch in planned if batch.is_exploration}
    for defect in SIMULATED_DEFECTS.values():
        own = {batch.workload for batch in planned if batch.identity["defect"] == defect.name}
        assert own
        assert own & explored == (own if "explore" in defect.schedules else set())


@pytest.mark.parametrize("name", SIMULATED_DEFECTS)
def test_a_plan_can_be_limited_to_a_defect(name):
    """Its workloads and controls are those of the whole plan, and no others."""
    own = [batch for batch in plan_judge() if batch.identity["defect"] == name]
    assert plan_judge(defects=[name]) == own
    assert plan_judge([own[0].workload], [name])[0] == own[0]


def test_two_defects_can_be_named():
    """They are run in the order of the plan."""
    first, *_, last = SIMULATED_DEFECTS
    names = [batch.identity["defect"] for batch in plan_judge(defects=[last, first])]
    assert list(dict.fromkeys(names)) == [first, last]


def test_a_workload_that_is_named_brings_its_defect_alone():
    """Nothing else has to be run to judge it."""
    for defect in SIMULATED_DEFECTS.values():
        planned = plan_judge([defect.default_workload.name])
        assert {batch.identity["defect"] for batch in planned} == {defect.name}


def test_a_workload_of_another_defect_is_one_line():
    """Naming both would run nothing."""
    first, *_, last = SIMULATED_DEFECTS.values()
    with pytest.raises(FixwatchError, match=f"no workload '{first.default_workload.name}'"):
        plan_judge([first.default_workload.name], [last.name])
    with pytest.raises(FixwatchError, match=f"no defect 'x' of the .* choose from {first.name}, "):
        plan_judge(defects=["x"])


def test_a_thorough_plan_explores_without_a_limit():
    """The same batches otherwise; the ordinary plan limits each exploration."""
    ordinary, thorough = plan_judge(), plan_judge(is_thorough=True)
    assert [replace(batch, limit_s=None) for batch in ordinary] == thorough
    assert all(batch.limit_s for batch in ordinary if batch.is_exploration)


def test_a_batch_that_takes_long_is_not_passed_over_in_silence(new_contender, monkeypatch):
    """While none ends, it says again and again how far it is."""
    monkeypatch.setattr(batches, "WAITING_PERIOD_S", 0.0)
    said = []
    run_batches([new_contender()], [PLANTED], said.append)
    assert said[0] == "0 of 1 batches, going on"


def test_a_limited_plan_keeps_its_controls():
    """Negative controls stay unless some are named; the positive and single-threaded one always."""
    by_role = {}
    for batch in plan_judge(["shared-array"]):
        by_role.setdefault(batch.role, set()).add(batch.workload)
    assert by_role["workload"] == {"shared-array"}
    controls = {batch.workload for batch in SWAP if batch.role == "negative-control"}
    assert by_role["negative-control"] == controls
    assert by_role["positive-control"] == {"planted-race"}
    names = {batch.workload for batch in plan_judge(["shared-array", "same-module"])}
    assert names == {"shared-array", "same-module", "one-thread", "planted-race"}


@pytest.mark.parametrize("name", ["nonsense", "event-query", "planted-overrun"])
def test_an_unknown_workload_is_one_line(name):
    """The error names the workloads of the simulator; those of devices are unknown to a judge."""
    message = f"no workload '{name}' of the simulator; choose from local-array"
    with pytest.raises(FixwatchError, match=message):
        plan_judge(["local-array", name])


def test_an_interrupted_judge_says_what_it_takes_from_before(new_contender):
    """Kept batches are announced and give the same record; without any nothing is announced."""
    lines = []
    (first,) = run_batches([new_contender()], [PLANTED], lines.append)["judged"]
    assert first.printed.failures == 5
    assert lines == []
    (again,) = run_batches([new_contender()], [PLANTED], lines.append)["judged"]
    assert again == first
    assert lines == ["1 batches of 1 are kept from an interrupted run"]


def test_a_contender_that_cannot_run_costs_the_other_nothing(new_contender):
    """Its batches have the reason how its process ended; the other's are complete."""
    broken = new_contender("base", {}, python="/bin/false")
    planned = [PLANTED, replace(PLANTED, schedule="delay")]
    found = run_batches([new_contender(), broken], planned, print)
    assert [evidence.printed.trials for evidence in found["judged"]] == [5, 5]
    assert all(evidence.printed is None for evidence in found["base"])
    assert found["base"][0].stage == "batch"
    assert "ended with status 1" in found["base"][0].reason


def test_a_batch_with_a_foreign_package_does_not_count(new_contender):
    """A batch is refused if it ran with another version than was installed for the tree."""
    packages = {**find_packages(), "numba": "0.1"}
    (found,) = run_batches([new_contender(packages=packages)], [PLANTED], print)["judged"]
    assert found.printed is None
    assert "resolved was 0.1" in found.reason


def test_the_users_shell_has_no_say(new_contender, tmp_path, monkeypatch):
    """A numba on the PYTHONPATH is not measured, and numba's variables are not heard."""
    (tmp_path / "numba").mkdir()
    (tmp_path / "numba" / "__init__.py").write_text("raise ImportError('the wrong numba')")
    monkeypatch.setenv("PYTHONPATH", os.fspath(tmp_path))
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "nonsense")
    planned = replace(PLANTED, workload="one-thread", role="negative-control", n_trials=2)
    (found,) = run_batches([new_contender()], [planned], print)["judged"]
    assert found.reason is None
    assert found.printed.trials == 2
