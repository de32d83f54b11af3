"""Badges: the state of an upstream as a small picture, and in the form that badge services read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from fixwatch.statistics.states import WORST_FIRST, State
from fixwatch.verdicts.targets import CUDA, SIMULATOR

# What is said of which target; a device has no simulator, and a badge of its own.
_LABELS = {SIMULATOR: "CUDA simulator race", CUDA: "on a CUDA device"}
# Readable on white and on black.
_COLOURS = {
    State.AFFECTED: "#b3261e",
    State.FIXED: "#18672f",
    State.NEVER_OBSERVED: "#18672f",
    State.INCONCLUSIVE: "#7a5200",
    State.NOT_RUN: "#5a626b",
}
_CHARACTER_WIDTH, _PADDING, _HEIGHT = 6.6, 12, 20


def describe_badges(document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return for each upstream the object that badge services read (schema version 1).

    Its name is the upstream's, for a device with that behind it.

    Source: the endpoint form of shields.io.
    """
    badges = {}
    places = sorted({(each["upstream"], each["target"]) for each in document["upstreams"]})
    for upstream, target in places:
        own = [
            series
            for series in document["upstreams"]
            if (series["upstream"], series["target"]) == (upstream, target)
            and series["role"] == "workload"
        ]
        if not own:
            continue
        # Of equally bad ones that of the releases: it names a version.
        worst = min(
            own,
            key=lambda each: (
                WORST_FIRST.index(State(each["state"])),
                each["source"] != "releases",
            ),
        )
        fixed_in = worst["fixed_in"]
        badges[upstream if target == SIMULATOR else f"{upstream}-on-a-device"] = {
            "schemaVersion": 1,
            "label": f"{upstream} {_LABELS[target]}",
            "message": f"fixed in {fixed_in['name']}" if fixed_in else worst["state"],
            "color": _COLOURS[State(worst["state"])],
        }
    return badges


def render_badge(badge: Mapping[str, Any]) -> str:
    """Return a badge as SVG, every text in it escaped."""
    label, message = str(badge["label"]), str(badge["message"])
    left, right = (len(text) * _CHARACTER_WIDTH + _PADDING for text in (label, message))
    title = escape(f"{label}: {message}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right:.0f}" height="{_HEIGHT}" '
        f'role="img" aria-label="{escape(title, {chr(34): "&quot;"})}"><title>{title}</title>'
        f'<rect width="{left:.0f}" height="{_HEIGHT}" fill="#40464c"/>'
        f'<rect x="{left:.0f}" width="{right:.0f}" height="{_HEIGHT}" fill="{badge["color"]}"/>'
        '<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" '
        f'text-anchor="middle"><text x="{left / 2:.0f}" y="14">{escape(label)}</text>'
        f'<text x="{left + right / 2:.0f}" y="14">{escape(message)}</text></g></svg>\n'
    )
