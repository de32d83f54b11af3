"""Trials whose launch is a compilation: which outcome each has."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from mwe.compiler import subject as compiled
from mwe.defects import DEFECTS
from mwe.outcomes import FailureMode
from mwe.runner import iter_trials
from mwe.schedules import find_schedule
from mwe.workloads.kernel_subject import KernelSubject
from tests.subjects.ptx import EXPECTED, N_THREADS, WHOLE

REFUSAL = (
    "Failed in cuda mode pipeline (step: nopython frontend)\n"
    "Only accept returning of array passed into the function as argument\n"
    "During: resolving callee type: type(CUDADispatcher(<function allocate>))\n"
)


class TypingError(Exception):
    """Has the name of numba's own."""


@pytest.fixture
def try_once(monkeypatch):
    """Return what one trial shows where the compiler is a function of a test's."""

    def run(compile_to_ptx):
        def build():
            return SimpleNamespace(py_func=None, typeof_pyval=type)

        monkeypatch.setattr(compiled, "check_compiler", lambda _capability: None)
        monkeypatch.setattr(compiled, "compile_to_ptx", compile_to_ptx)
        module = ModuleType("user")
        module.__file__, module.cuda = "user.py", sys
        inner = KernelSubject(
            build, [], N_THREADS, np.zeros(N_THREADS, np.int64), EXPECTED.footprint
        )
        subject = compiled.PtxSubject(inner)
        (trial,) = iter_trials(subject, find_schedule("natural"), 0, range(1, 2))
        return trial.outcome

    return run


def refuse(*_arguments):
    """Raise what numba does where `inline=True` is lost."""
    raise TypingError(REFUSAL)


def test_a_kernel_that_compiles_to_what_it_should_passes(try_once):
    """The output itself is judged."""
    assert not try_once(lambda *_arguments: WHOLE).failed


def test_a_kernel_that_compiles_to_something_else_is_a_wrong_result(try_once):
    """It is what a launch would have returned."""
    outcome = try_once(lambda *_arguments: WHOLE.replace("sm_90", "sm_50"))
    assert outcome.mode is FailureMode.WRONG_RESULT
    assert outcome.detail == "the output is for sm_50, expected sm_90"


def test_a_refused_return_of_an_array_is_the_lost_inlines(try_once):
    """The cause that numba names is kept, in one line."""
    outcome = try_once(refuse)
    assert outcome.mode is FailureMode.EXCEPTION
    assert outcome.detail == (
        "DoesNotCompileError: TypingError: Only accept returning of array passed into the "
        "function as argument"
    )
    assert DEFECTS["inline-lost"].signature.matches(outcome)
    assert not DEFECTS["captured-reversed-array"].signature.matches(outcome)


def test_another_refusal_is_not(try_once):
    """A compiler may refuse a kernel for many reasons."""

    def refuse_otherwise(*_arguments):
        raise TypingError("Failed in cuda mode pipeline\nUnknown attribute 'local' of type Module")

    outcome = try_once(refuse_otherwise)
    assert outcome.mode is FailureMode.EXCEPTION
    assert not DEFECTS["inline-lost"].signature.matches(outcome)
