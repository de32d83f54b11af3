"""The command ``explain``: what test suites really print, and what is no defect's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from fixwatch.__main__ import main
from fixwatch.layout import CONFIGURATIONS
from mwe.defects import DEFECTS
from scripts.environments import find_release, install
from tests.docs.test_reports import read_code
from tests.project import ROOT

SWAP = "module 'numba.cuda' has no attribute 'local'"
SUITE = """
import os
os.environ["NUMBA_ENABLE_CUDASIM"] = "1"

def test_reproduction():
    exec(compile({code!r}, "kernels.py", "exec"), {{}})

def test_another():
    pass
"""


@pytest.fixture
def explain(monkeypatch, capsys, tmp_path):
    """Return a function that explains a file's content, in a folder with no results."""
    for name in CONFIGURATIONS:
        shutil.copy(ROOT / name, tmp_path)
    monkeypatch.chdir(tmp_path)

    def run(content):
        path = tmp_path / "log.txt"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        status = main(["explain", str(path)])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


def run_suite(tmp_path, defect, *options):
    """Run a reproduction as a test; return what pytest printed, and its JUnit file."""
    (tmp_path / "test_it.py").write_text(SUITE.format(code=read_code(defect, "Reproduction")))
    junit = tmp_path / "junit.xml"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-W", "ignore", "-p", "no:cacheprovider"),
            *("test_it.py", f"--junit-xml={junit}", "--color=yes", *options),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "CI": ""},
    )
    assert done.returncode == 1, done.stdout
    return done.stdout, junit.read_bytes()


@pytest.mark.parametrize("style", ["auto", "short", "native", "line"])
def test_a_real_log_and_a_real_junit_file_show_the_swap(explain, tmp_path, style):
    """Whatever pytest's style of tracebacks is; the coloured line is named without its colours."""
    printed, junit = run_suite(tmp_path, "cuda-swap", f"--tb={style}")
    for content in (printed, junit):
        status, said, _ = explain(content)
        assert status == 1
        assert said.startswith("cuda-swap: ")
        assert "mixed-atomics" not in said
        assert f"ctaid=[0, 0, 0]: {SWAP}" in said
        assert "\x1b" not in said
    assert "1 place shows it\n  test_it::test_reproduction: " in said


def test_a_real_refusal_of_numba_is_named_for_what_it_is(explain, tmp_path):
    """The launch beside another one had no effect, and no number is wrong."""
    printed, _ = run_suite(tmp_path, "host-launch")
    status, said, _ = explain(printed)
    assert status == 1
    assert said.startswith("host-launch: ")
    assert "upstream has refused the launch, and no number is wrong" in said


INDEX = """
import os, threading
os.environ["NUMBA_ENABLE_CUDASIM"] = "1"
from numba import cuda
entered, tried = threading.Event(), threading.Event()

@cuda.jit
def wait():
    entered.set()
    tried.wait(5)

@cuda.jit
def use():
    cuda.{used}

host = threading.Thread(target=wait[1, 1])
host.start()
entered.wait(5)
try:
    thread = threading.Thread(target=use[1, 1])
    thread.start()
    thread.join()
finally:
    tried.set()
    host.join()
"""


@pytest.mark.end_to_end
@pytest.mark.parametrize("used", ["grid(1)", "threadIdx.x", "laneid", "syncthreads()"])
def test_what_numba_cuda_raises_beside_a_launch_is_host_launch(explain, used):
    """Its kernel ran as a function in a thread that is none of the simulator's."""
    python = install(find_release("numba-cuda", "0.30.4"), "engine")
    done = subprocess.run(
        [python, "-c", INDEX.format(used=used)], capture_output=True, text=True, check=True
    )
    status, said, _ = explain(done.stderr)
    assert (status, said.partition(":")[0]) == (1, "host-launch")


def test_what_numba_says_of_a_function_that_was_not_inlined_is_named_with_care(explain):
    """It says the same of one that was not to be inlined. The shield is for the simulator."""
    status, said, _ = explain(
        "numba.core.errors.TypingError: Only accept returning of array passed into the function "
        "as argument"
    )
    assert status == 1
    assert said.startswith("inline-lost: ")
    assert "others are refused rightly" in said
    assert "cudasim_shield" not in said


# As pytest prints them, shortened.
WARNED = """
fn = <function allocate at 0x7f>, fake_cuda_module = <FakeCUDAModule object at 0x7f>

    @contextmanager
    def swapped_cuda_module(fn, fake_cuda_module):
        from numba import cuda

        fn_globs = fn.__globals__
>       orig = dict((k, v) for k, v in fn_globs.items() if v is cuda)
E       RuntimeError: tid=[1, 0, 0] ctaid=[0, 0, 0]: dictionary changed size during iteration
"""
WARNED_NATIVE = """
  File "/numba/cuda/simulator/kernelapi.py", line 491, in swapped_cuda_module
    orig = dict((k, v) for k, v in fn_globs.items() if v is cuda)
  File "/numba/cuda/simulator/kernelapi.py", line 491, in <genexpr>
RuntimeError: tid=[1, 0, 0] ctaid=[0, 0, 0]: dictionary changed size during iteration
"""


@pytest.mark.parametrize("log", [WARNED, WARNED_NATIVE])
def test_a_dictionary_that_changes_in_the_swap_shows_it(explain, log):
    """A warning of a device function adds a global."""
    assert explain(log)[0] == 1


OWN_DICTIONARY = """
    def __call__(self, *args):
>       with swapped_cuda_module(self.fn, _get_kernel_context()):
    def kernel(output):
>       for name in registry:
E       RuntimeError: tid=[1, 0, 0] ctaid=[0, 0, 0]: dictionary changed size during iteration
"""


@pytest.mark.parametrize(
    "log",
    [
        "AttributeError: module 'numba.cuda' has no attribute 'to_devise'",
        "AttributeError: module 'numba.cuda' has no attribute 'locals'",
        "AttributeError: module 'numba' has no attribute 'cuda'",
        "AttributeError: 'Thread' object has no attribute 'isAlive'",
        "AttributeError: 'FakeCUDAModule' object has no attribute 'local'",
        "RuntimeError: dictionary changed size during iteration",
        OWN_DICTIONARY,
        "AssertionError: arrays are not equal",
        '<testsuite><testcase classname="a" name="b" time="0.1"/></testsuite>',
    ],
)
def test_what_is_no_defects_message_is_never_taken_for_one(explain, log):
    """It says that nothing matches, and which defects have no message."""
    status, said, _ = explain(log)
    assert status == 0
    assert "is a message of cuda-swap, host-launch" in said
    assert "shared-split and mixed-atomics have none: they show as wrong numbers" in said


def test_a_traceback_of_one_test_says_nothing_of_another(explain):
    """The function that raised is looked for in the test's own text."""
    cases = [WARNED_NATIVE.rpartition("Runtime")[0], "RuntimeError: " + WARNED.rpartition(": ")[2]]
    texts = "".join(
        f'<testcase name="t{number}"><failure>{case.replace("<", "(")}</failure></testcase>'
        for number, case in enumerate(cases)
    )
    assert explain(f"<testsuite>{texts}</testsuite>")[0] == 0


@pytest.mark.parametrize(
    "log",
    [
        f"2026-01-01T10:00:00.1Z \x1b[1m\x1b[31mE   {SWAP}\x1b[0m".encode(),
        f"E   {SWAP}\r\n".encode("utf-16"),
        f"\N{BYTE ORDER MARK}E   {SWAP}".encode(),
        b"\xff\xfa broken\n" + SWAP.encode(),
        SWAP.replace("'", "\\'").encode(),
        f"<testsuite><system-out>\n{SWAP}</system-out></testsuite>".encode(),
        f'<?xml version="1.0"?><testsuites><testsuite><testcase><error message="{SWAP}"/>'
        "</testcase></testsuite></testsuites>".encode(),
    ],
)
def test_a_log_is_read_as_ci_systems_and_shells_write_it(explain, log):
    """With times, colours, other encodings, and quotes that are escaped."""
    status, said, _ = explain(log)
    assert status == 1
    assert "Where no thread is named (tid=[...]), it may also be" in said


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;">]>'
    "<testsuite><system-out>&c;</system-out></testsuite>"
)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty; give the log of a run that came to its end"),
        ("<testsuites><testsuite/></testsuites>", "is empty; give the log of a run that"),
        (LAUGHS, "it declares a document type"),
        ('<?xml version="1.0"?><html/>', "is XML with the root html; give a log or a JUnit file"),
        ("<testsuite><testcase>", "is no XML that can be read"),
        ('<?xml version="1.0" encoding="nope"?><testsuite/>', "is no XML that can be read"),
        (b"\x7fELF\0\0", "is no text; give a log or a JUnit file"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line_and_exits_2(explain, content, message):
    """Entities are never expanded."""
    status, said, error = explain(content)
    assert (status, said) == (2, "")
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("name", ["missing.xml", "."])
def test_a_path_that_is_no_file_is_one_line(capsys, name):
    """So is a folder."""
    assert main(["explain", name]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_what_a_stranger_wrote_does_not_steer_the_terminal(explain):
    """Test names come from a file of unknown origin."""
    name = "t\N{RIGHT-TO-LEFT OVERRIDE}est"
    junit = f'<testsuite><testcase name="{name}"><error message="{SWAP}"/></testcase></testsuite>'
    said = explain(junit)[1]
    assert "t\N{REPLACEMENT CHARACTER}est: " in said


def test_many_lines_are_counted_and_the_first_shown(explain):
    """The answer stays short."""
    said = explain(f"E   {SWAP}\n" * 8)[1]
    assert "cuda-swap: 8 places show it" in said
    assert "line 5: " in said
    assert "line 6: " not in said
    assert "and 3 more" in said


def test_without_results_the_answer_says_that_releases_are_not_known(explain):
    """The remedies and the shield do not depend on them."""
    said = explain(SWAP)[1]
    assert "no results on this disk say so; make dashboard measures releases" in said
    assert DEFECTS["cuda-swap"].remedies[0] in said
    assert "python -m pytest -p cudasim_shield" in said


@pytest.mark.usefixtures("releases")
def test_the_releases_that_have_it_are_those_of_the_results(explain, project, monkeypatch):
    """They are named as on the page."""
    monkeypatch.chdir(project)
    said = explain(SWAP)[1]
    assert "numba-cuda 0.26.0, the newest release measured, is free of cuda-swap" in said
