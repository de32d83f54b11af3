"""Shards: every commit once, and as many for each machine."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixwatch.errors import FixwatchError
from fixwatch.history.sharding import COMMIT_S, plan_shards


@given(st.integers(0, 700), st.integers(1, 12))
def test_every_commit_is_in_one_of_even_shards(n_commits, n_shards):
    """Each shard keeps the order of the plan, and their lengths differ by at most one."""
    commits = [f"{number:03}" for number in range(n_commits)]
    shards = plan_shards(commits, n_shards, "numba-cuda")
    dealt = [shard["commits"].split() for shard in shards]
    assert sorted(commit for own in dealt for commit in own) == commits
    assert all(own == sorted(own) for own in dealt)
    lengths = [len(own) for own in dealt]
    assert lengths == [shard["n_commits"] for shard in shards]
    assert len(shards) == min(n_commits, n_shards)
    assert not lengths or max(lengths) - min(lengths) <= 1
    assert len({shard["shard"] for shard in shards}) == len(shards)


def test_the_estimate_is_that_of_the_upstream():
    """A shard costs as much as its commits together."""
    (shard,) = plan_shards(["a", "b"], 1, "numba")
    assert shard["estimated_s"] == 2 * COMMIT_S["numba"]


def test_a_plan_for_no_machine_is_refused():
    """There must be at least one shard."""
    with pytest.raises(FixwatchError, match="at least 1"):
        plan_shards([], 0, "numba")
