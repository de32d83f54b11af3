"""The subject that polls an event, and the oracle of what it was told."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import cuda

from mwe.workloads.device_arrays import GuardedArray
from mwe.workloads.event_query import kernel
from mwe.workloads.kernel_subject import CompiledSubject, describe_difference
from mwe.workloads.subject import N_THREADS, GuardedOutput, LaunchShape, Subject

# A millisecond or more on a device. Enqueuing the copy and the event takes Python a tenth of that,
# so the first question comes while the kernel runs, and an event that always says yes is found out.
N_ROUNDS = 200_000
# Where the host follows the kernel: several turns of a loop that the compiler has unrolled, and a
# rest that is none.
N_FOLLOWED_ROUNDS = 23
SENTINEL = np.float32(-12345.0)
POLL_PERIOD_S = 20e-6
# A launch takes less than a millisecond; an event that is not complete by then never will be.
DEADLINE_S = 10.0


@dataclass(frozen=True, kw_only=True)
class EventResult:
    """What an event said of a launch and a copy, and what was there.

    `arrived` is the data when the event first said that they are there, `after_synchronize` its
    answer once it was waited for, `final` the array on the device after everything was.
    """

    answer_types: tuple[str, ...]
    arrived: Any
    after_synchronize: Any
    final: Any


class EventQuerySubject(CompiledSubject):
    """A launch and a copy to pinned memory on a stream, and an event behind both."""

    def __init__(self, n_threads: int) -> None:
        super().__init__(kernel.build_kernel, (kernel,), n_threads)
        self._expected = kernel.compute_expected(n_threads, N_ROUNDS)

    def make_arguments(self) -> Sequence[Any]:
        """Return an output, the active threads and the rounds."""
        return np.zeros(self.n_threads, dtype=np.float32), self.n_threads, N_ROUNDS

    def make_followed_arguments(self) -> Sequence[Any]:
        """Return the same with fewer rounds, so that a thread ends soon."""
        return *self.make_arguments()[:-1], N_FOLLOWED_ROUNDS

    def launch(self, kernel: Any, shape: LaunchShape | None = None) -> Any:
        """Launch and copy, poll the event, and take the data when it says that they are there.

        Raises
        ------
        TimeoutError
            If the event does not complete.
        """
        n_blocks, threads_per_block = self.find_grid(shape)
        output, *numbers = self.make_arguments()
        arrived = cuda.pinned_array(output.shape, np.float32)
        arrived[...] = SENTINEL
        # Always a stream of its own: another launch's work is not what the event is asked about.
        stream = cuda.stream()
        guarded = GuardedArray(output, stream)
        event = cuda.event()
        kernel[n_blocks, threads_per_block, stream](guarded.array, *numbers)
        guarded.array.copy_to_host(arrived, stream=stream)
        event.record(stream)
        answers = poll(event)
        # Nothing has been waited for but the event's word.
        taken = np.array(arrived)
        event.synchronize()
        after = event.query()
        stream.synchronize()
        final = guarded.read()
        result = EventResult(
            answer_types=tuple(sorted({type(answer).__name__ for answer in (*answers, after)})),
            arrived=taken,
            after_synchronize=after,
            final=final.content,
        )
        return GuardedOutput(result, final.damage)

    def describe_mismatch(self, output: EventResult) -> str:
        """Expect bools for answers, a yes after waiting, and the data as soon as it says so."""
        if output.answer_types != ("bool",):
            return f"Event.query answered with {', '.join(output.answer_types)}, expected bool"
        if output.after_synchronize is not True:
            return "Event.query says no after Event.synchronize"
        early = describe_difference(output.arrived, self._expected)
        if early:
            return f"Event.query said yes before the data had arrived: {early}"
        return describe_difference(output.final, self._expected)


def poll(event: Any) -> list[Any]:
    """Ask an event until it says yes, and return all answers."""
    deadline_s = time.monotonic() + DEADLINE_S
    answers = [event.query()]
    while not answers[-1]:
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"the event has not completed after {DEADLINE_S:g} s")
        time.sleep(POLL_PERIOD_S)
        answers.append(event.query())
    return answers


def event_query(n_threads: int = N_THREADS) -> Subject:
    """Return the workload."""
    return EventQuerySubject(n_threads)
