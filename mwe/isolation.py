"""Run a batch in processes of its own, so that no trial can spoil another or stop the rest.

A worker process runs trials one after another. After one that may have damaged the state, a fresh
worker goes on with the next trial; a worker that hangs or dies costs the trial that it was in.
Where the platform has a safe fork, a worker is a fork of this process, which has imported the
workload and launched nothing; elsewhere it is a fresh process.
"""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from mwe.batch import Batch
from mwe.errors import HarnessError, MweError
from mwe.outcomes import FailureMode, Outcome
from mwe.runner import FRESH_PERIOD, JOIN_TIMEOUT_S, iter_trials, name_kernel
from mwe.schedules import Schedule
from mwe.workloads.subject import Subject

# Longer than joining may take. A trial takes milliseconds.
TRIAL_TIMEOUT_S = 30.0
# Each costs its timeout; after this many the rest of the batch would only wait.
MAX_HANGS = 3
# What a failing trial may leave behind that the next one would inherit: a kernel context, threads,
# and, whenever a global leaked, a fake for good. The race itself leaves nothing once its threads
# are joined.
DAMAGING = frozenset({FailureMode.LEAKED_GLOBAL, FailureMode.EXCEPTION, FailureMode.HANG})
# On a device whatever a launch raised may be the driver's, and a fault costs the context.
DAMAGING_ON_DEVICE = DAMAGING | {FailureMode.MISSING_ATTRIBUTE}
# Forking a process that has used the system's frameworks is not safe on macOS.
CAN_FORK = sys.platform not in {"win32", "darwin"} and hasattr(os, "fork")

# A worker that is started anew and compiles takes seconds on a device; a launch that fails each
# time would take minutes to say no more.
MAX_WORKERS_ON_DEVICE = 10

LoadSubject = Callable[[], Subject]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How long things may take, in seconds."""

    trial_timeout_s: float = TRIAL_TIMEOUT_S
    join_timeout_s: float = JOIN_TIMEOUT_S


def run_batch(
    load_subject: LoadSubject,
    schedule: Schedule,
    batch: Batch,
    n_trials: int,
    *,
    limits: Limits = Limits(),
    can_fork: bool = CAN_FORK,
    fresh_period: int = FRESH_PERIOD,
    damaging: frozenset[FailureMode] = DAMAGING,
    max_workers: int | None = None,
    report_progress: Callable[[Batch], None] = lambda _batch: None,
) -> None:
    """Run the trials up to `n_trials` and count them into `batch`.

    Parameters
    ----------
    load_subject
        Returns what is launched; without fork it must be picklable, since each worker calls it.
    schedule
        What paces the threads.
    batch
        Where outcomes are counted; its seed gives each trial its own. The trials that it has
        already are not run again.
    n_trials
        At least 1. The batch stops earlier, and says so in its status, after `MAX_HANGS` hangs.
    fresh_period
        One trial of so many builds its kernel anew; at least 2.
    damaging
        Failure modes after which a fresh worker goes on.
    max_workers
        The batch stops, and says so in its status, when so many workers were used up.
    report_progress
        Called after each trial.

    Raises
    ------
    HarnessError
        If the workload cannot be loaded in a worker.
    """
    if can_fork:
        subject = load_subject()

        def load_subject() -> Subject:
            return subject

    start_s = time.perf_counter() - batch.duration_s

    def record(outcome: Outcome, number: int, kernel: str, n_threads: int) -> None:
        batch.record(
            outcome,
            number=number,
            kernel=kernel,
            n_threads=n_threads,
            elapsed_s=time.perf_counter() - start_s,
        )
        report_progress(batch)

    number = batch.trials + 1
    max_hangs = batch.failures_by_mode[FailureMode.HANG.value] + MAX_HANGS
    n_workers = 0
    while number <= n_trials:
        n_workers += 1
        worker = _Worker(
            load_subject,
            schedule,
            batch.seed,
            range(number, n_trials + 1),
            limits,
            can_fork=can_fork,
            fresh_period=fresh_period,
            damaging=damaging,
        )
        for trial in worker.iter_trials():
            record(trial.outcome, trial.number, trial.kernel, worker.n_threads)
            number = trial.number + 1
        ending = worker.ending
        if ending is not None:
            record(ending, number, name_kernel(number, fresh_period), worker.n_threads)
            number += 1
        if batch.failures_by_mode[FailureMode.HANG.value] >= max_hangs and number <= n_trials:
            batch.status = f"stopped after trial {number - 1} of {n_trials}: {MAX_HANGS} hangs"
            return
        if n_workers == max_workers and number <= n_trials:
            batch.status = (
                f"stopped after trial {number - 1} of {n_trials}: failures used up {n_workers} "
                "processes"
            )
            return


class _Worker:
    """A process that runs trials, and what became of it.

    Attributes
    ----------
    n_threads
        Active threads of its subject's launches; known once the first trial has come.
    ending
        The outcome of the trial in which the process ended, None where it ended by itself.
    """

    def __init__(
        self,
        load_subject: LoadSubject,
        schedule: Schedule,
        seed: int,
        numbers: range,
        limits: Limits,
        *,
        can_fork: bool,
        fresh_period: int,
        damaging: frozenset[FailureMode],
    ) -> None:
        self.n_threads = 0
        self.ending: Outcome | None = None
        self._limits = limits
        handle, stacks = tempfile.mkstemp(prefix="mwe-stacks-")
        os.close(handle)
        self._stacks = Path(stacks)
        context: Any = multiprocessing.get_context("fork" if can_fork else "spawn")
        self._receiver, sender = context.Pipe(duplex=False)
        self._process = context.Process(
            target=_work,
            args=(self._receiver, sender, load_subject, schedule, seed, numbers, limits, stacks),
            kwargs={"fresh_period": fresh_period, "damaging": damaging},
            daemon=True,
        )
        with warnings.catch_warnings():
            # Python 3.12 warns of any other thread in this process, numpy's idle ones included.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._process.start()
        sender.close()

    def iter_trials(self) -> Iterator[Any]:
        """Yield the trials as they are judged, and clean up after the process."""
        try:
            yield from self._receive()
        finally:
            self._process.kill()
            self._process.join()
            self._receiver.close()
            self._stacks.unlink(missing_ok=True)

    def _receive(self) -> Iterator[Any]:
        is_loaded = False
        while True:
            # The worker watches itself; twice its limit is for one that cannot even do that.
            if not self._receiver.poll(2 * self._limits.trial_timeout_s):
                self.ending = Outcome(
                    mode=FailureMode.HANG,
                    detail=f"no sign for {2 * self._limits.trial_timeout_s:g} s, no stacks",
                )
                return
            try:
                kind, content = self._receiver.recv()
            except EOFError:
                self._process.join()
                self.ending = self._describe_ending()
                if not is_loaded:
                    raise HarnessError(
                        "the process ended while the workload was loaded: "
                        f"{self.ending.detail.splitlines()[0]}"
                    ) from None
                return
            if kind == "failed":
                raise HarnessError(content)
            if kind == "loaded":
                self.n_threads, is_loaded = content, True
            elif kind == "trial":
                yield content
            else:
                return

    def _describe_ending(self) -> Outcome:
        stacks = self._stacks.read_text(encoding="utf-8", errors="replace").strip()
        if stacks:
            return Outcome(
                mode=FailureMode.HANG,
                detail=f"did not end within {self._limits.trial_timeout_s:g} s\n{stacks}",
            )
        status = self._process.exitcode
        if status < 0:
            return Outcome(mode=FailureMode.CRASH, detail=f"killed by {_name_signal(-status)}")
        return Outcome(mode=FailureMode.CRASH, detail=f"exited with status {status}")


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
    limits: Limits,
    stacks: str,
    *,
    fresh_period: int,
    damaging: frozenset[FailureMode],
) -> None:
    """Run trials until one may have damaged the state; the main function of a worker."""
    # While this process holds the other end too, it would never learn that nobody reads.
    receiver.close()
    # Ctrl-C reaches the whole group; the process that waits for the results handles it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with open(stacks, "w", encoding="utf-8") as stacks_file:
        watchdog = _Watchdog(limits.trial_timeout_s, stacks_file)

        def report_ready() -> None:
            # Importing and compiling took its time; the first trial has all of its own.
            watchdog.feed()
            sender.send(("loaded", subject.n_threads))

        try:
            subject = load_subject()
            trials = iter_trials(
                subject,
                schedule,
                seed,
                numbers,
                join_timeout_s=limits.join_timeout_s,
                fresh_period=fresh_period,
                report_ready=report_ready,
            )
            for trial in trials:
                watchdog.feed()
                sender.send(("trial", trial))
                if trial.outcome.mode in damaging or trial.outcome.leaked:
                    break
            sender.send(("done", None))
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
