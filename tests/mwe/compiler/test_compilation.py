"""Compiling to PTX: what counts as compiled, and what is said where nothing can be."""

from __future__ import annotations

import pytest

from mwe.compiler import compilation
from mwe.compiler.compilation import (
    CompiledKernel,
    check_compiler,
    parse_compute_capability,
)
from mwe.device import MissingPart, MissingPartError
from mwe.errors import BadArgumentError, HarnessError
from tests.mwe.test_main import mwe

PTX = ".version 8.8\n.target sm_90\n.address_size 64\n\n.visible .entry kernel(\n)\n{ ret; }\n"


def test_a_kernel_is_compiled_if_there_is_an_entry_for_a_device():
    """The output itself decides; a compiler that did not complain is not enough."""
    compiled = CompiledKernel(workload="w", ptx=PTX)
    assert (compiled.target, compiled.is_complete) == ("sm_90", True)


@pytest.mark.parametrize(
    "ptx", ["", PTX.replace(".entry", ".func"), PTX.replace(".target", "// target")]
)
def test_a_text_without_entry_or_target_is_none(ptx):
    """Output without an entry or without a target, such as a device function, is no kernel."""
    assert not CompiledKernel(workload="w", ptx=ptx).is_complete


@pytest.mark.parametrize(
    ("text", "expected"), [("9.0", (9, 0)), ("7.5", (7, 5)), ("12.1", (12, 1))]
)
def test_a_compute_capability_has_two_parts(text, expected):
    """A capability is read as its major and its minor number."""
    assert parse_compute_capability(text) == expected


@pytest.mark.parametrize("text", ["", "9", "9.0a", "sm_90", "9.0.1"])
def test_anything_else_is_refused(text):
    """Text of another form is refused with one line that shows the form."""
    with pytest.raises(BadArgumentError, match="is not of the form 9.0"):
        parse_compute_capability(text)


def test_without_the_compiler_the_line_says_which_part_is_missing(tmp_path):
    """With an empty toolkit the status is 3, and the line has numba's own words."""
    done = mwe("--ptx", CUDA_HOME=str(tmp_path), CUDA_PATH=str(tmp_path))
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("mwe: no CUDA compiler: ")
    assert "libNVVM" in done.stderr or "libdevice" in done.stderr
    assert done.stderr.count("\n") == 1


class NvvmSupportError(ImportError):
    """Has the name and the base of numba's own."""


def check_with(monkeypatch, error):
    """Return what is said where an empty kernel ends with this error."""

    def fail(*_arguments):
        raise error

    monkeypatch.setattr(compilation, "compile_to_ptx", fail)
    with pytest.raises(HarnessError) as raised:
        check_compiler((9, 0))
    return raised.value


@pytest.mark.parametrize(
    "error",
    [
        AttributeError("module 'llvmlite.binding' has no attribute 'passmanagers'"),
        AttributeError("'CUDACodeLibrary' object has no attribute '_reload_init'"),
        TypeError("compile() got an unexpected keyword argument 'lto'"),
    ],
)
def test_packages_that_do_not_go_together_are_no_missing_toolkit(monkeypatch, error):
    """The line names what is missing, and nothing to install that would not help."""
    found = check_with(monkeypatch, error)
    assert not isinstance(found, MissingPartError)
    assert str(error) in str(found)
    assert "no part of the toolkit is missing" in str(found)
    assert "install" not in str(found)


@pytest.mark.parametrize(
    "error",
    [
        NvvmSupportError("libNVVM cannot be found"),
        OSError("libnvvm.so: cannot open shared object file"),
        RuntimeError("Failure finding libnvrtc.so"),
    ],
)
def test_a_missing_part_of_the_toolkit_comes_with_what_to_install(monkeypatch, error):
    """Whichever error numba has for it."""
    found = check_with(monkeypatch, error)
    assert found.part is MissingPart.COMPILER
    assert str(error) in str(found)
    assert "install the extra cu12 or cu13" in str(found)
