"""What a launch does on a device, as far as the simulator can stand in for one.

The simulator takes the same calls: arrays between guards, streams, shapes. It compiles nothing and
has no `Event.query`, and NumPy's bounds are checked where a device's are not.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from numba import cuda

from mwe.defects import WORKLOADS, find_workload
from mwe.outcomes import FailureMode
from mwe.runner import run_trial
from mwe.schedules import Natural
from mwe.targets import Target
from mwe.workloads import kernel_subject
from mwe.workloads.chunked import subjects as chunked_subjects
from mwe.workloads.chunked import transfers, watcher
from mwe.workloads.device_arrays import GUARD, N_GUARDS, GuardedArray, open_guards, surround
from mwe.workloads.event_query.subjects import EventResult
from mwe.workloads.kernel_subject import describe_difference
from mwe.workloads.subject import GuardedOutput, LaunchShape
from tests.mwe.workloads.transfer_faults import find_violations, record_batch

SHAPES = [
    None,
    LaunchShape(threads_per_block=5, n_extra_blocks=0, uses_own_stream=True),
    LaunchShape(threads_per_block=16, n_extra_blocks=2, uses_own_stream=False),
]
LAUNCHED = [
    name
    for name, workload in WORKLOADS.items()
    if Target.CUDA in workload.targets and name not in ("event-query", "planted-overrun")
]


@pytest.fixture
def as_on_device(monkeypatch):
    """Let the workloads take the simulator for a device."""
    for module in (kernel_subject, chunked_subjects, transfers, watcher):
        monkeypatch.setattr(module, "config", SimpleNamespace(ENABLE_CUDASIM=0))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", LAUNCHED)
def test_each_workload_is_launched_between_guards_in_any_shape(as_on_device, name, shape):
    """The output is right, the guards are whole, and the oracle says so."""
    subject = find_workload(name).load(6)
    output = subject.launch(subject.build_kernel(), shape)
    assert isinstance(output, GuardedOutput)
    assert subject.judge(output) == ""


@pytest.mark.parametrize(("place", "element"), [(N_GUARDS - 1, -1), (N_GUARDS + 6, 6), (0, -64)])
def test_a_write_beside_an_array_is_found(place, element):
    """A write one element before, one behind, or in the farthest guard is named by its element."""
    whole = surround(np.zeros((2, 3), np.float32))
    whole[place] = 1.0
    opened = open_guards(whole, (2, 3))
    assert opened.damage.startswith(f"out of bounds: element {element} of an array of 6 was")
    assert (opened.content == 0).all()


def test_what_is_written_into_an_array_is_no_damage():
    """An array may hold anything, even what its guards are filled with."""
    whole = surround(np.full(4, GUARD))
    whole[N_GUARDS] = 7.0
    opened = open_guards(whole, (4,))
    assert opened.damage == ""
    assert opened.content.tolist() == [7.0, *[GUARD] * 3]


def test_a_guarded_array_on_the_device_is_what_a_kernel_writes():
    """A kernel writes through a view of the array's own shape, and no guard is touched."""
    guarded = GuardedArray(np.zeros((2, 3), np.float32))

    @cuda.jit
    def write_last(array):
        array[1, 2] = 5.0

    write_last[1, 1](guarded.array)
    assert guarded.read().content.tolist() == [[0, 0, 0], [0, 0, 5]]
    assert guarded.read().damage == ""


def test_an_overrun_by_one_element_is_judged_as_such():
    """The positive control's oracle reports what its kernel leaves on a device."""
    subject = find_workload("planted-overrun").load()
    ones = np.ones(subject.n_threads, np.float32)
    whole = surround(ones)
    assert subject.judge(open_guards(whole, ones.shape)) == ""
    whole[N_GUARDS + subject.n_threads] = 1.0
    assert "out of bounds: element 12 of an array of 12" in subject.judge(
        open_guards(whole, ones.shape)
    )


@pytest.mark.parametrize("is_whole", [False, True])
def test_chunks_between_guards_keep_the_rules_of_a_transfer(as_on_device, is_whole):
    """What a device is given besides changes nothing in the order of the steps."""
    recorded = record_batch(is_whole=is_whole)
    assert len(recorded.transfer.guarded) == (2 if is_whole else 4)
    assert find_violations(recorded) == {}


def test_a_damaged_chunk_is_judged_as_such(as_on_device, monkeypatch):
    """A written guard of any chunk is reported, whatever the host array holds."""
    read = GuardedArray.read
    damaged = [0]

    def read_damaged(self):
        damaged[0] += 1
        opened = read(self)
        return GuardedOutput(opened.content, "planted" if damaged[0] == 2 else "")

    monkeypatch.setattr(GuardedArray, "read", read_damaged)
    subject = find_workload("chunked-plain").load(4)
    assert subject.judge(subject.launch(subject.build_kernel())) == "planted"


class TestEventQuery:
    """The oracle of the polled event, and how its launch goes."""

    @pytest.fixture
    def subject(self, monkeypatch):
        """Return the workload with few rounds, which the simulator runs one by one."""
        monkeypatch.setattr("mwe.workloads.event_query.subjects.N_ROUNDS", 3)
        return find_workload("event-query").load(4)

    @pytest.fixture
    def answer(self, monkeypatch):
        """Return a function that gives the simulator's events a way to answer."""
        kind = type(cuda.event())

        def give(query):
            monkeypatch.setattr(kind, "query", query, raising=False)

        return give

    def result(self, subject, **changes):
        """Return a right result, but for some changes."""
        right = subject._expected
        values = {
            "answer_types": ("bool",),
            "arrived": right.copy(),
            "after_synchronize": True,
            "final": right.copy(),
        }
        return EventResult(**{**values, **changes})

    def test_right_answers_and_data_pass(self, subject):
        """The oracle accepts answers of bool and data that were there in time."""
        assert subject.judge(self.result(subject)) == ""

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"answer_types": ("bool", "int")}, "answered with bool, int, expected bool"),
            ({"after_synchronize": False}, "says no after Event.synchronize"),
            ({"arrived": np.full(4, -12345.0, np.float32)}, "before the data had arrived"),
            ({"final": np.zeros(4, np.float32)}, "output[0] is 0.0"),
        ],
    )
    def test_each_wrong_answer_is_caught(self, subject, changes, message):
        """The oracle says in words which answer or element was wrong."""
        assert message in subject.judge(self.result(subject, **changes))

    def test_a_launch_polls_until_the_answer_is_yes(self, subject, answer):
        """A launch asks again after each no, and the oracle accepts its answers and data."""
        answers = [True, True, False, False]
        answer(lambda _event: answers.pop())
        output = subject.launch(subject.build_kernel())
        assert subject.judge(output) == ""
        assert answers == []

    def test_an_answer_that_comes_too_early_is_a_wrong_result(self, subject, answer, monkeypatch):
        """An event that says yes before the copy was made is a wrong result."""
        answer(lambda _event: True)
        monkeypatch.setattr(type(cuda.to_device(np.zeros(1))), "copy_to_host", copy_nothing)
        with Natural().open(()) as driver:
            outcome = run_trial(subject, driver, subject.build_kernel(), "1/1")
        assert outcome.mode is FailureMode.WRONG_RESULT
        assert "before the data had arrived" in outcome.detail

    def test_an_upstream_that_cannot_ask_is_an_exception(self, subject, answer):
        """A version whose `query` raises, because the driver wants another type, fails as that."""

        def query(_event):
            raise TypeError("Argument 'hEvent' has incorrect type")

        answer(query)
        with Natural().open(()) as driver:
            outcome = run_trial(subject, driver, subject.build_kernel(), "1/1")
        assert outcome.mode is FailureMode.EXCEPTION
        assert "hEvent" in outcome.detail

    def test_an_event_that_never_completes_ends_the_trial(self, subject, answer, monkeypatch):
        """After the deadline a trial ends with an exception that says how long it was."""
        monkeypatch.setattr("mwe.workloads.event_query.subjects.DEADLINE_S", 0.01)
        answer(lambda _event: False)
        with pytest.raises(TimeoutError, match="has not completed after 0.01 s"):
            subject.launch(subject.build_kernel())


def copy_nothing(self, array=None, stream=0):
    """Stand for a copy that has not been made yet."""
    return np.array(self) if array is None else array


@pytest.mark.parametrize("n_rounds", [0, 1, 2, 7, 300])
def test_the_host_computes_what_the_slow_kernel_does(n_rounds):
    """The formula gives what the kernel computes round by round, for each thread."""
    from mwe.workloads.event_query.kernel import build_kernel, compute_expected

    output = np.zeros(5, np.float32)
    build_kernel()[1, 8](output, 5, n_rounds)
    assert output.tolist() == compute_expected(5, n_rounds).tolist()
    assert len(set(output.tolist())) == 5


def test_a_difference_names_its_place():
    """A difference is told by its first place and by how many there are."""
    output = np.zeros((2, 2), np.float32)
    expected = output.copy()
    assert describe_difference(output, expected) == ""
    expected[1, 0] = 3
    assert describe_difference(output, expected) == (
        "output[1, 0] is 0.0, expected 3.0 (1 elements differ)"
    )
