"""The registry's kernels, and the oracle with planted faults."""

from __future__ import annotations

import numpy as np
import pytest

from mwe.batch import Batch
from mwe.isolation import run_batch
from mwe.schedules import find_schedule
from mwe.targets import Target, prepare_target

prepare_target(Target.SIMULATOR)

from mwe.workloads.local_array.subjects import shared_array  # noqa: E402 (needs the simulator)
from mwe.workloads.registry import kernels, subjects  # noqa: E402
from mwe.workloads.registry.subjects import (  # noqa: E402
    PERSISTENT_PLAN,
    SHARED_PLAN,
    RegistrySubject,
)

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
    """The oracle names any element: of a buffer, the overlap, the row of an idle thread."""
    subject = subjects.registry_shared(3)
    right = subject.launch(subject.build_kernel())
    for place in np.ndindex(right.shape):
        wrong = right.copy()
        wrong[place] += 1
        assert f"output[{place[0]}, {place[1]}]" in subject.describe_mismatch(wrong)


class Undersized(RegistrySubject):
    """Plants a layout that is an element too small."""

    def lay_out(self):
        """Return the registry with sizes that do not hold its slices."""
        registry, shared, persistent = super().lay_out()
        return registry, max(0, shared - 1), max(0, persistent - 1)


class Overlapping(RegistrySubject):
    """Plants a layout in which two buffers that have nothing to do with each other overlap."""

    def lay_out(self):
        """Return a registry whose second buffer begins an element too early."""
        registry, shared, persistent = super().lay_out()
        layouts = registry._groups[id(self)]._lay_out()
        for layout in (layouts.shared, layouts.persistent):
            if "work" in layout and layout["work"].start:
                layout["work"] = slice(layout["work"].start - 1, layout["work"].stop - 1)
        return registry, shared, persistent


@pytest.mark.parametrize(
    ("faulty", "plan", "build"),
    [
        (Undersized, SHARED_PLAN, kernels.build_helper_shared_kernel),
        (Undersized, PERSISTENT_PLAN, kernels.build_own_arrays_kernel),
        (Overlapping, SHARED_PLAN, kernels.build_helper_shared_kernel),
    ],
)
def test_planted_layouts_are_caught_in_every_batch(faulty, plan, build):
    """All of 20 batches fail, whatever threads do: a single thread shows a wrong layout."""
    schedule = find_schedule("natural")
    for seed in range(20):
        batch = Batch(workload="w", role="workload", schedule="natural", target="s", seed=seed)
        run_batch(lambda: faulty(plan, build, 1, overlaps=True), schedule, batch, 2)
        assert batch.failures == batch.trials == 2
        assert set(batch.failures_by_mode) <= {"exception", "wrong-result"}
