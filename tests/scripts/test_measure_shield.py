"""The script that times launches with the shield: what it takes part with, and its table."""

from __future__ import annotations

import pytest

from scripts import measure_shield
from scripts.measure_shield import COMPARED, DOCUMENT, choose


def test_the_compared_releases_are_in_the_table():
    """A misspelt one would be left out without a word."""
    releases = measure_shield.load_release_table()
    names = [f"{release.upstream} {release.version}" for release in choose(COMPARED, releases)]
    assert sorted(names) == sorted(COMPARED)


@pytest.mark.end_to_end
def test_the_script_times_a_release_and_writes_its_table(tmp_path):
    """The ratio is that of the script's machine, so a missed bar is no failure of the test."""
    document = tmp_path / "shield.md"
    document.write_text(DOCUMENT.read_text(encoding="utf-8"))
    measure_shield.main(["--quick", "--document", str(document)])
    text = document.read_text(encoding="utf-8")
    assert "At a small size" in text
    assert "| numba-cuda 0.30.4 | " in text
