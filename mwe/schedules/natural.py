"""The schedule that touches nothing: threads run as system and interpreter let them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Natural:
    """Run the trial untouched.

    What it provokes is what users meet. What it misses is nearly everything: a simulated thread
    of these workloads finishes within one switch interval (5 ms), so two hardly ever overlap.
    """

    @contextlib.contextmanager
    def applied(self, trial_seed: str) -> Iterator[None]:
        """Run one trial; the seed decides nothing."""
        del trial_seed
        yield
