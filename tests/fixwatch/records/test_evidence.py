"""Evidence records survive the disk, and damaged ones are set aside and named."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from fixwatch.errors import FixwatchError
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


def test_asv_does_not_take_a_record_for_a_result(tmp_path):
    """The record stands beside asv's file under a suffix that asv does not read."""
    assert evidence_path(tmp_path / "0123-env.json").name == "0123-env.evidence"


IMPOSSIBLE = (
    {"trials": 5},
    {"trials": 5, "failures": 6},
    {"trials": 5, "failures": -1},
    {"trials": 5, "failures": 1, "failures_by_mode": {}},
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


@pytest.mark.parametrize("content", ["", '{"version": 1, "upst', "[]", '{"version": 1}', "{}"])
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


def test_a_record_of_a_newer_format_is_refused_and_kept(tmp_path):
    """An unknown version is not damage: it says to update, and the file stays."""
    path = tmp_path / "m" / "new.evidence"
    save_evidence(new_record(), path)
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": 3}))
    with pytest.raises(FixwatchError, match="format version 3.*update"):
        load_evidence(path)
    messages = []
    assert list(iter_evidence(tmp_path, messages.append)) == []
    assert path.exists()
    assert "update" in messages[0]


def test_a_record_of_the_first_format_is_read(tmp_path):
    """A record of version 1 says nothing of builds; the rest is read like any other."""
    path = tmp_path / "old.evidence"
    save_evidence(new_record(), path)
    old = {**json.loads(path.read_text()), "version": 1}
    del old["build_packages"], old["extensions"]
    path.write_text(json.dumps(old))
    assert load_evidence(path) == new_record()


def test_what_can_be_measured_again_is_not_complete():
    """A record is complete if all batches ran, or if there is no wheel; a gap can be filled."""
    failed = BatchEvidence(
        workload="local-array", role="workload", schedule="delay", stage="batch", reason="killed"
    )
    assert new_record("1", new_batch()).is_complete
    assert not new_record("1", new_batch(), failed).is_complete
    assert not new_record("1").is_complete
    assert new_record("1", not_run_stage="availability", not_run_reason="no wheel").is_complete
    assert not new_record("1", not_run_stage="install", not_run_reason="network").is_complete
