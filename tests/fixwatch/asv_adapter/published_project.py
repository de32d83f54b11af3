"""A checkout with results of its own, to be published: no measuring, no repository, no network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

from asv.machine import Machine
from asv.results import get_filename

from fixwatch.history.listing import ListedCommit, Listing, save_listing
from fixwatch.layout import CONFIGURATIONS
from fixwatch.records.asv_results import derive_result
from fixwatch.records.evidence import evidence_path, save_evidence
from tests.fixwatch.sample_records import hash_of, new_batch, new_controls, new_record
from tests.project import ROOT

MACHINE = {"machine": "m", "os": "o", "arch": "a", "cpu": "c", "num_cpu": "1", "ram": "1"}
# Whatever asks for an address gets none.
NOWHERE = "http://127.0.0.1:9"
OFFLINE = {"http_proxy": NOWHERE, "https_proxy": NOWHERE, "ALL_PROXY": NOWHERE}
AFFECTED, FIXED = (100, 100, 99), (0, 0)


class PublishedProject:
    """A folder with the configurations of the project, and results that tests choose."""

    def __init__(self, path):
        self.path = path
        for name in CONFIGURATIONS:
            shutil.copy(ROOT / name, path)
        # asv imports the plugin from the folder that it runs in.
        (path / "fixwatch").symlink_to(ROOT / "fixwatch")
        (path / "mwe").symlink_to(ROOT / "mwe")
        # No git that is found may leave the machine, or this folder.
        self.environment = {**os.environ, **OFFLINE, "GIT_ALLOW_PROTOCOL": "file"}
        self.environment["PYTHONPATH"] = str(path)
        self.html = path / "html"

    def add(self, folder, *records):
        """Write records and asv's results of them into a results folder."""
        machine = self.path / "results" / folder / "m"
        machine.mkdir(parents=True, exist_ok=True)
        (machine / "machine.json").write_text(
            json.dumps({**MACHINE, "version": Machine.api_version})
        )
        benchmarks = ROOT / "results" / "releases" / "benchmarks.json"
        shutil.copy(benchmarks, machine.parent)
        for record in records:
            name = get_filename(record.machine, record.commit, record.environment)
            path = self.path / "results" / folder / name
            path.write_text(json.dumps(derive_result(record, MACHINE)))
            save_evidence(record, evidence_path(path))

    def add_history(self, upstream, counts, unlisted=0):
        """Add commits with these failures of 100, the last few of them not listed."""
        records = [
            measured(hash_of(upstream, index), failures, index, upstream=upstream)
            for index, failures in enumerate(counts)
        ]
        self.add(upstream, *records)
        rows = tuple(
            ListedCommit(
                commit=record.commit,
                name=record.name,
                date=record.date,
                is_on_branch=True,
                reasons=("touches what matters",),
            )
            for record in records[: len(records) - unlisted]
        )
        save_listing(Listing(upstream, rows), self.path / "results" / upstream)
        return records

    def run(self, *arguments):
        """Run a module of Python's in the folder."""
        return subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=self.path,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def asv(self, configuration, *arguments):
        """Run asv with one of the configurations."""
        return self.run("asv", "--config", configuration, *arguments)

    def load(self, name):
        """Return the content of a published file."""
        return json.loads((self.html / name).read_text())


def measured(commit, failures, index, **overrides):
    """Return the record of a commit with these failures of 100 under both schedules.

    It was made so many days after the first.
    """
    batches = (
        *(new_batch("local-array", failures, schedule=name) for name in ("delay", "handoff")),
        *new_controls(),
    )
    date = f"2024-01-{index + 1:02}T00:00:00+00:00"
    values = {"source": "commits", "commit": commit, "date": date, **overrides}
    return new_record(commit[:8], *batches, **values)


def released(version, failures, upstream):
    """Return the record of a release with these failures of 100."""
    return new_record(
        version, new_batch("local-array", failures), *new_controls(), upstream=upstream
    )
