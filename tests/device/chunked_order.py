"""Write the steps of chunked transfers down in a process that has the target, and print them.

``python -m tests.device.chunked_order [simulator]`` prints an object: the rules that each planted
fault broke, and under ``none`` and ``whole`` those that the real transfer did.
"""

from __future__ import annotations

import json
import sys

from mwe.targets import Target, find_target, prepare_target
from mwe.toolkit import offer_toolkit


def print_violations(target: Target) -> None:
    """Run each batch on the target."""
    with offer_toolkit(target):
        prepare_target(target)
        from tests.mwe.workloads.transfer_faults import FAULTS, find_violations, record_batch

        found = {name: find_violations(fault.record()) for name, fault in FAULTS.items()}
        for name, is_whole in (("none", False), ("whole", True)):
            found[name] = find_violations(record_batch(is_whole=is_whole))
    print(json.dumps(found))


if __name__ == "__main__":
    print_violations(find_target(sys.argv[1] if len(sys.argv) > 1 else "cuda"))
