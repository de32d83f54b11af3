"""The order of a chunked transfer's steps, with a device's own streams, events and memory."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.mwe.workloads.transfer_faults import FAULTS
from tests.project import ROOT


@pytest.fixture(scope="module")
def violations():
    """Return the rules that each batch broke, from a process that has the device."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.device.chunked_order"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("batch", ["none", "whole"])
def test_the_transfer_keeps_all_rules(violations, batch):
    """Neither a batch in chunks nor one that fits breaks a rule."""
    assert violations[batch] == {}


@pytest.mark.parametrize("name", [name for name in FAULTS if FAULTS[name].shows_on_device])
def test_a_planted_fault_breaks_its_rule(violations, name):
    """Each fault is found by the rule that is about it."""
    assert FAULTS[name].rule in violations[name]
