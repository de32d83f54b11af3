"""Which ways of writing a kernel fail on which upstream, and what to do instead: a row a way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fixwatch.report.addresses import name_sheet
from fixwatch.statistics.binomial import Counts
from fixwatch.verdicts.allocations import AllocationRow, list_allocations
from fixwatch.verdicts.controls import NEGATIVE_CONTROL
from fixwatch.verdicts.series import Series
from fixwatch.verdicts.targets import SIMULATOR
from mwe.defects import WORKLOADS


@dataclass(frozen=True, kw_only=True)
class Cell:
    """How a way fares on an upstream, on the revisions that have the defect."""

    counts: Counts
    unit: str  # what is counted
    bound: float | None  # of the rate (exact, one-sided, 95 %), where nothing failed
    href: str

    @property
    def rate(self) -> float:
        """The share that failed."""
        return self.counts.n_failures / self.counts.n_trials


@dataclass(frozen=True, kw_only=True)
class Way:
    """A way of writing a kernel; one cell an upstream, None where nothing is to be said."""

    workload: str
    description: str
    is_work_around: bool
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, kw_only=True)
class DefectWays:
    """The ways that meet a defect, then those that avoid it."""

    defect: str
    ways: tuple[Way, ...]


def tabulate_ways(all_series: Sequence[Series], upstreams: Sequence[str]) -> list[DefectWays]:
    """Return the ways by defect, the cells of each in the order of the upstreams.

    Of commits and releases the source speaks that has more of it.
    """
    met = list_allocations(all_series)
    avoided = list_allocations(all_series, NEGATIVE_CONTROL)
    return [
        DefectWays(
            defect=defect,
            ways=tuple(
                Way(
                    workload=workload,
                    description=next(row.description for row in own if row.workload == workload),
                    is_work_around=is_work_around,
                    cells=tuple(
                        _choose_cell(
                            [row for row in own if (row.workload, row.upstream) == (workload, name)]
                        )
                        for name in upstreams
                    ),
                )
                for is_work_around, rows in ((False, met), (True, avoided))
                for own in [[row for row in rows if row.defect == defect]]
                for workload in _order({row.workload for row in own})
            ),
        )
        for defect in dict.fromkeys(row.defect for row in met)
    ]


def _order(workloads: Iterable[str]) -> list[str]:
    """Return workloads as their defects list them, then those that nobody knows any more."""
    known = list(WORKLOADS)
    return sorted(
        workloads, key=lambda name: (known.index(name) if name in known else len(known), name)
    )


def _choose_cell(rows: Sequence[AllocationRow]) -> Cell | None:
    """Return the cell of the source with the most trials, but none that hides a failure."""
    cells = [
        Cell(
            counts=counts,
            unit=unit,
            bound=row.bound if unit == "trials" else None,
            href=name_sheet(row.upstream, row.source, SIMULATOR, row.defect),
        )
        for row in rows
        for unit, counts in (("trials", row.counts), ("explorations", row.explored))
        if counts
    ]
    return max(
        cells,
        key=lambda cell: (
            cell.counts.n_failures > 0,
            cell.unit == "trials",
            cell.counts.n_trials,
        ),
        default=None,
    )
