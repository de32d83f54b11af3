"""The dashboard from nothing: interrupted, continued, and asked again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from fixwatch.records.evidence import iter_evidence
from tests.end_to_end.measuring import AFFECTED, FIXED, WAIT_S, ReleaseProject

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no process groups"),
]

COMMAND = [sys.executable, "-m", "fixwatch", "dashboard"]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Return a project that knows two releases and measures few workloads of them."""
    project = ReleaseProject(tmp_path_factory.mktemp("dashboard"))
    project.measure_few_workloads()
    table = project.path / "fixwatch" / "history" / "releases.json"
    content = json.loads(table.read_text())
    content["releases"] = [
        row for row in content["releases"] if (row["upstream"], row["version"]) in (AFFECTED, FIXED)
    ]
    table.write_text(json.dumps(content))
    return project


def run_dashboard(project, *options):
    """Run the command to its end."""
    return subprocess.run(
        [*COMMAND, *options],
        cwd=project.path,
        env=project.environment,
        capture_output=True,
        text=True,
        check=False,
    )


def measured(project):
    """Return when each release was measured."""
    return {record.name: record.measured_at for record in iter_evidence(project.results_dir)}


@pytest.fixture(scope="module")
def interrupted(project):
    """Interrupt a first run once it has a release; return status, output, and what it measured."""
    process = subprocess.Popen(
        COMMAND,
        cwd=project.path,
        env=project.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    deadline_s = time.monotonic() + WAIT_S
    # asv writes its result after the record.
    while not list(project.results_dir.glob("*/*-*.json")):
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < deadline_s
        time.sleep(0.05)
    time.sleep(0.5)
    # As a terminal does it: asv, its benchmarks and what they started are interrupted, too.
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=WAIT_S)
    return process.returncode, output, measured(project)


@pytest.fixture(scope="module")
def continued(project, interrupted):
    """Run the command again."""
    return run_dashboard(project)


def test_an_interrupt_says_what_is_kept_and_what_to_do(interrupted):
    """In one line, without a traceback; nothing runs on."""
    status, output, _ = interrupted
    assert status == 130
    assert output.splitlines()[-1] == (
        "fixwatch: interrupted; 1 of 2 releases are measured and kept, as are the finished "
        "batches of the next; the same command goes on from there"
    )
    assert "Traceback" not in output


def test_the_run_after_an_interrupt_measures_the_rest(project, interrupted, continued):
    """The release that was measured is not measured again."""
    assert continued.returncode == 0, continued.stderr
    assert "2 releases of numba and numba-cuda on " in continued.stderr
    assert "; 1 of them are measured" in continued.stderr
    now = measured(project)
    assert now.keys() == {"0.24.0", "0.26.0"}
    ((name, moment),) = interrupted[2].items()
    assert now[name] == moment


def test_the_answer_is_two_lines_an_upstream_and_where_to_look(project, continued):
    """Progress is on standard error, and asv's own output in a log that is named."""
    answer, advice, _, *where = continued.stdout.splitlines()
    assert answer.startswith("numba-cuda: ")
    assert "cuda-swap fixed in 0.26.0" in answer
    assert advice.startswith("  ")
    assert "0.26.0" in advice
    assert all("html/" in line or "-m fixwatch status" in line for line in where)
    assert "fixwatch: 1 of 1, numba-cuda 0.26.0: " in continued.stderr
    assert len(continued.stdout.splitlines() + continued.stderr.splitlines()) <= 20
    assert "asv prints into .fixwatch/dashboard.log" in continued.stderr
    assert "Discovering benchmarks" in (project.path / ".fixwatch/dashboard.log").read_text()


def test_a_third_run_measures_nothing(project, continued):
    """It publishes and prints the same answer; asv's output is shown if that is asked for."""
    before = measured(project)
    done = run_dashboard(project, "--verbose")
    assert done.returncode == 0, done.stderr
    assert measured(project) == before
    assert continued.stdout in done.stdout
    assert "2 of them are measured" in done.stderr
    assert ".log" not in done.stderr
