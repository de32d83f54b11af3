"""Run a batch in processes of its own, so that no trial can spoil another or stop the rest.

A worker process runs trials one after another. After one that may have damaged the state, a fresh
worker goes on with the next trial; a worker that hangs or dies costs the trial that it was in.
Where the platform has a safe fork, a worker is a fork of this process, which has imported the
workload and launched nothing; elsewhere it is a fresh process.
"""

from __future__ import annotations

import faulthandler
import gc
import multiprocessing
import os
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Any, Protocol

from mwe.batch import Batch
from mwe.defects.defect import ANY_FAILURE, Signature
from mwe.errors import HarnessError, MweError
from mwe.outcomes import FailureMode, Outcome
from mwe.runner import FRESH_PERIOD, JOIN_TIMEOUT_S, Trial, iter_trials, name_kernel
from mwe.schedules import Explore, Schedule
from mwe.targets import Target

# Every hang costs a full timeout; stop after this many.
MAX_HANGS = 3
# Forking a process that has used the system's frameworks is not safe on macOS.
CAN_FORK = sys.platform not in {"win32", "darwin"} and hasattr(os, "fork")
# What a failing trial may leave behind that the next one would inherit: a kernel context, threads,
# and, whenever a global leaked, a fake for good. The race itself leaves nothing once its threads
# are joined.
_DAMAGING = frozenset({FailureMode.LEAKED_GLOBAL, FailureMode.EXCEPTION, FailureMode.HANG})


class Runnable(Protocol):
    """What trials are run of."""

    n_threads: int  # active ones of a launch, where that is known


LoadSubject = Callable[[], Runnable]
# What runs the trials in a worker, with the parameters of `mwe.runner.iter_trials`.
IterTrials = Callable[..., Generator[Trial]]


@dataclass(frozen=True, kw_only=True)
class Isolation:
    """How the trials of a batch are kept from spoiling one another."""

    trial_timeout_s: float = 30.0  # longer than joining may take; a trial takes milliseconds
    join_timeout_s: float = JOIN_TIMEOUT_S  # for the threads of a trial
    can_fork: bool = CAN_FORK  # else workers are fresh processes that load the workload themselves
    fresh_period: int = FRESH_PERIOD  # one trial of so many, at least 2, builds its kernel anew
    damaging: frozenset[FailureMode] = _DAMAGING  # modes after which a fresh worker goes on
    max_workers: int | None = None  # the batch stops, and says so, when so many are used up
    max_hangs: int = MAX_HANGS  # the batch stops, and says so, after so many


ISOLATION = {
    Target.SIMULATOR: Isolation(),
    # A driver that the parent has looked at does not work in a fork of it. A kernel takes the
    # compilers about as long as hundreds of launches. Whatever a launch raised may be the driver's,
    # and a fault costs the context. A worker that starts anew and compiles takes seconds.
    Target.CUDA: Isolation(
        can_fork=False,
        fresh_period=100,
        damaging=_DAMAGING | {FailureMode.MISSING_ATTRIBUTE},
        max_workers=10,
    ),
    # No driver is asked, and what a compilation raised is the compiler's answer.
    Target.COMPILER: Isolation(damaging=frozenset({FailureMode.HANG})),
}


def run_batch(
    load_subject: LoadSubject,
    schedule: Schedule,
    batch: Batch,
    n_trials: int,
    isolation: Isolation = ISOLATION[Target.SIMULATOR],
    report_progress: Callable[[Batch], None] = lambda _batch: None,
    signature: Signature = ANY_FAILURE,
    iterate: IterTrials = iter_trials,
) -> None:
    """Run the trials up to `n_trials` and count them into `batch`.

    The signature says which failures are those that are looked for. `iterate` runs trials in a
    worker; when it ends before the last of them, a fresh worker goes on.

    The trials that the batch has already are not run again. It stops early, and says so in its
    status, after as many hangs as the isolation allows. Without fork `load_subject` must be
    picklable, since each worker calls it. `report_progress` is called after each trial.

    Raises
    ------
    HarnessError
        If the workload cannot be loaded in a worker.
    """
    if isolation.can_fork:
        subject = load_subject()

        def load_subject() -> Runnable:
            return subject

    start_s = time.perf_counter() - batch.duration_s
    number = batch.trials + 1
    max_hangs = batch.failures_by_mode[FailureMode.HANG.value] + isolation.max_hangs
    n_workers = 0
    handed_over: list[Schedule] = [schedule]
    while number <= n_trials:
        n_workers += 1
        numbers = range(number, n_trials + 1)
        schedule = handed_over.pop()
        is_last = False
        for trial in _iter_trials_of_worker(
            load_subject,
            schedule,
            batch.seed,
            numbers,
            isolation,
            signature,
            iterate,
            handed_over.append,
        ):
            batch.record(trial, elapsed_s=time.perf_counter() - start_s)
            report_progress(batch)
            number = trial.number + 1
            is_last = trial.exploration is not None and trial.exploration.is_last
        if number > n_trials or is_last:
            return
        if not handed_over and not isinstance(schedule, Explore):
            handed_over.append(schedule)
        if not handed_over:
            reason = "the process ended that knew which schedules are left"
        elif batch.failures_by_mode[FailureMode.HANG.value] >= max_hangs:
            reason = f"{isolation.max_hangs} hangs"
        elif n_workers == isolation.max_workers:
            reason = f"failures used up {n_workers} processes"
        else:
            continue
        batch.status = f"stopped after trial {number - 1} of {n_trials}: {reason}"
        return


def _iter_trials_of_worker(
    load_subject: LoadSubject,
    schedule: Schedule,
    seed: int,
    numbers: range,
    isolation: Isolation,
    signature: Signature,
    iterate: IterTrials,
    hand_over: Callable[[Schedule], None],
) -> Iterator[Trial]:
    """Run trials in a process of their own, and yield them as they are judged.

    If the process ends by itself, the trial that it was in comes last, as a hang or a crash;
    otherwise the schedule is handed over as the process leaves it.
    """
    context: Any = multiprocessing.get_context("fork" if isolation.can_fork else "spawn")
    receiver, sender = context.Pipe(duplex=False)
    stacks, found_as = _open_stacks(can_fork=isolation.can_fork)
    process = context.Process(
        target=_work,
        args=(
            receiver,
            sender,
            load_subject,
            schedule,
            seed,
            numbers,
            isolation,
            signature,
            iterate,
            found_as,
        ),
        daemon=True,
    )
    used_before_s = _measure_children_s()
    with warnings.catch_warnings():
        # Python 3.12 warns of any other thread in this process, numpy's idle ones included.
        warnings.simplefilter("ignore", DeprecationWarning)
        # A fork that collects garbage would look through, and so copy, all that this process has
        # loaded: a quarter of a compilation's time.
        gc.freeze()
        try:
            process.start()
        finally:
            gc.unfreeze()
    sender.close()
    number, n_threads = numbers.start, None
    # The worker watches itself; twice its limit is for one that cannot even do that.
    max_silence_s = 2 * isolation.trial_timeout_s
    try:
        while True:
            if not receiver.poll(max_silence_s):
                detail = f"no sign for {max_silence_s:g} s, no stacks"
                outcome = Outcome(mode=FailureMode.HANG, detail=detail)
                break
            try:
                kind, content = receiver.recv()
            except EOFError:
                process.join()
                used_s = _measure_children_s() - used_before_s
                outcome = _describe_ending(
                    process.exitcode, stacks, isolation.trial_timeout_s, used_s
                )
                break
            if kind == "failed":
                raise HarnessError(content)
            if kind == "done":
                hand_over(content)
                return
            if kind == "loaded":
                n_threads = content
            else:
                number = content.number + 1
                yield content
        if n_threads is None:
            raise HarnessError(
                f"the process ended while the workload was loaded: {outcome.detail.splitlines()[0]}"
            )
        kernel_age = name_kernel(number, isolation.fresh_period)
        yield Trial(number, kernel_age, n_threads, outcome, signature.matches(outcome))
    finally:
        process.kill()
        process.join()
        receiver.close()
        stacks.close()
        if isinstance(found_as, str):
            Path(found_as).unlink(missing_ok=True)


def _open_stacks(*, can_fork: bool) -> tuple[IO[str], IO[str] | str]:
    """Return a file for the stacks of a worker, and what the worker finds it by.

    A fork has it open already, and a file without a name goes with those who have it open, whatever
    ends them. A fresh process needs its name.
    """
    if can_fork:
        # The caller closes it.
        file = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        return file, file
    handle, name = tempfile.mkstemp(prefix="mwe-stacks-")
    return open(handle, encoding="utf-8", errors="replace"), name


def _measure_children_s() -> float:
    """Return the processor time of the child processes that have ended; 0 on Windows."""
    times = os.times()
    return times.children_user + times.children_system


def _describe_ending(status: int, stacks: IO[str], limit_s: float, used_s: float) -> Outcome:
    stacks.seek(0)
    written = stacks.read().strip()
    if written:
        # One that waits for ever uses next to none, one that only takes long nearly all.
        used = f", with {used_s:.0f} s of processor time" if sys.platform != "win32" else ""
        detail = f"did not end within {limit_s:g} s{used}\n{written}"
        return Outcome(mode=FailureMode.HANG, detail=detail)
    return Outcome(mode=FailureMode.CRASH, detail=describe_status(status))


def describe_status(status: int) -> str:
    """Return in words how a process ended, from the exit status that Python has for it."""
    return f"killed by {_name_signal(-status)}" if status < 0 else f"exited with status {status}"


def _name_signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"


def _work(
    receiver: Connection,
    sender: Connection,
    load_subject: LoadSubject,
    schedule: Schedule,
    seed: int,
    numbers: range,
    isolation: Isolation,
    signature: Signature,
    iterate: IterTrials,
    stacks: IO[str] | str,
) -> None:
    """Run trials until one may have damaged the state; the main function of a worker."""
    # While this process holds the other end too, it would never learn that nobody reads.
    receiver.close()
    # Ctrl-C reaches the whole group; the process that waits for the results handles it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with open(stacks, "w", encoding="utf-8") if isinstance(stacks, str) else stacks as stacks_file:
        watchdog = _Watchdog(isolation.trial_timeout_s, stacks_file)

        def report_ready() -> None:
            # Importing and compiling took its time; the first trial has all of its own.
            watchdog.feed()
            sender.send(("loaded", subject.n_threads))

        try:
            subject = load_subject()
            trials = iterate(
                subject,
                schedule,
                seed,
                numbers,
                join_timeout_s=isolation.join_timeout_s,
                fresh_period=isolation.fresh_period,
                signature=signature,
                report_ready=report_ready,
            )
            for trial in trials:
                watchdog.feed()
                sender.send(("trial", trial))
                if trial.outcome.mode in isolation.damaging or trial.outcome.leaked:
                    break
            # It closes the schedule, which keeps what is left of it.
            trials.close()
            sender.send(("done", schedule))
        except BrokenPipeError:
            pass  # whoever waited for the results is gone
        except MweError as error:
            sender.send(("failed", str(error)))
        except Exception as error:
            sender.send(("failed", f"outside of a launch: {type(error).__name__}: {error}"))
        finally:
            watchdog.stop()
    sender.close()
    # Threads that hang, and what the workload registered for exit, must not keep the process.
    os._exit(0)


class _Watchdog:
    """Writes the stacks of all threads and ends the process when it is not fed.

    It lives in a thread of C, so it works while the interpreter lock is held. Setting it starts
    that thread anew, so feeding does so only when a quarter of the time has passed: it bites
    between 0.75 and 1 times the limit after the last feeding.
    """

    def __init__(self, timeout_s: float, file: Any) -> None:
        self._timeout_s = timeout_s
        self._file = file
        self._set()

    def _set(self) -> None:
        self._set_at_s = time.monotonic()
        faulthandler.dump_traceback_later(self._timeout_s, exit=True, file=self._file)

    def feed(self) -> None:
        """Put the end off."""
        if time.monotonic() - self._set_at_s > self._timeout_s / 4:
            self._set()

    def stop(self) -> None:
        """Take it off."""
        faulthandler.cancel_dump_traceback_later()
