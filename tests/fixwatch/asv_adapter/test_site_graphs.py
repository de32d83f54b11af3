"""What is left of asv's graphs and lists."""

from __future__ import annotations

import json

import pytest

from fixwatch.asv_adapter.site_graphs import drop_empty_combinations

PARAMS = [["'a'", "'b'", "'c'"], ["'x'", "'y'"]]


@pytest.fixture
def site(tmp_path):
    """Return a site with two machines: nobody measured b, and a only under x."""
    for machine, values in (("m", [1, None, None, None, 2, 3]), ("n", [4] + 5 * [None])):
        folder = tmp_path / "graphs" / f"machine-{machine}"
        folder.mkdir(parents=True)
        points = [[0, values], [1, None], [2, values]]
        (folder / "track.json").write_text(json.dumps(points))
        rows = [
            {"name": "track", "idx": index, "last_value": value}
            for index, value in enumerate(values)
        ]
        (folder / "summary.json").write_text(json.dumps(rows))
    summary = tmp_path / "graphs" / "summary"
    summary.mkdir()
    (summary / "track.json").write_text("[[0, 7]]")
    return tmp_path


def load(site, name):
    """Return the content of a graph or a list."""
    return json.loads((site / "graphs" / f"{name}.json").read_text())


def test_parameters_that_nobody_measured_are_gone(site):
    """A value of a parameter stays as long as one combination with it has a value somewhere."""
    benchmarks = {"track": {"params": PARAMS}}
    drop_empty_combinations(site, benchmarks)
    assert benchmarks["track"]["params"] == [["'a'", "'c'"], ["'x'", "'y'"]]
    values = [1, None, 2, 3]
    assert load(site, "machine-m/track") == [[0, values], [1, None], [2, values]]
    assert load(site, "machine-n/track")[0] == [0, [4, None, None, None]]
    assert load(site, "summary/track") == [[0, 7]]


def test_a_row_without_a_value_is_gone_and_the_others_keep_their_graph(site):
    """The index of a row is that of its combination among those that are left."""
    drop_empty_combinations(site, {"track": {"params": PARAMS}})
    rows = [(row["idx"], row["last_value"]) for row in load(site, "machine-m/summary")]
    assert rows == [(0, 1), (2, 2), (3, 3)]


def test_a_benchmark_without_parameters_or_values_stays(site):
    """There is nothing to choose from."""
    (site / "graphs" / "machine-m" / "plain.json").write_text("[[0, 1]]")
    benchmarks = {"track": {"params": PARAMS}, "plain": {"params": []}, "new": {"params": PARAMS}}
    drop_empty_combinations(site, benchmarks)
    assert load(site, "machine-m/plain") == [[0, 1]]
    assert benchmarks["new"]["params"] == PARAMS
