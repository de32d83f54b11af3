"""The tiles of the benchmark grid, with asv's own graphs."""

from __future__ import annotations

import json

from asv.graph import GraphSet

from fixwatch.asv_adapter.summary_tiles import rewrite_summaries

ROLES = {
    "local-array": "workload",
    "same-module": "negative-control",
    "planted-race": "positive-control",
    "shared-array": "workload",
}
BENCHMARK = {
    "param_names": ["workload", "schedule"],
    "params": [[f"'{name}'" for name in ROLES], ["'delay'", "'handoff'"]],
}


def summarise(folder, graph, benchmark=BENCHMARK):
    """Return what is written for one benchmark, None for nothing."""
    graphs = GraphSet()
    own = graphs.get_graph("track_failures", {"machine": "m"})
    for revision, values in graph.items():
        own.add_data_point(revision, values)
    rewrite_summaries(graphs, {"track_failures": benchmark}, ROLES, folder)
    path = folder / "graphs" / "summary" / "track_failures.json"
    return json.loads(path.read_text()) if path.exists() else None


def test_a_zero_in_one_series_hides_no_failure_in_another(tmp_path):
    """A tile shows the worst of the workloads under any schedule, whatever the controls do."""
    nan = float("nan")
    graph = {
        1: [97, 20, 0, 0, 49, 20, 0, 0],
        2: [0, 0, 0, 0, 49, 20, 0, 3],
        3: [0, 0, 5, 5, 49, 20, 0, None],
        4: [nan, None, 0, 0, 49, 20, nan, None],
    }
    assert summarise(tmp_path, graph) == [[1, 97], [2, 3], [3, 0]]


def test_a_benchmark_without_workloads_keeps_its_graph(tmp_path):
    """Nothing is written for a benchmark whose first parameter is something else."""
    other = {"param_names": ["n"], "params": [["1"]]}
    assert summarise(tmp_path, {1: [4]}, other) is None
