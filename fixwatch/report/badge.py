"""Badges: the state of an upstream as a small picture, and in the form that badge services read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from anybadge import Badge

from fixwatch.verdicts.states import State
from fixwatch.verdicts.targets import COMPILER, CUDA

# Readable on white and on black.
_COLOURS = {
    State.AFFECTED: "#b3261e",
    State.FIXED: "#18672f",
    State.NEVER_OBSERVED: "#18672f",
    State.INCONCLUSIVE: "#7a5200",
    State.NOT_RUN: "#5a626b",
}
# How a badge and its label are named.
_PLACES = {
    CUDA: ("on-a-device", "on a CUDA device"),
    COMPILER: ("compiled", "compiled for a device"),
}


def describe_badges(document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the objects that badge services read (schema version 1), by their names.

    An upstream has one for each defect, named for both, and one over all defects. A device and the
    compiler have their own, with that behind the upstream's name: one for each defect that can be
    there, and one for all other failures.

    Source: the endpoint form of shields.io.
    """
    badges = {}
    by_upstream = defaultdict(list)
    for entry in document["defects"]:
        upstream, defect = entry["upstream"], entry["defect"]
        if entry["target"] in _PLACES:
            name, label = _PLACES[entry["target"]]
            own = f"--{defect}" if defect else ""
            words = f"{upstream} {label}{f': {defect}' if defect else ''}"
            badges[f"{upstream}-{name}{own}"] = _describe_one(words, entry)
        else:
            by_upstream[upstream].append(entry)
            badges[f"{upstream}--{defect}"] = _describe_one(f"{upstream} {defect}", entry)
    for upstream, entries in by_upstream.items():
        badges[upstream] = _describe_all(f"{upstream} CUDA simulator", entries)
    return dict(sorted(badges.items()))


def _describe_one(label: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    fixed_in = entry["histories"][0]["fixed_in"] if entry["histories"] else None
    message = f"fixed in {fixed_in['name']}" if fixed_in else entry["state"]
    return _new_badge(label, message, State(entry["state"]))


def _describe_all(label: str, entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Describe an upstream: it has no defect only where that is known of each."""
    states = [State(entry["state"]) for entry in entries]
    n_all, n_has = len(states), states.count(State.AFFECTED)
    known = f"{n_all} known defect{'s' if n_all > 1 else ''}"
    if n_has:
        return _new_badge(label, f"has {n_has} of {known}", State.AFFECTED)
    undecided = [state for state in states if state in (State.INCONCLUSIVE, State.NOT_RUN)]
    if undecided:
        message = f"not known for {len(undecided)} of {known}"
        return _new_badge(label, message, State.INCONCLUSIVE)
    return _new_badge(label, f"has none of {known}", State.FIXED)


def _new_badge(label: str, message: str, state: State) -> dict[str, Any]:
    return {"schemaVersion": 1, "label": label, "message": message, "color": _COLOURS[state]}


def render_badge(badge: Mapping[str, Any]) -> str:
    """Return a badge as SVG, every text in it escaped."""
    drawn = Badge(badge["label"], badge["message"], default_color=badge["color"])
    return f"{drawn.badge_svg_text}\n"
