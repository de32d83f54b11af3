"""A pytest plugin that has the shield repair a single defect: the one that a variable names.

Numbers that are wrong say of themselves not which defect made them so. What a test's failures end
with, does.
"""

from __future__ import annotations

import os

from mwe.errors import HarnessError, choose
from mwe.shield import cudasim_shield

VARIABLE = "FIXWATCH_ONE_REPAIR"


def pytest_configure() -> None:
    """Repair that defect, before test modules are imported."""
    name = os.environ[VARIABLE]
    cudasim_shield.REPAIRS = {name: choose("defect", name, cudasim_shield.REPAIRS)}
    report = cudasim_shield.install()
    if not report.repaired:
        raise HarnessError(report.line)
