"""What a batch is to be, checked, and run."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mwe.batch import Batch
from mwe.defects import ANY_FAILURE, find_defect, find_workload
from mwe.errors import BadArgumentError, HarnessError
from mwe.isolation import ISOLATION, run_batch
from mwe.schedules import Explore, Schedule, find_schedule, find_schedules
from mwe.targets import (
    Target,
    find_packages,
    find_python,
    find_target,
    prepare_target,
)
from mwe.toolkit import offer_toolkit
from mwe.workloads.subject import Subject
from mwe.workloads.workload import Workload


@dataclass(frozen=True, kw_only=True)
class BatchRequest:
    """A batch to run: names as the command line takes them."""

    workload: str
    schedule: str
    n_trials: int
    seed: int
    target: str
    # Fields of `mwe.schedules.Explore`, for that schedule alone.
    exploration: Mapping[str, Any] = field(default_factory=dict)
    # What an earlier batch of the same kind and seed printed; its trials are not run again.
    earlier: Mapping[str, Any] | None = None

    def check(self) -> tuple[Workload, Target]:
        """Return what the names stand for.

        Raises
        ------
        BadArgumentError
            If there is no such thing, or they do not go together.
        """
        workload = find_workload(self.workload)
        schedule = self._configure()
        if self.n_trials < 1:
            raise BadArgumentError(f"--trials is {self.n_trials}; give at least 1")
        target = find_target(self.target)
        if target not in schedule.targets:
            raise BadArgumentError(
                f"schedule {self.schedule!r} is not for the target {target.value}; "
                f"use --schedule {' or '.join(find_schedules(target))}"
            )
        if target not in workload.targets:
            fitting = sorted(target.value for target in workload.targets)
            raise BadArgumentError(
                f"workload {workload.name!r} is not for the target {target.value}; "
                f"use --target {' or '.join(fitting)}"
            )
        return workload, target

    def _configure(self) -> Schedule:
        schedule = find_schedule(self.schedule)
        if isinstance(schedule, Explore):
            try:
                return replace(schedule, **self.exploration)
            except TypeError as error:
                raise BadArgumentError(f"no way to explore: {error}") from error
        if self.exploration:
            name = next(iter(self.exploration))
            option = {"limit_s": "limit", "stops_at_failure": "all"}.get(name, name)
            raise BadArgumentError(f"--{option} is for --schedule explore, not {self.schedule}")
        return schedule

    def run(self, report_progress: Callable[[Batch], None] = lambda _batch: None) -> Batch:
        """Run the batch and return its record; errors have a message of one line."""
        workload, target = self.check()
        schedule = self._configure()
        defect = find_defect(workload.name)
        batch = Batch(
            defect=defect.name,
            workload=workload.name,
            role=workload.role.value,
            schedule=self.schedule,
            target=target.value,
            seed=self.seed,
            packages=find_packages(),
            python=find_python(),
        )
        if self.earlier is not None:
            try:
                batch.resume(self.earlier)
            except (KeyError, TypeError, ValueError) as error:
                raise BadArgumentError(
                    f"the earlier batch is no record of one: {error!r}"
                ) from error
            if batch.seed != self.seed:
                raise BadArgumentError(
                    f"the earlier batch has seed {batch.seed}, this one {self.seed}; only one with "
                    "the same seed can go on"
                )
        with offer_toolkit(target):
            run_batch(
                functools.partial(_load_subject, workload, target, schedule),
                schedule,
                batch,
                self.n_trials,
                ISOLATION[target],
                report_progress,
                # Code that is right must not fail in any way where the defect cannot be.
                defect.find_signature(workload.role) if target in defect.targets else ANY_FAILURE,
            )
        return batch


def _load_subject(workload: Workload, target: Target, schedule: Schedule) -> Subject:
    if workload.needs_numba:
        prepare_target(target)
    if target is Target.COMPILER:
        # It imports numba, for which the target has to be chosen before.
        from mwe.compiler.subject import load_ptx_subject

        return load_ptx_subject(workload)
    try:
        subject = workload.load(schedule.n_active_threads)
    except Exception as error:
        raise HarnessError(
            f"workload {workload.name} does not import: {type(error).__name__}: {error}"
        ) from error
    if target is Target.SIMULATOR and schedule.n_active_threads is not None:
        # The schedule orders so many threads. Others, which return early, would make each trial
        # longer; those of a device cost nothing, and a launch there has as many as its shape says.
        subject.threads_per_block = max(subject.n_threads, schedule.n_active_threads)
    return subject
