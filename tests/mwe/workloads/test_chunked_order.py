"""The order of a chunked transfer's steps, by a stand-in for the CUDA interface.

The same batches run on a device in ``tests/device/test_chunked_order.py``.
"""

from __future__ import annotations

import pytest

from mwe.targets import Target, prepare_target

prepare_target(Target.SIMULATOR)

from tests.mwe.workloads.transfer_faults import (  # noqa: E402 (needs the simulator)
    FAULTS,
    find_violations,
    record_batch,
)
from tests.mwe.workloads.transfer_rules import RULES, RULES_OF_WHOLE_BATCHES  # noqa: E402


@pytest.fixture(scope="module")
def chunked():
    """Return what was written down of a batch in three chunks."""
    return record_batch()


@pytest.fixture(scope="module")
def whole():
    """Return what was written down of a batch that fits into one."""
    return record_batch(is_whole=True)


@pytest.mark.parametrize("rule", RULES)
def test_a_chunked_batch_keeps_the_rule(chunked, rule):
    """No step of three chunks breaks it, and there were three launches to look at."""
    assert RULES[rule](chunked) == ""
    assert [step.kind for step in chunked.steps].count("launch") == 3


@pytest.mark.parametrize("rule", RULES_OF_WHOLE_BATCHES)
def test_a_whole_batch_keeps_the_rule(whole, rule):
    """No step of a batch that fits breaks it, and there is no buffer."""
    assert RULES[rule](whole) == ""
    assert [step.kind for step in whole.steps].count("acquire") == 0


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_breaks_its_rule(name):
    """Each fault is found by the rule that is about it."""
    assert FAULTS[name].rule in find_violations(FAULTS[name].record())
