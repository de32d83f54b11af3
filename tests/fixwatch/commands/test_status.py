"""The command ``status``."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

DOCS = Path(__file__).resolve().parents[3] / "docs"


@pytest.mark.usefixtures("releases")
def test_status_prints_the_verdict_first(fixwatch):
    """The first line is the answer, then there is a row for each defect, with the counts."""
    done = fixwatch("status")
    assert done.returncode == 0
    assert "cuda-swap fixed in 0.26.0" in done.stdout.splitlines()[0]
    assert done.stdout.startswith("numba-cuda: ")
    assert "last affected 0.24.0 (88 of 100 trials failed, then 0 of 100)" in done.stdout
    assert "planted-race" not in done.stdout
    assert "planted-race" in fixwatch("status", "--all").stdout


@pytest.mark.usefixtures("releases")
def test_status_as_json_prints_the_document_alone(fixwatch):
    """Standard output is the fix-status document and nothing else."""
    done = fixwatch("status", "--json", "--config", "asv.releases.conf.json")
    document = json.loads(done.stdout)
    states = {
        (series["upstream"], series["workload"]): series["state"]
        for series in document["upstreams"]
    }
    assert states["numba-cuda", "local-array"] == "fixed"
    schema = json.loads((DOCS / "fix-status.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(document, schema)


def test_status_without_results_exits_3(fixwatch):
    """The line says where it looked and what to do."""
    done = fixwatch("status")
    assert done.returncode == 3
    assert done.stdout == ""
    folders = "results/numba, results/numba-cuda, results/releases"
    assert f"nothing is measured in {folders}" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_configuration_of_another_tracker_is_refused(project, fixwatch):
    """An asv configuration without Fixwatch's keys is named as such in one line."""
    (project / "other.json").write_text('{"version": 1, "repo": "."}')
    done = fixwatch("status", "--config", "other.json")
    assert done.returncode == 2
    assert "other.json: not a configuration of Fixwatch" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_truncated_record_is_set_aside_and_the_rest_is_answered(releases, fixwatch):
    """The damage is named on standard error, the status still printed."""
    (releases / "c.evidence").write_text('{"version": 1, "upstr')
    done = fixwatch("status")
    assert done.returncode == 0
    assert "fixed in 0.26.0" in done.stdout
    assert "c.evidence.damaged-1" in done.stderr
    assert (releases / "c.evidence.damaged-1").exists()
