"""The answer for the terminal: verdicts first, then tables, then an interleaving."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator

from fixwatch.commands.mine.findings import Finding, MineVerdict, find_run
from fixwatch.commands.mine.run import MineRun
from fixwatch.commands.mine.runs import TestRun
from fixwatch.upstream_texts import make_lines_printable, make_printable
from mwe.defects import DEFECTS

# One test says of a defect what a dozen would.
_MAX_TABLES = 3
_FAILED = (MineVerdict.DEFECT, MineVerdict.FAILS_OTHERWISE)
_COLUMN_CHARACTERS = 24
_WORDS = {
    MineVerdict.FAILS_OTHERWISE: "fail otherwise",
    MineVerdict.NOT_SHOWN: "show nothing",
    MineVerdict.NOT_RUN: "were not run",
}


def render(run: MineRun) -> Iterator[str]:
    """Yield the lines."""
    if len(run.findings) > 1:
        yield _summarise(run)
    for finding in run.findings:
        yield make_printable(f"{finding.test.test}: {finding.text}")
    for place in run.here.unusable:
        how = "skipped" if place.skipped else "not collected"
        what = " ".join(place.what.splitlines()[-1:])
        yield make_printable(f"{place.where}: {how}: {what}")
    if run.here.status != "complete":
        yield make_printable(run.here.status)
    packages = ", ".join(f"{name} {version}" for name, version in run.here.packages.items())
    yield make_printable(f"here: {run.here.python}; {packages}")
    for found in run.counterfactuals:
        if found.reason:
            yield make_printable(f"nothing to compare with {found.title}: {found.reason}")
        elif found.changed:
            yield make_printable(f"{found.title}: {', '.join(found.changed)}, as it needs them")
    failed = [finding for finding in run.findings if finding.verdict in _FAILED]
    for finding in failed[:_MAX_TABLES]:
        yield ""
        yield from _render_table(run, finding)
    if len(failed) > _MAX_TABLES:
        yield f"and {len(failed) - _MAX_TABLES} more tests that failed; --json has their counts"
    for defect in dict.fromkeys(finding.defect for finding in failed if finding.defect):
        yield ""
        yield from _say_what_to_do(defect)
    yield from _render_interleaving(failed)


def _summarise(run: MineRun) -> str:
    """Return how many of several tests meet what."""
    counts = Counter(
        f"meet {finding.defect}" if finding.defect else _WORDS[finding.verdict]
        for finding in run.findings
    )
    said = ", ".join(f"{n} {what}" for what, n in counts.most_common())
    return f"of {len(run.findings)} tests: {said}"


def _render_table(run: MineRun, finding: Finding) -> Iterator[str]:
    test = finding.test
    columns = [("here", test)]
    for found in run.counterfactuals:
        if test.test in found.tests:
            columns.append((found.title, found.tests[test.test]))
    yield make_printable(test.test)
    cells = "".join(f"{title:<{_COLUMN_CHARACTERS}}" for title, _ in columns)
    yield f"  {'failed runs':<14}{cells}".rstrip()
    for schedule in dict.fromkeys(own.schedule for _, shown in columns for own in shown.schedules):
        cells = "".join(
            f"{_describe(shown, schedule):<{_COLUMN_CHARACTERS}}" for _, shown in columns
        )
        yield f"  {schedule:<14}{cells}".rstrip()
    details = dict.fromkeys(detail for own in test.schedules for detail in own.details)
    for detail in list(details)[:_MAX_TABLES]:
        yield f"  {make_printable(' '.join(detail.split())[:200])}"


def _describe(run: TestRun, schedule: str) -> str:
    found = find_run(run, schedule)
    if found is None:
        return "not run"
    says = f"{found.failures} of {found.trials}"
    if found.space is not None and found.space.exhausted:
        says += " (all there are)"
    return says


def _say_what_to_do(name: str) -> Iterator[str]:
    defect = DEFECTS[name]
    yield f"{name}: {defect.summary}"
    for remedy in defect.remedies:
        yield f"  {remedy}"
    yield "  Or run the tests with the shield: docs/shield.md."
    yield f"  More: html/index.html#defect-{name}, docs/reports/{name}.md"


def _render_interleaving(failed: list[Finding]) -> Iterator[str]:
    for finding in failed:
        if finding.test.interleaving:
            yield ""
            yield make_printable(f"{finding.test.test} under schedule {finding.test.replay}:")
            yield from make_lines_printable("\n".join(finding.test.interleaving)).splitlines()
            words = ["--test", finding.test.test, "--replay", finding.test.replay or ""]
            yield f"again: python -m mwe {shlex.join(map(make_printable, words))}"
            return
