"""A device's target without a device: the toolkit from the package index, PTX, and `not-run`."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from packaging.version import Version

from fixwatch.history.release_table import load_release_table
from fixwatch.installing.as_of import install_exactly, resolve_as_of
from fixwatch.installing.cuda_parts import find_cuda_requirements
from fixwatch.layout import CUDA_CONFIGURATION
from mwe.defects import WORKLOADS
from mwe.targets import Target
from tests.end_to_end.measuring import MACHINE, ReleaseProject
from tests.project import ROOT

pytestmark = pytest.mark.end_to_end

RELEASE = ("numba-cuda", "0.30.4")
NO_SUCH_DRIVER = "/nowhere/libcuda.so.1"
COMPILABLE = {name for name, workload in WORKLOADS.items() if Target.CUDA in workload.targets}


def install_newest(upstream, folder):
    """Install the newest release with its parts of the toolkit; return the interpreter."""
    subprocess.run([sys.executable, "-m", "virtualenv", "-q", "--no-pip", folder], check=True)
    python = next(folder.glob("[bS]*/python*"))
    release = max(
        (
            candidate
            for candidate in load_release_table()
            if candidate.upstream == upstream and candidate.has_wheel_for(sys.version_info[:2])
        ),
        key=lambda candidate: candidate.parsed_version,
    )
    parts = find_cuda_requirements(upstream, Version(release.version), None)
    resolution = resolve_as_of(
        [f"{parts.name(upstream)}=={release.version}", *parts.requirements],
        release.resolved_as_of,
        python,
        exempt=[upstream],
    )
    install_exactly(resolution.pins, folder, python)
    return python


def compile_to_ptx(python, *arguments):
    """Return exit status, the compiled texts and the reasons of those that were refused."""
    command = [python, "-m", "mwe", "--ptx", *arguments, "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    kernels = json.loads(done.stdout)["workloads"]
    compiled = {name: found["ptx"] for name, found in kernels.items() if found["is_complete"]}
    refused = {name: found["reason"] for name, found in kernels.items() if not found["is_complete"]}
    return done.returncode, compiled, refused


def assert_is_ptx(text, target):
    """Check that a text is PTX of one kernel for a device generation."""
    assert re.search(rf"^\.target {target}$", text, re.MULTILINE)
    assert len(re.findall(r"^\.visible \.entry ", text, re.MULTILINE)) == 1
    assert "st.global" in text


def test_the_newest_numba_cuda_compiles_every_kernel(tmp_path):
    """The compiler of its extra does so for two generations of devices, without a driver."""
    python = install_newest("numba-cuda", tmp_path)
    status, compiled, refused = compile_to_ptx(python)
    assert (status, refused) == (0, {})
    assert compiled.keys() == COMPILABLE
    for text in compiled.values():
        assert_is_ptx(text, "sm_90")
    status, compiled, _ = compile_to_ptx(python, "8.0", "--workload", "local-array")
    assert status == 0
    assert_is_ptx(compiled["local-array"], "sm_80")


def test_the_built_in_target_compiles_every_kernel(tmp_path):
    """NVIDIA's wheels suffice; functions return arrays only because they are inlined."""
    status, compiled, refused = compile_to_ptx(install_newest("numba", tmp_path))
    assert (status, refused) == (0, {})
    assert compiled.keys() == COMPILABLE
    for text in compiled.values():
        assert_is_ptx(text, "sm_90")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Return a project in which a release was to be measured on a device."""
    project = ReleaseProject(tmp_path_factory.mktemp("device"), CUDA_CONFIGURATION)
    # So on a machine with a device, too.
    project.environment["NUMBA_CUDA_DRIVER"] = NO_SUCH_DRIVER
    done = project.measure(RELEASE)
    assert done.returncode == 0, done.stdout + done.stderr
    project.printed = done.stdout
    return project


def test_nothing_is_measured_and_the_reason_is_kept(project):
    """Each batch is not run for want of a driver; asv prints n/a."""
    record = project.evidence(RELEASE)
    assert record.target == "cuda"
    assert {batch.schedule for batch in record.batches} == {"natural", "launch-mix"}
    assert {batch.workload for batch in record.batches} == COMPILABLE
    for batch in record.batches:
        assert (batch.printed, batch.stage) == (None, "device")
        assert batch.reason.startswith(f"no CUDA driver: {NO_SUCH_DRIVER} cannot be loaded")
    assert "n/a" in project.printed
    assert "failed" not in project.printed


def test_the_toolkit_was_installed_as_of_the_upload_day(project):
    """The packages are those that the release's own extra names."""
    packages = project.evidence(RELEASE).packages
    assert packages["cuda-toolkit"].startswith(("12.", "13."))
    assert any(name.startswith("nvidia-nvjitlink") for name in packages)


def test_the_status_says_so_and_reads_no_zero(project):
    """The terminal has one line that says so, and there is no count anywhere."""
    command = [sys.executable, "-m", "fixwatch", "status"]
    printed, document = (
        subprocess.run(
            [*command, *options],
            cwd=project.path,
            env=project.environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for options in ([], ["--json"])
    )
    assert (
        "numba-cuda on a device: any other failure and captured-reversed-array not run" in printed
    )
    assert "(releases, local-array)" in printed
    for entry in json.loads(document)["upstreams"]:
        assert (entry["state"], entry["target"]) == ("not-run", "cuda")
        assert {measurement["failures"] for measurement in entry["measurements"]} == {None}


def test_it_is_tried_again(project):
    """Another day there may be a driver: asv has no result that it would skip."""
    before = project.evidence(RELEASE).measured_at
    assert not list(project.results_dir.glob(f"{MACHINE}/*-virtualenv-*.json"))
    done = project.measure(RELEASE, options=["--skip-existing-successful"])
    assert done.returncode == 0
    assert re.search(r"(\d+) of \1 batches were not run; device: no CUDA driver", done.stdout)
    assert project.evidence(RELEASE).measured_at > before
