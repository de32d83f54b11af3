"""What a test's failures say: which defect their errors name, and what to call the others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from mwe.defects import cuda_swap, host_launch, mixed_atomics, shared_split
from mwe.outcomes import FailureMode, Outcome, classify_error
from mwe.schedules import DeadlockError
from mwe.workloads.subject import Grid

_ANY_GRID = Grid((1, 1, 1), (1, 1, 1))
_HOST_LAUNCH_ERROR = re.compile(
    "|".join(f"(?:{message.pattern})" for message in host_launch.DEFECT.messages)
)
# Those that show as wrong numbers, without an error that names them.
SILENT_DEFECTS = tuple(
    defect.name
    for defect in (shared_split.DEFECT, mixed_atomics.DEFECT, host_launch.DEFECT)
    if FailureMode.WRONG_RESULT in defect.signature.modes
)
_NETWORK = re.compile(
    r"^(in its \w+: )?(gaierror|herror|URLError|Connection\w*Error|ConnectTimeout|MaxRetryError"
    r"|NewConnectionError|SSLError|ReadTimeout)\b"
    r"|Name or service not known|Temporary failure in name resolution|Network is unreachable"
)


def classify_test_error(error: BaseException) -> Outcome:
    """Classify what a test raised, or what that came from, where this names a defect.

    An assertion of the test's own is a wrong result; one in a kernel is an exception like others.
    """
    first: Outcome | None = None
    for raised in _iter_causes(error):
        if isinstance(raised, DeadlockError):
            return Outcome(mode=FailureMode.HANG, detail=str(raised))
        outcome = classify_error(raised, _ANY_GRID)
        in_kernel = outcome.thread_index is not None
        if outcome.mode is FailureMode.MISSING_ATTRIBUTE and not in_kernel:
            # A wrong name in code that no simulated thread ran.
            detail = f"{type(raised).__name__}: {outcome.detail}"
            outcome = replace(outcome, mode=FailureMode.EXCEPTION, detail=detail, attribute=None)
        elif isinstance(raised, AssertionError) and not in_kernel:
            outcome = replace(outcome, mode=FailureMode.WRONG_RESULT)
        if name_defect(outcome) is not None:
            return outcome
        first = first or outcome
    # There is an error, so there is an outcome of it.
    return first or Outcome(mode=FailureMode.EXCEPTION, detail=repr(error))


def _iter_causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def name_defect(outcome: Outcome) -> str | None:
    """Return the defect that a failure names by itself; None for a pass, and for any other."""
    if not outcome.failed:
        return None
    if cuda_swap.DEFECT.signature.matches(outcome):
        return cuda_swap.DEFECT.name
    if outcome.mode is FailureMode.EXCEPTION and _HOST_LAUNCH_ERROR.search(outcome.detail):
        return host_launch.DEFECT.name
    return None


def describe_failure(mode: str, detail: str) -> str:
    """Return in a line what a failure that names no defect is."""
    first = next(iter(detail.strip().splitlines()), "").strip()
    if mode == FailureMode.HANG.value:
        return f"it hangs: {first}"
    if mode == FailureMode.CRASH.value:
        return f"its process dies: {first}"
    if _NETWORK.search(detail):
        return f"it needs a network: {first}"
    if mode == FailureMode.WRONG_RESULT.value:
        return f"an assertion of its own fails: {first.removeprefix('AssertionError: ')}"
    return f"it raises {first}"
