"""Device functions that are inlined on every release for a device, as ``inline=True`` asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import config, cuda


def jit_inlined(function: Callable[..., Any]) -> Any:
    """Make a device function that is inlined."""
    return ensure_inlined(cuda.jit(device=True, inline=True)(function))


def ensure_inlined(device_function: Any) -> Any:
    """Hand ``inline=True`` on to the pass that inlines, where numba loses it on the way there.

    Numba's built-in target, and numba-cuda before 0.10, take the argument and leave it out of what
    the dispatcher knows; without it a device function that returns an array of its own does not
    compile there. Newer releases, and the simulator, are left as they are.

    Source: `jit` in numba/cuda/decorators.py, `InlineInlinables` in numba/core/untyped_passes.py;
    numba-cuda's pull request 181.
    """
    options = getattr(device_function, "targetoptions", None)
    if not config.ENABLE_CUDASIM and isinstance(options, dict):
        options.setdefault("inline", "always")
    return device_function
