"""What of a shard is refused, and that nothing else is touched by it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fixwatch.records.evidence import (
    evidence_path,
)
from fixwatch.records.merge import merge_shards
from fixwatch.records.shards import MAX_FILE_BYTES, read_shard
from tests.fixwatch.records.shard_files import (
    BATCH,
    CHECKOUT,
    ENVIRONMENT,
    EVIDENCE,
    MACHINE,
    RESULT,
    change,
    content,
    merge,
    of_commit,
    put,
)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["commit"], "../../../../etc/passwd"),
        (["commit"], "d41b90d3" * 6),
        (["name"], "<script>alert(1)</script>"),
        (["name"], "x\n"),
        (["date"], "yesterday"),
        (["measured_at"], "2026-99-99T00:00:00+00:00"),
        (["upstream"], "someone-elses"),
        (["source"], "releases"),
        (["machine"], "another-machine"),
        (["environment"], "other"),
        (["python"], "3.11; rm -rf /"),
        (["packages"], {"numba": "<b>1</b>"}),
        (["packages"], ["numba"]),
        (["version"], 99),
        (["unknown"], 1),
        (["a\n" + "b" * 1000], 1),
        (["measured_at"], "2999-01-01T00:00:00+00:00"),
        (["date"], "0001-01-01T00:00:00+00:00"),
        (["measurement_version"], "9999"),
        (["not_run_reason"], "\x1b[2J"),
        (["not_run_reason"], "\u202etxt"),
        (["not_run_reason"], "\ud800"),
        (["batches"], "none"),
        ([*BATCH, "trials"], -1),
        ([*BATCH, "trials"], 10**30),
        ([*BATCH, "trials"], "100"),
        ([*BATCH, "trials"], True),
        ([*BATCH, "failures"], 7),
        ([*BATCH, "failures_by_mode"], {"<script>": 0}),
        ([*BATCH, "duration_s"], float("nan")),
        ([*BATCH, "duration_s"], float("inf")),
        ([*BATCH, "details"], ["x" * 10_000]),
        ([*BATCH, "details"], ["\x1b[2J"]),
        ([*BATCH, "attributes"], {"\x1b[2J": 1}),
        ([*BATCH, "status"], "\x1b[2J"),
        (["batches", 0, "reason"], "\x1b[2J"),
        (["not_run_reason"], "x" * 10_000),
        (["batches", 1, "schedule"], "delay"),
    ],
)
def test_hostile_evidence_is_refused_by_name(tmp_path, path, value):
    """The record is refused under its name, and what is good beside it is taken."""
    shard = tmp_path / "shard"
    stem = f"{EVIDENCE['commit'][:8]}-{ENVIRONMENT}"
    put(shard, change(EVIDENCE, path, value), stem=stem)
    put(shard, *of_commit("e" * 40))
    n_written, refused = merge(tmp_path, shard)
    assert n_written == 1
    (name,) = refused
    assert stem in name
    assert "\n" not in refused[name]
    assert len(refused[name]) < 400


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["commit_hash"], "a" * 40),
        (["env_name"], "other"),
        (["params", "machine"], "another-machine"),
        (["params", "cpu"], "<script>"),
        (["results", "track_failures", 0, 0], 55),
        (["results", "track_trials", 0, 0], float("inf")),
        (["results", "track_failures", 0], [1.0]),
        (["results", "evil"], [[1], []]),
        (["results"], [1]),
        (["durations", "<img src=x onerror=y>"], 1.0),
        (["requirements"], {"x": "y"}),
    ],
)
def test_nothing_of_a_hostile_asv_result_is_taken(tmp_path, path, value):
    """Whatever a shard's asv result says, the one that is written follows from the record."""
    put(tmp_path / "honest")
    put(tmp_path / "shard", result=change(RESULT, path, value))
    merge_shards([tmp_path / "honest"], tmp_path / "expected", CHECKOUT, print)
    assert merge(tmp_path, tmp_path / "shard") == (1, {})
    assert content(tmp_path / "results") == content(tmp_path / "expected")


def test_an_asv_result_without_a_record_is_refused(tmp_path):
    """A `.json` without `.evidence` beside it is refused with that reason."""
    put(tmp_path / "shard").unlink()
    n_written, refused = merge(tmp_path, tmp_path / "shard")
    assert (n_written, list(refused.values())) == (0, ["has no .evidence file beside it"])


def test_what_every_run_writes_is_left_out(tmp_path):
    """The checkout that merges has its own lists of benchmarks and commits, and its own lock."""
    put(tmp_path / "shard")
    for name in ("benchmarks.json", "relevant-commits.jsonl", ".lock"):
        (tmp_path / "shard" / "numba-cuda" / name).write_text("of the shard")
    assert merge(tmp_path, tmp_path / "shard") == (1, {})
    assert not list((tmp_path / "results" / "numba-cuda").glob("*.json*"))


def test_what_lies_elsewhere_is_refused_and_nothing_outside_is_touched(tmp_path):
    """Links, other folders and names, huge files and pipes are refused by name."""
    shard = tmp_path / "shard"
    good = put(shard)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "machine.json").write_text("{}")
    names = {
        "numba-cuda/../evil.json": None,
        "somewhere/else/aaaaaaaa-x.json": "{}",
        "somewhere/benchmarks.json": "{}",
        "numba-cuda/<script>/aaaaaaaa-x.json": "{}",
        f"numba-cuda/{MACHINE}/notes.txt": "hello",
        f"numba-cuda/{MACHINE}/deep/er/aaaaaaaa-x.json": "{}",
        f"numba-cuda/{MACHINE}/aaaaaaaa-huge.json": "x" * (MAX_FILE_BYTES + 1),
        f"numba-cuda/{MACHINE}/aaaaaaaa-broken.evidence": "{",
        f"numba-cuda/{MACHINE}/aaaaaaaa-deep.evidence": "[" * 100_000,
        f"numba-cuda/{MACHINE}/machine.json": json.dumps({"version": 1, "machine": "other"}),
    }
    for name, text in names.items():
        if text is not None:
            (shard / name).parent.mkdir(parents=True, exist_ok=True)
            (shard / name).write_text(text)
    os.symlink(outside / "machine.json", good.parent / "bbbbbbbb-link.json")
    os.symlink(outside, shard / "numba")
    os.mkfifo(good.parent / "cccccccc-pipe.json")
    n_written, refused = merge(tmp_path, shard, tmp_path / "missing")
    assert n_written == 1
    text = "\n".join(f"{name}: {reason}" for name, reason in refused.items())
    for expected in (
        "missing: no such folder",
        "somewhere/else/aaaaaaaa-x.json",
        "somewhere/benchmarks.json",
        "numba-cuda/<script>/aaaaaaaa-x.json: not a machine's name",
        "notes.txt",
        "deep: a folder",
        f"aaaaaaaa-huge.json: {MAX_FILE_BYTES + 1} bytes, more than",
        "aaaaaaaa-broken",
        "aaaaaaaa-deep",
        "describes another machine, 'other'",
        "bbbbbbbb-link.json: a link",
        "numba: a link to a folder",
        "cccccccc-pipe.json: not a plain file",
    ):
        assert expected in text, expected
    written = sorted(path.name for path in (tmp_path / "results").rglob("*.*") if path.is_file())
    assert written == [".lock", evidence_path(good.with_suffix(".json")).name, f"{good.stem}.json"]
    assert sorted(outside.iterdir()) == [outside / "machine.json"]


def test_a_shard_of_too_many_results_is_not_read_to_its_end(tmp_path):
    """The reading stops at the limit, and says so."""
    put(tmp_path)
    for number in range(9):
        put(tmp_path, stem=f"{number:08}-e").write_text("")
    shard = read_shard(tmp_path, CHECKOUT, max_files=4)
    assert shard.records == {}
    assert shard.refused[2] == (".", "more than 4 results; the rest was not read")


def test_files_that_are_no_results_crowd_out_none(tmp_path):
    """They are named up to the limit, wherever they lie, and the results are read."""
    put(tmp_path)
    for folder in ("aa", f"numba-cuda/{MACHINE}"):
        (tmp_path / folder).mkdir(exist_ok=True)
        for number in range(4):
            (tmp_path / folder / f"{number}.txt").write_text("")
    shard = read_shard(tmp_path, CHECKOUT, max_files=5)
    assert len(shard.records) == 1
    assert len(shard.refused) == 6
    assert shard.refused[-1] == (".", "more than 5 files that are no results")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no paths that long")
def test_no_folder_is_entered_deeper_than_results_lie(tmp_path, monkeypatch):
    """A thousand folders in each other take nothing from the record beside them."""
    put(tmp_path)
    monkeypatch.chdir(tmp_path)
    try:
        for _ in range(1000):
            Path("deep").mkdir()
            monkeypatch.chdir("deep")
        shard = read_shard(tmp_path, CHECKOUT)
    finally:
        # What removes the temporary folder cannot go so deep either.
        monkeypatch.chdir(tmp_path)
        subprocess.run(["rm", "-r", "deep"], check=True)
    assert (len(shard.records), shard.refused) == (1, [("deep/deep/deep", "a folder")])
