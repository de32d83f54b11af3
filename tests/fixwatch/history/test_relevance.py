"""Which commits are measured: those that can change the result, the releases, and both ends."""

from __future__ import annotations

import pytest

from fixwatch.history.relevance import explain_relevance, select_commits

ORDER = {name: float(number) for number, name in enumerate("abcdefg")}


def select(touching="", releases=None):
    """Select from the commits a to e."""
    touches = dict.fromkeys(touching, "touches x")
    return select_commits(list("edcba"), touches, releases or {}, ORDER)


def test_both_ends_are_measured_whatever_they_touch():
    """A range is never empty, and says where it begins and ends."""
    assert select() == {"e": ("end of the range",), "a": ("end of the range",)}


def test_commits_that_touch_a_path_are_measured_newest_first():
    """A commit that touches a relevant path is measured, and the reason names the path."""
    selected = select("bd")
    assert list(selected) == ["e", "d", "b", "a"]
    assert selected["b"] == ("touches x",)


def test_releases_made_beside_the_branch_are_measured_if_made_within_the_range():
    """Release c lies within the range; f is newer than its end and is left out."""
    assert list(select(releases={"c": "1.0", "f": "2.0"})) == ["e", "c", "a"]


def test_a_commit_has_all_its_reasons():
    """An end of the range that is a release and touches a path has three reasons."""
    selected = select("a", {"a": "0.57.0"})
    assert selected["a"] == ("end of the range", "touches x", "release 0.57.0")


def test_an_empty_range_selects_nothing():
    """A range without commits has none to measure."""
    assert select_commits([], {}, {}, {}) == {}


@pytest.mark.parametrize(
    ("upstream", "files", "expected"),
    [
        ("numba-cuda", ["numba_cuda/numba/cuda/target.py"], "the compiler and the driver"),
        ("numba-cuda", ["numba_cuda/numba/cuda/decorators.py"], "the compiler and the driver"),
        ("numba-cuda", ["numba_cuda/numba/cuda/simulator/kernel.py"], None),
        ("numba-cuda", ["numba_cuda/numba/cuda/simulator_init.py"], None),
        ("numba-cuda", ["numba_cuda/numba/cuda/tests/cudapy/test_inline.py"], None),
        ("numba-cuda", ["setup.py"], "dependencies and build"),
        ("numba", ["numba/cuda/codegen.py"], "the built-in CUDA target's compiler and driver"),
        ("numba", ["numba/cuda/simulator/kernel.py"], None),
        ("numba", ["numba/core/typeinfer.py"], None),
    ],
)
@pytest.mark.parametrize("target", ["compiler", "cuda"])
def test_for_compilers_and_devices_other_files_matter(upstream, files, expected, target):
    """All of the CUDA target but its simulator and its tests."""
    explanation = explain_relevance(upstream, files, target)
    assert explanation is None if expected is None else f"touches {expected}" in explanation


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["numba_cuda/numba/cuda/simulator/kernelapi.py"], "the simulator"),
        (["docs/x.py", "numba_cuda/numba/cuda/types/ext_types.py"], "imported by a launch"),
        (["numba_cuda/numba/cuda/types.py"], "imported by a launch"),
        (["pyproject.toml"], "dependencies and build"),
        (["numba_cuda/numba/cuda/simulator/tests/x.py"], None),
        (["numba_cuda/numba/cuda/codegen.py", "tests/pyproject.toml"], None),
        # A name that begins like a folder is not in it.
        (["numba_cuda/numba/cuda/simulator_tools.py"], None),
    ],
)
def test_what_a_commit_touches_is_said(files, expected):
    """The reason names the part of the tree and the first file in it."""
    explanation = explain_relevance("numba-cuda", files)
    if expected is None:
        assert explanation is None
    else:
        assert explanation.startswith(f"touches {expected}")
        assert files[-1] in explanation
