"""Merging shards into `results/`: the same whatever their order, and however often."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from fixwatch.durable_files import write_text_atomically
from fixwatch.records.evidence import SUFFIX, BatchEvidence, save_evidence
from fixwatch.records.shards import Measured, Shard, read_shard
from fixwatch.run_lock import hold_lock

Announce = Callable[[str], None]


def merge_shards(
    roots: Sequence[Path], results_dir: Path, announce: Announce
) -> tuple[int, list[tuple[str, str]]]:
    """Take what shards hold into a results folder.

    Of several measurements of a revision in an environment the one with more batches stays, of
    these the newer one.

    Parameters
    ----------
    roots
        Folders that are laid out like the results folder.
    results_dir
        Created if it is missing; what is in it takes part like a shard.
    announce
        Called with a line where another run has to be waited for.

    Returns
    -------
    tuple
        How many revisions were written, and path and reason of all that was refused.
    """
    refused: list[tuple[str, str]] = []
    shards: list[Shard] = []
    for root in roots:
        if not root.is_dir():
            refused.append((str(root), "no such folder"))
            continue
        shard = read_shard(root)
        shards.append(shard)
        refused += [(f"{root}/{name}", reason) for name, reason in shard.refused]
    chosen, clashes = _choose([each for shard in shards for each in shard.measured])
    refused += clashes
    for upstream in sorted({each.folder for each in chosen}):
        hold_lock(results_dir / upstream, announce)
    known = read_shard(results_dir) if results_dir.is_dir() else None
    present = {_place(each): each for each in known.measured} if known else {}
    roles = _collect_roles(present.values())
    n_written = 0
    for each in chosen:
        old = present.get(_place(each))
        if old and old.evidence.commit != each.evidence.commit:
            refused.append(
                (_name(each), "another commit with the same short hash is there already")
            )
            continue
        if old and old.rank >= each.rank:
            continue
        foreign = [
            batch.workload
            for batch in each.evidence.batches
            if roles.setdefault(batch.workload, _role_of(batch)) != _role_of(batch)
        ]
        if foreign:
            refused.append((_name(each), f"{foreign[0]} has another role than in the results"))
            continue
        folder = results_dir / each.folder / each.machine
        if old is None and (folder / f"{each.stem}{SUFFIX}").exists():
            refused.append((_name(each), "is there already and cannot be read; look at it first"))
            continue
        # Evidence first, as a run writes it: without asv's result it is measured again.
        save_evidence(each.evidence, folder / f"{each.stem}{SUFFIX}")
        write_text_atomically(folder / f"{each.stem}.json", json.dumps(each.result))
        n_written += 1
    for (upstream, machine), description in _choose_machines(shards).items():
        path = results_dir / upstream / machine / "machine.json"
        if path.parent.is_dir() and not path.exists():
            write_text_atomically(path, json.dumps(description, indent=4, sort_keys=True))
    return n_written, refused


def _collect_roles(measured: Iterable[Measured]) -> dict[str, tuple[str, bool]]:
    """Return what each workload is for, as the results have it."""
    return {batch.workload: _role_of(batch) for each in measured for batch in each.evidence.batches}


def _role_of(batch: BatchEvidence) -> tuple[str, bool]:
    return batch.role, batch.decides or batch.schedule == "natural"


def _choose(measured: Sequence[Measured]) -> tuple[list[Measured], list[tuple[str, str]]]:
    """Return the best measurement of each revision, and those whose short hashes clash."""
    best: dict[tuple[str, str, str], Measured] = {}
    clashing: set[tuple[str, str, str]] = set()
    for each in measured:
        place = _place(each)
        other = best.get(place)
        if other and other.evidence.commit != each.evidence.commit:
            clashing.add(place)
        if other is None or each.rank > other.rank:
            best[place] = each
    reason = "two commits with the same short hash; neither is taken"
    clashes = [("/".join(place), reason) for place in sorted(clashing)]
    return [best[place] for place in sorted(best) if place not in clashing], clashes


def _choose_machines(shards: Sequence[Shard]) -> dict[tuple[str, str], dict[str, object]]:
    found: dict[tuple[str, str], dict[str, object]] = {}
    for shard in shards:
        for place, description in shard.machines.items():
            known = found.setdefault(place, description)
            found[place] = min(
                known, description, key=lambda each: json.dumps(each, sort_keys=True)
            )
    return found


def _place(each: Measured) -> tuple[str, str, str]:
    return each.folder, each.machine, each.stem


def _name(each: Measured) -> str:
    return "/".join(_place(each))
