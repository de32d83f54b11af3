"""The Atom feed of transitions, written by asv's own writer."""

from __future__ import annotations

import html
import io
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import Any

from asv.feed import FeedEntry, write_atom

from fixwatch.report.addresses import PAGE_NAME, find_sheet, series_anchor
from fixwatch.report.answer import format_probability
from fixwatch.upstream_texts import make_printable, parse_moment
from fixwatch.verdicts.targets import name_place

FEED_NAME = "fix-status.atom"
_EPOCH = datetime.fromtimestamp(0, timezone.utc)


def render_feed(document: Mapping[str, Any]) -> str:
    """Return the feed of a fix-status document, newest transition first."""
    entries = sorted(_iter_entries(document), key=lambda entry: entry.updated, reverse=True)
    feed = io.BytesIO()
    write_atom(
        feed,
        entries,
        author="Fixwatch",
        title="Known defects of Numba's CUDA simulator",
        address="fixwatch",
        # asv would take the time of writing for a feed without entries, and so change it.
        updated=entries[0].updated if entries else _EPOCH,
        link=PAGE_NAME,
    )
    return feed.getvalue().decode() + "\n"


def _iter_entries(document: Mapping[str, Any]) -> Iterator[FeedEntry]:
    """Yield the transitions of each defect along each history, as its speaker has them."""
    measured = {series_anchor(series): series for series in document["upstreams"]}
    for entry in document["defects"]:
        for history in entry["histories"]:
            series = {**entry, **history}
            yield from _iter_transitions(series, measured[series_anchor(series)])


def _iter_transitions(
    series: Mapping[str, Any], measured: Mapping[str, Any]
) -> Iterator[FeedEntry]:
    named = name_place(series["upstream"], series["target"])
    # On a device no defect is told from another.
    what = f"{series['defect']} " if series["defect"] else ""
    measured_at = {
        item["revision"]["commit"]: item["measured_at"] for item in measured["measurements"]
    }
    for change in series["transitions"]:
        kind, at, after = change["kind"], change["at"], change["after"]
        exact = "" if change["exact"] else "; not exactly placed"
        if len(change["places"]) > 1:
            exact += f", or in one of {len(change['places']) - 1} other places"
        place = f"{series['workload']}, {series['source']}, {series['target']}"
        content = (
            f"{what}({place}): {kind} in {at['name']} of {at['date'][:10]}, "
            f"after {after['name']}{exact}; confidence {format_probability(change['confidence'])}"
        )
        yield FeedEntry(
            # XML has no way to write control characters, and content is HTML.
            make_printable(f"{named}: {what}{kind} in {at['name']}"),
            # An entry was updated when the revision was measured.
            parse_moment(measured_at[at["commit"]]).astimezone(timezone.utc),
            link=f"{find_sheet(measured)}#{at['commit']}",
            content=html.escape(make_printable(content)),
            # The identity is the transition's own: a reader shows it once.
            id_context=[series_anchor(series), kind, at["commit"]],
            id_date=parse_moment(at["date"]),
        )
