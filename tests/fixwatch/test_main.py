"""The command line of Fixwatch, as real processes in folders of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from fixwatch.records.evidence import save_evidence
from tests.fixwatch.sample_records import new_batch, new_controls, new_record
from tests.project import copy_project


@pytest.fixture
def project(tmp_path):
    """Return a copy of the project without results."""
    return copy_project(tmp_path / "project")


def fixwatch(project, *arguments, **environment):
    """Run ``python -m fixwatch`` in the project."""
    return subprocess.run(
        [sys.executable, "-m", "fixwatch", *arguments],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


def save_releases(project):
    """Leave an affected and a fixed release in the project's results."""
    folder = project / "results" / "releases" / "m"
    affected = new_record("0.24.0", new_batch(failures=88), *new_controls(), upstream="numba-cuda")
    fixed = new_record("0.26.0", new_batch(), *new_controls(), upstream="numba-cuda")
    save_evidence(affected, folder / "a.evidence")
    save_evidence(fixed, folder / "b.evidence")
    return folder


def test_what_nobody_foresaw_is_one_line_and_no_answer(project, tmp_path):
    """1 would be one of judge's answers; 0 of most."""
    tree = tmp_path / "tree"
    tree.mkdir()
    for command in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "m"]):
        git = ["git", "-c", "user.name=n", "-c", "user.email=e", *command]
        subprocess.run(git, cwd=tree, check=True)
    (tree / "pyproject.toml").write_text("a = " + "[" * 3000)
    done = fixwatch(project, "judge", str(tree))
    assert (done.returncode, done.stdout) in ((2, ""), (3, ""))
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such status")
def test_a_reader_that_went_away_is_no_answer(project):
    """The status is that of SIGPIPE, not 0."""
    save_releases(project)
    read_end, write_end = os.pipe()
    os.close(read_end)
    with open(write_end, "wb") as closed:
        done = subprocess.run(
            [sys.executable, "-m", "fixwatch", "status", "--json"],
            cwd=project,
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (141, "")


def test_status_prints_the_verdict(project):
    """The answer in words comes first, with the counts."""
    save_releases(project)
    done = fixwatch(project, "status")
    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == (
        "numba-cuda (releases, local-array): fixed in 0.26.0; last affected 0.24.0 "
        "(88 of 100 trials failed, then 0 of 100)"
    )


def test_status_as_json(project):
    """The document, and nothing else on standard output."""
    save_releases(project)
    done = fixwatch(project, "status", "--json", "--config", "asv.releases.conf.json")
    document = json.loads(done.stdout)
    states = {(e["upstream"], e["workload"]): e["state"] for e in document["upstreams"]}
    assert states["numba-cuda", "local-array"] == "fixed"


def test_status_without_results_exits_3(project):
    """It says where it looked and what to do."""
    done = fixwatch(project, "status")
    assert done.returncode == 3
    assert done.stdout == ""
    folders = "results/numba, results/numba-cuda, results/releases"
    assert f"nothing is measured in {folders}" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["status", "--config", "nope.json"], "no configuration 'nope.json'; choose one of"),
        (["status", "--config", "pyproject.toml"], "cannot be read as an asv configuration"),
        (["nope"], "invalid choice: 'nope'"),
        ([], "required: command"),
        (["status", "--nope"], "unrecognized arguments: --nope"),
    ],
)
def test_bad_input_is_one_line_and_exits_2(project, arguments, message):
    """What was found and what to do, and no traceback."""
    done = fixwatch(project, *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_a_configuration_of_another_tracker_is_one_line(project):
    """An asv configuration without Fixwatch's keys is named as such."""
    (project / "other.json").write_text('{"version": 1, "repo": "."}')
    done = fixwatch(project, "status", "--config", "other.json")
    assert done.returncode == 2
    assert "other.json: has no" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_truncated_record_is_set_aside_and_the_rest_is_answered(project):
    """The damage is named on standard error, the status still printed."""
    folder = save_releases(project)
    (folder / "c.evidence").write_text('{"version": 1, "upstr')
    done = fixwatch(project, "status")
    assert done.returncode == 0
    assert "fixed in 0.26.0" in done.stdout
    assert "c.evidence.damaged-1" in done.stderr
    assert (folder / "c.evidence.damaged-1").exists()


def test_refreshing_without_an_index_changes_nothing(project):
    """One line, exit 3, and the table as it was."""
    table = project / "fixwatch" / "history" / "releases.json"
    before = table.read_bytes()
    done = fixwatch(
        project, "releases", "--refresh", FIXWATCH_INDEX_JSON_URL="http://127.0.0.1:9/pypi"
    )
    assert done.returncode == 3
    assert "does not answer" in done.stderr
    assert table.read_bytes() == before


def test_plan_refuses_what_has_no_commits(project):
    """The releases are all measured; it says which configuration to name."""
    done = fixwatch(project, "plan", "v0.57..main", "--config", "asv.releases.conf.json")
    assert done.returncode == 2
    assert "choose asv.conf.json" in done.stderr
    assert done.stderr.count("\n") == 1


def test_plan_lists_commits_with_their_reasons(project):
    """Of a small repository, by git's own insteadOf; an unknown revision is one line."""
    source = project / "upstream"
    source.mkdir()
    git = ["git", "-C", str(source), "-c", "user.name=n", "-c", "user.email=e"]
    subprocess.run([*git, "init", "-q", "-b", "main"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    subprocess.run([*git, "tag", "0.57.0"], check=True)
    instead = {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{source}.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/numba/numba.git",
    }
    done = fixwatch(project, "plan", "v0.57^!", **instead)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("end of the range, release 0.57.0")
    done = fixwatch(project, "plan", "v0.99..main", **instead)
    assert done.returncode == 2
    assert "no revision 'v0.99' in numba; the newest release tag is 0.57.0" in done.stderr


def test_releases_lists_the_table(project):
    """A release a line, with its date."""
    done = fixwatch(project, "releases")
    assert "numba-cuda 0.26.0    2026-01-30" in done.stdout.splitlines()
