"""Fetching what releases need before they are installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fixwatch.history.release_table import load_release_table
from fixwatch.installing.as_of import create_environment, install_exactly
from fixwatch.installing.releases import fetch, fetching, resolve_release

PYTHON = Path(sys.executable)
RELEASES = [
    release
    for release in load_release_table()
    if (release.upstream, release.version) in (("numba-cuda", "0.0.15"), ("numba-cuda", "0.24.0"))
]


@pytest.mark.end_to_end
def test_what_was_fetched_installs_without_the_index(tmp_path, monkeypatch):
    """The cache has everything: what a release resolves to, and the files."""
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    oldest = RELEASES[:1]
    fetch([f"{release.upstream}=={release.version}" for release in oldest])
    monkeypatch.setenv("UV_OFFLINE", "1")
    pins = resolve_release(oldest[0], PYTHON).pins
    environment = create_environment(tmp_path / "environment", PYTHON)
    install_exactly(pins, environment.path, environment.python)
    code = "from importlib.metadata import version; print(version('numba-cuda'))"
    done = subprocess.run([environment.python, "-c", code], capture_output=True, check=True)
    assert done.stdout.strip() == b"0.0.15"


@pytest.mark.usefixtures("unreachable_index")
def test_fetching_ends_with_the_block():
    """However much is left to download: each of 20,000 tries here is a process of uv."""
    with fetching(RELEASES * 10_000):
        pass


@pytest.fixture
def unreachable_index(monkeypatch, tmp_path):
    """Let there be no index and an empty cache."""
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")


@pytest.mark.usefixtures("unreachable_index")
def test_an_index_out_of_reach_is_left_to_the_install(capfd):
    """Which says it once; fetching says nothing."""
    fetch([f"{release.upstream}=={release.version}" for release in RELEASES])
    assert capfd.readouterr() == ("", "")
