"""What the workflows may do: what runs upstream's code has no token, and the others are locked."""

from __future__ import annotations

import re
import sys

import pytest
import yaml
from packaging.requirements import Requirement

from tests.project import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

WORKFLOWS = {
    path.name: yaml.safe_load(path.read_text())
    for path in sorted((ROOT / ".github" / "workflows").glob("*.yml"))
}
JOBS = [(name, job) for name, workflow in WORKFLOWS.items() for job in workflow["jobs"]]
# What may be run by a job that can write: it installs the lock, or nothing.
LOCKED = (".github/weekly.sh merge", ".github/weekly.sh track", ".github/breakage.sh")


@pytest.mark.parametrize(("name", "job"), JOBS)
def test_a_job_that_can_write_installs_no_package_that_is_not_locked(name, job):
    """Its steps are the locked ones, or actions alone."""
    job = WORKFLOWS[name]["jobs"][job]
    writes = "write" in job.get("permissions", {}).values()
    steps = [step["run"] for step in job.get("steps", []) if "run" in step]
    if writes:
        assert set(steps) <= set(LOCKED)
    # Whoever has a token says so.
    has_token = any("github.token" in str(step) for step in job.get("steps", []))
    assert not has_token or writes


def test_the_lock_has_every_dependency_but_numba():
    """`make lock` renews it; nothing that looks, merges or tells imports numba."""
    lock = (ROOT / ".github" / "requirements.lock").read_text()
    locked = {name.lower() for name in re.findall(r"^([A-Za-z0-9._-]+)==", lock, re.MULTILINE)}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    required = {
        requirement.name
        for requirement in map(Requirement, project["dependencies"])
        if requirement.marker is None or requirement.marker.evaluate({"python_version": "3.11"})
    }
    assert required - locked == {"numba"}


def test_everything_that_is_locked_has_a_hash():
    """An index can hand over nothing else under the same name and version."""
    lock = (ROOT / ".github" / "requirements.lock").read_text()
    entries = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)[1:]
    assert entries
    assert all("--hash=sha256:" in entry for entry in entries)


def test_nobody_but_the_merging_jobs_keeps_credentials():
    """No checkout leaves a token in the repository's configuration."""
    for workflow in WORKFLOWS.values():
        for job in workflow["jobs"].values():
            for step in job.get("steps", []):
                if step.get("uses", "").startswith("actions/checkout@"):
                    assert step["with"]["persist-credentials"] is False
