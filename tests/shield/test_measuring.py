"""Measuring with the shield: the counts say so, and a shield with holes is not measured."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

from fixwatch.records.batch_outcomes import find_foreign_package
from mwe.shield import cudasim_shield
from tests.fixwatch.sample_records import new_record
from tests.project import ROOT

CHANGE = """
import sys
sys.argv[1:] = ["--shield", "--trials", "1"]
import os
os.environ["NUMBA_ENABLE_CUDASIM"] = "1"
from numba.cuda.simulator import kernelapi

class FakeCUDAShared(kernelapi.FakeCUDAShared):
    pass
kernelapi.FakeCUDAShared = FakeCUDAShared
from mwe.__main__ import main
sys.exit(main())
"""


def run(*arguments):
    """Run Python in the repository's root."""
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_a_batch_with_the_shield_is_silent_and_names_it():
    """Without it each trial under hand-off fails."""
    done = run("-m", "mwe", "--shield", "--schedule", "handoff", "--trials", "20", "--json")
    batch = json.loads(done.stdout)
    assert (batch["failures"], batch["trials"]) == (0, 20)
    assert batch["packages"][cudasim_shield.NAME] == cudasim_shield.VERSION


def test_a_batch_with_the_shield_counts_for_no_release_as_it_is():
    """A history whose environments have none refuses it as made with something foreign."""
    installed = {"numba": "0.68.1"}
    shielded = {**installed, cudasim_shield.NAME: cudasim_shield.VERSION}
    assert "cudasim-shield" in str(find_foreign_package(shielded, installed))
    assert find_foreign_package(shielded, shielded) is None


def test_a_record_says_that_it_was_made_with_the_shield():
    """By the name that the shield has among its packages."""
    record = new_record("0.68.1")
    assert not record.is_shielded
    shielded = {**record.packages, cudasim_shield.NAME: cudasim_shield.VERSION}
    assert replace(record, packages=shielded).is_shielded


def test_a_shield_that_knows_not_all_of_the_simulator_is_not_measured():
    """What it did not repair would be taken for a shield that fails."""
    done = run("-c", CHANGE)
    assert done.returncode == 3
    assert "the shield does not hold here" in done.stderr
    assert "shared-split" in done.stderr
