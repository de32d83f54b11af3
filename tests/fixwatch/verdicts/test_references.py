"""Which records silence is measured by, where there is no base beside."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from fixwatch.layout import CONFIGURATIONS
from fixwatch.records.evidence import save_evidence
from fixwatch.verdicts.references import choose_reference
from tests.fixwatch.verdicts.test_working_tree import RACY, measure
from tests.project import ROOT

# Of the judged tree and of what is on disk alike.
COMMIT = "c" * 40


@pytest.fixture
def results(tmp_path, monkeypatch):
    """Return an empty results folder of numba's in a folder of its own."""
    for name in CONFIGURATIONS:
        shutil.copy(ROOT / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "results" / "numba"


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, "this-machine"),
        ({"machine": "other"}, "another-machine"),
        ({"python": "3.12"}, "another-machine"),
        # Counts of another meaning, of a device, and of the judged commit itself are none.
        ({"measurement_version": "1"}, "none"),
        ({"target": "cuda"}, "none"),
        ({"commit": COMMIT}, "none"),
    ],
)
def test_what_is_on_disk_serves_if_it_means_the_same(results, changes, kind):
    """A record of another commit serves if its target and measurement version agree."""
    affected = replace(measure(RACY, "affected", date="2023-05-01T00:00:00+00:00"), commit="a" * 40)
    save_evidence(replace(affected, **changes), results / "m" / "a.evidence")
    judged = replace(measure({}), commit=COMMIT)
    assert choose_reference(judged, None, "cuda-swap").kind == kind
