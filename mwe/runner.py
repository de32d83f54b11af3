"""Run trials in this process: launch, join every simulated thread, judge."""

from __future__ import annotations

import contextlib
import faulthandler
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from mwe.defects.defect import ANY_FAILURE, Signature
from mwe.outcomes import PASSED, FailureMode, Outcome, classify_error
from mwe.schedules import DeadlockError, Exploration, Explorer, Pacer, Schedule
from mwe.workloads.subject import LaunchRefusedError, LaunchShape, Subject

# A simulated thread of these workloads runs for milliseconds; one that outlives its launch by
# this much will not end.
JOIN_TIMEOUT_S = 10.0
# Every other trial builds its kernel, which costs nothing in the simulator.
FRESH_PERIOD = 2


@dataclass(frozen=True)
class Trial:
    """One judged trial."""

    number: int  # its place in the batch, from 1
    kernel: str  # ``fresh`` if it was built for this trial, else ``reused``
    n_threads: int  # active threads of its launch
    outcome: Outcome
    has_signature: bool = False  # whether it failed in the way that is looked for
    exploration: Exploration | None = None  # under `explore`: which schedule it was


def iter_trials(
    subject: Subject,
    schedule: Schedule,
    seed: int,
    numbers: range,
    *,
    join_timeout_s: float = JOIN_TIMEOUT_S,
    fresh_period: int = FRESH_PERIOD,
    signature: Signature = ANY_FAILURE,
    report_ready: Callable[[], None] | None = None,
) -> Generator[Trial]:
    """Run trials one after another and yield each as it is judged.

    One trial of `fresh_period`, at least 2, builds its kernel from fresh factories; the rest launch
    one kernel again and again. Both ways occur in test suites, and are told apart.

    What building or compiling a kernel, opening the schedule or the oracle raises passes through:
    it is a failure of the harness, no outcome. An exploration ends at the first failure that has
    the signature; where a schedule of it seems to hang for the first time, the trials end without
    it. `report_ready` is called before the first trial.
    """
    with schedule.open(subject.user_files) as pace:
        reused_kernel = _build_kernel(subject)
        explorer = pace if isinstance(pace, Explorer) else None
        if explorer is not None:
            # What the first launch of a process does alone is over then; trials can be repeated.
            survey = explorer.survey
            run_trial(subject, lambda _: survey(), reused_kernel, "", join_timeout_s=join_timeout_s)
        if report_ready is not None:
            report_ready()
        for number in numbers:
            kernel_age = "reused" if explorer else name_kernel(number, fresh_period)
            kernel = _build_kernel(subject) if kernel_age == "fresh" else reused_kernel
            outcome = run_trial(
                subject, pace, kernel, f"{seed}/{number}", join_timeout_s=join_timeout_s
            )
            if outcome.mode is FailureMode.HANG and explorer and explorer.put_back():
                # Threads are left over, so the schedule is run again by whoever opens it next.
                return
            has_signature = signature.matches(outcome)
            exploration = explorer.note(has_signature) if explorer else None
            yield Trial(number, kernel_age, subject.n_threads, outcome, has_signature, exploration)
            if exploration is not None and exploration.is_last:
                return


def name_kernel(number: int, fresh_period: int = FRESH_PERIOD) -> str:
    """Return whether trial `number` has a ``fresh`` or a ``reused`` kernel."""
    return "fresh" if number % fresh_period == 1 else "reused"


def _build_kernel(subject: Subject) -> Any:
    kernel = subject.build_kernel()
    subject.compile_kernel(kernel)
    return kernel


def run_trial(
    subject: Subject,
    pace: Pacer,
    kernel: Any,
    trial_seed: str,
    *,
    join_timeout_s: float = JOIN_TIMEOUT_S,
) -> Outcome:
    """Launch under the schedule, once or as it says, and judge the outcome.

    A failed launch leaves its threads running. They are joined here, still under the schedule:
    one that is left over swaps globals in the middle of the next trial.
    """
    error: Exception | None = None
    refusal: LaunchRefusedError | None = None
    outputs: list[Any] = []
    threads_before = frozenset(threading.enumerate())
    with pace(trial_seed) as shapes:
        try:
            outputs = _launch(subject, kernel, shapes)
        except LaunchRefusedError as raised:
            refusal = raised
        except Exception as raised:
            error = raised
        is_stuck = isinstance(error, DeadlockError)
        n_unfinished = join_threads_since(threads_before, 0.0 if is_stuck else join_timeout_s)
    if n_unfinished:
        what = (
            str(error)
            if is_stuck
            else f"{n_unfinished} threads did not end within {join_timeout_s:g} s"
        )
        return Outcome(mode=FailureMode.HANG, detail=f"{what}\n{describe_stacks()}")
    leaked = [guarded for guarded in subject.guarded_globals if guarded.is_leaked()]
    for guarded in leaked:
        guarded.restore()
    if error is not None:
        outcome = classify_error(error, subject.find_grid())
        return replace(outcome, leaked=bool(leaked))
    if leaked:
        names = ", ".join(f"{guarded.module.__name__}.{guarded.name}" for guarded in leaked)
        return Outcome(
            mode=FailureMode.LEAKED_GLOBAL,
            detail=f"not the original after all threads were joined: {names}",
            leaked=True,
        )
    if refusal is not None:
        return Outcome(mode=None, detail=str(refusal), refused=True)
    mismatch = next(filter(None, map(subject.judge, outputs)), "")
    return Outcome(mode=FailureMode.WRONG_RESULT, detail=mismatch) if mismatch else PASSED


def _launch(subject: Subject, kernel: Any, shapes: Sequence[LaunchShape] | None) -> list[Any]:
    """Launch in the workload's own way, or each shape in a host thread of its own, all at once."""
    if shapes is None:
        return [subject.launch(kernel)]
    together = threading.Barrier(len(shapes))

    def launch(shape: LaunchShape) -> Any:
        together.wait()
        return subject.launch(kernel, shape)

    with ThreadPoolExecutor(len(shapes)) as pool:
        return list(pool.map(launch, shapes))


def describe_stacks() -> str:
    """Return the stacks of all threads of this process."""
    with tempfile.TemporaryFile("w+", errors="replace") as file:
        faulthandler.dump_traceback(file)
        file.seek(0)
        return file.read()


def join_threads_since(threads_before: Collection[threading.Thread], timeout_s: float) -> int:
    """Join every thread started since, within one deadline for all; return how many run on."""
    deadline_s = time.monotonic() + timeout_s
    started = [thread for thread in threading.enumerate() if thread not in threads_before]
    with contextlib.suppress(DeadlockError):
        for thread in started:
            thread.join(max(0.0, deadline_s - time.monotonic()))
    return sum(thread.is_alive() for thread in started)
