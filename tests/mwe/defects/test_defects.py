"""Which failures are a defect's own, and that each defect is whole."""

from __future__ import annotations

import contextlib
import re

import pytest

from mwe.defects import DEFECTS, WORKLOADS, find_defect
from mwe.errors import BadArgumentError
from mwe.outcomes import PASSED, FailureMode, Outcome
from mwe.runner import run_trial
from mwe.schedules import SCHEDULES
from mwe.workloads.subject import Role
from tests.subjects.planted import SoundSubject

SWAP = DEFECTS["cuda-swap"].signature


def swapped_cuda_module(namespace):
    """Raise where the simulator's function of this name does: in a generator expression."""
    return dict((name, namespace.pop(name)) for name in namespace)  # noqa: C402


def swap_elsewhere(namespace):
    """Raise the same error."""
    return dict((name, namespace.pop(name)) for name in namespace)  # noqa: C402


class CallingSubject(SoundSubject):
    """Calls a function with two names while it launches."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def launch(self, kernel):
        """Call it."""
        self.function({"one": 1, "other": 2})
        return 1


def call(function):
    """Return the outcome of a trial that calls a function."""
    return run_trial(CallingSubject(function), lambda _: contextlib.nullcontext(), None, "")


@pytest.mark.parametrize("mode", FailureMode)
def test_the_swap_shows_by_two_modes(mode):
    """Other modes have other causes."""
    own = mode in (FailureMode.MISSING_ATTRIBUTE, FailureMode.LEAKED_GLOBAL)
    assert SWAP.matches(Outcome(mode=mode)) is own


def test_a_dictionary_that_changes_size_in_the_swap_is_the_swaps_failure():
    """Numba adds `__warningregistry__` to a module's globals while another thread walks them."""
    outcome = call(swapped_cuda_module)
    assert outcome.detail == "RuntimeError: dictionary changed size during iteration"
    assert SWAP.matches(outcome)


def test_a_dictionary_that_changes_size_elsewhere_is_not():
    """A user's own function may raise the same error, also one that the swap calls."""

    def call_the_swap_around(namespace):
        return swap_elsewhere(namespace)

    call_the_swap_around.__code__ = call_the_swap_around.__code__.replace(
        co_name="swapped_cuda_module"
    )
    for function in (swap_elsewhere, call_the_swap_around):
        outcome = call(function)
        assert outcome.mode is FailureMode.EXCEPTION
        assert not SWAP.matches(outcome)


def test_another_error_of_the_swap_is_not():
    """Only the beginning of the message that is named counts."""
    outcome = call(swapped_cuda_module)
    for detail in ("RuntimeError: deque mutated", f"KeyError: {outcome.detail}"):
        other = Outcome(mode=outcome.mode, function=outcome.function, detail=detail)
        assert not SWAP.matches(other)


@pytest.mark.parametrize("defect", DEFECTS.values(), ids=DEFECTS)
def test_no_passing_trial_has_a_signature(defect):
    """A launch that was refused passed, whatever the error said."""
    signatures = [defect.find_signature(role) for role in Role]
    passed = (PASSED, Outcome(mode=None, refused=True, detail="refused", function="launch"))
    assert not any(signature.matches(outcome) for signature in signatures for outcome in passed)


@pytest.mark.parametrize("defect", DEFECTS.values(), ids=DEFECTS)
def test_any_failure_counts_in_a_negative_control(defect):
    """None is known of it."""
    signature = defect.find_signature(Role.NEGATIVE_CONTROL)
    assert all(signature.matches(Outcome(mode=mode)) for mode in FailureMode)


@pytest.mark.parametrize("defect", DEFECTS.values(), ids=DEFECTS)
def test_a_defect_is_whole(defect):
    """It has a workload that stands for it, controls of both kinds, and schedules that exist."""
    roles = {workload.name: workload.role for workload in defect.workloads}
    assert defect.default_workload.role is Role.WORKLOAD
    assert set(roles.values()) == set(Role)
    assert roles[defect.harness_control] is Role.NEGATIVE_CONTROL
    # One without upstream code passes in a tree that is broken otherwise, too.
    assert WORKLOADS[defect.harness_control].needs_numba
    assert defect.schedules
    assert SCHEDULES.keys() >= {*defect.schedules, *defect.recorded_schedules}
    assert all((defect.summary, defect.symptom, defect.references, defect.remedies))


@pytest.mark.parametrize("defect", DEFECTS.values(), ids=DEFECTS)
def test_remedies_name_no_release(defect):
    """Which releases are free of a defect is measured, and stated beside them."""
    assert not re.search(r"\d+\.\d+|release|newer", " ".join(defect.remedies))


def test_a_workload_belongs_to_one_defect():
    """A name that two defects had would be measured for one of them."""
    names = [workload.name for defect in DEFECTS.values() for workload in defect.workloads]
    assert len(names) == len(set(names)) == len(WORKLOADS)
    for defect in DEFECTS.values():
        assert {find_defect(workload.name) for workload in defect.workloads} == {defect}
    with pytest.raises(BadArgumentError, match="workload"):
        find_defect("nonsense")
