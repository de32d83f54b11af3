"""How often an affected revision fails: what silence is measured by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fixwatch.configuration import load_configuration
from fixwatch.history.order import RevisionOrder, load_order
from fixwatch.layout import CONFIGURATIONS
from fixwatch.records.evidence import Evidence, iter_evidence
from fixwatch.verdicts.controls import WORKLOAD
from fixwatch.verdicts.judgements import count_shown


@dataclass(frozen=True, kw_only=True)
class Reference:
    """Records among which there are affected revisions."""

    kind: str  # ``base``, ``this-machine``, ``another-machine`` or ``none``
    description: str
    records: tuple[Evidence, ...] = ()  # as if measured where the judged revision is
    order: RevisionOrder = field(default_factory=RevisionOrder)


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What lies on disk of all upstreams."""

    records: tuple[Evidence, ...]
    order: RevisionOrder


def load_recorded() -> Recorded:
    """Read the results of all configurations."""
    folders = [load_configuration(Path(name)).results_dir for name in CONFIGURATIONS]
    records = tuple(record for folder in folders for record in iter_evidence(folder))
    return Recorded(records=records, order=load_order(folders))


def choose_reference(
    judged: Evidence,
    base: Evidence | None,
    defect: str,
    load: Callable[[], Recorded] = load_recorded,
) -> Reference:
    """Return the best reference that there is for what was measured of a defect.

    A base that was measured beside it, if it shows the defect in every workload under every
    schedule that decides; else what is on disk of the same upstream, of this machine and Python;
    else of another machine; else of another upstream. Explorations are measured by none. `load` is
    called if the base does not serve.
    """
    needed = {
        (batch.workload, batch.schedule)
        for batch in judged.of_defect(defect).batches
        if batch.role == WORKLOAD and batch.decides
    }
    if not needed:
        return Reference(kind="none", description="none: nothing was run whose silence needs one")
    if base is not None and _covers([base], needed):
        description = f"{base.name}, measured beside it"
        return Reference(kind="base", description=description, records=(base.of_defect(defect),))
    recorded = load()
    places: dict[tuple[bool, str, str], list[Evidence]] = defaultdict(list)
    for record in (record.of_defect(defect) for record in recorded.records):
        if (
            record.target == judged.target
            and record.measurement_version == judged.measurement_version
            and record.commit != judged.commit
        ):
            is_other = record.upstream != judged.upstream
            places[is_other, record.machine, record.python].append(record)
    for place in sorted(places, key=lambda place: _rank(place, judged, len(places[place]))):
        if _covers(places[place], needed):
            return _describe(places[place], judged, recorded.order)
    return Reference(
        kind="none",
        description="none: no affected revision was measured this way; give --against one",
    )


def _rank(place: tuple[bool, str, str], judged: Evidence, n_records: int) -> tuple[Any, ...]:
    """Sort this upstream first, of these this machine and Python, then this Python, the most."""
    is_other, machine, python = place
    is_elsewhere = (machine, python) != (judged.machine, judged.python)
    return is_other, is_elsewhere, python != judged.python, -n_records, machine, python


def _covers(records: Sequence[Evidence], needed: Collection[tuple[str, str]]) -> bool:
    """Return whether every needed workload and schedule showed the defect in some record."""
    shown = {
        (batch.workload, batch.schedule)
        for record in records
        for batch in record.batches
        if count_shown(batch)
    }
    return shown.issuperset(needed)


def _describe(records: Sequence[Evidence], judged: Evidence, order: RevisionOrder) -> Reference:
    first = records[0]
    is_here = (first.machine, first.python) == (judged.machine, judged.python)
    where = "this machine" if is_here else f"another machine, {first.machine}"
    n_affected = sum(
        any(batch.role == WORKLOAD and count_shown(batch) for batch in record.batches)
        for record in records
    )
    return Reference(
        kind="this-machine" if is_here else "another-machine",
        description=(
            f"{n_affected} affected revisions of {first.upstream}, measured on {where}, "
            f"Python {first.python}"
        ),
        records=tuple(
            replace(record, machine=judged.machine, python=judged.python) for record in records
        ),
        order=order,
    )
