"""Badges: the state of an upstream as a small picture, and in the form that badge services read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from anybadge import Badge

from fixwatch.verdicts.controls import WORKLOAD
from fixwatch.verdicts.states import WORST_FIRST, State
from fixwatch.verdicts.targets import CUDA, SIMULATOR

# What the badge of a target is about; a device has no simulator, and a badge of its own.
_LABELS = {SIMULATOR: "CUDA simulator race", CUDA: "on a CUDA device"}
# Readable on white and on black.
_COLOURS = {
    State.AFFECTED: "#b3261e",
    State.FIXED: "#18672f",
    State.NEVER_OBSERVED: "#18672f",
    State.INCONCLUSIVE: "#7a5200",
    State.NOT_RUN: "#5a626b",
}


def describe_badges(document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return for each upstream the object that badge services read (schema version 1).

    Its name is the upstream's, for a device with that behind it.

    Source: the endpoint form of shields.io.
    """
    by_place = defaultdict(list)
    for series in document["upstreams"]:
        if series["role"] == WORKLOAD:
            by_place[series["upstream"], series["target"]].append(series)
    badges = {}
    for (upstream, target), own in sorted(by_place.items()):
        worst = min(own, key=_rank)
        fixed_in = worst["fixed_in"]
        badges[upstream if target == SIMULATOR else f"{upstream}-on-a-device"] = {
            "schemaVersion": 1,
            "label": f"{upstream} {_LABELS[target]}",
            "message": f"fixed in {fixed_in['name']}" if fixed_in else worst["state"],
            "color": _COLOURS[State(worst["state"])],
        }
    return badges


def _rank(series: Mapping[str, Any]) -> tuple[int, bool]:
    """Sort the worst state first, and of equals the one of releases: it names a version."""
    return WORST_FIRST.index(State(series["state"])), series["source"] != "releases"


def render_badge(badge: Mapping[str, Any]) -> str:
    """Return a badge as SVG, every text in it escaped."""
    drawn = Badge(badge["label"], badge["message"], default_color=badge["color"])
    return f"{drawn.badge_svg_text}\n"
