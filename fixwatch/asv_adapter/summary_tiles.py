"""The small pictures of asv's benchmark grid: the worst workload instead of a geometric mean.

A mean over workloads and controls is zero as soon as one of them is, and so is every tile.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fixwatch.durable_files import write_json_atomically
from fixwatch.verdicts.controls import WORKLOAD


def rewrite_summaries(
    graphs: Any, benchmarks: Mapping[str, Any], roles: Mapping[str, str], html_dir: Path
) -> None:
    """Replace asv's summary graphs by the largest value of any workload; controls are left out.

    A benchmark without workloads keeps its graph. `roles` are by workload.
    """
    for name, benchmark in benchmarks.items():
        if benchmark["param_names"][:1] != ["workload"]:
            continue
        # asv's values are in the order of the product; it keeps parameters as Python writes them.
        combinations = itertools.product(*benchmark["params"])
        is_wanted = [roles.get(workload.strip("'\"")) == WORKLOAD for workload, *_ in combinations]
        if not any(is_wanted):
            continue
        worst: dict[int, float] = {}
        for graph in graphs.get_graph_group(name):
            for revision, values, _ in graph.get_data():
                for value in itertools.compress(values, is_wanted):
                    if value is not None and not math.isnan(value):
                        worst[revision] = max(value, worst.get(revision, -math.inf))
        path = html_dir / "graphs" / "summary" / f"{name}.json"
        write_json_atomically(path, sorted(worst.items()))
