"""The reports for upstream: what they say fails does, and not with the change they propose."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

REPORTS = Path(__file__).parents[2] / "docs" / "reports"
MAX_LINES = 25
MESSAGES = {
    "cuda-swap": "module 'numba.cuda' has no attribute 'local'",
    "shared-split": "AssertionError: [",
    "mixed-atomics": "AssertionError: [1]",
    # numba's built-in target says that it does not support this.
    "host-launch": "concurrent simulated kernel not supported",
}


def read_code(defect, heading):
    """Return the code of a report below a heading."""
    section = (REPORTS / f"{defect}.md").read_text(encoding="utf-8").split(f"## {heading}\n")[1]
    return re.search(r"```python\n(.*?)```", section, re.DOTALL)[1]


def run_code(code, *, before=""):
    """Run a program with the installed numba's simulator; return the last line of its errors."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", f"{before}\n{code}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode != 0) == bool(done.stderr), done.stderr
    return done.stderr.strip().rpartition("\n")[2]


@pytest.mark.parametrize("defect", MESSAGES)
def test_a_reproduction_fails_at_once_on_an_affected_release(defect):
    """It ends with the defect's error, and is short enough to be read."""
    code = read_code(defect, "Reproduction")
    assert len(code.splitlines()) <= MAX_LINES
    assert MESSAGES[defect] in run_code(code)


APPLY = """
import os
os.environ["NUMBA_ENABLE_CUDASIM"] = "1"
from numba.cuda.simulator import kernel, kernelapi
exec({change!r}, vars(kernelapi))
kernel.swapped_cuda_module = kernelapi.swapped_cuda_module
"""


@pytest.mark.parametrize("defect", ["cuda-swap", "mixed-atomics"])
def test_a_reproduction_passes_with_the_proposed_change(defect):
    """The change, put into the simulator at run time, is enough."""
    change = APPLY.format(change=read_code(defect, "Change"))
    assert run_code(read_code(defect, "Reproduction"), before=change) == ""


def test_the_regression_test_for_the_fix_fails_without_it():
    """numba's built-in target lacks the fix, as the fix's parent does."""
    code = read_code("cuda-swap", "A test for numba-cuda's fix")
    environment = "import os\nos.environ['NUMBA_ENABLE_CUDASIM'] = '1'"
    assert run_code(code, before=environment) == "FAILED (errors=1)"
