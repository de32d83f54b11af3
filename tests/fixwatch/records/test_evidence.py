"""Evidence records survive the disk, and damaged ones are set aside and named."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from packaging.version import Version

from fixwatch.errors import FixwatchError
from fixwatch.records import evidence
from fixwatch.records.evidence import (
    BatchEvidence,
    evidence_path,
    iter_evidence,
    load_evidence,
    save_evidence,
)
from tests.fixwatch.sample_records import new_batch, new_controls, new_record


def test_a_record_comes_back_as_it_was(tmp_path):
    """A record that is written and read again equals the first one."""
    record = new_record("0.57.0", new_batch(failures=90), *new_controls())
    path = tmp_path / "m" / "a.evidence"
    save_evidence(record, path)
    assert load_evidence(path) == record
    assert list(iter_evidence(tmp_path)) == [record]


def test_a_record_may_have_any_name_that_git_allows(tmp_path):
    """A tag is upstream's text: its record is read like any other, and pages escape it."""
    record = replace(new_record("0.57.0", new_batch(failures=90)), name="before/0.58<script>")
    save_evidence(record, tmp_path / "m" / "a.evidence")
    assert list(iter_evidence(tmp_path)) == [record]


def test_a_record_that_cannot_be_set_aside_is_named(tmp_path, monkeypatch):
    """In a folder that nobody may write to the others are read all the same."""

    def refuse(path):
        raise OSError("read-only")

    monkeypatch.setattr(evidence, "set_aside", refuse)
    save_evidence(new_record(), tmp_path / "m" / "b.evidence")
    (tmp_path / "m" / "a.evidence").write_text("")
    messages = []
    assert list(iter_evidence(tmp_path, messages.append)) == [new_record()]
    assert "a.evidence: not an evidence record" in messages[0]
    assert "cannot be set aside (read-only)" in messages[0]


def test_a_short_hash_is_no_version():
    """One of digits alone would be sorted among the releases."""
    digits = "12345678"
    assert new_record(digits, source="commits", commit=5 * digits).version is None
    assert new_record("0.57.0", source="commits").version == Version("0.57.0")


def test_asv_does_not_take_a_record_for_a_result(tmp_path):
    """The record stands beside asv's file under a suffix that asv does not read."""
    assert evidence_path(tmp_path / "0123-env.json").name == "0123-env.evidence"


IMPOSSIBLE = (
    {"trials": 5},
    {"trials": 5, "failures": 6},
    {"trials": 5, "failures": -1},
    {"trials": 5, "failures": 1, "failures_by_mode": {}},
    {"trials": 5, "failures": 1, "failures_by_mode": {"crash": 1}, "signature_failures": 2},
    {"trials": 5, "failures": 1, "failures_by_mode": {"crash": 1}, "refusals": 5},
    {"trials": "5"},
)


@pytest.mark.parametrize("counts", IMPOSSIBLE, ids=str)
def test_impossible_counts_are_damage(tmp_path, counts):
    """Valid JSON with counts that cannot be is set aside like half a file."""
    path = tmp_path / "m" / "a.evidence"
    save_evidence(new_record("0.57.0", new_batch()), path)
    data = json.loads(path.read_text())
    batch = data["batches"][0]["batch"]
    data["batches"][0]["batch"] = counts if len(counts) == 1 else {**batch, **counts}
    path.write_text(json.dumps(data))
    messages = []
    assert list(iter_evidence(tmp_path, messages.append)) == []
    assert "a.evidence.damaged-1" in messages[0]


@pytest.mark.parametrize("content", ["", '{"version": 2, "upst', "[]", '{"version": 2}', "{}"])
def test_a_damaged_record_is_set_aside_and_named(tmp_path, content):
    """A damaged record is renamed and reported in one line, and the others are read."""
    good = new_record("0.57.0", new_batch(failures=90))
    save_evidence(good, tmp_path / "m" / "good.evidence")
    bad = tmp_path / "m" / "bad.evidence"
    bad.write_text(content)
    messages = []
    assert list(iter_evidence(tmp_path, messages.append)) == [good]
    assert len(messages) == 1
    assert "bad.evidence" in messages[0]
    assert bad.with_name("bad.evidence.damaged-1").read_text() == content


def test_a_record_that_is_set_aside_can_be_measured_again_by_the_command_that_is_named(tmp_path):
    """Its name says of which revision it was, and its folder by which configuration."""
    path = tmp_path / "compiler-numba-cuda" / "m" / "0123abcd-e.evidence"
    path.parent.mkdir(parents=True)
    path.write_text("")
    messages = []
    list(iter_evidence(path.parents[1], messages.append))
    assert "asv --config asv.compiler.numba-cuda.conf.json run '0123abcd^!'" in messages[0]


def test_a_record_of_a_newer_format_is_refused_and_kept(tmp_path):
    """An unknown version is not damage: it says to update, and the file stays."""
    path = tmp_path / "m" / "new.evidence"
    save_evidence(new_record(), path)
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": 4}))
    with pytest.raises(FixwatchError, match="format version 4.*update"):
        load_evidence(path)
    messages = []
    assert list(iter_evidence(tmp_path, messages.append)) == []
    assert path.exists()
    assert "update" in messages[0]


def test_a_record_of_the_first_format_is_kept_and_says_what_to_do(tmp_path):
    """Nobody needs what it holds, but it is no damage either."""
    path = tmp_path / "m" / "old.evidence"
    save_evidence(new_record(), path)
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": 1}))
    with pytest.raises(FixwatchError, match="version 1 is no longer read; measure .* again"):
        load_evidence(path)
    assert path.exists()


def age(path):
    """Make the record on a path one of format 2, which knew no defects and no signatures."""
    data = json.loads(path.read_text())
    for batch in data["batches"]:
        del batch["defect"]
        if batch["batch"] is not None:
            del batch["batch"]["signature_failures"], batch["batch"]["refusals"]
    path.write_text(json.dumps({**data, "version": 2}))


def test_a_record_of_format_2_is_one_of_the_single_defect_that_it_knew(tmp_path):
    """It comes back whole, a batch that was not run included."""
    path = tmp_path / "old.evidence"
    gap = BatchEvidence(
        defect="cuda-swap", workload="chunked-local", role="workload", schedule="delay", reason="-"
    )
    record = new_record("0.57.0", new_batch(failures=9), gap, *new_controls())
    save_evidence(record, path)
    age(path)
    assert load_evidence(path) == record


@pytest.mark.parametrize(
    ("workload", "target", "modes", "n_shown"),
    [
        ("local-array", "simulator", {"missing-attribute": 2, "leaked-global": 1}, 3),
        ("local-array", "simulator", {"exception": 2, "missing-attribute": 1}, 1),
        ("local-array", "simulator", {"wrong-result": 3}, 0),
        ("same-module", "simulator", {"wrong-result": 3}, 3),
        ("local-array", "cuda", {"wrong-result": 3}, 3),
    ],
)
def test_failures_of_format_2_count_by_their_modes(tmp_path, workload, target, modes, n_shown):
    """In a negative control and on a device every failure does."""
    path = tmp_path / "old.evidence"
    batch = new_batch(workload, 3, failures_by_mode=modes, signature_failures=0)
    save_evidence(new_record("0.57.0", batch, target=target), path)
    age(path)
    (read,) = load_evidence(path).batches
    assert (read.printed.signature_failures, read.printed.refusals) == (n_shown, 0)


def test_a_record_that_cannot_be_read_now_is_not_set_aside(tmp_path):
    """It may be readable later: one line says why, and it stays."""
    path = tmp_path / "m" / "a.evidence"
    path.mkdir(parents=True)
    messages = []
    assert list(iter_evidence(tmp_path, messages.append)) == []
    assert messages == [f"{path}: cannot be read (Is a directory)"]
    assert path.exists()


def test_what_can_be_measured_again_is_not_complete():
    """A record is complete if all batches ran, or if there is no wheel; a gap can be filled."""
    failed = BatchEvidence(
        defect="cuda-swap",
        workload="local-array",
        role="workload",
        schedule="delay",
        stage="batch",
        reason="killed",
    )
    assert new_record("1", new_batch()).is_complete
    assert not new_record("1", new_batch(), failed).is_complete
    assert not new_record("1").is_complete
    assert new_record("1", not_run_stage="availability", not_run_reason="no wheel").is_complete
    assert not new_record("1", not_run_stage="install", not_run_reason="network").is_complete


def test_a_record_in_the_folder_of_another_history_is_set_aside(tmp_path):
    """There it would be published as one of that history."""
    for folder in ("numba", "numba-cuda", "elsewhere"):
        record = new_record("0" * 8, new_batch(), source="commits", upstream="numba-cuda")
        save_evidence(record, tmp_path / folder / "m" / "00000000-e.evidence")
    messages = []
    assert list(iter_evidence(tmp_path / "numba", messages.append)) == []
    assert "upstream is 'numba-cuda', its place says 'numba'; set aside" in messages[0]
    assert len(list(iter_evidence(tmp_path / "numba-cuda"))) == 1
    assert len(list(iter_evidence(tmp_path / "elsewhere"))) == 1
