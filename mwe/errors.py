"""The errors of the reproducer: one base, and one class for each exit status that they lead to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

Named = TypeVar("Named")


class MweError(Exception):
    """The base of every error that the reproducer raises on purpose; its text is one line."""


class BadArgumentError(MweError):
    """An argument names something that does not exist or does not fit; exit status 2."""


class HarnessError(MweError):
    """The harness could not run a trial, so nothing was measured; exit status 3.

    A harness error is never an outcome: it says nothing about upstream.
    """


def choose(kind: str, name: str, choices: Mapping[str, Named]) -> Named:
    """Return the choice of that name; a `BadArgumentError` lists the names if there is none."""
    if name not in choices:
        raise BadArgumentError(f"unknown {kind} {name!r}; choose one of {', '.join(choices)}")
    return choices[name]
