"""The plan of a judge, and batches that are run, kept and dropped."""

from __future__ import annotations

import os
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest

from fixwatch.commands.judge import batches
from fixwatch.commands.judge.batches import (
    Contender,
    PlannedBatch,
    Spool,
    plan_batches,
    run_batches,
)
from fixwatch.commands.judge.installs import Installed
from fixwatch.commands.judge.snapshots import Snapshot
from fixwatch.errors import FixwatchError
from fixwatch.records.install_record import InstallRecord
from mwe.planned.plan import find_planned_trials
from mwe.schedules import SCHEDULES
from mwe.targets import Target, find_packages
from mwe.workloads import WORKLOADS

PLANTED = PlannedBatch(
    workload="planted-race", role="positive-control", schedule="handoff", n_trials=5
)


@pytest.fixture
def contender(tmp_path, monkeypatch):
    """Return the environment of the tests as if something had been installed into it."""
    monkeypatch.setattr(batches, "SPOOL_DIR", tmp_path / "spool")
    return new_contender("judged", find_packages())


def new_contender(name, packages, python=sys.executable):
    """Return a contender with these packages resolved."""
    moment = datetime(2024, 5, 1, tzinfo=timezone.utc)
    snapshot = Snapshot(
        upstream="numba", commit=name * 3, tree="t" * 40, head="h" * 40, name="0.1.0", date=moment
    )
    record = InstallRecord(
        commit=snapshot.commit, upstream="numba", name="", date="", packages=packages
    )
    return Contender(name, Installed(snapshot=snapshot, python=Path(python), record=record))


def test_the_plan_is_that_of_the_histories():
    """Every workload and control under every schedule that is planned for it."""
    planned = {(each.workload, each.schedule): each.n_trials for each in plan_batches()}
    assert planned == {
        (name, schedule): n_trials
        for name, workload in WORKLOADS.items()
        for schedule in SCHEDULES
        if (n_trials := find_planned_trials(workload, schedule, Target.SIMULATOR)) is not None
    }


def test_a_limited_plan_keeps_its_controls():
    """All negative ones unless some are named; the positive and the single-threaded one always."""
    by_role = {}
    for each in plan_batches(["shared-array"]):
        by_role.setdefault(each.role, set()).add(each.workload)
    assert by_role["workload"] == {"shared-array"}
    assert len(by_role["negative-control"]) == 5
    assert by_role["positive-control"] == {"planted-race"}
    names = {each.workload for each in plan_batches(["shared-array", "same-module"])}
    assert names == {"shared-array", "same-module", "one-thread", "planted-race"}


@pytest.mark.parametrize("name", ["nonsense", "event-query", "planted-overrun"])
def test_an_unknown_workload_is_one_line(name):
    """It names those that there are; what runs on a device only is none."""
    message = f"no workload '{name}' of the simulator; choose from local-array"
    with pytest.raises(FixwatchError, match=message):
        plan_batches(["local-array", name])


def test_a_batch_of_another_interpreter_is_not_taken(contender, monkeypatch):
    """The record that it would enter names one Python."""
    run_batches([contender], [PLANTED], print)
    monkeypatch.setattr(batches.sys, "version", "3.99.0")
    assert Spool(contender).load(PLANTED) is None


def test_a_finished_batch_is_kept_until_it_is_dropped(contender):
    """A second run takes it from there; after an answer it is measured anew."""
    lines = []
    (first,) = run_batches([contender], [PLANTED], lines.append)["judged"]
    assert first.printed.failures == 5
    assert lines == []
    (again,) = run_batches([contender], [PLANTED], lines.append)["judged"]
    # Its duration would differ if it had been run again.
    assert again == first
    assert lines == ["1 batches of 1 are kept from an interrupted run"]
    Spool(contender).drop()
    assert Spool(contender).load(PLANTED) is None


def test_a_kept_batch_of_another_meaning_is_not_taken(contender):
    """Other packages, another plan, or a file that was cut off."""
    run_batches([contender], [PLANTED], print)
    assert Spool(contender).load(PLANTED) is not None
    assert Spool(new_contender("judged", {"numpy": "0"})).load(PLANTED) is None
    other = PlannedBatch(**{**vars(PLANTED), "n_trials": 6})
    assert Spool(contender).load(other) is None
    (path,) = Spool(contender).folder.iterdir()
    path.write_text(path.read_text()[:100])
    assert Spool(contender).load(PLANTED) is None


def test_two_contenders_each_get_their_batches(contender):
    """Also where one of them cannot run at all."""
    broken = new_contender("base", {}, python="/bin/false")
    planned = [PLANTED, PlannedBatch(**{**vars(PLANTED), "schedule": "delay"})] * 2
    found = run_batches([contender, broken], planned[:2], print)
    assert [each.printed.trials for each in found["judged"]] == [5, 5]
    assert all(each.printed is None and each.stage == "batch" for each in found["base"])
    assert "ended with status 1" in found["base"][0].reason


def test_a_batch_with_a_foreign_package_does_not_count(tmp_path, monkeypatch):
    """What was installed is what has to run."""
    monkeypatch.setattr(batches, "SPOOL_DIR", tmp_path / "spool")
    packages = {**find_packages(), "numba": "0.1"}
    (found,) = run_batches([new_contender("judged", packages)], [PLANTED], print)["judged"]
    assert found.printed is None
    assert "resolved was 0.1" in found.reason


def test_the_users_shell_has_no_say(contender, tmp_path, monkeypatch):
    """A numba on the PYTHONPATH is not what is measured, nor are numba's variables heard."""
    (tmp_path / "numba").mkdir()
    (tmp_path / "numba" / "__init__.py").write_text("raise ImportError('the wrong numba')")
    monkeypatch.setenv("PYTHONPATH", os.fspath(tmp_path))
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "nonsense")
    planned = PlannedBatch(
        workload="one-thread", role="negative-control", schedule="handoff", n_trials=2
    )
    (found,) = run_batches([contender], [planned], print)["judged"]
    assert found.reason is None
    assert found.printed.trials == 2
