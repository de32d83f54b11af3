"""The fix-status pages: the answer, and the measurements of each history."""

from __future__ import annotations

import base64
import hashlib
import itertools
import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import jinja2

from fixwatch.report import timeline
from fixwatch.report.advice import summarise_advice
from fixwatch.report.answer import (
    describe_refusal,
    describe_state,
    describe_upstreams,
    format_confidence,
    format_probability,
)
from fixwatch.report.feed import series_anchor
from fixwatch.upstream_texts import parse_moment
from fixwatch.verdicts.allocations import list_allocations
from fixwatch.verdicts.controls import NEGATIVE_CONTROL, WORKLOAD
from fixwatch.verdicts.defects import find_verdicts
from fixwatch.verdicts.pin_advice import UpstreamReleases
from fixwatch.verdicts.series import Series
from fixwatch.verdicts.targets import SIMULATOR, name_place
from mwe.defects import DEFECTS, WORKLOADS

PAGE_NAME = "index.html"
# Upstream moves; what was found longer ago may no longer hold.
MAX_AGE_DAYS = 14
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

_ENVIRONMENT = jinja2.Environment(
    loader=jinja2.PackageLoader("fixwatch.report"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters["percent"] = lambda rate: f"{100 * rate:.3g}"
_ENVIRONMENT.filters["confidence"] = format_probability
_ENVIRONMENT.globals["name_place"] = name_place
_ENVIRONMENT.globals["describe_refusal"] = describe_refusal
_ENVIRONMENT.filters["moment"] = lambda text: str(text)[:16].replace("T", " ")


def render_pages(
    all_series: Sequence[Series],
    document: Mapping[str, Any],
    advised: Iterable[UpstreamReleases],
) -> dict[str, str]:
    """Return the pages as HTML by file name; every text in them is escaped.

    The series are in the order of the document's upstreams; the document and what is advised are
    made of them.
    """
    speakers = {
        series_anchor({**entry, **history})
        for entry in document["defects"]
        for history in entry["histories"]
    }
    rows = [
        _describe_row(series, entry, speakers)
        for series, entry in zip(all_series, document["upstreams"], strict=True)
    ]
    rows.sort(key=_place_row)
    files = {row["file"]: f"{row['place']}, {row['entry']['source']}" for row in rows}
    measured = [item["measured_at"] for row in rows for item in row["entry"]["measurements"]]
    checked_at = max(filter(None, measured), default=None)
    made_at = document["generated_at"]
    age_days = (parse_moment(made_at) - parse_moment(checked_at)).days if checked_at else 0
    shared = {
        "generated_at": made_at,
        "pages": files,
        "graphs": {row["graphs"]: row["place"] + ", " + row["entry"]["source"] for row in rows},
        "policy": _POLICY,
        "size": timeline.SIZE,
    }
    rendered = {
        PAGE_NAME: _ENVIRONMENT.get_template("fix-status.html.j2").render(
            **shared,
            page="overview",
            rows=rows,
            answers=describe_upstreams(find_verdicts(all_series)),
            defects=_group_defects(document["defects"]),
            several_places=len({(series.key.machine, series.key.python) for series in all_series})
            > 1,
            upstreams=[
                {
                    "releases": upstream,
                    "summary": summarise_advice(upstream),
                    "advice": [
                        entry
                        for entry in document["advice"]
                        if entry["upstream"] == upstream.upstream
                    ],
                }
                for upstream in advised
            ],
            allocations=list_allocations(all_series),
            work_arounds=list_allocations(all_series, NEGATIVE_CONTROL),
            checked_at=checked_at,
            age_days=age_days,
            max_age_days=MAX_AGE_DAYS,
            script=_SCRIPT,
        )
    }
    for file, title in files.items():
        own = [row for row in rows if row["file"] == file]
        rendered[file] = _ENVIRONMENT.get_template("measurements.html.j2").render(
            **shared,
            page=file,
            heading=title,
            rows=own,
            # A revision's address is in one table only.
            anchored=next((row for row in own if not row["is_control"]), own[0]),
        )
    return rendered


def _place_row(row: Mapping[str, Any]) -> tuple[bool, bool, int, str, str, int]:
    """Sort rows as the page has them: the simulator's workloads first, in the defects' order."""
    entry, defects, workloads = row["entry"], list(DEFECTS), list(WORKLOADS)
    defect, workload = entry["defect"], entry["workload"]
    return (
        row["is_control"],
        entry["target"] != SIMULATOR,
        defects.index(defect) if defect in defects else len(defects),
        entry["upstream"],
        entry["source"],
        workloads.index(workload) if workload in workloads else len(workloads),
    )


def _group_defects(entries: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the defects of a document, each with what is known of it on every upstream."""
    return [
        {"name": name, "about": DEFECTS.get(name or ""), "entries": list(own)}
        for (_, name), own in itertools.groupby(
            entries, key=lambda entry: (entry["target"], entry["defect"])
        )
    ]


def _describe_row(
    series: Series, entry: Mapping[str, Any], speakers: Collection[str]
) -> dict[str, Any]:
    is_control = series.role != WORKLOAD
    answer = describe_state(series)
    place = name_place(entry["upstream"], entry["target"])
    target = "" if entry["target"] == SIMULATOR else f"-{entry['target']}"
    measurements = [
        {**item, "command": describe_command(entry, item)} if item["trials"] else item
        for item in entry["measurements"]
    ]
    return {
        "entry": {**entry, "measurements": measurements},
        "answer": answer,
        "confidence": format_confidence(series),
        "is_control": is_control,
        # Whether it speaks for its defect.
        "is_headline": series_anchor(entry) in speakers,
        "anchor": series_anchor(entry),
        "place": place,
        "file": f"fix-status-{entry['upstream']}-{entry['source']}{target}.html",
        "graphs": _find_graphs(entry),
        "timeline": None if is_control else timeline.draw_timeline(series, f"{place}: {answer}"),
    }


def _find_graphs(entry: Mapping[str, Any]) -> str:
    """Return the address of asv's own site of a history, relative to the answer."""
    if entry["source"] != "releases":
        return f"{entry['upstream']}/index.html"
    results = "releases" if entry["target"] == SIMULATOR else entry["target"]
    return f"{results}/{entry['upstream']}/index.html"


def describe_command(entry: Mapping[str, Any], item: Mapping[str, Any]) -> str:
    """Return the shell commands that run a measurement's batch again, every word quoted."""
    trials = ["python", "-m", "mwe", "--workload", entry["workload"], *_choose_trials(entry, item)]
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


def _choose_trials(entry: Mapping[str, Any], item: Mapping[str, Any]) -> list[str]:
    """Return the options that say which trials are run: those of a batch, or one of its schedules.

    A whole space needs no number.
    """
    if item.get("first_failure_schedule"):
        return ["--replay", item["first_failure_schedule"]]
    is_whole = (item.get("space") or {}).get("exhausted")
    return [
        *["--schedule", item["schedule"] or "delay"],
        *([] if is_whole else ["--trials", str(item["trials"])]),
        *["--seed", str(item["seed"])],
        *["--target", entry["target"]],
    ]
