"""Compiling to PTX: what counts as compiled, and what is said where nothing can be."""

from __future__ import annotations

import pytest

from mwe.compiler.compilation import CompiledKernel, parse_compute_capability
from mwe.errors import BadArgumentError
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
