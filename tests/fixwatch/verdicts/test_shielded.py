"""What releases show with the shield: silence only where every trial and every space was silent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fixwatch.records.evidence import SHIELD
from fixwatch.statistics.binomial import Counts
from fixwatch.verdicts.judgements import Verdict
from fixwatch.verdicts.shielded import find_shielded
from tests.fixwatch.sample_records import (
    new_batch,
    new_controls,
    new_exploration,
    new_gap,
    new_record,
    new_shielded,
)


def shield(name, *batches, **overrides):
    """Return the record of a release of numba-cuda that was measured with the shield."""
    return new_shielded(name, *batches, **{"upstream": "numba-cuda", **overrides})


SILENT = new_batch(trials=2000)
WHOLE = new_exploration()


@pytest.mark.parametrize(
    ("batches", "verdict"),
    [
        ((SILENT, WHOLE), Verdict.NOT_OBSERVED),
        ((SILENT, WHOLE, *new_controls()), Verdict.NOT_OBSERVED),
        ((SILENT, new_batch(failures=1, trials=2000, schedule="handoff")), Verdict.OBSERVED),
        ((SILENT, new_exploration(run=9, failing="0,1@3:0")), Verdict.OBSERVED),
        ((SILENT, new_batch(trials=2000, schedule="handoff", refusals=1)), Verdict.OBSERVED),
        ((SILENT, new_exploration(run=9)), Verdict.INCONCLUSIVE),
        ((SILENT, new_gap(schedule="handoff")), Verdict.INCONCLUSIVE),
        ((SILENT, new_batch(trials=9, schedule="handoff", status="stopped")), Verdict.INCONCLUSIVE),
        ((new_gap(), new_exploration("shared-split")), Verdict.NOT_RUN),
        ((new_batch(failures=50, schedule="natural"),), Verdict.NOT_RUN),
    ],
)
def test_one_failure_or_a_part_of_a_space_is_no_silence(batches, verdict):
    """A launch that upstream refuses is none that the shield repairs; controls are no part."""
    found = find_shielded([shield("0.24.0", *batches)], "numba-cuda")
    assert found.find("cuda-swap").verdict is verdict


def test_the_releases_of_an_upstream_are_counted_together():
    """Without those of the other one, of no batch, of an older shield, and as released."""
    records = [
        replace(
            shield("0.25.0", SILENT, measured_at="2026-01-01T00:00:00+00:00"),
            packages={SHIELD: "0"},
        ),
        shield("0.23.0", SILENT, WHOLE),
        shield("0.24.0", SILENT, WHOLE),
        shield("0.68.1", SILENT, upstream="numba"),
        # The planted faults need nothing of numba.
        shield("0.15.1", new_gap(), new_batch("planted-race", 20, 20)),
        new_record("0.24.0", new_batch(failures=90), upstream="numba-cuda"),
    ]
    releases = find_shielded(records, "numba-cuda")
    assert [record.name for record in releases.records] == ["0.23.0", "0.24.0"]
    assert [record.name for record in releases.not_run] == ["0.15.1"]
    found = releases.find("cuda-swap")
    assert found.counts == Counts(0, 4000)
    assert (found.n_whole, len(found.explorations)) == (2, 2)
    assert releases.find("shared-split").verdict is Verdict.NOT_RUN
