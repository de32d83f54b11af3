"""What ``mine`` found as JSON; docs/mine.schema.json is written from these models."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from fixwatch.commands.mine.findings import MineVerdict
from fixwatch.commands.mine.run import MineRun
from fixwatch.commands.mine.runs import TestRun, UnusablePlace
from fixwatch.records.fields import Closed


@dataclass(frozen=True, kw_only=True)
class ComparedEnvironment(Closed):
    """An environment in which defects are repaired."""

    kind: Literal["shield", "release"]
    title: str
    free_of: list[str]
    """Defects that are repaired there, of those that are in question."""
    changed_packages: list[str]
    """Those that had to change beside numba-cuda."""
    reason: str
    """Why nothing could be run there; empty where it could."""
    tests: list[TestRun]


@dataclass(frozen=True, kw_only=True)
class FoundTest(Closed):
    """What a test meets."""

    test: str
    verdict: MineVerdict
    defect: str | None
    answer: str
    run: TestRun


@dataclass(frozen=True, kw_only=True)
class MineDocument(Closed):
    """What python -m fixwatch mine TEST --json prints."""

    version: Literal[1] = 1
    verdict: MineVerdict
    """A defect if a test meets one, else that a test fails otherwise if one does."""
    tests: list[FoundTest]
    compared: list[ComparedEnvironment]
    """Empty where no test failed in a way that could be a defect's."""
    unusable: list[UnusablePlace]
    """What could not be collected, or is skipped."""
    status: str
    python: str
    packages: dict[str, str]
    root: str


def build_document(run: MineRun) -> dict[str, Any]:
    """Return the object that ``--json`` prints."""
    document = MineDocument(
        verdict=run.verdict,
        tests=[
            FoundTest(
                test=finding.test.test,
                verdict=finding.verdict,
                defect=finding.defect,
                answer=finding.text,
                run=finding.test,
            )
            for finding in run.findings
        ],
        compared=[
            ComparedEnvironment(
                kind="shield" if found.kind == "shield" else "release",
                title=found.title,
                free_of=list(found.free_of),
                changed_packages=list(found.changed),
                reason=found.reason,
                tests=list(found.tests.values()),
            )
            for found in run.counterfactuals
        ],
        unusable=run.here.unusable,
        status=run.here.status,
        python=run.here.python,
        packages=run.here.packages,
        root=run.here.root,
    )
    return asdict(document)
