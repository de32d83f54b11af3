"""Reading the index's document for a project."""

from __future__ import annotations

import pytest

from fixwatch.errors import CouldNotMeasureError
from fixwatch.history.package_index import fetch_releases, read_releases


def file(name, uploaded="2024-01-31T23:03:40.318909Z", *, yanked=False):
    """Return what the index says of a file."""
    kind = "bdist_wheel" if name.endswith(".whl") else "sdist"
    return {
        "filename": name,
        "packagetype": kind,
        "upload_time_iso_8601": uploaded,
        "yanked": yanked,
    }


def test_only_final_releases_with_wheels_are_read():
    """Pre-releases, releases before the first tracked one, and mere sources are left out."""
    wheel = "numba-{}-cp311-cp311-win_amd64.whl"
    document = {
        "releases": {
            "0.59.0": [
                file("numba-0.59.0.tar.gz", "2024-01-31T23:05:00Z"),
                file(wheel.format("0.59.0"), "2024-01-31T23:03:40.318909Z"),
            ],
            "0.59.0rc1": [file(wheel.format("0.59.0rc1"))],
            "0.56.4": [file(wheel.format("0.56.4"))],
            "0.58.0": [file("numba-0.58.0.tar.gz")],
            "not-a-version": [file("x.whl")],
            "0.60.0": [],
        }
    }
    (release,) = read_releases("numba", document)
    assert release.version == "0.59.0"
    assert release.uploaded_at.isoformat() == "2024-01-31T23:03:40+00:00"
    assert release.wheel_tags == ("cp311-cp311-win_amd64",)
    assert not release.is_yanked


def test_a_release_is_yanked_when_all_its_wheels_are():
    """A release is yanked only when all its wheels are."""
    wheels = [f"numba-0.59.0-cp{python}-cp{python}-win_amd64.whl" for python in (310, 311)]
    for yanked in ([True, True], [True, False]):
        files = [file(name, yanked=flag) for name, flag in zip(wheels, yanked, strict=True)]
        (release,) = read_releases("numba", {"releases": {"0.59.0": files}})
        assert release.is_yanked is all(yanked)


def test_an_index_that_does_not_answer_is_one_line(monkeypatch):
    """The error is one line; nothing listens on port 9 of this machine."""
    monkeypatch.setenv("FIXWATCH_INDEX_JSON_URL", "http://127.0.0.1:9/pypi")
    with pytest.raises(CouldNotMeasureError, match="does not answer for numba .*unchanged"):
        fetch_releases("numba")


def test_an_index_that_is_no_web_address_is_refused(monkeypatch):
    """Only http addresses are asked, since a file address would read anything."""
    monkeypatch.setenv("FIXWATCH_INDEX_JSON_URL", "file:///etc")
    with pytest.raises(CouldNotMeasureError, match="not an http address"):
        fetch_releases("numba")
