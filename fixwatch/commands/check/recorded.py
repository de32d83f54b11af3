"""What is on record before a check, and which releases can be its controls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fixwatch.commands.check.comparison import Recorded, RecordedHistory
from fixwatch.configuration import load_configuration
from fixwatch.history.order import load_order
from fixwatch.history.release_table import FIRST_VERSIONS, Release, load_release_table
from fixwatch.layout import CONFIGURATIONS
from fixwatch.records.evidence import Evidence, iter_evidence
from fixwatch.verdicts.defects import DefectVerdict, find_verdicts, list_defects
from fixwatch.verdicts.judgements import Verdict
from fixwatch.verdicts.series import Series, build_series
from fixwatch.verdicts.states import State
from fixwatch.verdicts.targets import SIMULATOR

# Preferred as controls of every defect: one release that is measured serves several.
PREFERRED_CONTROLS = (("numba-cuda", "0.24.0"), ("numba-cuda", "0.26.0"))


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the results on disk say of the simulator."""

    records: tuple[Evidence, ...]
    series: tuple[Series, ...]
    recorded: tuple[Recorded, ...]


def load_known(announce: Callable[[str], None]) -> Known:
    """Read what was measured in the simulator, of all configurations: it is what a look is for."""
    folders = [load_configuration(Path(name)).results_dir for name in CONFIGURATIONS]
    records = tuple(
        record
        for folder in folders
        for record in iter_evidence(folder, announce)
        if record.target == SIMULATOR
    )
    series = tuple(build_series(records, load_order(folders)))
    recorded = tuple(describe_recorded(series, load_release_table()))
    return Known(records=records, series=series, recorded=recorded)


def describe_recorded(all_series: Sequence[Series], table: Sequence[Release]) -> list[Recorded]:
    """Return what series say of each defect on each upstream, and which releases can check it."""
    found = {
        (verdict.upstream, verdict.defect): verdict
        for verdict in find_verdicts(all_series)
        if verdict.target == SIMULATOR
    }
    rows = []
    for defect in list_defects(SIMULATOR):
        own = [verdict for (_, name), verdict in found.items() if name == defect]
        positive = _choose_control(own, Verdict.OBSERVED, table)
        negative = _choose_control(own, Verdict.NOT_OBSERVED, table)
        for upstream in FIRST_VERSIONS:
            verdict = found.get((upstream, defect))
            speaker = verdict.speaker if verdict else None
            since = speaker.state.since if speaker else None
            counted = speaker.history.counted if speaker else []
            rows.append(
                Recorded(
                    upstream=upstream,
                    defect=defect,
                    state=(verdict.state if verdict else State.NOT_RUN).value,
                    since=speaker.revisions[since].record.name
                    if speaker and since is not None
                    else None,
                    newest=speaker.revisions[counted[-1]].record.name
                    if speaker and counted
                    else None,
                    positive_control=positive,
                    negative_control=negative,
                    histories=_describe_histories(verdict),
                )
            )
    return rows


def _describe_histories(verdict: DefectVerdict | None) -> tuple[RecordedHistory, ...]:
    return tuple(
        RecordedHistory(
            source=history.speaker.key.source,
            state=history.state.value,
            newest=history.speaker.revisions[counted[-1]].record.name if counted else None,
        )
        for history in (verdict.histories if verdict else ())
        for counted in (history.speaker.history.counted,)
    )


def _choose_control(
    verdicts: Iterable[DefectVerdict], wanted: Verdict, table: Sequence[Release]
) -> str | None:
    """Return a release of which the results say so: a preferred one, else the newest there is.

    The upstream whose releases install faster goes first.
    """
    known = {
        (revision.record.upstream, revision.record.version)
        for verdict in verdicts
        for history in verdict.histories
        for revision in history.speaker.revisions
        if revision.verdict is wanted
    }
    releases = [
        release
        for release in table
        if not release.is_yanked and (release.upstream, release.parsed_version) in known
    ]
    best = max(
        releases,
        key=lambda release: (
            (release.upstream, release.version) in PREFERRED_CONTROLS,
            release.upstream == PREFERRED_CONTROLS[0][0],
            release.parsed_version,
        ),
        default=None,
    )
    return f"{best.upstream} {best.version}" if best else None
