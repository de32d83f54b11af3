"""Judging checkouts of a small upstream: built, installed and measured for real."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import jsonschema
import pytest

from tests.end_to_end.measuring import WAIT_S
from tests.project import ROOT, copy_project, project_environment
from tests.subjects.small_numba import BROKEN_CUDA, BROKEN_SETUP, SIMULATOR, create_small_numba

pytestmark = pytest.mark.end_to_end

# What the small simulator has; the others need more of the API.
LIMITED = ("--workload", "local-array", "--workload", "same-module")
SLOWLY = "import time; time.sleep(0.005)\n            for block in range(n_blocks):"
COUNTING_WITHOUT_LOCK = """
from contextlib import contextmanager

counts, names = {}, {}

@contextmanager
def swap(module_globals, new_fake):
    import numba.cuda as real
    key = id(module_globals)
    if not counts.get(key):
        names[key] = [name for name, value in module_globals.items() if value is real]
        for name in names[key]:
            module_globals[name] = new_fake()
    counts[key] = counts.get(key, 0) + 1
    try:
        yield
    finally:
        counts[key] -= 1
        if not counts[key]:
            for name in names[key]:
                module_globals[name] = real
"""


class JudgeProject:
    """A copy of the project, and a checkout of the small upstream beside it."""

    def __init__(self, folder):
        self.path = copy_project(folder / "project")
        self.environment = project_environment(folder / "home")
        self.tree = folder / "small-numba"
        self.commits = create_small_numba(self.tree)
        self.schema = json.loads((ROOT / "docs" / "judge.schema.json").read_text())

    def checkout(self, name, changes=()):
        """Check a commit out, then change files of it."""
        git = ["git", "-C", self.tree]
        subprocess.run([*git, "checkout", "-qf", self.commits[name]], check=True)
        subprocess.run([*git, "clean", "-fdxq"], check=True)
        for path, text in dict(changes).items():
            (self.tree / path).write_text(text)

    def command(self, *arguments):
        """Return the command line of a judge."""
        return [sys.executable, "-m", "fixwatch", "judge", str(self.tree), *LIMITED, *arguments]

    def judge(self, *arguments):
        """Run a judge to its end."""
        return subprocess.run(
            self.command(*arguments),
            cwd=self.path,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def judge_as_json(self, *arguments):
        """Run a judge; return its exit status and its document, which must fit the schema."""
        done = self.judge("--json", *arguments)
        assert "Traceback" not in done.stderr
        assert done.stdout, done.stderr
        document = json.loads(done.stdout)
        jsonschema.validate(document, self.schema)
        return done.returncode, document

    def stamps(self):
        """Return what would change if anything were written to the checkout."""
        return {
            path.relative_to(self.tree): (path.lstat().st_mtime_ns, path.lstat().st_size)
            for path in self.tree.rglob("*")
        }

    def spooled(self):
        """Return the finished batches of judges that gave no answer yet."""
        return list((self.path / ".fixwatch" / "judge" / "spool").glob("*/*/*--*.json"))

    def wheels(self):
        """Return when each wheel was built."""
        folder = self.path / ".fixwatch" / "judge" / "wheels"
        return {path.parent.name: path.stat().st_mtime_ns for path in folder.glob("*/*.whl")}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Return the project, without results."""
    return JudgeProject(tmp_path_factory.mktemp("judging"))


def find(document, workload, schedule):
    """Return one measurement of a document."""
    (found,) = [
        measurement
        for measurement in document["measurements"]
        if (measurement["workload"], measurement["schedule"]) == (workload, schedule)
    ]
    return found


def test_an_affected_tree_is_observed(project):
    """It fails under both schedules, and the second time nothing is built."""
    project.checkout("last-racy")
    status, document = project.judge_as_json()
    assert (status, document["verdict"]) == (1, "observed")
    for schedule in ("delay", "handoff"):
        found = find(document, "local-array", schedule)
        assert found["verdict"] == "observed"
        assert found["failures"] > 0
        assert set(found["failures_by_mode"]) <= {"missing-attribute", "leaked-global"}
    assert document["judged"]["changed_files"] == 0
    assert document["judged"]["head"]["commit"] == project.commits["last-racy"]
    wheels = project.wheels()
    done = project.judge()
    assert done.returncode == 1
    assert "built before" in done.stderr
    assert project.wheels() == wheels
    assert project.spooled() == []


def test_a_fix_that_costs_is_not_observed_beside_its_base(project):
    """The base is the reference, the cost is seen, the checkout stays as it was."""
    slow = SIMULATOR.replace("for block in range(n_blocks):", SLOWLY)
    assert slow != SIMULATOR
    project.checkout("fixed", {"numba/cuda/simulator.py": slow})
    before = project.stamps()
    status, document = project.judge_as_json("--against", project.commits["last-racy"])
    assert project.stamps() == before
    assert (status, document["verdict"]) == (0, "not-observed")
    assert document["confidence"] > 0.99
    assert document["reference"]["kind"] == "base"
    assert document["against"]["verdict"] == "observed"
    # Below 1e-8 by the plan's arithmetic, see docs/method.md.
    assert document["wrong_fixes"]["chance_of_passing"] < 1e-6
    cost = document["launch_cost"]
    # 5 ms on top of about two; a machine would have to be slower by that for one of the two only.
    assert 1 < cost["low"] <= cost["ratio"] <= cost["high"]


def test_silence_without_a_reference_is_no_verdict(project):
    """Nothing says that an affected tree would have failed; the line says what to do."""
    project.checkout("fixed")
    status, document = project.judge_as_json()
    assert (status, document["verdict"]) == (3, "could-not-measure")
    assert "no affected revision was measured this way" in document["reason"]
    assert document["reference"]["kind"] == "none"


def test_committed_results_serve_as_a_reference(project):
    """They are of another machine, and the document says so."""
    project.checkout("newest")
    shutil.copytree(ROOT / "results" / "releases", project.path / "results" / "releases")
    try:
        status, document = project.judge_as_json()
        done = project.judge("--markdown")
    finally:
        shutil.rmtree(project.path / "results" / "releases")
    assert (status, document["verdict"]) == (0, "not-observed")
    assert document["judged"]["head"]["name"] == "0.59.0"
    assert document["reference"]["kind"] == "another-machine"
    assert done.returncode == 0
    assert done.stdout.startswith("## Defects of the CUDA simulator: not observed\n")
    assert "| local-array | delay | 0 of 50 |" in done.stdout


def test_a_wrong_fix_that_is_not_committed_is_observed(project):
    """A reference count without a lock is seen through, on top of the right fix as it is."""
    project.checkout("fixed", {"numba/cuda/swap.py": COUNTING_WITHOUT_LOCK, "notes.txt": "mine"})
    status, document = project.judge_as_json()
    assert (status, document["verdict"]) == (1, "observed")
    # The planted one of this kind fails in four of ten trials: 50 pass with less than 1e-11.
    assert find(document, "local-array", "delay")["verdict"] == "observed"
    assert document["judged"]["changed_files"] == 2
    assert document["judged"]["head"]["commit"] == project.commits["fixed"]
    assert document["wrong_fixes"] is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"setup.py": BROKEN_SETUP}, "this commit does not build"),
        ({"numba/cuda/__init__.py": BROKEN_CUDA}, "this commit does not import"),
    ],
)
def test_what_does_not_build_or_import_has_no_verdict(project, changes, reason):
    """It is neither clean nor affected, and no number reads 0."""
    project.checkout("fixed", changes)
    status, document = project.judge_as_json()
    assert (status, document["verdict"]) == (3, "could-not-measure")
    assert reason in document["reason"]
    for measurement in document["measurements"]:
        if measurement["workload"] != "planted-race":
            assert measurement["trials"] is None
            assert measurement["verdict"] == "not-run"
    done = project.judge()
    assert done.returncode == 3
    assert reason in done.stdout


def test_a_base_that_does_not_build_takes_nothing_from_the_judged_tree(project):
    """The verdict stands; what a launch costs is not known, and says why."""
    project.checkout("last-racy")
    status, document = project.judge_as_json("--against", project.commits["unbuildable"])
    assert (status, document["verdict"]) == (1, "observed")
    assert document["against"]["verdict"] == "could-not-measure"
    assert "this commit does not build" in document["against"]["reason"]
    assert document["launch_cost"]["ratio"] is None
    assert document["launch_cost"]["reason"]


def test_a_judge_that_was_killed_goes_on_where_it_was(project):
    """Nothing that it left stands in the way, and finished batches are not run again."""
    project.checkout("racy")
    process = subprocess.Popen(
        project.command(),
        cwd=project.path,
        env=project.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline_s = time.monotonic() + WAIT_S
    while not project.spooled():
        assert process.poll() is None, "the judge ended before it could be killed"
        assert time.monotonic() < deadline_s
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    done = project.judge("--json")
    assert done.returncode == 1, done.stderr
    assert "are kept from an interrupted run" in done.stderr
    assert json.loads(done.stdout)["verdict"] == "observed"
    assert project.spooled() == []


def test_an_unknown_revision_is_one_line(project):
    """The line names the newest release tag."""
    done = project.judge("--against", "no-such-thing")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "no revision 'no-such-thing' in numba; the newest release tag is 0.59.0" in done.stderr
