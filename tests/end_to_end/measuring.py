"""Measuring in a copy of the project, through real asv."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

from fixwatch.configuration import load_configuration
from fixwatch.history.release_repository import build_release_repository
from fixwatch.history.release_table import load_release_table
from fixwatch.layout import RELEASES_CONFIGURATION
from fixwatch.records.evidence import iter_evidence
from tests.project import copy_project, project_environment

AFFECTED, FIXED = ("numba-cuda", "0.24.0"), ("numba-cuda", "0.26.0")
MACHINE = "test"
# Longer than an install takes on a machine that reads everything for the first time.
WAIT_S = 600.0


class Project:
    """A copy of the project in which asv measures by one of its configurations.

    Parameters
    ----------
    folder
        Where the copy is, or is to be made.
    configuration
        The name of asv's configuration.
    """

    def __init__(self, folder, configuration):
        self.path = folder / "project"
        self.environment = project_environment(folder / "home")
        self.configuration = configuration
        if not self.path.exists():
            copy_project(self.path)
            machine = ["machine", "--yes", "--machine", MACHINE, "--os", "o", "--arch", "a"]
            done = self.asv(*machine, "--cpu", "c", "--num_cpu", "1", "--ram", "1")
            assert done.returncode == 0

    def command(self, *arguments):
        """Return the command line of an asv call."""
        return [sys.executable, "-m", "asv", "--config", self.configuration, *arguments]

    def asv(self, *arguments, stdin="", **environment):
        """Run asv to its end."""
        return subprocess.run(
            self.command(*arguments),
            cwd=self.path,
            env={**self.environment, **environment},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )

    def spooled_paths(self):
        """Return the files of finished batches that wait for their revision."""
        return [*(self.path / ".fixwatch" / "spool").glob("*/*/*/*.json")]

    def spooled(self):
        """Return the finished batches that wait for their revision, by commit and file name."""
        return {
            (path.parts[-3], path.name): json.loads(path.read_text())
            for path in self.spooled_paths()
        }


# A workload and a control of either kind, whose spaces are not explored: enough where what is
# measured is not the point.
FEW_BATCHES = (
    '"workloads": ["local-array", "one-thread", "planted-race"], '
    '"schedules": ["delay", "handoff", "natural"]'
)


class ReleaseProject(Project):
    """A project that measures releases, in the simulator unless another configuration is given."""

    def __init__(self, folder, configuration=RELEASES_CONFIGURATION):
        super().__init__(folder, configuration)
        self.results_dir = load_configuration(self.path / configuration).results_dir
        self.commits = build_release_repository(load_release_table(), folder / "releases.git")

    def measure_few_workloads(self):
        """Measure `FEW_BATCHES` from now on."""
        configuration = self.path / self.configuration
        text = configuration.read_text()
        old = '"source": "releases"'
        assert old in text
        configuration.write_text(text.replace(old, f"{old}, {FEW_BATCHES}"))

    def measure(self, *releases, options=(), **environment):
        """Measure releases."""
        hashes = "\n".join(self.commits[release] for release in releases)
        arguments = ["run", "--machine", MACHINE, *options, "HASHFILE:-"]
        return self.asv(*arguments, stdin=hashes, **environment)

    def start_and_kill(self, release, is_time):
        """Start measuring a release and kill asv with SIGKILL as soon as it is time."""
        (self.path / "hashes").write_text(self.commits[release])
        process = subprocess.Popen(
            self.command("run", "--machine", MACHINE, "HASHFILE:hashes"),
            cwd=self.path,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline_s = time.monotonic() + WAIT_S
        while not is_time():
            assert process.poll() is None, "asv ended before it could be killed"
            assert time.monotonic() < deadline_s
            time.sleep(0.002)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()

    def evidence(self, release):
        """Return the record of a release."""
        (record,) = [
            record
            for record in iter_evidence(self.results_dir)
            if (record.upstream, record.name) == release
        ]
        return record


def counts(record, workload, schedule="delay"):
    """Return failures and trials of a batch."""
    (batch,) = [
        b.printed for b in record.batches if (b.workload, b.schedule) == (workload, schedule)
    ]
    return batch.failures, batch.trials
