"""A scan divided among machines, each a process with a checkout of its own, and merged."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from tests.end_to_end.measuring import MACHINE
from tests.end_to_end.small_history import MEASURED, RANGE, SmallHistory, check_verdicts

pytestmark = pytest.mark.end_to_end

N_SHARDS = 2


def test_shards_that_are_merged_say_what_one_scan_says(tmp_path):
    """Every commit in one shard, the same verdicts and places, and merging again adds nothing."""
    history = SmallHistory(tmp_path / "whole")
    planned = history.fixwatch("plan", RANGE, "--shards", str(N_SHARDS))
    assert planned.returncode == 0, planned.stderr
    matrix = json.loads(planned.stdout)["include"]
    commits = [commit for shard in matrix for commit in shard["commits"].split()]
    assert sorted(history.names[commit] for commit in commits) == sorted(MEASURED)
    assert len(matrix) == N_SHARDS
    shards = []
    for number in range(N_SHARDS):
        # As on another machine: a checkout, an environment and a mirror of its own.
        checkout = tmp_path / f"machine-{number}"
        shutil.copytree(history.path, checkout)
        shutil.rmtree(checkout / ".fixwatch", ignore_errors=True)
        (checkout / "commits").write_text(matrix[number]["commits"].replace(" ", "\n"))
        shards.append(
            subprocess.Popen(
                history.command("run", "--machine", MACHINE, "HASHFILE:commits"),
                cwd=checkout,
                env=history.environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
    assert all(shard.wait() in (0, 2) for shard in shards)
    folders = [str(tmp_path / f"machine-{number}" / "results") for number in range(N_SHARDS)]
    merged = history.fixwatch("merge", *folders)
    assert merged.returncode == 0, merged.stderr
    assert f"{len(MEASURED)} revisions written, 0 refused" in merged.stderr
    # What one scan of everything has to give, with both transitions exactly placed.
    check_verdicts(history)
    again = history.fixwatch("merge", *reversed(folders))
    assert "0 revisions written, 0 refused" in again.stderr
