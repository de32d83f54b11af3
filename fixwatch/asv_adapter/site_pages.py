"""asv's pages made part of the site: rows with values, tiles with verdicts, and the way back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from fixwatch.asv_adapter.site_assets import share_assets
from fixwatch.asv_adapter.site_graphs import drop_empty_combinations, write_compactly
from fixwatch.asv_adapter.summary_tiles import BENCHMARK, describe_groups, summarise
from fixwatch.durable_files import write_text_atomically
from fixwatch.errors import FixwatchError
from fixwatch.report.page import PAGE_NAME
from fixwatch.verdicts.series import Series

TILES_NAME = "tiles.json"
_NAVIGATION_ANCHOR = '<li id="nav-li-" class="active">'
_NAVIGATION_ITEM = '<li id="nav-li-fix-status"><a href="{}">Fix status</a></li>\n\t'


def refine_pages(
    folder: Path,
    all_series: Sequence[Series],
    names: Mapping[str, str],
    to_root: str,
    report: Callable[[str], None],
) -> None:
    """Change a site that asv has written.

    `names` are what some revisions are called instead of by their hashes; `to_root` is the relative
    address of the folder that the answer is in.
    """
    path = folder / "index.json"
    index = json.loads(path.read_text(encoding="utf-8"))
    hashes = index["revision_to_hash"]
    places = {commit: int(place) for place, commit in hashes.items()}
    write_compactly(folder / TILES_NAME, {"groups": describe_groups(all_series, places)})
    for name, points in summarise(all_series, places).items():
        write_compactly(folder / "graphs" / "summary" / f"{name}.json", points)
    drop_empty_combinations(folder, index["benchmarks"])
    index["revision_to_hash"] = {
        place: names.get(commit, commit) for place, commit in hashes.items()
    }
    # The failures are what is looked for; asv sorts by name.
    benchmarks = index["benchmarks"]
    index["benchmarks"] = {
        name: benchmarks[name] for name in sorted(benchmarks, key=lambda name: name != BENCHMARK)
    }
    write_compactly(path, index)
    _add_navigation(folder / "index.html", f"{to_root}{PAGE_NAME}")
    share_assets(folder, to_root, report)


def _add_navigation(index: Path, address: str) -> None:
    """Put the way to the answer before everything else in asv's navigation bar.

    Where this asv's page has no place for it, that is a `FixwatchError`.
    """
    text = index.read_text(encoding="utf-8")
    if _NAVIGATION_ANCHOR not in text:
        raise FixwatchError(
            f"{index}: asv's navigation bar is not where it was in asv 0.6.6; "
            "report this with the version of asv"
        )
    item = _NAVIGATION_ITEM.format(address) + _NAVIGATION_ANCHOR
    write_text_atomically(index, text.replace(_NAVIGATION_ANCHOR, item, 1))
