"""Dividing a scan among machines: by estimated cost, what shares compiled extensions together."""

from __future__ import annotations

import hashlib
import heapq
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fixwatch.installing.extension_keys import find_build_inputs

# Seconds on 2 cores, from the logs of the scans: what a commit costs whatever it is, and what
# compiling its extensions costs besides.
COMMIT_S = 9.0
COMPILE_S = {"numba": 8.0, "numba-cuda": 4.0}
# No group is a larger share of an even load than this, so that the groups can be balanced.
MAX_GROUP_SHARE = 0.25


@dataclass(frozen=True)
class PlannedCommit:
    """A commit to measure, and the sources that its extensions are compiled from, None for none."""

    commit: str
    sources: str | None


@dataclass(frozen=True, kw_only=True)
class PlannedShard:
    """The commits of one machine, newest first, and what they cost together, in seconds."""

    number: int
    commits: tuple[str, ...]
    estimated_s: float


def digest_sources(files: Mapping[str, str]) -> str | None:
    """Return a name for what extensions are compiled from; None where there is nothing to compile.

    Two commits with the same name share their extensions, as far as can be told from the tree.
    """
    inputs = {path: files[path] for path in sorted(find_build_inputs(files, {}))}
    if not any(path.endswith((".c", ".cc", ".cpp", ".cxx")) for path in inputs):
        return None
    return hashlib.sha256(json.dumps(inputs).encode()).hexdigest()


def plan_shards(
    commits: Sequence[PlannedCommit], n_shards: int, upstream: str
) -> list[PlannedShard]:
    """Divide commits into shards of about the same cost.

    Groups with the same sources are cut only where they are too large to be balanced; then, the
    costliest first, each goes to the shard that has the least. Shards without a commit are left
    out.

    Raises
    ------
    ValueError
        If there is to be no shard.
    """
    if n_shards < 1:
        raise ValueError(f"{n_shards} shards; ask for at least 1")
    compile_s = COMPILE_S.get(upstream, max(COMPILE_S.values()))
    order = {each.commit: place for place, each in enumerate(commits)}
    groups: dict[str | None, list[str]] = defaultdict(list)
    for each in commits:
        groups[each.sources].append(each.commit)
    even_s = len(commits) * COMMIT_S / n_shards
    max_length = max(1, int(even_s * MAX_GROUP_SHARE / COMMIT_S))
    pieces = [
        (len(piece) * COMMIT_S + (compile_s if sources else 0.0), piece)
        for sources, members in groups.items()
        for start in range(0, len(members), max_length)
        if (piece := members[start : start + max_length])
    ]
    loads: list[tuple[float, int, list[str]]] = [(0.0, number, []) for number in range(n_shards)]
    for cost_s, piece in sorted(pieces, key=lambda item: (-item[0], order[item[1][0]])):
        load_s, number, held = heapq.heappop(loads)
        heapq.heappush(loads, (load_s + cost_s, number, held + piece))
    return [
        PlannedShard(
            number=number,
            commits=tuple(sorted(held, key=order.__getitem__)),
            estimated_s=round(load_s, 1),
        )
        for load_s, number, held in sorted(loads, key=lambda load: load[1])
        if held
    ]
