"""Shards for tests of merging: real files of a measured commit, and what damages them."""

from __future__ import annotations

import json
from pathlib import Path

from fixwatch.records.merge import merge_shards
from fixwatch.records.shards import Checkout

ROOT = Path(__file__).resolve().parents[3]
# Real files of a measured commit are what is damaged here.
REAL = next((ROOT / "results" / "numba-cuda").glob("*/d41b90d3*.evidence"))
EVIDENCE = json.loads(REAL.read_text())
RESULT = json.loads(REAL.with_suffix(".json").read_text())
MACHINE = EVIDENCE["machine"]
ENVIRONMENT = EVIDENCE["environment"]
# Where a record has the counts of its first batch.
BATCH = ["batches", 0, "batch"]
CHECKOUT = Checkout(
    measurement_version=int(EVIDENCE["measurement_version"]),
    releases=frozenset({("numba-cuda", "0.24.0")}),
)


def change(data, path, value):
    """Return a copy of data with a value at a path of keys and indices."""
    copy = json.loads(json.dumps(data))
    place = copy
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return copy


def put(
    shard, evidence=EVIDENCE, result=RESULT, *, folder="numba-cuda", machine=MACHINE, stem=None
):
    """Write a measurement into a shard; return the evidence's path."""
    stem = stem or f"{evidence['commit'][:8]}-{evidence['environment']}"
    path = shard / folder / machine / f"{stem}.evidence"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(evidence))
    path.with_suffix(".json").write_text(json.dumps(result))
    return path


def of_commit(commit, **changes):
    """Return evidence and result of another commit."""
    evidence = {**EVIDENCE, "commit": commit, "name": commit[:8], **changes}
    return evidence, {**RESULT, "commit_hash": commit}


def merge(tmp_path, *shards):
    """Merge into a fresh folder's results; return how many were written, and the refused names."""
    n_written, refused = merge_shards(shards, tmp_path / "results", CHECKOUT, print)
    return n_written, dict(refused)


def content(folder):
    """Return every result file below a folder."""
    return {
        path.relative_to(folder): path.read_text()
        for path in sorted(folder.rglob("*.*"))
        if path.suffix in (".json", ".evidence")
    }


def describe_machine(shard, cpu):
    """Leave asv's description of the machine."""
    path = shard / "numba-cuda" / MACHINE / "machine.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"version": 1, "machine": MACHINE, "cpu": cpu}))
