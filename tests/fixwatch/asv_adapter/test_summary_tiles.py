"""Which series a tile of the benchmark grid shows."""

from __future__ import annotations

import json

from asv.graph import GraphSet

from fixwatch.asv_adapter.summary_tiles import find_workload_places, rewrite_summaries

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


def test_only_workloads_are_shown():
    """Two schedules of the first and of the last."""
    assert list(find_workload_places(BENCHMARK, ROLES)) == [0, 1, 6, 7]
    assert list(find_workload_places({**BENCHMARK, "param_names": ["n"]}, ROLES)) == []


def test_a_zero_in_one_series_hides_no_failure_in_another(tmp_path):
    """With asv's own graphs: the worst of the workloads, whatever the controls do."""
    graphs = GraphSet()
    graph = graphs.get_graph("track_failures", {"machine": "m"})
    nan = float("nan")
    graph.add_data_point(1, [97, 20, 0, 0, 49, 20, 0, 0])
    graph.add_data_point(2, [0, 0, 0, 0, 49, 20, 0, None])
    graph.add_data_point(3, [nan, None, 0, 0, 49, 20, nan, None])
    rewrite_summaries(graphs, {"track_failures": BENCHMARK}, ROLES, tmp_path)
    written = json.loads((tmp_path / "graphs" / "summary" / "track_failures.json").read_text())
    assert written == [[1, 97], [2, 0]]
