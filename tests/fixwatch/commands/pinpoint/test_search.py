"""The search over records on disk: what it concludes where nothing is left to measure."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace

import pytest

from fixwatch.commands.pinpoint.command import check_workload, choose_schedule
from fixwatch.commands.pinpoint.findings import Settings
from fixwatch.commands.pinpoint.observations import MeasuringSetup
from fixwatch.commands.pinpoint.search import Search
from fixwatch.configuration import load_configuration
from fixwatch.errors import CouldNotMeasureError, FixwatchError
from fixwatch.history.mirror import BESIDE_THE_BRANCH, UpstreamMirror
from fixwatch.records.evidence import save_evidence
from fixwatch.statistics.search_planning import SearchAnswer
from mwe.defects import DEFECTS
from mwe.planned.plan import plan_batches
from mwe.targets import Target
from mwe.workloads.subject import Role
from tests.fixwatch.sample_records import new_batch, new_controls, new_exploration, new_record
from tests.fixwatch.verdicts.test_compiled import DEFECT as COMPILED
from tests.fixwatch.verdicts.test_compiled import compiled, new_release
from tests.project import ROOT
from tests.subjects.small_numba import create_small_numba

OWN = MeasuringSetup("m", "3.11", "delay")


class NothingToMeasure:
    """A measurer for searches that must not need one."""

    def measure(self, commit):
        """Fail: everything is on disk."""
        raise AssertionError(f"measured {commit}")

    def extend(self, record, workload, schedule, n_trials):
        """Fail likewise."""
        raise AssertionError(f"extended {record.commit} to {n_trials}")


@pytest.fixture
def upstream(tmp_path, monkeypatch):
    """Return the small upstream's repository and its commits by name."""
    commits = create_small_numba(tmp_path / "small-numba")
    monkeypatch.chdir(tmp_path)
    url = (tmp_path / "small-numba" / ".git").as_posix()
    return UpstreamMirror(url, "numba", print), commits


def search(upstream, tmp_path, failures, revisions="0.58.0..main", n_trials=1000):
    """Search with records of these failures, by name of the commit."""
    repository, commits = upstream
    for name, count in failures.items():
        record = new_record(
            name,
            new_batch(failures=count, trials=n_trials),
            *new_controls(),
            source="commits",
            commit=commits[name],
        )
        save_evidence(record, tmp_path / "results" / "m" / f"{name}.evidence")
    settings = Settings(range=revisions, workload="local-array", target="simulator", own=OWN)
    return Search(
        settings,
        repository.list_range(revisions, relevant_only=True),
        repository,
        tmp_path / "results",
        NothingToMeasure(),
        print,
    ).run()


@pytest.mark.parametrize(
    ("remark", "at", "after"),
    [
        pytest.param(955, "fixed", "remark", id="it-fails-too"),
        # Whatever the selection says, counts show that the change lies in the unselected commit.
        pytest.param(0, "remark", "last-racy", id="it-is-clean"),
    ],
)
def test_the_direct_parent_decides(upstream, tmp_path, remark, at, after):
    """It touches nothing relevant, and was measured because the change may lie there."""
    failures = {"racy": 950, "last-racy": 960, "remark": remark, "fixed": 0, "newest": 0}
    finding = search(upstream, tmp_path, failures)
    _, commits = upstream
    assert finding.answer is SearchAnswer.FOUND
    assert finding.commits[finding.change.placement.at].commit == commits[at]
    assert finding.commits[finding.after].commit == commits[after]
    assert finding.is_exact
    # It was taken in beside the candidates of the range.
    assert (finding.n_candidates, len(finding.commits)) == (6, 7)


def test_a_record_of_a_newer_program_is_named_once(upstream, tmp_path, capsys):
    """However often the records are read while the search goes on."""
    newer = tmp_path / "results" / "m" / "00000000-e.evidence"
    newer.parent.mkdir(parents=True)
    newer.write_text('{"version": 99}')
    failures = {"racy": 950, "last-racy": 960, "remark": 955, "fixed": 0, "newest": 0}
    assert search(upstream, tmp_path, failures).is_exact
    assert capsys.readouterr().out.count(newer.name) == 1


EXPLORED = next(defect for defect in DEFECTS.values() if defect.schedules == ("explore",))


def explore(name, commit, fails):
    """Return the record of a commit of which the workload that stands for a defect was explored."""
    (positive,) = (one for one in EXPLORED.workloads if one.role is Role.POSITIVE_CONTROL)
    return new_record(
        name,
        new_exploration(EXPLORED.default_workload.name, failing="0" if fails else None),
        new_exploration(positive.name, failing="0"),
        new_exploration(EXPLORED.harness_control),
        source="commits",
        commit=commit,
    )


def test_a_search_that_rests_on_explorations_runs_none_again(upstream, tmp_path):
    """Each is one experiment, 1 of 1 or 0 of 1, and all of them place the change."""
    repository, commits = upstream
    states = {"racy": True, "last-racy": True, "remark": True, "fixed": False, "newest": False}
    for name, fails in states.items():
        path = tmp_path / "results" / "m" / f"{name}.evidence"
        save_evidence(explore(name, commits[name], fails), path)
    finding = Search(
        Settings(
            range="0.58.0..main",
            workload=EXPLORED.default_workload.name,
            target="simulator",
            own=replace(OWN, schedule="explore"),
        ),
        repository.list_range("0.58.0..main", relevant_only=True),
        repository,
        tmp_path / "results",
        NothingToMeasure(),
        print,
    ).run()
    assert finding.commits[finding.change.placement.at].commit == commits["fixed"]
    assert finding.is_exact
    assert finding.observations.trials.max() == 1


# A single commit behind the change is enough.
@pytest.mark.parametrize("clean", [("fixed", "newest"), ("newest",)])
def test_a_search_by_what_compilers_make_asks_each_commit_once(upstream, tmp_path, clean):
    """A compilation is the same each time, so that one on either side places the change."""
    repository, commits = upstream
    for name in ("racy", "last-racy", "remark", "fixed", "newest"):
        fails = int(name not in clean)
        record = new_release(name, compiled(COMPILED, fails))
        record = replace(record, upstream="numba", source="commits", commit=commits[name])
        save_evidence(record, tmp_path / "results" / "m" / f"{name}.evidence")
    finding = Search(
        Settings(
            range="0.58.0..main",
            workload=COMPILED,
            target="compiler",
            own=replace(OWN, schedule="natural"),
        ),
        repository.list_range("0.58.0..main", relevant_only=True),
        repository,
        tmp_path / "results",
        NothingToMeasure(),
        print,
    ).run()
    assert finding.answer is SearchAnswer.FOUND
    assert finding.commits[finding.change.placement.at].commit == commits[clean[0]]
    assert finding.is_exact
    assert finding.observations.trials.max() == 1


def test_a_compiler_is_searched_under_its_only_schedule():
    """Whichever defect a workload is for."""
    for defect in DEFECTS.values():
        assert choose_schedule(defect, Target.COMPILER) == "natural"


@pytest.mark.parametrize(
    ("schedules", "expected"),
    [
        (("delay", "handoff", "explore"), "delay"),
        (("natural", "explore"), "natural"),
        (("explore", "natural"), "natural"),
        (("explore",), "explore"),
    ],
)
def test_a_search_rests_on_a_schedule_that_decides_for_the_defect(schedules, expected):
    """One that samples can be given more trials, so it goes first."""
    assert choose_schedule(replace(EXPLORED, schedules=schedules)) == expected


def test_a_workload_that_no_history_runs_is_refused():
    """The error names the one that stands for its defect."""
    configuration = load_configuration(ROOT / "asv.conf.json")
    planned = {batch.workload for batch in plan_batches(Target.SIMULATOR)}
    for defect in DEFECTS.values():
        for workload in defect.workloads:
            if workload.role is not Role.WORKLOAD or Target.SIMULATOR not in workload.targets:
                continue
            if workload.name in planned:
                check_workload(workload.name, configuration)
            else:
                name = defect.default_workload.name
                with pytest.raises(FixwatchError, match=f"by judges; name {name}$"):
                    check_workload(workload.name, configuration)


def test_behind_a_parent_that_disagrees_the_search_goes_on(upstream, tmp_path):
    """Of two unselected commits the newest is known to be clean, so the other one is wanted."""
    repository, commits = upstream
    source = tmp_path / "small-numba"
    git = ["git", "-c", "user.name=n", "-c", "user.email=e"]
    for name, path in (("one", "README"), ("two", "README"), ("last", "numba/cuda/note.txt")):
        (source / path).write_text(name)
        subprocess.run([*git, "commit", "-qam", name], cwd=source, check=True)
        done = subprocess.run(
            [*git, "rev-parse", "HEAD"], cwd=source, check=True, capture_output=True, text=True
        )
        commits[name] = done.stdout.strip()
    repository.pull(print)
    failures = {"newest": 950, "two": 0, "last": 0}
    with pytest.raises(AssertionError, match=f"measured {commits['one']}"):
        search(upstream, tmp_path, failures, "0.59.0..main")


def test_two_changes_on_record_are_named(upstream, tmp_path):
    """A search for one would make nonsense of them."""
    failures = {"first": 0, "sound": 0, "appeared": 950, "last-racy": 960, "fixed": 0, "newest": 0}
    with pytest.raises(
        FixwatchError, match=r"2 changes: appeared in .*, fixed in .*; give a range"
    ):
        search(upstream, tmp_path, failures, "v0.57..main")


def test_a_lower_end_beside_the_branch_is_where_it_leaves(upstream, tmp_path):
    """A tag on a branch of its own is no commit of the branch, and says nothing of it."""
    repository, commits = upstream
    source = tmp_path / "small-numba"
    git = ["git", "-c", "user.name=n", "-c", "user.email=e"]
    for arguments in (
        ["checkout", "-q", "-b", "side", commits["sound"]],
        ["commit", "-q", "--allow-empty", "-m", "release"],
        ["tag", "0.57.5"],
    ):
        subprocess.run([*git, *arguments], cwd=source, check=True)
    repository.pull(print)
    listed = repository.list_range("v0.57.5..0.58.0", relevant_only=True)
    names = {commit: name for name, commit in commits.items()}
    assert [names[commit.commit] for commit in listed][:2] == ["sound", "appeared"]
    assert BESIDE_THE_BRANCH in listed[0].reasons
    (first, *_) = repository.list_range("0.57.0..main", relevant_only=True)
    assert BESIDE_THE_BRANCH not in first.reasons


def test_the_branch_decides_the_order(upstream, tmp_path):
    """Commits are listed in the order of the branch, not in that of the committers' clocks."""
    repository, _ = upstream
    source = tmp_path / "small-numba"
    for day, text in (("2024-06-02", "a"), ("2024-06-01", "b")):
        (source / "numba" / "cuda" / "note.txt").write_text(text)
        environment = {**os.environ, "GIT_COMMITTER_DATE": f"{day}T00:00:00Z"}
        command = ["git", "-c", "user.name=n", "-c", "user.email=e", "commit", "-qam", text]
        subprocess.run(command, cwd=source, check=True, env=environment)
    repository.pull(print)
    days = [
        commit.date[:10] for commit in repository.list_range("0.59.0..main", relevant_only=True)
    ]
    assert days == ["2024-03-01", "2024-06-02", "2024-06-01"]


class BrokenMachine(NothingToMeasure):
    """A measurer on a machine where no build succeeds."""

    def __init__(self, results):
        self.results = results
        self.built = []

    def measure(self, commit):
        """Leave a record that says so."""
        self.built.append(commit)
        record = new_record(
            commit[:8],
            source="commits",
            commit=commit,
            not_run_stage="build",
            not_run_reason="gcc: not found",
        )
        save_evidence(record, self.results / "m" / f"{commit[:8]}.evidence")


def test_a_machine_that_builds_nothing_is_not_asked_for_every_commit(upstream, tmp_path):
    """After three commits it stops; the next call tries again instead of calling them gaps."""
    repository, _ = upstream
    settings = Settings(range="r", workload="local-array", target="simulator", own=OWN)
    commits = repository.list_range("0.57.0..main", relevant_only=True)
    built = []
    for _ in range(2):
        measurer = BrokenMachine(tmp_path / "results")
        search = Search(settings, commits, repository, tmp_path / "results", measurer, print)
        with pytest.raises(CouldNotMeasureError, match=r"first 3 commits .*gcc: not found"):
            search.run()
        built.append(measurer.built)
    assert len(built[0]) == 3
    assert built[0] == built[1]
