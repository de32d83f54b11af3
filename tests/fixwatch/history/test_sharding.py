"""Shards: every commit once, balanced, and together what shares its extensions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixwatch.history.sharding import PlannedCommit, digest_sources, plan_shards


def commits_of(*groups):
    """Return commits of groups with as many members, None for commits without extensions."""
    return [
        PlannedCommit(f"{name}-{number}", None if name == "pure" else name)
        for name, length in groups
        for number in range(length)
    ]


def test_600_commits_on_8_machines_are_balanced():
    """As numba's: few large groups, many small ones."""
    groups = [("a", 120), ("b", 90), ("c", 60), *((f"g{i}", 10) for i in range(20)), ("pure", 130)]
    shards = plan_shards(commits_of(*groups), 8, "numba")
    loads = [shard.estimated_s for shard in shards]
    assert len(shards) == 8
    assert sum(len(shard.commits) for shard in shards) == 600
    assert max(loads) <= 1.15 * sum(loads) / 8


@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", "c", "pure"]), st.integers(1, 30)), max_size=4),
    st.integers(1, 12),
)
def test_every_commit_is_in_exactly_one_shard(groups, n_shards):
    """In the order of the plan, and the same every time."""
    commits = list({each.commit: each for each in commits_of(*groups)}.values())
    shards = plan_shards(commits, n_shards, "numba-cuda")
    found = [commit for shard in shards for commit in shard.commits]
    assert sorted(found) == sorted(each.commit for each in commits)
    order = [each.commit for each in commits]
    for shard in shards:
        places = [order.index(commit) for commit in shard.commits]
        assert places == sorted(places)
    assert shards == plan_shards(commits, n_shards, "numba-cuda")


def test_small_groups_stay_together():
    """So that each compiles its extensions once."""
    shards = plan_shards(commits_of(*((f"g{i}", 3) for i in range(24))), 4, "numba")
    for shard in shards:
        names = [commit.split("-")[0] for commit in shard.commits]
        assert all(names.count(name) == 3 for name in names)


def test_no_shard_is_an_error():
    """And more shards than commits leave some out."""
    with pytest.raises(ValueError, match="at least 1"):
        plan_shards([], 0, "numba")
    assert len(plan_shards(commits_of(("a", 2)), 5, "numba")) <= 2
    assert plan_shards([], 3, "numba") == []


def test_commits_with_the_same_sources_have_the_same_name():
    """Python files and prose make no difference; a tree without C has no name."""
    files = {"setup.py": "1", "x/a.c": "2", "x/a.h": "3", "x/a.py": "4", "README.md": "5"}
    name = digest_sources(files)
    assert name == digest_sources({**files, "x/a.py": "x", "README.md": "x"})
    for changed in ("setup.py", "x/a.c", "x/a.h"):
        assert digest_sources({**files, changed: "x"}) != name
    assert digest_sources({"setup.py": "1", "x/a.h": "3"}) is None
