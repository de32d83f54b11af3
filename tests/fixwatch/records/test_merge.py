"""Merging shards: what is taken, what is refused, and that nothing else is touched."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fixwatch.configuration import load_configuration
from fixwatch.layout import CONFIGURATION_OF, CONFIGURATIONS
from fixwatch.records.evidence import (
    FOLDERS,
    evidence_path,
    iter_evidence,
    load_evidence,
    save_evidence,
)
from fixwatch.records.merge import merge_shards
from fixwatch.records.shards import MAX_FILE_BYTES, Checkout, read_shard

ROOT = Path(__file__).resolve().parents[3]
# Real files of a measured commit are what is damaged here.
REAL = next((ROOT / "results" / "numba-cuda").glob("*/d41b90d3*.evidence"))
EVIDENCE = json.loads(REAL.read_text())
RESULT = json.loads(REAL.with_suffix(".json").read_text())
MACHINE = EVIDENCE["machine"]
ENVIRONMENT = EVIDENCE["environment"]
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


def test_the_committed_results_pass_and_come_out_the_same(tmp_path):
    """A real record is taken byte for byte, and asv's result says what asv itself wrote."""
    shard = tmp_path / "shard"
    path = put(shard)
    save_evidence(load_evidence(REAL), path)
    assert merge(tmp_path, shard) == (1, {})
    merged = tmp_path / "results" / path.relative_to(shard)
    assert merged.read_text() == path.read_text()
    result = json.loads(merged.with_suffix(".json").read_text())
    for name, row in RESULT["results"].items():
        assert repr(result["results"][name][:3]) == repr(row[:3])
    told_by_asv_alone = {"date", "result_columns", "results", "durations", "params"}
    assert {name: result[name] for name in RESULT.keys() - told_by_asv_alone} == {
        name: RESULT[name] for name in RESULT.keys() - told_by_asv_alone
    }


def test_merging_again_changes_nothing(tmp_path):
    """A second merge of the same shard writes nothing."""
    put(tmp_path / "shard")
    assert merge(tmp_path, tmp_path / "shard")[0] == 1
    before = content(tmp_path / "results")
    assert merge(tmp_path, tmp_path / "shard") == (0, {})
    assert content(tmp_path / "results") == before


def test_the_order_of_shards_does_not_matter(tmp_path):
    """The complete and newest measurement stays, in any order, at once or one by one."""
    incomplete = change(EVIDENCE, ["batches", 0, "batch"], None)
    variants = {
        "newest": change(EVIDENCE, ["measured_at"], "2026-11-11T00:00:00+00:00"),
        "older": change(EVIDENCE, ["measured_at"], "2026-11-10T00:00:00+00:00"),
        "incomplete": change(incomplete, ["measured_at"], "2026-11-12T00:00:00+00:00"),
    }
    shards = []
    for name, evidence in variants.items():
        result = json.loads(json.dumps(RESULT))
        if name == "incomplete":
            for values in result["results"].values():
                values[0][0] = None
        put(tmp_path / name, evidence, result)
        shards.append(tmp_path / name)
    outcomes = set()
    for number, order in enumerate(itertools.permutations(shards)):
        for is_at_once in (True, False):
            target = tmp_path / f"merged-{number}-{is_at_once}"
            for group in [order] if is_at_once else [[shard] for shard in order]:
                assert merge_shards(group, target, CHECKOUT, print)[1] == []
            (record,) = iter_evidence(target / "numba-cuda")
            outcomes.add(record.measured_at)
    assert outcomes == {"2026-11-11T00:00:00+00:00"}


def test_a_release_that_has_no_wheel_today_does_not_replace_its_counts(tmp_path):
    """A record without batches does not replace one that has some, though it is newer."""
    put(tmp_path / "counted")
    nothing = {**EVIDENCE, "batches": [], "not_run_stage": "availability", "not_run_reason": "x"}
    result = change(RESULT, ["results"], {})
    put(tmp_path / "empty", change(nothing, ["measured_at"], "2026-11-20T15:59:00+00:00"), result)
    assert merge(tmp_path, tmp_path / "counted", tmp_path / "empty") == (1, {})
    (record,) = iter_evidence(tmp_path / "results" / "numba-cuda")
    assert record.batches


def test_results_of_a_device_have_a_folder_of_their_own(tmp_path):
    """Records of a device are taken in `cuda/` and refused elsewhere or with another target."""
    release = {"source": "releases", "name": "0.24.0", "upstream": "numba-cuda"}
    batches = [
        {**EVIDENCE["batches"][0], "schedule": "launch-mix", "batch": None, "stage": "device"}
    ]
    evidence = {**EVIDENCE, **release, "target": "cuda", "batches": batches}
    bare = {**RESULT, "results": {}}
    put(tmp_path / "good", evidence, bare, folder="cuda")
    n_written, refused = merge(tmp_path, tmp_path / "good")
    assert (n_written, refused) == (1, {})
    # A result would keep asv from trying again; the record alone is whole.
    assert not list((tmp_path / "results").rglob("*-*.json"))
    assert merge(tmp_path, tmp_path / "good") == (0, {})
    put(tmp_path / "elsewhere", evidence, bare, folder="releases")
    put(tmp_path / "simulated", {**evidence, "target": "simulator"}, bare, folder="cuda")
    for shard in ("elsewhere", "simulated"):
        n_written, refused = merge(tmp_path, tmp_path / shard)
        assert n_written == 0
        assert any("target is" in reason for reason in refused.values())
    put(tmp_path / "unknown", {**evidence, "name": "9.9"}, bare, folder="cuda")
    assert "9.9 is not in the table of releases" in str(merge(tmp_path, tmp_path / "unknown"))


@pytest.mark.parametrize("folder", FOLDERS)
def test_each_results_folder_is_that_of_a_configuration(folder):
    """What a shard may hand over is what some configuration measures."""
    upstream, target = FOLDERS[folder]
    (configuration,) = [
        found
        for found in map(load_configuration, map(Path, CONFIGURATIONS))
        if found.results_dir.name == folder
    ]
    assert configuration.target == target
    assert (configuration.source == "commits") is (upstream is not None)
    assert upstream in (None, configuration.project)
    assert CONFIGURATION_OF[folder] == str(configuration.path)


@pytest.mark.parametrize(("field", "value"), [("role", "negative-control"), ("decides", False)])
def test_a_workload_keeps_its_role(tmp_path, field, value):
    """A record that would take a known workload out of every verdict is refused."""
    put(tmp_path / "results")
    evidence, result = of_commit("e" * 40)
    put(tmp_path / "shard", change(evidence, ["batches", 0, field], value), result)
    n_written, refused = merge(tmp_path, tmp_path / "shard")
    assert n_written == 0
    assert "another role" in next(iter(refused.values()))


def test_an_exploration_changes_no_role(tmp_path):
    """Its batch decides nothing by itself, whatever the workload is for."""
    put(tmp_path / "results")
    evidence, result = of_commit("e" * 40)
    sampled = [batch for batch in evidence["batches"] if batch["schedule"] != "explore"]
    evidence = change({**evidence, "batches": sampled}, ["batches", 0, "schedule"], "explore")
    put(tmp_path / "shard", change(evidence, ["batches", 0, "decides"], False), result)
    n_written, refused = merge(tmp_path, tmp_path / "shard")
    assert (n_written, refused) == (1, {})


BATCH = ["batches", 0, "batch"]


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


def test_an_asv_result_that_is_missing_is_written_by_any_later_merge(tmp_path):
    """It was damaged and set aside, say; the shard that it came from need not be there."""
    path = put(tmp_path / "shard")
    assert merge(tmp_path, tmp_path / "shard") == (1, {})
    merged = tmp_path / "results" / path.relative_to(tmp_path / "shard")
    before = content(tmp_path / "results")
    merged.with_suffix(".json").unlink()
    put(tmp_path / "other", *of_commit("b" * 40))
    assert merge(tmp_path, tmp_path / "other") == (1, {})
    assert before.items() < content(tmp_path / "results").items()


def write_until(limit, shard, results):
    """Merge in a process of its own, which is killed at the write of a number; return its end.

    A file is written in two steps, and the kill may come before either and behind the second.
    """
    process = os.fork()
    if process == 0:
        steps = itertools.count()

        def dying(function):
            def step(*arguments):
                if next(steps) == limit:
                    os.kill(os.getpid(), signal.SIGKILL)
                return function(*arguments)

            return step

        os.fsync, os.replace = dying(os.fsync), dying(os.replace)
        merge_shards([shard], results, CHECKOUT, lambda _line: None)
        os._exit(0)
    return os.waitpid(process, 0)[1]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork and no SIGKILL")
def test_a_merge_that_is_killed_at_any_write_is_made_good_by_the_next(tmp_path):
    """Nothing is lost and nothing is left, whichever of the writes it was."""
    shard = tmp_path / "shard"
    for character in "ab":
        put(shard, *of_commit(character * 40))
    (shard / "numba-cuda" / MACHINE / "machine.json").write_text(
        json.dumps({"version": 1, "machine": MACHINE})
    )
    assert merge(tmp_path, shard) == (2, {})
    expected = content(tmp_path / "results")
    assert len(expected) == 5
    for limit in itertools.count():
        results = tmp_path / f"killed-{limit}"
        if write_until(limit, shard, results) == 0:
            break
        merge_shards([shard], results, CHECKOUT, print)
        assert content(results) == expected
        assert not list(results.rglob("*.part"))
    assert limit == 2 * len(expected)


def test_a_longer_batch_is_not_replaced_by_a_newer_one_of_the_plan(tmp_path):
    """More trials of the same meaning say more than a later date."""
    longer = {**EVIDENCE["batches"][0]["batch"], "trials": 1000}
    path = put(tmp_path / "results", change(EVIDENCE, BATCH, longer))
    put(tmp_path / "shard", change(EVIDENCE, ["measured_at"], "2026-11-20T23:59:59+00:00"))
    assert merge(tmp_path, tmp_path / "shard") == (0, {})
    path.with_suffix(".json").unlink()
    assert merge(tmp_path, tmp_path / "shard") == (0, {})
    assert load_evidence(path).batches[0].printed.trials == 1000


def test_more_trials_of_an_older_meaning_are_replaced(tmp_path):
    """What the counts mean comes before how many there are."""
    longer = {**EVIDENCE["batches"][0]["batch"], "trials": 1000}
    old = {**change(EVIDENCE, BATCH, longer), "measurement_version": "1"}
    path = put(tmp_path / "results", old)
    put(tmp_path / "shard")
    assert merge(tmp_path, tmp_path / "shard") == (1, {})
    assert load_evidence(path) == load_evidence(REAL)


def test_a_machine_is_described_as_in_the_results_or_the_same_in_any_order(tmp_path):
    """asv puts results into one graph only if all describe the machine alike."""
    shards = [tmp_path / name for name in ("a", "b")]
    for shard in shards:
        describe_machine(shard, shard.name)
        put(shard)
    describe_machine(tmp_path / "described", "own")
    for target, order, expected in (
        (tmp_path / "forwards", shards, "a"),
        (tmp_path / "backwards", shards[::-1], "a"),
        (tmp_path / "described", shards, "own"),
    ):
        assert merge_shards(order, target, CHECKOUT, print) == (1, [])
        (result,) = (target / "numba-cuda" / MACHINE).glob("*-*.json")
        described = json.loads(result.with_name("machine.json").read_text())
        assert described == {"version": 1, "machine": MACHINE, "cpu": expected}
        assert json.loads(result.read_text())["params"]["cpu"] == expected


def describe_machine(shard, cpu):
    """Leave asv's description of the machine."""
    path = shard / "numba-cuda" / MACHINE / "machine.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"version": 1, "machine": MACHINE, "cpu": cpu}))


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


def test_commits_with_the_same_short_hash_are_both_refused(tmp_path):
    """Neither of two such commits is taken, and one that is there already stays."""
    twins = [EVIDENCE["commit"][:8] + character * 32 for character in "ab"]
    for number, commit in enumerate(twins):
        put(tmp_path / f"shard{number}", *of_commit(commit))
    n_written, refused = merge(tmp_path, tmp_path / "shard0", tmp_path / "shard1")
    assert (n_written, len(refused)) == (0, 1)
    assert merge(tmp_path, tmp_path / "shard0")[0] == 1
    before = content(tmp_path / "results")
    n_written, refused = merge(tmp_path, tmp_path / "shard1")
    assert (n_written, len(refused)) == (0, 1)
    assert content(tmp_path / "results") == before


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


def test_what_is_there_and_cannot_be_read_is_not_overwritten(tmp_path):
    """An unreadable record in the results, perhaps of a newer program, is left alone."""
    path = put(tmp_path / "results")
    path.write_text("{}")
    put(tmp_path / "shard")
    n_written, refused = merge(tmp_path, tmp_path / "shard")
    assert (n_written, len(refused)) == (0, 1)
    assert path.read_text() == "{}"
