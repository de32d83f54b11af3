"""How far everything for a device goes where a stand-in takes the place of the driver.

The stand-in has a device that can be asked about and nothing behind it. So each path goes on to the
first kernel that is to be put on the device, and records there why it was not run.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fixwatch.layout import CONFIGURATION_OF, CUDA_CONFIGURATION
from fixwatch.records.evidence import iter_evidence
from tests.end_to_end.measuring import FEW_BATCHES, MACHINE, Project, ReleaseProject
from tests.project import ROOT

pytestmark = pytest.mark.end_to_end

RELEASES = [("numba-cuda", "0.30.4"), ("numba", "0.68.1")]
COMMIT = "500b41f7"
UPSTREAM = "https://github.com/NVIDIA/numba-cuda.git"
REFUSAL = "CUDA_ERROR_NOT_SUPPORTED"
takes_minutes = pytest.mark.skipif(
    os.environ.get("FIXWATCH_LONG") != "1",
    reason="not run: takes minutes; FIXWATCH_LONG=1 asks for it",
)


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    """Return the folder with the stand-in, under the name that everything loads it by."""
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("the stand-in for the driver needs a C compiler, and Linux's loader")
    folder = tmp_path_factory.mktemp("driver")
    source = ROOT / "tests" / "subjects" / "stand_in_driver.c"
    library = folder / "libcuda.so.1"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source], check=True)
    return folder


def run_mwe(python, driver, *arguments):
    """Run the reproducer for a device with an environment's interpreter."""
    return subprocess.run(
        [python, "-m", "mwe", "--target", "cuda", *arguments],
        cwd=ROOT,
        env={**os.environ, "LD_LIBRARY_PATH": str(driver), "NUMBA_CUDA_DRIVER": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def assert_nothing_counts(record):
    """Check that each batch says at which call the driver refused, and has no number."""
    assert record.target == "cuda"
    assert record.batches
    for batch in record.batches:
        assert batch.printed is None
        assert REFUSAL in batch.reason


@pytest.fixture(scope="module", params=RELEASES, ids="-".join)
def measured(request, driver, tmp_path_factory):
    """Return a project in which a release was measured with the stand-in, and what asv said."""
    project = ReleaseProject(tmp_path_factory.mktemp("stand-in"), CUDA_CONFIGURATION)
    project.measure_few_workloads()
    done = project.measure(request.param, LD_LIBRARY_PATH=str(driver))
    return project, request.param, done


def test_a_release_goes_as_far_as_its_first_kernel(measured):
    """It is installed for the driver's version, compiled and handed over; that is on record."""
    project, release, done = measured
    record = project.evidence(release)
    assert_nothing_counts(record)
    assert record.packages["nvidia-cuda-nvcc-cu12"].startswith("12.")
    assert "failed" in done.stdout
    command = [sys.executable, "-m", "fixwatch", "status", "--json"]
    status = subprocess.run(
        command,
        cwd=project.path,
        env=project.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    for entry in json.loads(status.stdout)["upstreams"]:
        assert (entry["state"], entry["target"]) == ("not-run", "cuda")
        assert {found["failures"] for found in entry["measurements"]} == {None}


def test_the_reproducer_finds_a_device_and_says_what_it_refuses(measured, driver):
    """The check passes; each schedule ends with 3 and one line, and prints no result."""
    project, _, _ = measured
    (environment,) = project.path.glob(".fixwatch/envs/cuda/*/asv-env-info.json")
    python = environment.parent / "bin" / "python"
    checked = run_mwe(python, driver, "--check", "--json")
    assert (checked.returncode, json.loads(checked.stdout)["missing"]) == (0, None)
    for schedule in ("natural", "launch-mix"):
        done = run_mwe(python, driver, "--schedule", schedule)
        assert (done.returncode, done.stdout) == (3, "")
        assert REFUSAL in done.stderr
        assert done.stderr.count("\n") == 1


@takes_minutes
def test_a_commit_goes_as_far_as_a_release(driver, tmp_path):
    """It is built, installed for the driver and compiled; no batch has a number."""
    project = Project(tmp_path, CONFIGURATION_OF["cuda-numba-cuda"])
    # A local clone may stand for the public repository in the user's settings.
    settings = Path.home() / ".gitconfig"
    project.environment["GIT_CONFIG_GLOBAL"] = str(settings if settings.is_file() else os.devnull)
    reached = subprocess.run(
        ["git", "ls-remote", "--exit-code", UPSTREAM, "HEAD"],
        env=project.environment,
        capture_output=True,
        check=False,
    )
    if reached.returncode:
        pytest.skip("numba-cuda's repository cannot be reached")
    configuration = project.path / project.configuration
    old = '"source": "commits"'
    configuration.write_text(configuration.read_text().replace(old, f"{old}, {FEW_BATCHES}"))
    done = project.asv("run", "--machine", MACHINE, f"{COMMIT}^!", LD_LIBRARY_PATH=str(driver))
    (record,) = iter_evidence(project.path / "results" / "cuda-numba-cuda")
    assert record.commit.startswith(COMMIT), done.stdout + done.stderr
    assert_nothing_counts(record)


@pytest.fixture
def script_tools(tmp_path):
    """Return a folder with a stand-in for nvidia-smi, whose driver has CUDA 12 but not 13."""
    tool = tmp_path / "bin" / "nvidia-smi"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho 550.54\n")
    tool.chmod(0o755)
    return tool.parent


@takes_minutes
def test_the_script_for_a_device_goes_through_all_steps_and_fails(driver, script_tools, tmp_path):
    """Compiling needs no device and passes; each step that launches fails, and so does it all."""
    project = ReleaseProject(tmp_path, CUDA_CONFIGURATION)
    project.measure_few_workloads()
    path = os.pathsep.join([str(script_tools), project.environment["PATH"]])
    done = subprocess.run(
        [".github/gpu.sh"],
        cwd=project.path,
        env={
            **project.environment,
            "PATH": path,
            "LD_LIBRARY_PATH": str(driver),
            # All hundred tests for a device would fail; one shows it.
            "PYTEST_ADDOPTS": "--exitfirst",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "the target cuda can be used" in done.stdout
    assert REFUSAL in done.stderr
    records = list(iter_evidence(project.results_dir))
    for record in records:
        assert_nothing_counts(record)
    assert len(records) == 1
