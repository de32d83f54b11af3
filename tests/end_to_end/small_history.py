"""The whole history of the small upstream, measured through real asv, and what must come out."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time

from fixwatch.layout import COMMITS_CONFIGURATION
from fixwatch.records.evidence import iter_evidence
from tests.end_to_end.measuring import FEW_BATCHES, MACHINE, WAIT_S, Project, counts
from tests.once import make_once
from tests.subjects.small_numba import HISTORY, create_small_numba, list_small_numba

RANGE = "v0.57..main"
# All but those that touch nothing of the target.
MEASURED = [name for name, *_ in HISTORY if name not in ("prose", "remark")]
# Of a command that is killed at random, in seconds.
LONGEST_START_S, LONGEST_BATCH_S = 10.0, 3.0
AFFECTED = {"appeared", "racy", "last-racy"}
# Stage and reason of what cannot be measured.
NOT_RUN = {
    "unbuildable": ("build", "this commit does not build"),
    "unimportable": ("import", "this commit does not import"),
    "endless": ("batch", "did not finish within 20 s"),
}
# A workload and a control of either kind; the small simulator lacks what most others need.
SETTINGS = f'"batch_timeout_s": 20, {FEW_BATCHES}'


class SmallHistory(Project):
    """A project that measures the small upstream.

    Parameters
    ----------
    folder
        Where the project is, or is to be made.
    upstream
        The upstream's repository; None for one beside the project.
    """

    def __init__(self, folder, upstream=None):
        is_new = not (folder / "project").exists()
        super().__init__(folder, COMMITS_CONFIGURATION)
        self.upstream = upstream or folder / "small-numba"
        if is_new:
            create_small_numba(self.upstream)
            self._configure("https://github.com/numba/numba.git", self._url())
            self._configure('"upstream": "numba"', f'"upstream": "numba", {SETTINGS}')
        self.commits = list_small_numba(self.upstream)
        self.names = {commit: name for name, commit in self.commits.items()}
        self.results = self.path / "results" / "numba"

    def _url(self):
        return (self.upstream / ".git").as_posix()

    def _configure(self, old, new):
        configuration = self.path / COMMITS_CONFIGURATION
        text = configuration.read_text()
        assert old in text
        configuration.write_text(text.replace(old, new))

    def tag_upstream(self, name, tag):
        """Tag a commit, in an upstream of this project's own."""
        shared, shared_url = self.upstream, self._url()
        self.upstream = self.path.parent / "small-numba"
        shutil.copytree(shared, self.upstream)
        self._configure(shared_url, self._url())
        shutil.rmtree(self.path / ".fixwatch" / "mirrors")
        subprocess.run(["git", "-C", self.upstream, "tag", tag, self.commits[name]], check=True)

    def copy_to(self, folder):
        """Return a copy with its results, environment and wheels; the upstream is the same."""
        shutil.copytree(self.path, folder / "project", symlinks=True)
        shutil.copytree(self.path.parent / "home", folder / "home", symlinks=True)
        return SmallHistory(folder, self.upstream)

    def run(self, *options):
        """Scan the whole history to its end."""
        return self.asv("run", "--machine", MACHINE, *options, RANGE)

    def run_commits(self, names, *options):
        """Measure some commits by name."""
        hashes = "\n".join(self.commits[name] for name in names)
        return self.asv("run", "--machine", MACHINE, *options, "HASHFILE:-", stdin=hashes)

    def records(self):
        """Return the evidence by the commit's name; a damaged file is a failure."""
        damaged = []
        records = {self.names[e.commit]: e for e in iter_evidence(self.results, damaged.append)}
        assert damaged == []
        return records

    def kept(self):
        """Return what a kill must not lose: batches in a record, and those that wait for theirs."""
        recorded = {
            (name, batch.workload, batch.schedule)
            for name, record in self.records().items()
            for batch in record.batches
        }
        return recorded.union(self.spooled_paths())

    def kill_at_random(self, command, chance, *, is_early):
        """Start a command, kill it alone or with its group; return its status if it ended before.

        It is killed a while after it began if that is to be early, else after it kept something.
        """
        before = self.kept()
        deadline_s = time.monotonic() + WAIT_S
        process = subprocess.Popen(
            command,
            cwd=self.path,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        while not is_early and self.kept() <= before and process.poll() is None:
            assert time.monotonic() < deadline_s
            time.sleep(0.1)
        time.sleep(chance.uniform(0, LONGEST_START_S if is_early else LONGEST_BATCH_S))
        status = process.poll()
        if chance.random() < 0.5:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.wait()
        return status

    def wheels(self):
        """Return when each commit's wheel was built."""
        return {
            path.parent.name: path.stat().st_mtime_ns
            for path in self.path.glob(".fixwatch/envs/numba/*/asv-build-cache/*/*.whl")
        }

    def fixwatch(self, *arguments):
        """Run ``python -m fixwatch``."""
        return subprocess.run(
            [sys.executable, "-m", "fixwatch", *arguments],
            cwd=self.path,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def entry(self):
        """Return the status of the workload."""
        done = self.fixwatch("status", "--json", "--config", COMMITS_CONFIGURATION)
        assert done.returncode == 0, done.stderr
        upstreams = json.loads(done.stdout)["upstreams"]
        return next(entry for entry in upstreams if entry["workload"] == "local-array")


def copy_measured_history(tmp_path_factory, name):
    """Return a copy of a project in which the whole history was measured; one scan serves all."""
    folder = make_once(tmp_path_factory, "measured-history", _scan)
    return SmallHistory(folder).copy_to(tmp_path_factory.mktemp(name))


def _scan(folder):
    done = SmallHistory(folder).run()
    # asv says with 2 that it went through and something failed.
    assert done.returncode == 2, done.stdout + done.stderr


def copy_unmeasured_history(tmp_path_factory, name):
    """Return a copy without results: with the mirror, the environment and the wheels."""
    history = copy_measured_history(tmp_path_factory, name)
    shutil.rmtree(history.results)
    return history


def check_records(records):
    """Check that each record has counts of the right kind or says why not."""
    for name, record in records.items():
        assert record.is_complete is (name not in NOT_RUN)
        if record.is_complete:
            assert (counts(record, "local-array")[0] > 0) is (name in AFFECTED)
            continue
        stage, reason = NOT_RUN[name]
        gaps = [(record.not_run_stage, record.not_run_reason or "")]
        gaps += [(b.stage, b.reason or "") for b in record.batches if b.workload == "local-array"]
        assert any(at == stage and reason in text for at, text in gaps), gaps
        assert all(len(text) <= 2000 for _, text in gaps)


def check_verdicts(history):
    """Check that each commit was measured or says why not, and that the changes are placed."""
    records = history.records()
    assert sorted(records) == sorted(MEASURED)
    check_records(records)
    entry = history.entry()
    assert entry["state"] == "fixed"
    names = [
        (
            change["kind"],
            history.names[change["after"]["commit"]],
            history.names[change["at"]["commit"]],
        )
        for change in entry["transitions"]
    ]
    assert names == [("appeared", "sound", "appeared"), ("fixed", "last-racy", "fixed")]
    assert [change["exact"] for change in entry["transitions"]] == [True, True]
    assert entry["unmeasured"] == []
    not_run = {
        history.names[measurement["revision"]["commit"]]
        for measurement in entry["measurements"]
        if measurement["verdict"] == "not-run"
    }
    assert not_run == NOT_RUN.keys()
    for measurement in entry["measurements"]:
        # Never a zero where nothing ran.
        assert (measurement["trials"] is None) is (measurement["verdict"] == "not-run")
