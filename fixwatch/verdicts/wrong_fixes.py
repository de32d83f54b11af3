"""How often ways of mending the race wrongly are caught, and what that says of silence.

`make sensitivity` measures it and writes the table.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fixwatch.durable_files import write_text_atomically
from fixwatch.errors import FixwatchError
from fixwatch.records.fields import Closed, Probability
from fixwatch.statistics.binomial import Counts, chance_of_silence

TABLE_PATH = Path(__file__).with_name("wrong_fixes.json")
FORMAT_VERSION = 1

# By variant, then by schedule.
DetectionCounts = Mapping[str, Mapping[str, Counts]]


@dataclass(frozen=True, kw_only=True)
class WrongFixTable:
    """Failures of wrong fixes in a simulator of our own.

    Attributes
    ----------
    measured_with
        The interpreter.
    counts
        Failing trials of each variant under each schedule.
    """

    measured_with: str
    counts: DetectionCounts


@dataclass(frozen=True, kw_only=True)
class ChanceOfPassing(Closed):
    """The chance that a wrong fix would have been silent in all trials of a run."""

    variant: str
    chance: Probability


def load_wrong_fixes(path: Path = TABLE_PATH) -> WrongFixTable:
    """Read the table.

    Raises
    ------
    FixwatchError
        If the file is no table of a known format version.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["version"] != FORMAT_VERSION:
            raise FixwatchError(
                f"{path}: format version {data['version']}, this program reads {FORMAT_VERSION}; "
                "update Fixwatch"
            )
        counts = {
            variant: {schedule: Counts(*pair) for schedule, pair in schedules.items()}
            for variant, schedules in data["variants"].items()
        }
        return WrongFixTable(measured_with=str(data["measured_with"]), counts=counts)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FixwatchError(
            f"{path}: not a table of wrong fixes ({type(error).__name__}: {error}); "
            "restore it with git checkout"
        ) from error


def save_wrong_fixes(table: WrongFixTable, path: Path = TABLE_PATH) -> None:
    """Write the table, a variant a line, whole or not at all."""
    rows = ",\n".join(
        f"  {json.dumps(variant)}: "
        + json.dumps({name: [c.n_failures, c.n_trials] for name, c in schedules.items()})
        for variant, schedules in table.counts.items()
    )
    write_text_atomically(
        path,
        f'{{"version": {FORMAT_VERSION}, "measured_with": {json.dumps(table.measured_with)},\n'
        f' "variants": {{\n{rows}\n}}}}\n',
    )


def find_chances_of_passing(
    trials: Mapping[str, int], counts: DetectionCounts
) -> list[ChanceOfPassing]:
    """Return for each wrong fix the chance that it would have passed a run, the worst first.

    Schedules are independent, so the chances of silence under each multiply.

    Parameters
    ----------
    trials
        By schedule, those that were run; a schedule without counts of a variant shows nothing of
        it.
    counts
        How often each variant failed.
    """
    chances = [
        ChanceOfPassing(
            variant=variant,
            chance=math.prod(
                chance_of_silence(n_trials, schedules[schedule])
                for schedule, n_trials in trials.items()
                if schedule in schedules
            ),
        )
        for variant, schedules in counts.items()
    ]
    return sorted(chances, key=lambda chance: (-chance.chance, chance.variant))
