"""Run batches of trials: launch, join every simulated thread, judge, count."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from typing import Any

from mwe.batch import Batch
from mwe.outcomes import PASSED, FailureMode, Outcome, classify_error
from mwe.schedules import Schedule
from mwe.workloads.subject import Subject

# A simulated thread of these workloads runs for milliseconds; one that outlives its launch by
# this much will not end.
JOIN_TIMEOUT_S = 30.0


def run_batch(
    subject: Subject,
    schedule: Schedule,
    batch: Batch,
    n_trials: int,
    *,
    join_timeout_s: float = JOIN_TIMEOUT_S,
    report_progress: Callable[[Batch], None] = lambda _batch: None,
) -> None:
    """Run trials one after another in this process, and count them into `batch`.

    Every other trial builds its kernel from fresh factories; the rest launch one kernel again and
    again. Both ways occur in test suites, and are counted apart.

    Parameters
    ----------
    subject, schedule
        What is launched, and what paces its threads.
    batch
        Where outcomes are counted; its seed gives each trial its own.
    n_trials
        Trials to run, at least 1. The batch stops earlier, and says so in its status, when a
        thread does not end within `join_timeout_s` seconds: nothing after it would be sound.
    report_progress
        Called after each trial.
    """
    reused_kernel = subject.build_kernel()
    start_s = time.perf_counter()
    for trial in range(1, n_trials + 1):
        is_fresh = trial % 2 == 1
        kernel = subject.build_kernel() if is_fresh else reused_kernel
        outcome = run_trial(
            subject, schedule, kernel, f"{batch.seed}/{trial}", join_timeout_s=join_timeout_s
        )
        batch.record(
            outcome,
            kernel="fresh" if is_fresh else "reused",
            n_threads=subject.n_threads,
            elapsed_s=time.perf_counter() - start_s,
        )
        report_progress(batch)
        if outcome.mode is FailureMode.HANG:
            batch.status = f"stopped after trial {trial} of {n_trials}: {outcome.detail}"
            return


def run_trial(
    subject: Subject,
    schedule: Schedule,
    kernel: Any,
    trial_seed: str,
    *,
    join_timeout_s: float = JOIN_TIMEOUT_S,
) -> Outcome:
    """Launch once under the schedule and judge the outcome.

    A failed launch leaves its threads running. They are joined here, still under the schedule:
    one that is left over swaps globals in the middle of the next trial.
    """
    error: Exception | None = None
    output = None
    threads_before = frozenset(threading.enumerate())
    with schedule.applied(trial_seed):
        try:
            output = subject.launch(kernel)
        except Exception as raised:
            error = raised
        n_unfinished = _join_threads_since(threads_before, join_timeout_s)
    leaked = [guarded for guarded in subject.guarded_globals if guarded.is_leaked()]
    for guarded in leaked:
        guarded.restore()
    if n_unfinished:
        return Outcome(
            mode=FailureMode.HANG,
            detail=f"{n_unfinished} threads did not end within {join_timeout_s:g} s",
        )
    if error is not None:
        return classify_error(error, subject.threads_per_block)
    if leaked:
        names = ", ".join(f"{guarded.module.__name__}.{guarded.name}" for guarded in leaked)
        return Outcome(
            mode=FailureMode.LEAKED_GLOBAL,
            detail=f"not the original after all threads were joined: {names}",
        )
    mismatch = subject.describe_mismatch(output)
    return Outcome(mode=FailureMode.WRONG_RESULT, detail=mismatch) if mismatch else PASSED


def _join_threads_since(threads_before: Collection[threading.Thread], timeout_s: float) -> int:
    """Join every thread started since, within one deadline for all; return how many run on."""
    deadline_s = time.monotonic() + timeout_s
    started = [thread for thread in threading.enumerate() if thread not in threads_before]
    for thread in started:
        thread.join(max(0.0, deadline_s - time.monotonic()))
    return sum(thread.is_alive() for thread in started)
