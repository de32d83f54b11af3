"""The subjects of the planted PTX: a kernel of our own, damaged in every way, and as it is."""

from __future__ import annotations

from typing import Any

import numpy as np

from mwe.compiler.judgement import Footprint
from mwe.errors import HarnessError
from mwe.workloads.kernel_subject import KernelSubject
from mwe.workloads.planted_ptx import kernel
from mwe.workloads.planted_ptx.damages import DAMAGES
from mwe.workloads.subject import N_THREADS, Subject


class DamagedSubject(KernelSubject):
    """The kernel with its PTX damaged, in one way after the other."""

    def describe_ptx_fault(self, text: str, target: str) -> str:
        """Judge each damaged text, and say that each is wrong.

        Raises
        ------
        HarnessError
            If a damage changed nothing, or the judge does not see one: the control shows nothing.
        """
        faults = {}
        for name, damage in DAMAGES.items():
            damaged = damage(text)
            if damaged == text:
                raise HarnessError(f"this compiler's output has no place for {name}")
            faults[name] = super().describe_ptx_fault(damaged, target)
        missed = [name for name, fault in faults.items() if not fault]
        if missed:
            raise HarnessError(f"the judge does not see {', '.join(missed)}")
        return f"each of {len(faults)} damages was seen"


def _make_subject(n_threads: int, make: type[KernelSubject]) -> Subject:
    expected = np.zeros(n_threads + 1, np.int64)
    threads = np.arange(n_threads)[::-1]
    # Element 3 i of the local array is value i + 3 i of the constant, counted from 1.
    expected[:n_threads] = 1 + (4 * threads) % kernel.N_ELEMENTS
    footprint = Footprint(
        shared_bytes=8 * n_threads, local_bytes=8 * kernel.N_ELEMENTS, keeps_local=True
    )

    def build() -> Any:
        return kernel.build_kernel(n_threads)

    return make(build, [kernel], n_threads, expected, footprint)


def planted_ptx(n_threads: int = N_THREADS) -> Subject:
    """Return the positive control, whose PTX is damaged."""
    return _make_subject(n_threads, DamagedSubject)


def sound_ptx(n_threads: int = N_THREADS) -> Subject:
    """Return the control, the same kernel with its PTX as it is."""
    return _make_subject(n_threads, KernelSubject)
