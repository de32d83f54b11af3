"""The fix-status page, and its place in asv's navigation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2

from fixwatch.durable_files import write_text_atomically
from fixwatch.errors import FixwatchError
from fixwatch.report.answer import describe_state, format_confidence
from fixwatch.report.status import WORKLOAD, Series

PAGE_NAME = "fix-status.html"
_NAVIGATION_ANCHOR = '<li id="nav-li-regressions">'
_NAVIGATION_ITEM = (
    f'<li id="nav-li-fix-status"><a href="{PAGE_NAME}">Fix status</a></li>\n\t{_NAVIGATION_ANCHOR}'
)


def render_page(series: Sequence[Series], document: Mapping[str, Any]) -> str:
    """Return the page as HTML; every text in it is escaped.

    Parameters
    ----------
    series
        In the order of the document's upstreams.
    document
        As `fixwatch.report.status.build_document` returns it.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("fixwatch.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = lambda rate: f"{100 * rate:.3g}"
    rows = [
        {
            "entry": entry,
            "answer": describe_state(each),
            "confidence": format_confidence(each),
            "is_control": each.role != WORKLOAD,
        }
        for each, entry in zip(series, document["upstreams"], strict=True)
    ]
    rows.sort(key=lambda row: (row["is_control"], row["entry"]["upstream"]))
    return environment.get_template("fix-status.html.j2").render(
        rows=rows, generated_at=document["generated_at"]
    )


def add_navigation_item(html_dir: Path) -> None:
    """Put the page into the navigation bar of asv's ``index.html``.

    Raises
    ------
    FixwatchError
        If this asv's page has no place for it.
    """
    index = html_dir / "index.html"
    text = index.read_text(encoding="utf-8")
    if PAGE_NAME in text:
        return
    if _NAVIGATION_ANCHOR not in text:
        raise FixwatchError(
            f"{index}: asv's navigation bar is not where it was in asv 0.6.6; "
            f"open {PAGE_NAME} by its name, and report this with the version of asv"
        )
    write_text_atomically(index, text.replace(_NAVIGATION_ANCHOR, _NAVIGATION_ITEM, 1))
