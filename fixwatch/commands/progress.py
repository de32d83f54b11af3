"""How far a run over many revisions is: one line, redrawn on a terminal."""

from __future__ import annotations

import contextlib
import json
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner
from rich.table import Table

from fixwatch.commands.command_line import announce
from fixwatch.errors import FixwatchError
from fixwatch.records.evidence import SUFFIX, load_evidence
from fixwatch.verdicts.assessment import assess
from mwe.planned.spool import PLAN_NAME

# Of a revision on two cores, until one is measured.
EXPECTED_S = 11.0
# Where lines cannot be redrawn, a longer run says something less often.
MAX_LINES = 30


class Progress:
    """How far a run is, by the records and the finished batches that it leaves.

    Parameters
    ----------
    names
        What the revisions are called, by their commits, in the order in which they are measured.
    records_dir
        Where their records come to lie.
    spool_dir
        Where the finished batches of the current one lie, in a folder of its commit.
    """

    def __init__(self, names: Mapping[str, str], records_dir: Path, spool_dir: Path) -> None:
        self._waiting = dict(names)
        self.n_all = len(names)
        self._records_dir, self._spool_dir = records_dir, spool_dir
        self._seen = self._list_records()
        self._found: Counter[str] = Counter()
        self._n_unavailable = 0
        self._started_s = time.monotonic()

    @property
    def n_done(self) -> int:
        """How many revisions have a record of this run."""
        return self.n_all - len(self._waiting)

    def look(self) -> bool:
        """Take in what came since the last look; return whether a revision was finished."""
        n_before = self.n_done
        for path, changed_at in self._list_records().items():
            if self._seen.get(path) != changed_at:
                self._seen[path] = changed_at
                # One that cannot be read is reported by whoever reads all of them.
                with contextlib.suppress(FixwatchError):
                    record = load_evidence(path)
                    if self._waiting.pop(record.commit, None) is not None:
                        self._found.update(assess(record).shown_defects)
                        self._n_unavailable += record.not_run_reason is not None
        return self.n_done > n_before

    def describe(self) -> str:
        """Return in a line which revision of how many, how long it will take, and what was found.

        The rest is expected to take as long for each revision as those so far.
        """
        found = [f"{defect} in {count}" for defect, count in self._found.items()]
        if self._n_unavailable:
            found.append(f"{self._n_unavailable} could not be measured")
        so_far = f"; so far {', '.join(found)}" if found else ""
        if not self._waiting:
            return f"all {self.n_all} measured{so_far}"
        commit, name = next(iter(self._waiting.items()))
        n_finished, n_planned = self._count_batches(commit)
        n_done = self.n_done + (n_finished / n_planned if n_planned else 0.0)
        elapsed_s = time.monotonic() - self._started_s
        each_s = elapsed_s / n_done if self.n_done else EXPECTED_S
        left = describe_left(each_s * (self.n_all - n_done))
        return f"{self.n_done + 1} of {self.n_all}, {name}: {left}{so_far}"

    def _list_records(self) -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in self._records_dir.glob(f"*{SUFFIX}")}

    def _count_batches(self, commit: str) -> tuple[int, int]:
        """Return how many batches of a revision are finished, and how many are planned."""
        for plan in self._spool_dir.glob(f"{commit}/*/{PLAN_NAME}"):
            with contextlib.suppress(OSError, ValueError, KeyError):
                planned = json.loads(plan.read_text(encoding="utf-8"))["planned"]
                return len(list(plan.parent.glob("*.json"))) - 1, len(planned)
        return 0, 0


def describe_left(left_s: float) -> str:
    """Return in words how long something will take."""
    minutes = round(left_s / 60)
    return f"about {minutes} min left" if minutes else "less than a minute left"


class ProgressLine:
    """Shows a progress: on a terminal a line that is redrawn, else a line for each revision.

    Of many revisions it leaves lines out where they cannot be redrawn.
    """

    def __init__(self, progress: Progress, *, redraws: bool) -> None:
        self._progress = progress
        self._period = -(-progress.n_all // MAX_LINES)
        self._spinner = Spinner("dots")
        self._live: Live | None = None
        if redraws:
            self._live = Live(self._compose(), console=Console(stderr=True), transient=True)

    def __enter__(self) -> ProgressLine:
        if self._live:
            self._live.start()
        else:
            announce(self._progress.describe())
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def look(self) -> None:
        """Show what came since the last look."""
        has_finished = self._progress.look()
        if self._live:
            self._live.update(self._compose())
        elif has_finished and self._progress.n_done % self._period == 0:
            announce(self._progress.describe())

    def _compose(self) -> Table:
        line = Table.grid(padding=(0, 1))
        line.add_column()
        # One line, whatever the width.
        line.add_column(no_wrap=True, overflow="ellipsis")
        line.add_row(self._spinner, escape(self._progress.describe()))
        return line


def can_redraw() -> bool:
    """Whether standard error is a terminal that can redraw a line."""
    console = Console(stderr=True)
    return console.is_terminal and not console.is_dumb_terminal
