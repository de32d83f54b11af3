"""The names of our pages and of the anchors in them, relative to the site's root."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from fixwatch.verdicts.targets import COMPILER, CUDA, SIMULATOR

PAGE_NAME = "index.html"
RELEASES_NAME = "releases.html"
# The results folders of releases, by what they were measured on; asv's sites are named like them.
_RELEASES_FOLDERS = {SIMULATOR: "releases", CUDA: "cuda", COMPILER: "compiler-releases"}


def name_sheet(upstream: str, source: str, target: str, defect: str) -> str:
    """Return the name of the page with every measurement of a defect along a history."""
    place = upstream if target == SIMULATOR else f"{upstream}-on-{target}"
    return f"measurements-{_clean(f'{place}-{source}-{defect}')}.html"


def find_sheet(entry: Mapping[str, Any]) -> str:
    """Return the page that a series of a document is on."""
    return name_sheet(entry["upstream"], entry["source"], entry["target"], entry["defect"])


def name_benchmarks(upstream: str, source: str, target: str) -> str:
    """Return the folder of asv's own site of a history."""
    if source == "releases":
        return f"{_RELEASES_FOLDERS.get(target, target)}/{upstream}"
    return upstream if target == SIMULATOR else f"{target}-{upstream}"


def series_anchor(series: Mapping[str, Any]) -> str:
    """Return the name by which an address points to a series of a document.

    The machines are no part of it: another one may join them.
    """
    names = ("upstream", "source", "target", "python", "workload")
    return _clean("--".join(str(series[name]) for name in names))


def release_anchor(upstream: str, version: str) -> str:
    """Return the name by which an address points to a release."""
    return _clean(f"{upstream}-{version}")


def _clean(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", text)
