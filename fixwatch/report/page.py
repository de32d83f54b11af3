"""The site's own pages: the answer, the releases, and every measurement of each defect.

The answer is one page that is looked at first. What is behind it lies on pages of its own, one a
defect and history, so that none is larger than a reader's patience.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import jinja2

from fixwatch.records.asv_results import has_result
from fixwatch.records.evidence import Evidence
from fixwatch.report.addresses import (
    PAGE_NAME,
    RELEASES_NAME,
    find_sheet,
    name_benchmarks,
    name_sheet,
    release_anchor,
    series_anchor,
)
from fixwatch.report.advice import summarise_advice
from fixwatch.report.answer import (
    describe_places,
    describe_refusal,
    describe_state,
    format_confidence,
    format_probability,
)
from fixwatch.report.matrix import tabulate_ways
from fixwatch.report.picture import NARROW, WIDE, draw_picture
from fixwatch.report.sheet import build_sheet, describe_run
from fixwatch.report.timeline import SIZE, draw_timeline
from fixwatch.upstream_texts import parse_moment, parse_moment_in_utc
from fixwatch.verdicts.controls import WORKLOAD
from fixwatch.verdicts.defects import DefectVerdict, find_verdicts
from fixwatch.verdicts.judgements import Verdict
from fixwatch.verdicts.pin_advice import UpstreamReleases
from fixwatch.verdicts.series import Series
from fixwatch.verdicts.shielded import find_shielded
from fixwatch.verdicts.states import State
from fixwatch.verdicts.stretches import find_beginnings
from fixwatch.verdicts.targets import SIMULATOR, name_place
from mwe.defects import DEFECTS, WORKLOADS

__all__ = ["PAGE_NAME", "render_pages"]

# Upstream moves; what was found longer ago may no longer hold.
MAX_AGE_DAYS = 14
# A longer table can be searched.
MAX_ROWS = 30
_ENVIRONMENT = jinja2.Environment(
    loader=jinja2.PackageLoader("fixwatch.report"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_SCRIPT = _ENVIRONMENT.get_template("page.js.j2").render(max_age_days=MAX_AGE_DAYS)
_SCRIPT_HASH = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
# Nothing but this script runs, and nothing is loaded from anywhere.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; "
    f"script-src 'sha256-{_SCRIPT_HASH}'; base-uri 'none'; form-action 'none'"
)
_ENVIRONMENT.filters["percent"] = lambda rate: f"{100 * rate:.3g}"
_ENVIRONMENT.filters["confidence"] = format_probability
_ENVIRONMENT.filters["moment"] = lambda text: str(text)[:16].replace("T", " ")
_ENVIRONMENT.globals.update(
    name_place=name_place,
    describe_refusal=describe_refusal,
    describe_run=describe_run,
    find_sheet=find_sheet,
    release_anchor=release_anchor,
    page_name=PAGE_NAME,
    releases_name=RELEASES_NAME,
    policy=_POLICY,
    script=_SCRIPT,
    max_rows=MAX_ROWS,
    size=SIZE,
)


def render_pages(
    all_series: Sequence[Series],
    document: Mapping[str, Any],
    advised: Iterable[UpstreamReleases],
    shielded: Sequence[Evidence] = (),
) -> dict[str, str]:
    """Return the pages as HTML by their names in the site's root; every text in them is escaped.

    The series are in the order of the document's upstreams; the document and what is advised are
    made of them.
    """
    releases = list(advised)
    sheets: dict[str, list[tuple[Series, Mapping[str, Any]]]] = defaultdict(list)
    for series, entry in zip(all_series, document["upstreams"], strict=True):
        sheets[find_sheet(entry)].append((series, entry))
    shared = {"generated_at": document["generated_at"]}
    pages = {
        PAGE_NAME: _render("answer.html.j2", shared, **_answer(all_series, document, releases)),
        RELEASES_NAME: _render(
            "releases.html.j2",
            shared,
            upstreams=[
                _describe_releases(upstream, all_series, document["advice"], shielded)
                for upstream in releases
            ],
        ),
    }
    speakers = {
        series_anchor({**entry, **history})
        for entry in document["defects"]
        for history in entry["histories"]
    }
    for name, own in sheets.items():
        pages[name] = _render("measurements.html.j2", shared, **_describe_sheet(own, speakers))
    return pages


def _render(template: str, shared: Mapping[str, Any], **values: Any) -> str:
    return _ENVIRONMENT.get_template(template).render(**shared, **values)


def _answer(
    all_series: Sequence[Series],
    document: Mapping[str, Any],
    advised: Sequence[UpstreamReleases],
) -> dict[str, Any]:
    """Return what the page of the answer shows."""
    verdicts = find_verdicts(all_series)
    drawn = {
        "simulator": [verdict for verdict in verdicts if verdict.target == SIMULATOR],
        "device": [verdict for verdict in verdicts if verdict.target != SIMULATOR],
    }
    measured_at = max(
        (
            item["measured_at"]
            for entry in document["upstreams"]
            for item in entry["measurements"]
            if item["trials"] is not None
        ),
        default=None,
    )
    looked_at = document["last_looked_at"]
    checked_at = looked_at or measured_at
    now = parse_moment(document["generated_at"])
    looked = parse_moment_in_utc(looked_at) if looked_at else None
    upstreams = list(
        dict.fromkeys(
            series.key.upstream for series in all_series if series.key.target == SIMULATOR
        )
    )
    return {
        "answers": {name: describe_places(own) for name, own in drawn.items()},
        "pictures": {
            name: [
                picture
                for form in (WIDE, NARROW)
                if (picture := draw_picture(own, advised, looked, form))
            ]
            for name, own in drawn.items()
        },
        "looked_at": looked_at,
        "measured_at": measured_at,
        "checked_at": checked_at,
        "age_days": (now - parse_moment_in_utc(checked_at)).days if checked_at else 0,
        "max_age_days": MAX_AGE_DAYS,
        "tracker_problem": document.get("tracker_problem"),
        "advised": [(upstream.upstream, summarise_advice(upstream)) for upstream in advised],
        "upstreams": upstreams,
        "states": {
            (verdict.upstream, verdict.defect): _describe_verdict(verdict)
            for verdict in verdicts
            if verdict.target == SIMULATOR
        },
        "ways": tabulate_ways(all_series, upstreams),
        "defects": _group_defects(document["defects"]),
        "several_pythons": len({series.key.python for series in all_series}) > 1,
        "sheets": _list_sheets(document["upstreams"]),
        "benchmarks": _list_benchmarks(all_series),
    }


def _describe_verdict(verdict: DefectVerdict) -> tuple[str, str]:
    """Return the state of a defect on an upstream, and the same in words."""
    state, begun = verdict.state, next(iter(find_beginnings(verdict).values()), None)
    if state is State.FIXED and begun is not None:
        return state.value, f"fixed in {begun.name}"
    return state.value, state.value.replace("-", " ")


def _group_defects(entries: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the defects of a document, each with what is known of it on every upstream."""
    return [
        {"name": name, "about": DEFECTS.get(name or ""), "entries": list(own)}
        for (_, name), own in itertools.groupby(
            entries, key=lambda entry: (entry["target"], entry["defect"])
        )
    ]


def _list_sheets(entries: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """Return the defects of each history, with the names of the pages of their measurements."""
    sheets: dict[str, dict[str, str]] = defaultdict(dict)
    for entry in sorted(entries, key=_place_entry):
        place = f"{name_place(entry['upstream'], entry['target'])}, {entry['source']}"
        sheets[place][entry["defect"]] = find_sheet(entry)
    return sheets


def _list_benchmarks(all_series: Iterable[Series]) -> dict[str, str]:
    """Return the folders of asv's own sites, by what they show; none of what asv has nothing of."""
    folders = {}
    for series in all_series:
        if not any(has_result(revision.record) for revision in series.revisions):
            continue
        key = series.key
        place = f"{name_place(key.upstream, key.target)}, {key.source}"
        folders[place] = name_benchmarks(key.upstream, key.source, key.target)
    return dict(sorted(folders.items()))


def _describe_releases(
    upstream: UpstreamReleases,
    all_series: Iterable[Series],
    advice: Iterable[Mapping[str, Any]],
    shielded: Iterable[Evidence],
) -> dict[str, Any]:
    """Return an upstream's releases, the hashes that name each, and where its rows are."""
    name = upstream.upstream
    hashes: dict[str, dict[str, None]] = defaultdict(dict)
    links: dict[str, dict[str, str]] = defaultdict(dict)
    own = [
        series
        for series in all_series
        if (series.key.upstream, series.key.target) == (name, SIMULATOR)
    ]
    # What the package index has before the tags of commits.
    for series in sorted(own, key=lambda series: series.key.source, reverse=True):
        sheet = name_sheet(name, series.key.source, SIMULATOR, series.defect)
        for revision in series.revisions:
            record, version = revision.record, str(revision.record.version)
            hashes[version].setdefault(record.commit)
            if revision.verdict is not Verdict.NOT_RUN:
                links[version].setdefault(series.defect, f"{sheet}#{record.commit}")
    years: dict[str, str] = {}
    for release in upstream.releases:
        years.setdefault(release.date[:4], release_anchor(name, release.version))
    return {
        "releases": upstream,
        "summary": summarise_advice(upstream),
        "advice": [entry for entry in advice if entry["upstream"] == name],
        "hashes": hashes,
        "links": links,
        "years": years,
        "shielded": find_shielded(shielded, name),
        "refused": [
            defect
            for defect in upstream.defects
            if any(release.find(defect).is_refused for release in upstream.releases)
        ],
    }


def _describe_sheet(
    found: Sequence[tuple[Series, Mapping[str, Any]]], speakers: Iterable[str]
) -> dict[str, Any]:
    """Return what a page of measurements shows."""
    ordered = sorted(found, key=lambda own: _place_entry(own[1]))
    entries = [entry for _, entry in ordered]
    first = entries[0]
    place = name_place(first["upstream"], first["target"])
    taken: set[str] = set()
    return {
        "title": f"{first['defect']}: {place}, {first['source']}",
        "defect": first["defect"],
        "about": DEFECTS.get(first["defect"]),
        "place": place,
        "sheets": [
            build_sheet(list(own), taken)
            for _, own in itertools.groupby(entries, key=lambda entry: entry["python"])
        ],
        "rows": [_describe_history(series, entry, speakers) for series, entry in ordered],
    }


def _describe_history(
    series: Series, entry: Mapping[str, Any], speakers: Iterable[str]
) -> dict[str, Any]:
    answer = describe_state(series)
    is_control = series.role != WORKLOAD
    return {
        "entry": entry,
        "answer": answer,
        "confidence": format_confidence(series),
        "is_control": is_control,
        # Whether it speaks for its defect.
        "is_headline": series_anchor(entry) in speakers,
        "timeline": None if is_control else draw_timeline(series, answer),
    }


def _place_entry(entry: Mapping[str, Any]) -> tuple[bool, str, str, str, int, bool, int]:
    """Sort series as the pages have them: the simulator's first, in the defects' order."""
    defects, workloads = list(DEFECTS), list(WORKLOADS)
    defect, workload = entry["defect"], entry["workload"]
    return (
        entry["target"] != SIMULATOR,
        entry["upstream"],
        entry["source"],
        entry["python"],
        defects.index(defect) if defect in defects else len(defects),
        entry["role"] != WORKLOAD,
        workloads.index(workload) if workload in workloads else len(workloads),
    )
