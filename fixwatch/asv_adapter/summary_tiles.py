"""The small pictures of asv's benchmark grid: the worst workload instead of a geometric mean.

A mean over workloads and controls is zero as soon as one of them is, and so is every tile.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from fixwatch.durable_files import write_json_atomically
from fixwatch.verdicts.controls import WORKLOAD


def rewrite_summaries(
    graphs: Any, benchmarks: Mapping[str, Any], roles: Mapping[str, str], html_dir: Path
) -> None:
    """Replace asv's summary graphs by the largest value of any workload; controls are left out.

    Parameters
    ----------
    graphs, benchmarks
        asv's, of the site that is published.
    roles
        By workload; see `fixwatch.verdicts.controls`.
    html_dir
        The site.
    """
    for name, benchmark in benchmarks.items():
        places = set(find_workload_places(benchmark, roles))
        if not places:
            continue
        worst: dict[int, float] = {}
        for graph in graphs.get_graph_group(name):
            for revision, values, _ in graph.get_data():
                for value in _choose(values, places):
                    worst[revision] = max(value, worst.get(revision, -math.inf))
        path = html_dir / "graphs" / "summary" / f"{name}.json"
        write_json_atomically(path, sorted(worst.items()))


def find_workload_places(benchmark: Mapping[str, Any], roles: Mapping[str, str]) -> Iterator[int]:
    """Yield the places of a benchmark's values that belong to a workload, in asv's order."""
    if benchmark["param_names"][:1] != ["workload"]:
        return
    workloads, *others = benchmark["params"]
    stride = math.prod(len(values) for values in others)
    for number, workload in enumerate(workloads):
        # asv keeps parameters as Python writes them.
        if roles.get(workload.strip("'\"")) == WORKLOAD:
            yield from range(number * stride, (number + 1) * stride)


def _choose(values: Iterable[float | None], places: Iterable[int]) -> Iterator[float]:
    wanted = set(places)
    for place, value in enumerate(values):
        if place in wanted and value is not None and not math.isnan(value):
            yield value
