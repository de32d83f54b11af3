"""The whole history of the small upstream, measured through real asv, and what must come out."""

from __future__ import annotations

import json
import subprocess
import sys

from fixwatch.layout import COMMITS_CONFIGURATION
from fixwatch.records.evidence import iter_evidence
from tests.end_to_end.measuring import MACHINE, Project, counts
from tests.subjects.small_numba import HISTORY, create_small_numba

RANGE = "v0.57..main"
# All but those that touch nothing of the target.
MEASURED = [name for name, *_ in HISTORY if name not in ("prose", "remark")]
# What the small simulator has; the others need more of the API.
SETTINGS = (
    '"batch_timeout_s": 6, "workloads": ["local-array", "same-module", "helper-without-cuda", '
    '"one-thread", "planted-race"]'
)


class SmallHistory(Project):
    """A project that measures the small upstream."""

    def __init__(self, folder):
        super().__init__(folder, COMMITS_CONFIGURATION)
        self.commits = create_small_numba(folder / "small-numba")
        self.names = {commit: name for name, commit in self.commits.items()}
        configuration = self.path / COMMITS_CONFIGURATION
        text = configuration.read_text()
        for old, new in (
            ("https://github.com/numba/numba.git", (folder / "small-numba" / ".git").as_posix()),
            ('"upstream": "numba"', f'"upstream": "numba", {SETTINGS}'),
        ):
            assert old in text
            text = text.replace(old, new)
        configuration.write_text(text)
        self.results = self.path / "results" / "numba"

    def run(self, *options):
        """Scan the whole history to its end."""
        return self.asv("run", "--machine", MACHINE, *options, RANGE)

    def records(self):
        """Return the evidence by the commit's name; a damaged file is a failure."""
        damaged = []
        records = {self.names[e.commit]: e for e in iter_evidence(self.results, damaged.append)}
        assert damaged == []
        return records

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
        return next(
            each
            for each in json.loads(done.stdout)["upstreams"]
            if each["workload"] == "local-array"
        )


def check_verdicts(history):
    """Check that each commit was measured or says why not, and that the changes are placed."""
    records = history.records()
    assert sorted(records) == sorted(MEASURED)
    affected = [
        name
        for name, record in records.items()
        if record.is_complete and counts(record, "local-array")[0] > 0
    ]
    assert sorted(affected) == ["appeared", "last-racy", "racy"]
    for name, stage, reason in (
        ("unbuildable", "build", "this commit does not build"),
        ("unimportable", "import", "this commit does not import"),
        ("endless", "batch", "did not finish within 6 s"),
    ):
        record = records[name]
        assert not record.is_complete
        gaps = [(record.not_run_stage, record.not_run_reason or "")]
        gaps += [(b.stage, b.reason or "") for b in record.batches if b.workload == "local-array"]
        assert any(stage == each and reason in text for each, text in gaps), gaps
        assert all(len(text) <= 2000 for _, text in gaps)
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
        history.names[each["revision"]["commit"]]
        for each in entry["measurements"]
        if each["verdict"] == "not-run"
    }
    assert not_run == {"unbuildable", "unimportable", "endless"}
    for each in entry["measurements"]:
        # Never a zero where nothing ran.
        assert (each["trials"] is None) is (each["verdict"] == "not-run")
