"""A scan divided among machines, each a process with a checkout of its own, and merged."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from tests.end_to_end.measuring import MACHINE
from tests.end_to_end.small_history import (
    MEASURED,
    NOT_RUN,
    RANGE,
    check_verdicts,
    copy_measured_history,
)

pytestmark = pytest.mark.end_to_end

N_SHARDS = 2


def measure_shard(history, checkout, commits):
    """Start measuring a shard as on another machine; a scan has measured all but one commit.

    The checkout has an environment and a mirror of its own.
    """
    shutil.copytree(history.path, checkout, ignore=shutil.ignore_patterns(".fixwatch"))
    last = next(commit for commit in commits if history.names[commit] not in NOT_RUN)
    kept = {commit[:8] for commit in commits if commit != last}
    for path in (checkout / "results" / "numba" / MACHINE).glob("*-*"):
        if path.name[:8] not in kept:
            path.unlink()
    (checkout / "commits").write_text("\n".join(commits))
    return subprocess.Popen(
        history.command("run", "--machine", MACHINE, "--skip-existing", "HASHFILE:commits"),
        cwd=checkout,
        env=history.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def test_shards_that_are_merged_say_what_one_scan_says(tmp_path_factory, tmp_path):
    """Each commit is in one shard; merging gives one scan's verdicts, merging again adds none."""
    history = copy_measured_history(tmp_path_factory, "shards")
    planned = history.fixwatch("plan", RANGE, "--shards", str(N_SHARDS))
    assert planned.returncode == 0, planned.stderr
    matrix = json.loads(planned.stdout)["include"]
    commits = [commit for shard in matrix for commit in shard["commits"].split()]
    assert sorted(history.names[commit] for commit in commits) == sorted(MEASURED)
    assert len(matrix) == N_SHARDS
    checkouts = [tmp_path / f"machine-{number}" for number in range(N_SHARDS)]
    shards = [
        measure_shard(history, checkout, shard["commits"].split())
        for checkout, shard in zip(checkouts, matrix, strict=True)
    ]
    # One commit each was measured, and no failure was tried again.
    assert [shard.wait() for shard in shards] == [0] * N_SHARDS
    shutil.rmtree(history.results)
    folders = [str(checkout / "results") for checkout in checkouts]
    merged = history.fixwatch("merge", *folders)
    assert merged.returncode == 0, merged.stderr
    assert f"{len(MEASURED)} revisions written, 0 refused" in merged.stderr
    # What one scan of everything has to give, with both transitions exactly placed.
    check_verdicts(history)
    again = history.fixwatch("merge", *reversed(folders))
    assert "0 revisions written, 0 refused" in again.stderr
