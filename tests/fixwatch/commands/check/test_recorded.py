"""What is on record before a check."""

from __future__ import annotations

from fixwatch.commands.check.recorded import load_known
from fixwatch.records.evidence import save_evidence
from tests.fixwatch.sample_records import new_batch, new_controls, new_record


def test_a_look_is_for_the_simulator_alone(project, monkeypatch):
    """What a compiler made of a release does not stand in for a launch of it."""
    batches = (new_batch(failures=90), *new_controls())
    results = project / "results"
    simulated = new_record("0.60.0", *batches)
    save_evidence(simulated, results / "releases" / "m" / "a.evidence")
    compiled = new_record("0.61.0", *batches, target="compiler")
    save_evidence(compiled, results / "compiler-releases" / "m" / "a.evidence")
    monkeypatch.chdir(project)
    assert load_known(print).records == (simulated,)
