"""The Atom feed of transitions (RFC 4287)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from fixwatch.verdicts.targets import name_place

FEED_NAME = "fix-status.atom"
_NAMESPACE = "http://www.w3.org/2005/Atom"
_EPOCH = "1970-01-01T00:00:00+00:00"


def render_feed(document: Mapping[str, Any]) -> str:
    """Return the feed of a fix-status document, newest transition first.

    An entry's identity is the transition's own, so that a reader that has shown it does not show
    it again; it was updated when the revision was measured.
    """
    feed = ElementTree.Element("feed", xmlns=_NAMESPACE)
    _add(feed, "id", "tag:fixwatch,2026:fix-status")
    _add(feed, "title", "Fix status of Numba's CUDA simulator")
    _add(_add(feed, "author"), "name", "Fixwatch")
    ElementTree.SubElement(feed, "link", rel="alternate", href="fix-status.html")
    entries = sorted(_find_entries(document), key=lambda entry: entry["updated"], reverse=True)
    _add(feed, "updated", entries[0]["updated"] if entries else _EPOCH)
    for entry in entries:
        element = _add(feed, "entry")
        for name in ("id", "title", "updated", "summary"):
            _add(element, name, entry[name])
        ElementTree.SubElement(element, "link", rel="alternate", href=entry["href"])
    ElementTree.indent(feed)
    return ElementTree.tostring(feed, encoding="unicode", xml_declaration=True) + "\n"


def _find_entries(document: Mapping[str, Any]) -> list[dict[str, str]]:
    entries = []
    for series in document["upstreams"]:
        if series["role"] != "workload":
            continue
        measured_at = {
            each["revision"]["commit"]: each["measured_at"] for each in series["measurements"]
        }
        place = [series[name] for name in ("upstream", "source", "target", "machine", "python")]
        for change in series["transitions"]:
            at, after = change["at"], change["after"]
            named = name_place(series["upstream"], series["target"])
            exact = "" if change["exact"] else "; not exactly placed"
            if len(change["places"]) > 1:
                exact += f", or in one of {len(change['places']) - 1} other places"
            entries.append(
                {
                    "id": "tag:fixwatch,2026:"
                    + "/".join([*place, series["workload"], change["kind"], at["commit"]]),
                    "title": f"{named}: {change['kind']} in {at['name']}",
                    "updated": measured_at.get(at["commit"], at["date"]),
                    "summary": f"{series['workload']} ({series['source']}, {series['target']}): "
                    f"{change['kind']} in {at['name']} of {at['date'][:10]}, after "
                    f"{after['name']}{exact}; confidence {100 * change['confidence']:.2f} %",
                    "href": f"fix-status.html#{series_anchor(series)}",
                }
            )
    return entries


def series_anchor(series: Mapping[str, Any]) -> str:
    """Return the name by which the page's address points to a series of a document."""
    names = ("upstream", "source", "target", "machine", "python", "workload")
    text = "--".join(str(series[name]) for name in names)
    return "".join(
        character if character.isalnum() or character in "-._" else "_" for character in text
    )


def _add(parent: ElementTree.Element, name: str, text: str | None = None) -> ElementTree.Element:
    element = ElementTree.SubElement(parent, name)
    # XML 1.0 has no way to write control characters.
    element.text = text and "".join(c for c in text if c in "\t\n" or c.isprintable())
    return element
