"""The command ``releases``."""

from __future__ import annotations


def test_releases_lists_the_table(fixwatch):
    """Each line is a release with its date."""
    assert "numba-cuda 0.26.0    2026-01-30" in fixwatch("releases").stdout.splitlines()


def test_refreshing_without_an_index_changes_nothing(project, fixwatch):
    """An index that does not answer is one line and exit status 3, and the table stays."""
    table = project / "fixwatch" / "history" / "releases.json"
    before = table.read_bytes()
    done = fixwatch("releases", "--refresh", FIXWATCH_INDEX_JSON_URL="http://127.0.0.1:9/pypi")
    assert done.returncode == 3
    assert "does not answer" in done.stderr
    assert table.read_bytes() == before
