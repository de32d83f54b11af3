"""The reports for upstream: what they say fails does, and not with the change they propose."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.environments import find_release, install

REPORTS = Path(__file__).parents[2] / "docs" / "reports"
MAX_LINES = 25
MESSAGES = {
    "cuda-swap": "module 'numba.cuda' has no attribute 'local'",
    "shared-split": "AssertionError: [",
    "mixed-atomics": "AssertionError: [1]",
    "host-launch": "AssertionError: (array([16], dtype=int32), array([1], dtype=int32))",
}


def read_code(defect, heading, number=0):
    """Return the code of a report below a heading, the first there or another."""
    section = (REPORTS / f"{defect}.md").read_text(encoding="utf-8").split(f"## {heading}\n")[1]
    return re.findall(r"```python\n(.*?)```", section, re.DOTALL)[number]


@pytest.fixture(scope="module")
def numba_cuda():
    """Return the Python of an environment with a release that has the defects but the first."""
    return install(find_release("numba-cuda", "0.30.4"), "engine")


def run_code(code, *, before="", python=sys.executable):
    """Run a program with a simulator, the installed numba's; return the last line of its errors."""
    done = subprocess.run(
        [python, "-W", "ignore", "-c", f"{before}\n{code}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode != 0) == bool(done.stderr), done.stderr
    return done.stderr.strip().rpartition("\n")[2]


@pytest.mark.parametrize("defect", ["cuda-swap", "shared-split", "mixed-atomics"])
def test_a_reproduction_fails_at_once_on_an_affected_release(defect):
    """It ends with the defect's error, and is short enough to be read."""
    code = read_code(defect, "Reproduction")
    assert len(code.splitlines()) <= MAX_LINES
    assert MESSAGES[defect] in run_code(code)


@pytest.mark.end_to_end
@pytest.mark.parametrize("defect", ["shared-split", "mixed-atomics", "host-launch"])
def test_a_reproduction_fails_at_once_on_todays_numba_cuda(numba_cuda, defect):
    """The three are open in its main branch, too."""
    code = read_code(defect, "Reproduction")
    assert len(code.splitlines()) <= MAX_LINES
    assert MESSAGES[defect] in run_code(code, python=numba_cuda)


def test_numba_refuses_a_launch_beside_another():
    """Its error says what it does not support: no wrong number."""
    code = read_code("host-launch", "Reproduction")
    assert "concurrent simulated kernel not supported" in run_code(code)


ENVIRONMENT = "import os\nos.environ['NUMBA_ENABLE_CUDASIM'] = '1'"
APPLY = (
    ENVIRONMENT
    + """
import inspect, re, textwrap
from numba.cuda.simulator import kernel, kernelapi

def change_method(owner, name, module, pattern, replacement):
    source = textwrap.dedent(inspect.getsource(getattr(owner, name)))
    changed, n = re.subn(pattern, replacement, source, flags=re.DOTALL)
    assert n == 1, source
    exec(changed, vars(module))
    setattr(owner, name, vars(module)[name])
"""
)
SWAP = """
exec({change!r}, vars(kernelapi))
kernel.swapped_cuda_module = kernelapi.swapped_cuda_module
"""
# Of this one the report shows no whole function.
SPLIT = r"""
change_method(
    kernelapi.FakeCUDAShared,
    "__init__",
    kernelapi,
    r"(    self._allocations = \{{\}}\n)",
    r"\1    self._allocations_lock = threading.Lock()\n",
)
change_method(
    kernelapi.FakeCUDAShared,
    "array",
    kernelapi,
    r"    res = self._allocations.get.*    return res\n",
    textwrap.indent(textwrap.dedent({change!r}.split("...\n\n")[1]), "    "),
)
"""
LAUNCH = """
exec({change!r}, vars(kernel))
change_method(
    kernel.FakeCUDAKernel,
    "__call__",
    kernel,
    "if self._device or _kernel_context:",
    {condition!r},
)
"""


@pytest.mark.parametrize(
    ("defect", "apply"), [("cuda-swap", SWAP), ("mixed-atomics", SWAP), ("shared-split", SPLIT)]
)
def test_a_reproduction_passes_with_the_proposed_change(defect, apply):
    """The change, put into the simulator at run time, is enough."""
    before = APPLY + apply.format(change=read_code(defect, "Change"))
    assert run_code(read_code(defect, "Reproduction"), before=before) == ""


@pytest.mark.end_to_end
def test_launches_take_turns_with_the_proposed_change(numba_cuda):
    """Both of the report's changes together make the reproduction pass."""
    change = read_code("host-launch", "Change")
    condition = read_code("host-launch", "Change", 1).strip()
    before = APPLY + LAUNCH.format(change=change, condition=condition)
    assert (
        run_code(read_code("host-launch", "Reproduction"), before=before, python=numba_cuda) == ""
    )


def test_the_regression_test_for_the_fix_fails_without_it():
    """numba's built-in target lacks the fix, as the fix's parent does."""
    code = read_code("cuda-swap", "A test for numba-cuda's fix")
    assert run_code(code, before=ENVIRONMENT) == "FAILED (errors=1)"
