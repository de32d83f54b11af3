"""Small subjects without upstream code, each with one fault, and a sound one."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from types import ModuleType
from typing import Any

from mwe.workloads.subject import GuardedGlobal, Subject

ORIGINAL = object()


class SoundSubject(Subject):
    """Writes the right output and leaves nothing behind."""

    n_threads = 1
    threads_per_block = 2
    user_files = frozenset({__file__})

    def __init__(self) -> None:
        self.module = ModuleType("planted")
        self.module.cuda = ORIGINAL  # type: ignore[attr-defined]
        self.guarded_globals = [GuardedGlobal(self.module, "cuda", ORIGINAL)]
        self.n_built = 0

    def build_kernel(self) -> Any:
        """Count how often a kernel is built."""
        self.n_built += 1
        return self.n_built

    def launch(self, kernel: Any) -> Any:
        """Return the right output."""
        return 1

    def describe_mismatch(self, output: Any) -> str:
        """Expect 1."""
        return "" if output == 1 else f"output is {output}, expected 1"


class WrongResultSubject(SoundSubject):
    """Returns a wrong output."""

    def launch(self, kernel: Any) -> Any:
        """Return the wrong output."""
        return 2


class LeakingSubject(SoundSubject):
    """Leaves something else in the place of a global, once."""

    def launch(self, kernel: Any) -> Any:
        """Swap the global and do not put it back."""
        self.module.cuda = "fake"  # type: ignore[attr-defined]
        return 1


class RaisingSubject(SoundSubject):
    """Raises what it was given."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def launch(self, kernel: Any) -> Any:
        """Raise."""
        raise self.error


class HangingSubject(SoundSubject):
    """Hangs in one trial of its process: the launch does not return."""

    def __init__(self, bad_trial: int) -> None:
        super().__init__()
        self.bad_trial = bad_trial
        self.n_launched = 0

    def launch(self, kernel: Any) -> Any:
        """Misbehave once."""
        self.n_launched += 1
        if self.n_launched == self.bad_trial:
            self.misbehave()
        return 1

    def misbehave(self) -> None:
        """Calculate for a second, then wait for ever."""
        while time.process_time() < 1.0:
            pass
        time.sleep(3600)


class KilledSubject(HangingSubject):
    """Kills its process."""

    def misbehave(self) -> None:
        """Send SIGKILL to itself."""
        os.kill(os.getpid(), signal.SIGKILL)


class ExitingSubject(HangingSubject):
    """Exits, with success."""

    def misbehave(self) -> None:
        """Raise SystemExit."""
        sys.exit(0)


class AbruptSubject(HangingSubject):
    """Exits without a word."""

    def misbehave(self) -> None:
        """End the process at once."""
        os._exit(7)


class LeakingForGoodSubject(SoundSubject):
    """Fails from its second launch on, because of what the first one left behind."""

    def __init__(self) -> None:
        super().__init__()
        self.n_launched = 0

    def launch(self, kernel: Any) -> Any:
        """Leak at first, return a wrong result ever after."""
        self.n_launched += 1
        if self.n_launched > 1:
            return 2
        self.module.cuda = "fake"  # type: ignore[attr-defined]
        return 1


class SlowSubject(SoundSubject):
    """Takes a moment for each launch."""

    def launch(self, kernel: Any) -> Any:
        """Return the right output, not at once."""
        time.sleep(0.01)
        return 1


class AbandoningSubject(SoundSubject):
    """Raises while a thread of the launch still runs, as the simulator does."""

    run_s = 0.2

    def launch(self, kernel: Any) -> Any:
        """Start a thread that runs on, and fail."""
        threading.Thread(target=time.sleep, args=(self.run_s,), daemon=True).start()
        raise RuntimeError("launch failed")


class StuckSubject(AbandoningSubject):
    """Leaves a thread that does not end within any patience of a test."""

    run_s = 60.0
