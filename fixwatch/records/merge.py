"""Merging shards into `results/`: the same whatever their order, and however often."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from fixwatch.durable_files import write_text_atomically
from fixwatch.records.asv_results import derive_result, has_result
from fixwatch.records.evidence import SUFFIX, BatchEvidence, Evidence, save_evidence
from fixwatch.records.shards import Checkout, Place, Refused, Shard, read_shard
from fixwatch.run_lock import hold_lock

# Takes out of shards what must not be merged into the results; returns what, and why.
Review = Callable[[Sequence[Shard], Shard], list[Refused]]


def merge_shards(
    roots: Sequence[Path],
    results_dir: Path,
    checkout: Checkout,
    announce: Callable[[str], None],
    review: Review = lambda _shards, _present: [],
) -> tuple[int, list[Refused]]:
    """Take the records of shards into a results folder, and derive asv's results from them.

    Shards are laid out like the results folder, which takes part like one and is created if it is
    missing. Of several measurements of a revision in an environment the one of the greatest
    `Evidence.rank` stays. Returns how many revisions were written, and path and reason of all that
    was refused.
    """
    refused: list[Refused] = []
    shards: list[Shard] = []
    for root in roots:
        if not root.is_dir():
            refused.append((str(root), "no such folder"))
            continue
        shard = read_shard(root, checkout)
        shards.append(shard)
        refused += [(f"{root}/{name}", reason) for name, reason in shard.refused]
    folders = sorted({place.folder for shard in shards for place in shard.records})
    for folder in folders:
        hold_lock(results_dir / folder, announce)
    own = replace(checkout, plan=None, planned_batches=None)
    present = read_shard(results_dir, own, max_files=math.inf)
    refused += review(shards, present)
    chosen, clashes = choose_records(shards)
    refused += clashes
    machines = {**_choose_machines(shards), **present.machines}
    roles = _collect_roles(present.records.values())
    n_written = 0
    for place, new in chosen.items():
        old = present.records.get(place)
        path = results_dir / place.folder / place.machine / f"{place.stem}{SUFFIX}"
        if old and old.commit == new.commit and old.rank >= new.rank:
            continue
        if obstacle := _find_obstacle(new, old, path, roles):
            refused.append((str(place), obstacle))
            continue
        # Evidence first, as a run writes it: asv's result can be derived from it again.
        save_evidence(new, path)
        _write_result(new, path, machines.get((place.folder, place.machine), {}))
        n_written += 1
        announce(f"{place}: {'new' if old is None else 'replaces what is there'}")
    for place, record in present.records.items():
        path = results_dir / place.folder / place.machine / f"{place.stem}{SUFFIX}"
        if place.folder in folders and not path.with_suffix(".json").exists():
            # A merge was killed here, or a damaged one was set aside.
            _write_result(record, path, machines.get((place.folder, place.machine), {}))
    for (folder, machine), description in machines.items():
        path = results_dir / folder / machine / "machine.json"
        if path.parent.is_dir() and not path.exists():
            content = {**description, "version": 1}
            write_text_atomically(path, json.dumps(content, indent=4, sort_keys=True))
    return n_written, refused


def _write_result(record: Evidence, path: Path, machine: Mapping[str, str]) -> None:
    """Write what asv is to have beside a record on a path, on a machine as asv describes it."""
    if has_result(record):
        result = derive_result(record, machine)
        write_text_atomically(path.with_suffix(".json"), json.dumps(result))


def _find_obstacle(
    new: Evidence, old: Evidence | None, path: Path, roles: dict[str, tuple[str, str, bool]]
) -> str | None:
    """Return why a record must not be written to a path; None if it may.

    What a workload is for must not change: a record that calls it a control would take it out of
    every verdict. A workload that is new adds its role.
    """
    if old is None and path.exists():
        return "is there already and cannot be read; look at it first"
    if old is not None and old.commit != new.commit:
        return "another commit with the same short hash is there already"
    for batch in new.batches:
        if roles.setdefault(batch.workload, _role_of(batch)) != _role_of(batch):
            return f"{batch.workload} has another role than in the results"
    return None


def _collect_roles(records: Iterable[Evidence]) -> dict[str, tuple[str, str, bool]]:
    """Return what each workload is for, as the results have it."""
    return {batch.workload: _role_of(batch) for record in records for batch in record.batches}


def _role_of(batch: BatchEvidence) -> tuple[str, str, bool]:
    return batch.defect, batch.role, batch.decides or batch.schedule in ("natural", "explore")


def choose_records(shards: Sequence[Shard]) -> tuple[dict[Place, Evidence], list[Refused]]:
    """Return the best measurement of each revision, and those whose short hashes clash."""
    best: dict[Place, Evidence] = {}
    clashing: set[Place] = set()
    for place, record in (item for shard in shards for item in shard.records.items()):
        other = best.setdefault(place, record)
        if other.commit != record.commit:
            clashing.add(place)
        if record.rank > other.rank:
            best[place] = record
    reason = "two commits with the same short hash; neither is taken"
    chosen = {place: best[place] for place in sorted(best) if place not in clashing}
    return chosen, [(str(place), reason) for place in sorted(clashing)]


def _choose_machines(shards: Sequence[Shard]) -> dict[tuple[str, str], dict[str, str]]:
    """Return one description of each machine, the same whatever the order of the shards."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for place, description in (item for shard in shards for item in shard.machines.items()):
        known = found.setdefault(place, description)
        found[place] = min(known, description, key=lambda item: sorted(item.items()))
    return found
