"""Merging shards: which measurement of a revision stays, and where."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from fixwatch.configuration import load_configuration
from fixwatch.layout import CONFIGURATION_OF, CONFIGURATIONS
from fixwatch.records.evidence import (
    FOLDERS,
    iter_evidence,
    load_evidence,
    save_evidence,
)
from fixwatch.records.merge import merge_shards
from tests.fixwatch.records.shard_files import (
    BATCH,
    CHECKOUT,
    EVIDENCE,
    MACHINE,
    REAL,
    RESULT,
    change,
    content,
    describe_machine,
    merge,
    of_commit,
    put,
)


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


def test_what_is_there_and_cannot_be_read_is_not_overwritten(tmp_path):
    """An unreadable record in the results, perhaps of a newer program, is left alone."""
    path = put(tmp_path / "results")
    path.write_text("{}")
    put(tmp_path / "shard")
    n_written, refused = merge(tmp_path, tmp_path / "shard")
    assert (n_written, len(refused)) == (0, 1)
    assert path.read_text() == "{}"
