"""Without a plan no record comes in whose revision is in no history, unless a person answers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from fixwatch.__main__ import main
from fixwatch.commands.merge import unknown_revisions
from fixwatch.commands.merge.unknown_revisions import drop_unknown
from fixwatch.errors import FixwatchError
from fixwatch.history.listing import ListedCommit, Listing, save_listing
from fixwatch.history.release_repository import build_release_repository
from fixwatch.history.release_table import load_release_table
from fixwatch.layout import NUMBA_CUDA_CONFIGURATION
from fixwatch.records.evidence import iter_evidence, save_evidence
from fixwatch.records.shards import Place, Shard
from tests.fixwatch.history.test_mirror import commit, git
from tests.fixwatch.sample_records import new_batch, new_controls, new_record

HISTORY = Path("results") / "numba-cuda"
MADE_UP = "9" * 40
DATE = "2023-05-{:02}T00:00:00+00:00"


def record_of(commit_hash, name, day, failures=0, **overrides):
    """Return the record of a commit of a day in May."""
    batches = (new_batch(failures=failures), *new_controls())
    values = {"source": "commits", "commit": commit_hash, "date": DATE.format(day), **overrides}
    return new_record(name, *batches, upstream="numba-cuda", **values)


def put(folder, *records):
    """Leave records in a folder of results."""
    for record in records:
        stem = f"{record.commit[:8]}-{record.environment}"
        save_evidence(record, folder / record.machine / f"{stem}.evidence")


@pytest.fixture
def commits(project, tmp_path, monkeypatch):
    """Return the commits of a numba-cuda in which the newest of three is not listed.

    Two are measured: both are affected.
    """
    source = tmp_path / "source"
    source.mkdir()
    git(source, "init", "-q", "-b", "main")
    file = "numba_cuda/numba/cuda/simulator/kernel.py"
    found = [commit(source, file, day) for day in (1, 2, 3)]
    configuration = project / NUMBA_CUDA_CONFIGURATION
    url = "https://github.com/NVIDIA/numba-cuda.git"
    text = configuration.read_text()
    assert url in text
    configuration.write_text(text.replace(url, f"{source.as_posix()}/.git"))
    monkeypatch.chdir(project)
    listed = tuple(
        ListedCommit(
            commit=one,
            name=one[:8],
            date=DATE.format(day),
            is_on_branch=True,
            reasons=("touches the simulator",),
        )
        for day, one in enumerate(found[:2], 1)
    )
    save_listing(Listing("numba-cuda", listed), HISTORY)
    put(HISTORY, *(record_of(one.commit, one.name, day, 90) for day, one in enumerate(listed, 1)))
    return found


def merge(capsys, *records, options=()):
    """Merge two shards that say the same; return the exit status and what was said."""
    for folder in ("one", "two"):
        put(Path(folder) / "numba-cuda", *records)
    status = main(["merge", "one", "two", *options])
    return status, capsys.readouterr().err.splitlines()


def states(capsys):
    """Return what is said of the workload."""
    assert main(["status", "--json", "--config", NUMBA_CUDA_CONFIGURATION]) == 0
    (entry,) = [
        entry
        for entry in json.loads(capsys.readouterr().out)["upstreams"]
        if entry["workload"] == "local-array"
    ]
    return entry["state"], entry["fixed_in"] and entry["fixed_in"]["name"]


def test_a_commit_that_is_in_no_repository_changes_no_verdict(commits, capsys):
    """Two shards that agree are no second source for it."""
    status, lines = merge(capsys, record_of(MADE_UP, "0.99.0", 4))
    assert status == 5
    (line,) = [line for line in lines if line.startswith("fixwatch: refused") and MADE_UP in line]
    assert f"{MADE_UP} is in no history of numba-cuda that is known here" in line
    assert line.endswith("merge with --accept if you answer for it")
    assert states(capsys) == ("affected", None)
    assert len(list(iter_evidence(HISTORY))) == len(commits) - 1


def test_a_person_may_answer_for_it(commits, capsys):
    """Then it is taken, and what changes is said."""
    status, lines = merge(capsys, record_of(MADE_UP, "0.99.0", 4), options=["--accept"])
    assert status == 0
    assert any("becomes fixed (fixed in 0.99.0)" in line for line in lines)
    assert states(capsys) == ("fixed", "0.99.0")


def test_a_commit_that_upstream_has_is_taken(commits, capsys):
    """It is newer than the list beside the results."""
    status, lines = merge(capsys, record_of(commits[-1], commits[-1][:8], 3))
    assert status == 0, lines
    assert states(capsys) == ("fixed", commits[-1][:8])


@pytest.mark.parametrize(
    ("name", "day", "said"), [("0.99.0", 3, "not 0.99.0"), (None, 4, "is not of that date")]
)
def test_a_commit_has_its_own_name_and_date(commits, capsys, name, day, said):
    """Another name would say which version is fixed, another date where it stands."""
    newest = commits[-1]
    status, lines = merge(capsys, record_of(newest, name or newest[:8], day))
    assert status == 5
    assert [said in line for line in lines if "refused" in line and newest in line] == [True]
    assert states(capsys) == ("affected", None)


def shard_of(*records):
    """Return a shard that holds records."""
    return Shard(
        records={
            Place(
                "releases" if record.source == "releases" else "numba-cuda",
                record.machine,
                f"{record.commit[:8]}-{record.environment}",
            ): record
            for record in records
        }
    )


def test_listed_commits_need_no_repository(commits, monkeypatch):
    """Where upstream cannot be reached, a commit that is not listed is not taken."""

    def fail(*_arguments):
        raise FixwatchError("no network")

    monkeypatch.setattr(unknown_revisions, "UpstreamMirror", fail)
    old, new = (record_of(one, one[:8], day) for day, one in ((2, commits[1]), (3, commits[2])))
    lines = []
    shard = shard_of(old)
    assert (drop_unknown([shard], lines.append), lines) == ([], [])
    shard = shard_of(old, new)
    ((place, _),) = drop_unknown([shard], lines.append)
    assert place.endswith(f"{new.commit[:8]}-e")
    assert list(shard.records.values()) == [old]
    assert lines == ["numba-cuda: commits cannot be looked up (no network)"]


def test_a_release_is_that_of_the_table(project, monkeypatch):
    """Another hash would make two of one version."""
    monkeypatch.chdir(project)
    release = build_release_repository(load_release_table())["numba-cuda", "0.24.0"]
    record = record_of(release, "0.24.0", 1, source="releases")
    shard = shard_of(record, replace(record, commit=MADE_UP))
    ((_, reason),) = drop_unknown([shard], print)
    assert MADE_UP in reason
    assert list(shard.records.values()) == [record]
