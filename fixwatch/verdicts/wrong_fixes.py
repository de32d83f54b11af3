"""How often ways of mending the race wrongly are caught, and what that says of silence.

`make sensitivity` measures it and writes the table.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from fixwatch.durable_files import write_json_atomically
from fixwatch.errors import FixwatchError
from fixwatch.records.fields import Closed, Probability, describe_violation
from fixwatch.statistics.binomial import Counts, chance_of_silence

TABLE_PATH = Path(__file__).with_name("wrong_fixes.json")


@dataclass(frozen=True, kw_only=True)
class WrongFixTable(Closed):
    """How often wrong fixes fail in a simulator of our own."""

    version: Literal[2] = 2
    measured_with: str  # the interpreter
    counts: dict[str, dict[str, Counts]]  # by variant, then by schedule


@dataclass(frozen=True, kw_only=True)
class ChanceOfPassing(Closed):
    """The chance that a wrong fix would have been silent in all trials of a run."""

    variant: str
    chance: Probability


def load_wrong_fixes(path: Path = TABLE_PATH) -> WrongFixTable:
    """Read the table; a file that is none of this version is a `FixwatchError`."""
    try:
        return TypeAdapter(WrongFixTable).validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        reason = describe_violation(error) if isinstance(error, ValidationError) else error
        raise FixwatchError(
            f"{path}: not a table of wrong fixes ({reason}); restore it with git checkout"
        ) from error


def save_wrong_fixes(table: WrongFixTable, path: Path = TABLE_PATH) -> None:
    """Write the table, whole or not at all."""
    write_json_atomically(path, asdict(table), indent=1)


def find_chances_of_passing(
    trials: Mapping[str, int], counts: Mapping[str, Mapping[str, Counts]]
) -> list[ChanceOfPassing]:
    """Return for each wrong fix the chance that it would have passed a run, the worst first.

    Schedules are independent, so the chances of silence in the trials under each multiply; one
    without counts of a variant shows nothing of it.
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
