"""The command ``plan``, over a small repository that git's own insteadOf puts in numba's place."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from fixwatch.records.plans import load_plan


@pytest.fixture
def instead_of_numba(tmp_path):
    """Return the variables that make git clone a repository of one release, 0.57.0."""
    source = tmp_path / "upstream"
    source.mkdir()
    git = ["git", "-C", str(source), "-c", "user.name=n", "-c", "user.email=e"]
    subprocess.run([*git, "init", "-q", "-b", "main"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    subprocess.run([*git, "tag", "0.57.0"], check=True)
    return {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{source}.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/numba/numba.git",
    }


def test_plan_lists_commits_with_their_reasons(fixwatch, instead_of_numba):
    """Each line is a commit, its date and why it is measured."""
    done = fixwatch("plan", "v0.57^!", **instead_of_numba)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("end of the range, release 0.57.0")


def test_plan_divides_the_commits_among_jobs(fixwatch, instead_of_numba):
    """The matrix has a job for each shard that is not empty; a plan for no shard is refused."""
    done = fixwatch("plan", "v0.57^!", "--shards", "3", **instead_of_numba)
    (job,) = json.loads(done.stdout)["include"]
    assert job["n_commits"] == len(job["commits"].split()) == 1
    done = fixwatch("plan", "v0.57^!", "--shards", "0", **instead_of_numba)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--shards is 0; give at least 1" in done.stderr


def test_plan_names_the_newest_release_where_a_revision_is_unknown(fixwatch, instead_of_numba):
    """An unknown revision is one line that says which release there is."""
    done = fixwatch("plan", "v0.99..main", **instead_of_numba)
    assert done.returncode == 2
    assert "no revision 'v0.99' in numba; the newest release tag is 0.57.0" in done.stderr


def test_plan_hands_over_what_each_shard_is_asked_for(fixwatch, instead_of_numba, project):
    """The file says which shard, on which machine, and by which name and date."""
    options = ["--shards", "1", "--machine", "m", "--hand-over", "plan.json"]
    done = fixwatch("plan", "v0.57^!", *options, **instead_of_numba)
    assert done.returncode == 0, done.stderr
    plan = load_plan(project / "plan.json")
    (asked,) = plan.asked
    assert (plan.machine, asked.folder, asked.name, asked.shard) == ("m", "numba", "0.57.0", 0)


def test_a_range_and_a_look_are_not_planned_at_once(fixwatch):
    """Nor is nothing."""
    for arguments in (["plan"], ["plan", "v0.57^!", "--look"]):
        done = fixwatch(*arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert "either a range or --look" in done.stderr
