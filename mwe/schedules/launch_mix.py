"""Launch mix: on a device, what varies from trial to trial is how launches are put on it."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from random import Random
from typing import ClassVar

from mwe.schedules.events import Pacer
from mwe.targets import Target
from mwe.workloads.subject import LaunchShape


@dataclass(frozen=True, kw_only=True)
class LaunchMix:
    """Launch in one to several host threads at once, each launch in a shape of its own.

    A device's threads cannot be paused. What decides how they overlap is the shape of the launch:
    the block size, how many blocks share a multiprocessor, the stream, and what else is launched
    meanwhile. The seed fixes those decisions; which launch comes first is the system's choice.

    It misses what needs another kernel, more than one device, or graphs.
    """

    # Threads of a block: less than a warp, whole warps, and a warp and one.
    block_sizes: tuple[int, ...] = (16, 32, 33, 64, 96, 128, 256, 512)
    # Blocks whose threads all return early; many of them keep every multiprocessor busy.
    extra_blocks: tuple[int, ...] = (0, 1, 64, 1024)
    max_launches: int = 4  # host threads that launch at the same time, at least 1
    own_stream_probability: float = 0.75  # of a launch having a stream of its own, in [0, 1]
    # As many as fill several blocks of the largest size, and as fit the static shared memory of a
    # block, 48 KiB, in each of the workloads.
    n_active_threads: int | None = 1024
    targets: ClassVar[frozenset[Target]] = frozenset({Target.CUDA})

    @contextlib.contextmanager
    def open(self, _user_files: Collection[str]) -> Iterator[Pacer]:
        """Make ready for a batch: there is nothing to do."""
        yield lambda trial_seed: contextlib.nullcontext(self._draw_launches(Random(trial_seed)))

    def _draw_launches(self, random: Random) -> list[LaunchShape]:
        return [
            LaunchShape(
                threads_per_block=random.choice(self.block_sizes),
                n_extra_blocks=random.choice(self.extra_blocks),
                uses_own_stream=random.random() < self.own_stream_probability,
            )
            for _ in range(random.randint(1, self.max_launches))
        ]
