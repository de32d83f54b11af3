"""The registry's kernels, and the oracle with planted faults."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from mwe.outcomes import FailureMode
from mwe.runner import run_trial
from mwe.schedules import Natural
from mwe.targets import Target, prepare_target

prepare_target(Target.SIMULATOR)

from numba import cuda  # noqa: E402 (needs the simulator)

from mwe.workloads import kernel_subject  # noqa: E402
from mwe.workloads.local_array.subjects import shared_array  # noqa: E402
from mwe.workloads.registry import allocators, subjects  # noqa: E402
from mwe.workloads.registry.groups import BufferGroup  # noqa: E402

ALL = (
    subjects.registry_local,
    subjects.registry_shared,
    subjects.registry_mixed,
    subjects.registry_persistent,
    shared_array,
)


@pytest.mark.parametrize("make", ALL)
@pytest.mark.parametrize("n_threads", [0, 1])
def test_kernels_compute_what_the_oracle_expects(make, n_threads):
    """The oracle accepts every launch with less than two active threads: nothing can race."""
    subject = make(n_threads)
    assert subject.describe_mismatch(subject.launch(subject.build_kernel())) == ""


def test_the_oracle_finds_a_wrong_element_wherever_it_is():
    """The oracle names any element: of a buffer, of what overlaps, a guard, an idle thread's."""
    subject = subjects.registry_shared(3)
    right = subject.launch(subject.build_kernel())
    for place in np.ndindex(right.shape):
        wrong = right.copy()
        wrong[place] += 1
        assert f"output[{', '.join(map(str, place))}]" in subject.describe_mismatch(wrong)


def test_each_array_of_a_thread_ends_in_guards():
    """A right launch leaves all guards as they are, behind the shared and the persistent array."""
    subject = subjects.registry_persistent(2)
    output = subject.launch(subject.build_kernel())
    assert (output[:2, 3:] == -1.0).all()
    assert not (output[:2, :3] == -1.0).any()


def judge_one_thread(subject):
    """Run a trial whose single thread cannot race; return its outcome."""
    with Natural().open(()) as pace:
        return run_trial(subject, pace, subject.build_kernel(), "1/1")


def sum_what_is_no_alias(kind):
    """Return a planted size: the sum of the sizes of buffers that are no aliases."""

    def measure(group):
        layout = getattr(group._lay_out(), kind)
        return sum(group._buffers[name].size for name in layout if not group._buffers[name].aliases)

    return measure


def fall_short(kind, n_missing):
    """Return a planted size that lacks so many elements."""

    def measure(group):
        layout = getattr(group._lay_out(), kind)
        return max(place.stop for place in layout.values()) - n_missing

    return measure


@pytest.mark.parametrize(
    ("make", "size", "measure"),
    [
        (subjects.registry_persistent, "shared_buffer_size", sum_what_is_no_alias("shared")),
        (
            subjects.registry_persistent,
            "persistent_local_buffer_size",
            sum_what_is_no_alias("persistent"),
        ),
        (subjects.registry_shared, "shared_buffer_size", fall_short("shared", 1)),
        (subjects.registry_shared, "shared_buffer_size", fall_short("shared", 4)),
        (subjects.registry_mixed, "shared_buffer_size", fall_short("shared", 1)),
        (subjects.registry_mixed, "persistent_local_buffer_size", fall_short("persistent", 1)),
        (subjects.registry_persistent, "shared_buffer_size", fall_short("shared", 1)),
        (subjects.registry_persistent, "persistent_local_buffer_size", fall_short("persistent", 7)),
    ],
)
@pytest.mark.parametrize("is_simulator", [True, False])
def test_an_array_that_is_too_small_is_a_wrong_result(
    monkeypatch, make, size, measure, is_simulator
):
    """What a slice writes behind a thread's array is found in its guards, not by an IndexError.

    A device checks no bounds; a launch as on a device is judged by the same guards.
    """
    target = SimpleNamespace(ENABLE_CUDASIM=int(is_simulator))
    monkeypatch.setattr(kernel_subject, "config", target)
    monkeypatch.setattr(BufferGroup, size, measure)
    outcome = judge_one_thread(make(1))
    assert outcome.mode is FailureMode.WRONG_RESULT
    guards = 3 if size == "shared_buffer_size" else 4
    assert f"output[0, {guards}, " in outcome.detail
    assert "expected -1.0" in outcome.detail


# By workload: a buffer that is moved to a memory and a place there, and what that is a case of.
MISPLACED = [
    (subjects.registry_shared, "work", "shared", slice(4, 7), "an alias is no slice"),
    (subjects.registry_shared, "scratch", "shared", slice(4, 6), "a chain ends early"),
    (subjects.registry_shared, "scratch", "shared", slice(1, 3), "a slice begins elsewhere"),
    (subjects.registry_shared, "work", "local", 3, "a slice is allocated once more"),
    (subjects.registry_mixed, "work", "shared", slice(0, 5), "a slice is longer than its target"),
    (subjects.registry_mixed, "scratch", "shared", slice(0, 2), "precision does not matter"),
    (subjects.registry_mixed, "scratch", "shared", slice(4, 6), "precision is lost"),
    (subjects.registry_persistent, "work", "persistent", slice(0, 3), "shared in a thread's own"),
    (subjects.registry_persistent, "scratch", "persistent", slice(0, 5), "room does not matter"),
    (subjects.registry_persistent, "scratch", "persistent", slice(3, 8), "strangers overlap"),
]


@pytest.mark.parametrize(
    ("make", "name", "memory", "place"),
    [pytest.param(*case[:4], id=case[4].replace(" ", "-")) for case in MISPLACED],
)
def test_a_misplaced_buffer_is_a_wrong_result(monkeypatch, make, name, memory, place):
    """The oracle finds a buffer elsewhere than it must be, though the sizes hold the layout."""
    lay_out = BufferGroup._lay_out

    def misplace(group):
        layouts = lay_out(group)
        for layout in (layouts.shared, layouts.persistent, layouts.local):
            layout.pop(name, None)
        getattr(layouts, memory)[name] = place
        return layouts

    monkeypatch.setattr(BufferGroup, "_lay_out", misplace)
    outcome = judge_one_thread(make(1))
    assert outcome.mode is FailureMode.WRONG_RESULT
    assert "output[0, " in outcome.detail


def test_a_local_array_of_another_precision_is_a_wrong_result(monkeypatch):
    """The oracle finds that a buffer of float64 holds float32, and the other way round."""
    build = allocators.build_local_allocator
    for precision in (np.float32, np.float64):
        monkeypatch.setattr(
            allocators, "build_local_allocator", lambda size, _, as_=precision: build(size, as_)
        )
        assert judge_one_thread(subjects.registry_local(1)).mode is FailureMode.WRONG_RESULT


def test_a_buffer_with_several_places_takes_the_shared_one_first():
    """An allocator takes the shared slice, else the persistent one, else an array of its own."""
    buffer = subjects.PERSISTENT_PLAN[0]
    shared, persistent = np.array([1.0]), np.array([2.0])
    place = slice(0, 1)
    first = buffer.build_allocator(place, place, 1)
    second = buffer.build_allocator(None, place, 1)
    output = np.zeros(2)

    @cuda.jit
    def kernel(output):
        output[0] = first(shared, persistent)[0]
        output[1] = second(shared, persistent)[0]

    kernel[1, 1](output)
    assert output.tolist() == [1.0, 2.0]
