"""What ``python -m mwe`` does without a device: ``--ptx`` and ``--target compiler``."""

from __future__ import annotations

import json
from dataclasses import replace

from mwe.batch import Batch
from mwe.compiler.compilation import compile_workloads, parse_compute_capability
from mwe.defects import WORKLOADS, find_workload
from mwe.errors import BadArgumentError, HarnessError
from mwe.request import BatchRequest
from mwe.targets import Target, find_packages, find_python
from mwe.workloads.subject import Role


def print_ptx(workload: str | None, capability: str, *, as_json: bool) -> None:
    """Compile one workload, or all that run on a device, and print a line for each.

    A kernel that does not compile is a `HarnessError`, once all have been tried.
    """
    compute_capability = parse_compute_capability(capability)
    fitting = [WORKLOADS[name] for name in WORKLOADS if Target.CUDA in WORKLOADS[name].targets]
    if workload is not None:
        fitting = [find_workload(workload)]
        if Target.COMPILER not in fitting[0].targets:
            raise BadArgumentError(f"workload {workload!r} has nothing to compile for a device")
    kernels = {}
    for kernel in compile_workloads(fitting, compute_capability):
        kernels[kernel.workload] = kernel
        if not as_json:
            result = f"{kernel.target}, {len(kernel.ptx)} bytes" if kernel.ptx else kernel.reason
            print(f"{kernel.workload:<28}{result}", flush=True)
    if as_json:
        document = {
            "version": 1,
            "compute_capability": capability,
            "packages": find_packages(),
            "python": find_python(),
            "workloads": {name: kernel.to_json() for name, kernel in kernels.items()},
        }
        print(json.dumps(document))
    refused = [name for name, kernel in kernels.items() if not kernel.is_complete]
    if refused:
        raise HarnessError(
            f"{len(fitting) - len(refused)} of {len(fitting)} kernels compiled for {capability}; "
            f"this release refused {', '.join(refused)}"
        )


def judge_all(request: BatchRequest, *, as_json: bool) -> bool:
    """Compile every kernel, judge it, and print a line for each; return whether one failed.

    The request is that for any of them. Positive controls have to fail.

    Raises
    ------
    HarnessError
        If a positive control did not fail, or something could not be compiled or judged at all.
    """
    batches = {}
    chosen = [found for found in WORKLOADS.values() if Target.COMPILER in found.targets]
    for workload in chosen:
        batches[workload.name] = batch = replace(request, workload=workload.name).run()
        if not as_json:
            print(f"{workload.name:<28}{workload.role.value:<18}{_describe(batch)}", flush=True)
    if as_json:
        printed = {name: batch.to_json() for name, batch in batches.items()}
        print(json.dumps({"version": 1, "target": Target.COMPILER.value, "workloads": printed}))
    must_fail = [found.name for found in chosen if found.role is Role.POSITIVE_CONTROL]
    silent = [name for name in must_fail if not batches[name].failures]
    if silent:
        raise HarnessError(f"what must fail did not: {', '.join(silent)}; nothing counts")
    return any(batch.failures for name, batch in batches.items() if name not in must_fail)


def _describe(batch: Batch) -> str:
    return f"{'; '.join(batch.failures_by_mode)}: {batch.details[0]}" if batch.failures else "right"
