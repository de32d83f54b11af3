"""The table of sources that the shield knows."""

from __future__ import annotations

import inspect
import textwrap

import pytest

from fixwatch.history.release_table import load_release_table
from mwe.shield import cudasim_shield
from scripts.environments import find_release
from scripts.know_sources import find_source, find_sources, name_releases


def decorate(function):
    """Return it."""
    return function


@decorate
def decorated():
    """Return nothing."""


class Holder:
    """Has a method."""

    def method(self):
        """Return nothing."""


@pytest.mark.parametrize(
    ("subject", "found"),
    [
        ("this.decorated", decorated),
        ("this.Holder", Holder),
        ("this.Holder.method", Holder.method),
    ],
)
def test_a_source_in_a_wheel_has_the_digest_of_the_imported_one(subject, found):
    """The script parses files; the shield asks Python."""
    modules = {"this": inspect.getsource(inspect.getmodule(decorated))}
    expected = cudasim_shield.digest([inspect.getsource(found)])
    assert cudasim_shield.digest([find_source(modules, subject)]) == expected


def test_comments_and_indentation_make_no_other_source():
    """A statement does."""
    source = "def f():\n    x = 1\n    return x\n"
    same = textwrap.indent("def f():\n\n    # why\n    x = 1 \n    return x", "    ")
    assert cudasim_shield.digest([same]) == cudasim_shield.digest([source])
    other = source.replace("1", "2")
    assert cudasim_shield.digest([other]) != cudasim_shield.digest([source])
    deeper = source.replace("    return", "        return")
    assert cudasim_shield.digest([deeper]) != cudasim_shield.digest([source])


def test_releases_are_named_as_spans_of_versions():
    """Not of upload days: 0.19.2 came after 0.24.0."""
    releases = load_release_table()
    own = [
        find_release("numba-cuda", version) for version in ("0.19.2", "0.20.0", "0.20.1", "0.26.0")
    ]
    assert name_releases(own, releases) == "numba-cuda 0.19.2 to 0.20.1, 0.26.0"


@pytest.mark.end_to_end
def test_the_table_has_what_the_wheels_have():
    """Two releases with sources of their own, one of them with a mended swap."""
    releases = [find_release("numba-cuda", version) for version in ("0.9.0", "0.30.4")]
    affected, mended = find_sources(releases)
    for found, known in ((affected, cudasim_shield.AFFECTED), (mended, cudasim_shield.MENDED)):
        for defect, digests in found.items():
            assert digests.keys() <= known[defect].keys()
    assert list(mended) == ["cuda-swap"]
