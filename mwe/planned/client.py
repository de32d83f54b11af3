"""Processes that run batches on request: ``python -m mwe --serve``, one batch at a time.

The other side of `mwe.service`. Nothing of upstream is imported here, so that fixwatch can use it,
with the interpreter of any environment.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

ROOT = Path(__file__).resolve().parents[2]
TERMINATION_TIMEOUT_S = 5.0
MAX_REASON_CHARACTERS = 2000
MAX_REASON_LINES = 12
# Importing numba and asking the driver takes a second or two.
CHECK_TIMEOUT_S = 60.0

# Where a batch can fail to come about: while the workload is imported, or later.
IMPORT = "import"
BATCH = "batch"
DEVICE = "device"


@dataclass(frozen=True)
class BatchResult:
    """What became of a batch: what ``--json`` prints of it, or why there is none."""

    batch: dict[str, Any] | None = None
    stage: str | None = None  # the step that failed, if there is no batch
    reason: str | None = None


@functools.cache
def digest_harness() -> str:
    """Return a digest of the reproducer's sources: counts of two harnesses are not the same."""
    sources = sorted(path for path in (ROOT / "mwe").rglob("*") if path.suffix in (".py", ".json"))
    return hashlib.sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()


class BatchServer:
    """A process that runs one batch after another, and what becomes of the current one.

    It imports upstream once. After anything but a finished batch it is not used again: a failed
    import, or a batch that never ended, may have left something behind.

    `interpreter` is the Python of the environment to measure, `environment` the variables of the
    process, None for those of this one, and `pass_fds` files that it holds as long as it lives.
    """

    def __init__(
        self,
        interpreter: str | Path = sys.executable,
        *,
        environment: Mapping[str, str] | None = None,
        pass_fds: Sequence[int] = (),
    ) -> None:
        # Files, because a pipe that nobody reads blocks whoever writes a lot.
        self._stdout: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed by stop)
        self._stderr: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            [str(interpreter), "-m", "mwe", "--serve"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=self._stdout,
            stderr=self._stderr,
            pass_fds=pass_fds,
        )
        self._stdin = cast(IO[bytes], self._process.stdin)
        self._stdout_start = 0
        self.is_usable = True

    def request(self, request: Mapping[str, Any], timeout_s: float) -> None:
        """Ask for a batch by the fields of `BatchRequest`; `poll` brings the answer."""
        self._timeout_s = timeout_s
        self._deadline_s = time.monotonic() + timeout_s
        self._stderr_start = self._stderr.seek(0, 2)
        # Where the process is gone, poll says how it ended.
        with contextlib.suppress(BrokenPipeError):
            self._stdin.write(json.dumps(request).encode() + b"\n")
            self._stdin.flush()

    def poll(self) -> BatchResult | None:
        """Return what became of the batch; None while it runs."""
        # Asked before the answers are read, else an answer of its last moment is missed.
        status = self._process.poll()
        printed = _read(self._stdout, self._stdout_start)
        if printed.endswith("\n"):
            self._stdout_start = self._stdout.tell()
            answer: dict[str, Any] = json.loads(printed)
            if "batch" in answer:
                return BatchResult(answer["batch"])
            return self._fail(IMPORT, answer["error"])
        if status is not None:
            ended = f"signal {-status}" if status < 0 else f"status {status}"
            return self._fail(BATCH, f"ended with {ended}: {self._last_lines()}")
        if time.monotonic() >= self._deadline_s:
            return self._fail(BATCH, f"did not finish within {self._timeout_s:g} s")
        return None

    def stop(self) -> None:
        """End the process, which ends its own workers when it is asked to, and wait for it."""
        if not self.is_usable:
            return
        self._process.terminate()
        try:
            self._process.wait(TERMINATION_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        with contextlib.suppress(BrokenPipeError):
            self._stdin.close()
        self._stdout.close()
        self._stderr.close()
        self.is_usable = False

    def _fail(self, stage: str, reason: str) -> BatchResult:
        self.stop()
        return BatchResult(stage=stage, reason=reason[-MAX_REASON_CHARACTERS:])

    def _last_lines(self) -> str:
        lines = [line for line in _read(self._stderr, self._stderr_start).splitlines() if line]
        return "\n".join(lines[-MAX_REASON_LINES:]) or "no output"


def find_missing_device() -> str | None:
    """Return why this machine has no usable driver or device; None if batches can be tried.

    Whatever else is wrong, such as a ``numba.cuda`` that does not import, each batch finds itself.
    """
    command = [sys.executable, "-m", "mwe", "--check", "--json", "--target", "cuda"]
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=CHECK_TIMEOUT_S
        )
        missing = json.loads(done.stdout)["missing"]
    except subprocess.TimeoutExpired:
        return f"the driver did not answer within {CHECK_TIMEOUT_S:g} s"
    except (ValueError, KeyError, TypeError):
        # Batches that are tried say more than a check that does not know.
        return None
    return done.stderr.strip().removeprefix("mwe: ") if missing in ("driver", "device") else None


def _read(file: IO[bytes], start: int) -> str:
    file.seek(start)
    return file.read().decode("utf-8", "replace")
