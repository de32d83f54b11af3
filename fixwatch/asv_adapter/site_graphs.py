"""asv's graphs and lists without what was never planned.

asv has a row for each combination of parameters, whatever its benchmarks say of them.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fixwatch.durable_files import write_text_atomically

_SUMMARY = "summary"


def drop_empty_combinations(folder: Path, benchmarks: Mapping[str, dict[str, Any]]) -> None:
    """Take what no revision has a value of out of a site's graphs, lists and parameters.

    The `benchmarks` are those of asv's index, and are changed. A combination stays in a graph where
    others have its parameters, and is in no list.
    """
    orders = {name: _thin_out(folder, name, own) for name, own in benchmarks.items()}
    for path in folder.glob(f"graphs/**/{_SUMMARY}.json"):
        rows = []
        for row in _read(path):
            if row["last_value"] is not None:
                order = orders[row["name"]]
                rows.append({**row, "idx": order.index(row["idx"])} if order else row)
        write_compactly(path, rows)


def _thin_out(folder: Path, name: str, benchmark: dict[str, Any]) -> list[int]:
    """Thin out the parameters and graphs of a benchmark.

    Returns which of asv's flat indices are left, in their new order; none where all stay.
    """
    graphs = {
        path: _read(path)
        for path in folder.glob(f"graphs/**/{name}.json")
        if path.parent.name != _SUMMARY
    }
    params: Sequence[Sequence[str]] = benchmark["params"]
    places = list(itertools.product(*(range(len(values)) for values in params)))
    used = {
        index
        for points in graphs.values()
        for _, values in points
        if isinstance(values, list)
        for index, value in enumerate(values)
        if value is not None
    }
    order: list[int] = []
    if params and used:
        kept = [sorted({places[index][axis] for index in used}) for axis in range(len(params))]
        order = [places.index(place) for place in itertools.product(*kept)]
        benchmark["params"] = [
            [values[index] for index in own] for values, own in zip(params, kept, strict=True)
        ]
    for path, points in graphs.items():
        write_compactly(
            path,
            [
                [place, [values[index] for index in order]]
                if order and isinstance(values, list)
                else [place, values]
                for place, values in points
            ],
        )
    return order


def write_compactly(path: Path, data: Any) -> None:
    """Write JSON that browsers load, without a space; NaN and infinities are a `ValueError`."""
    write_text_atomically(path, json.dumps(data, separators=(",", ":"), allow_nan=False))


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
