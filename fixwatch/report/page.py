"""The fix-status pages: the answer, the measurements of each history, and asv's navigation."""

from __future__ import annotations

import base64
import hashlib
import shlex
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2

from fixwatch.durable_files import write_text_atomically
from fixwatch.errors import FixwatchError
from fixwatch.history.release_table import Release
from fixwatch.report import timeline
from fixwatch.report.answer import describe_state, format_confidence, format_probability
from fixwatch.report.feed import series_anchor
from fixwatch.upstream_texts import parse_moment
from fixwatch.verdicts.allocations import list_allocations
from fixwatch.verdicts.controls import NEGATIVE_CONTROL, WORKLOAD
from fixwatch.verdicts.pin_advice import advise_on_releases
from fixwatch.verdicts.series import FALLBACK_WORKLOAD, Series
from fixwatch.verdicts.states import WORST_FIRST, State
from fixwatch.verdicts.targets import SIMULATOR, name_place

PAGE_NAME = "fix-status.html"
# Upstream moves; what was found longer ago may no longer hold.
MAX_AGE_DAYS = 14
_NAVIGATION_ANCHOR = '<li id="nav-li-regressions">'
_NAVIGATION_ITEM = (
    f'<li id="nav-li-fix-status"><a href="{PAGE_NAME}">Fix status</a></li>\n\t{_NAVIGATION_ANCHOR}'
)
# The one script, and all it does: to show a warning on a page that has grown old since.
_SCRIPT = (
    'var t=document.getElementById("checked"),w=document.getElementById("stale");'
    f"if(t&&w&&Date.now()-Date.parse(t.dateTime)>{MAX_AGE_DAYS}*864e5)w.hidden=false;"
)
_SCRIPT_HASH = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; "
    f"script-src 'sha256-{_SCRIPT_HASH}'; base-uri 'none'; form-action 'none'"
)


def render_pages(
    all_series: Sequence[Series], document: Mapping[str, Any], table: Iterable[Release]
) -> dict[str, str]:
    """Return the pages as HTML by file name; every text in them is escaped.

    Parameters
    ----------
    all_series
        In the order of the document's upstreams.
    document
        As `fixwatch.report.status.build_document` returns it.
    table
        The releases that were uploaded.
    """
    environment = _create_environment()
    rows = [
        _describe_row(series, entry)
        for series, entry in zip(all_series, document["upstreams"], strict=True)
    ]
    rows.sort(
        key=lambda row: (
            row["is_control"],
            row["entry"]["target"] != SIMULATOR,
            row["entry"]["upstream"],
            row["entry"]["source"],
            row["entry"]["workload"] != FALLBACK_WORKLOAD,
        )
    )
    headlines = [id(row) for row in _choose_headlines(rows)]
    files = {row["file"]: f"{row['place']}, {row['entry']['source']}" for row in rows}
    checked_at = max(
        (
            item["measured_at"]
            for row in rows
            for item in row["entry"]["measurements"]
            if item["measured_at"]
        ),
        default=None,
    )
    made_at = document["generated_at"]
    age_days = (parse_moment(made_at) - parse_moment(checked_at)).days if checked_at else 0
    shared = {
        "generated_at": made_at,
        "pages": [{"file": file, "title": title} for file, title in files.items()],
        "policy": _POLICY,
    }
    rendered = {
        PAGE_NAME: environment.get_template("fix-status.html.j2").render(
            **shared,
            page="overview",
            rows=[{**row, "is_headline": id(row) in headlines} for row in rows],
            upstreams=advise_on_releases(all_series, table),
            allocations=list_allocations(all_series),
            work_arounds=list_allocations(all_series, NEGATIVE_CONTROL),
            checked_at=checked_at,
            age_days=age_days,
            is_stale=age_days > MAX_AGE_DAYS,
            max_age_days=MAX_AGE_DAYS,
            script=_SCRIPT,
            size=timeline.SIZE,
        )
    }
    for file, title in files.items():
        own = [row for row in rows if row["file"] == file]
        anchored = next((row for row in own if not row["is_control"]), own[0])
        rendered[file] = environment.get_template("measurements.html.j2").render(
            **shared,
            page=file,
            heading=title,
            rows=[{**row, "has_anchors": row is anchored} for row in own],
        )
    return rendered


def _create_environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("fixwatch.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = lambda rate: f"{100 * rate:.3g}"
    environment.filters["confidence"] = format_probability
    environment.filters["moment"] = lambda text: str(text)[:16].replace("T", " ")
    return environment


def _choose_headlines(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the workload that speaks for each history: the worst, of several the first."""
    histories: dict[tuple[str, ...], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        if not row["is_control"]:
            names = ("upstream", "source", "target", "machine", "python")
            histories[tuple(row["entry"][name] for name in names)].append(row)
    return [min(own, key=_rank) for own in histories.values()]


def _rank(row: Mapping[str, Any]) -> tuple[int, bool, str]:
    entry = row["entry"]
    return (
        WORST_FIRST.index(State(entry["state"])),
        entry["workload"] != FALLBACK_WORKLOAD,
        entry["workload"],
    )


def _describe_row(series: Series, entry: Mapping[str, Any]) -> dict[str, Any]:
    is_control = series.role != WORKLOAD
    answer = describe_state(series)
    place = name_place(entry["upstream"], entry["target"])
    measurements = [
        {**item, "command": describe_command(entry, item)} if item["trials"] else item
        for item in entry["measurements"]
    ]
    return {
        "entry": {**entry, "measurements": measurements},
        "answer": answer,
        "confidence": format_confidence(series),
        "is_control": is_control,
        "anchor": series_anchor(entry),
        "place": place,
        "file": _name_file(entry),
        "timeline": None if is_control else timeline.draw_timeline(series, f"{place}: {answer}"),
    }


def _name_file(entry: Mapping[str, Any]) -> str:
    names = [entry["upstream"], entry["source"]]
    if entry["target"] != SIMULATOR:
        names.append(entry["target"])
    return f"fix-status-{'-'.join(names)}.html"


def describe_command(entry: Mapping[str, Any], item: Mapping[str, Any]) -> str:
    """Return the shell commands that run a measurement's batch again, every word quoted."""
    trials = [
        "python", "-m", "mwe",
        "--workload", entry["workload"],
        "--schedule", item["schedule"] or "delay",
        "--trials", str(item["trials"]),
        "--seed", str(item["seed"]),
        "--target", entry["target"],
    ]  # fmt: skip
    pins = [f"{name}=={version}" for name, version in item["packages"].items()]
    if entry["source"] == "releases":
        return f"{shlex.join(['pip', 'install', *pins])}\n{shlex.join(trials)}"
    upstream = entry["upstream"]
    repository = {
        "numba": "git+https://github.com/numba/numba",
        "numba-cuda": "git+https://github.com/NVIDIA/numba-cuda",
    }.get(upstream, upstream)
    others = [pin for pin in pins if not pin.startswith(f"{upstream}==")]
    built = f"{upstream} @ {repository}@{item['revision']['commit']}"
    return f"{shlex.join(['pip', 'install', *others, built])}\n{shlex.join(trials)}"


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
