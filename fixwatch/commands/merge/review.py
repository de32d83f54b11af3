"""What a merge would change in the verdicts, and who may change it.

Files say whatever the job that wrote them wanted. A verdict that would change is taken from two
shards that each say so alone, or from a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from fixwatch.commands.check.comparison import NEGATIVE_CONTROL, POSITIVE_CONTROL
from fixwatch.commands.check.judged import find_measured, judge_revisions
from fixwatch.history.order import RevisionOrder
from fixwatch.records.evidence import Evidence
from fixwatch.records.merge import choose_records
from fixwatch.records.plans import Plan
from fixwatch.records.shards import Refused, Shard
from fixwatch.verdicts.defects import DefectHistory, find_verdicts
from fixwatch.verdicts.judgements import Verdict
from fixwatch.verdicts.series import build_series
from fixwatch.verdicts.states import State

# Upstream, target, defect, source and Python of a history.
_History = tuple[str, str, str, str, str]
MIN_SHARDS = 2


@dataclass(frozen=True, kw_only=True)
class Reviewer:
    """Decides which records of shards may be merged."""

    order: RevisionOrder
    plan: Plan | None = None
    accepts_changes: bool = False  # whether a person answers for what changes
    changes: list[str] = field(default_factory=list)  # those that were let through, in words

    def review(self, shards: Sequence[Shard], present: Shard) -> list[Refused]:
        """Take out of the shards what must not be merged; return what, and why."""
        refused = []
        for number, shard in enumerate(shards, 1):
            if self.plan and (reason := self._find_contradiction(self.plan, shard)):
                shard.records.clear()
                refused.append((f"shard {number}", reason))
        before = self._summarise(present.records.values())
        while any(shard.records for shard in shards):
            changed = self._find_changes(before, present, shards)
            alone = [
                self._find_changes(before, present, [shard])
                for shard in shards
                if self.plan is None or self._has_controls(self.plan, shard)
            ]
            doubtful = {
                history: change
                for history, change in changed.items()
                if not self.accepts_changes
                and sum(found.get(history) == change for found in alone) < MIN_SHARDS
            }
            if not doubtful:
                self.changes.extend(map(_describe, changed.items()))
                break
            for history, change in doubtful.items():
                refused.append((history[0], f"{_describe((history, change))}, {_REMEDY}"))
            upstreams = {history[0] for history in doubtful}
            present_upstreams = {
                record.upstream for shard in shards for record in shard.records.values()
            }
            # Rates of another upstream may have changed it: nobody says which records did.
            takes_all = not upstreams & present_upstreams
            for shard in shards:
                for place in [*shard.records]:
                    if takes_all or shard.records[place].upstream in upstreams:
                        del shard.records[place]
        return refused

    def _find_contradiction(self, plan: Plan, shard: Shard) -> str | None:
        """Say which old release came out otherwise than is recorded; None if all did as before.

        Where a machine cannot see what is known to be there, or sees what is not, it says nothing.
        """
        measured = find_measured(plan, shard.records.values())
        for checked in judge_revisions(measured):
            if (checked.kind, checked.verdict) in _CONTRADICTIONS:
                return (
                    f"the {checked.kind} {checked.upstream} {checked.name} is "
                    f"{checked.verdict.value} for {checked.defect}; nothing of it is taken"
                )
        return None

    def _has_controls(self, plan: Plan, shard: Shard) -> bool:
        """Whether a shard measured every control that it was asked for."""
        asked = {(one.upstream, one.commit) for one in plan.asked}
        wanted = {
            (one.upstream, one.commit)
            for one in plan.looked_at
            if one.kind in (POSITIVE_CONTROL, NEGATIVE_CONTROL)
        }
        there = {(one.upstream, one.commit) for one in shard.records.values() if one.is_complete}
        return wanted & asked <= there

    def _find_changes(
        self, before: dict[_History, _Summary], present: Shard, shards: Sequence[Shard]
    ) -> dict[_History, tuple[_Summary, _Summary]]:
        """Return the histories of which something was known, and which merging would change."""
        after = dict(present.records)
        for place, record in choose_records(shards)[0].items():
            if place not in after or record.rank > after[place].rank:
                after[place] = record
        now = self._summarise(after.values())
        return {
            history: (was, now[history])
            for history, was in before.items()
            if was.state is not State.NOT_RUN and now.get(history, was) != was
        }

    def _summarise(self, records: Iterable[Evidence]) -> dict[_History, _Summary]:
        summaries = {}
        for verdict in find_verdicts(build_series(records, self.order)):
            for history in verdict.histories:
                key = history.speaker.key
                place = (key.upstream, key.target, str(verdict.defect), key.source, key.python)
                summaries[place] = _summarise(history)
        return summaries


@dataclass(frozen=True)
class _Summary:
    """What is stated of a history, by the names of revisions."""

    state: State
    transitions: tuple[tuple[str, str, str], ...]  # kind, last before, first after

    def __str__(self) -> str:
        last = self.transitions[-1:]
        return self.state.value + "".join(f" ({kind} in {at})" for kind, _, at in last)


_CONTRADICTIONS = {
    (POSITIVE_CONTROL, Verdict.NOT_OBSERVED),
    (NEGATIVE_CONTROL, Verdict.OBSERVED),
}
_REMEDY = (
    f"and fewer than {MIN_SHARDS} shards say so alone; nothing of this upstream is taken. "
    "Measure it again, or look at it and merge with --accept"
)


def _summarise(history: DefectHistory) -> _Summary:
    names = [revision.record.name for revision in history.speaker.revisions]
    return _Summary(
        history.state,
        tuple(
            (change.kind.value, names[change.after], names[change.at])
            for change in history.speaker.history.changes
        ),
    )


def _describe(item: tuple[_History, tuple[_Summary, _Summary]]) -> str:
    (upstream, target, defect, source, _), (was, now) = item
    return f"{upstream}, {defect} on the {target}, {source}: {was} becomes {now}"
