"""What the environment of a release holds, and fetching it before it is needed.

A release is installed while no other is measured, so an install that first has to download a
compiler of 50 MB is time that a machine waits. What is in uv's cache installs in a second.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from fixwatch.errors import FixwatchError
from fixwatch.history.release_table import Release, load_release_table
from fixwatch.installing.as_of import Resolution, fill_cache, resolve_as_of
from fixwatch.installing.as_of_exceptions import find_missing_requirements
from fixwatch.installing.cuda_parts import NO_CUDA_REQUIREMENTS, CudaRequirements

# Measuring comes first.
NICENESS = 10


def resolve_release(
    release: Release, python: Path, parts: CudaRequirements = NO_CUDA_REQUIREMENTS
) -> Resolution:
    """Resolve a release with the dependencies of its upload day, and parts for a device.

    The release itself is exempt, because its files arrive over minutes. Errors are those of
    `resolve_as_of`.
    """
    requirements = [
        f"{parts.name(release.upstream)}=={release.version}",
        *parts.requirements,
        *find_missing_requirements(release.upstream, release.version),
    ]
    return resolve_as_of(
        requirements,
        release.resolved_as_of,
        python,
        constraints=parts.constraints,
        exempt=[release.upstream],
    )


@contextlib.contextmanager
def fetching(releases: Sequence[Release]) -> Iterator[None]:
    """Download what releases need, in their order, in a process beside the block.

    It is given up where it fails, and ends with the block: whoever installs downloads what is
    missing, and says what is wrong.
    """
    names = [f"{release.upstream}=={release.version}" for release in releases]
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, *names],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def fetch(names: Sequence[str]) -> None:
    """Fill the cache for releases that are named ``upstream==version``, unless the parent ends."""
    parent = os.getppid()
    table = {f"{release.upstream}=={release.version}": release for release in load_release_table()}
    python = Path(sys.executable)
    for release in map(table.__getitem__, names):
        if os.getppid() != parent:
            return
        with contextlib.suppress(FixwatchError):
            fill_cache(resolve_release(release, python).pins, python)


if __name__ == "__main__":
    # An exception lets an installer that is at work end, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    os.nice(NICENESS)
    fetch(sys.argv[1:])
