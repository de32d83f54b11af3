"""A merge that was killed, and the one that follows it."""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys

import pytest

from fixwatch.records.merge import merge_shards
from tests.fixwatch.records.shard_files import (
    CHECKOUT,
    MACHINE,
    content,
    merge,
    of_commit,
    put,
)


def write_until(limit, shard, results):
    """Merge in a process of its own, which is killed at the write of a number; return its end.

    A file is written in two steps, and the kill may come before either and behind the second.
    """
    process = os.fork()
    if process == 0:
        steps = itertools.count()

        def dying(function):
            def step(*arguments):
                if next(steps) == limit:
                    os.kill(os.getpid(), signal.SIGKILL)
                return function(*arguments)

            return step

        os.fsync, os.replace = dying(os.fsync), dying(os.replace)
        merge_shards([shard], results, CHECKOUT, lambda _line: None)
        os._exit(0)
    return os.waitpid(process, 0)[1]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork and no SIGKILL")
def test_a_merge_that_is_killed_at_any_write_is_made_good_by_the_next(tmp_path):
    """Nothing is lost and nothing is left, whichever of the writes it was."""
    shard = tmp_path / "shard"
    for character in "ab":
        put(shard, *of_commit(character * 40))
    (shard / "numba-cuda" / MACHINE / "machine.json").write_text(
        json.dumps({"version": 1, "machine": MACHINE})
    )
    assert merge(tmp_path, shard) == (2, {})
    expected = content(tmp_path / "results")
    assert len(expected) == 5
    for limit in itertools.count():
        results = tmp_path / f"killed-{limit}"
        if write_until(limit, shard, results) == 0:
            break
        merge_shards([shard], results, CHECKOUT, print)
        assert content(results) == expected
        assert not list(results.rglob("*.part"))
    assert limit == 2 * len(expected)


def test_an_asv_result_that_is_missing_is_written_by_any_later_merge(tmp_path):
    """It was damaged and set aside, say; the shard that it came from need not be there."""
    path = put(tmp_path / "shard")
    assert merge(tmp_path, tmp_path / "shard") == (1, {})
    merged = tmp_path / "results" / path.relative_to(tmp_path / "shard")
    before = content(tmp_path / "results")
    merged.with_suffix(".json").unlink()
    put(tmp_path / "other", *of_commit("b" * 40))
    assert merge(tmp_path, tmp_path / "other") == (1, {})
    assert before.items() < content(tmp_path / "results").items()
