"""Texts of upstream and of strangers before they reach a terminal or a log."""

from __future__ import annotations

import pytest

from fixwatch.upstream_texts import make_lines_printable, make_printable


@pytest.mark.parametrize("text", ["\x1b[2J", "a\u202eb", "a\u2066b", "\x07", "a\rb", "a\nb"])
def test_what_steers_a_terminal_is_replaced(text):
    """Escape sequences, marks of direction and ends of lines are none of a line's signs."""
    assert make_printable(text).isprintable()


@pytest.mark.parametrize("text", ["##[error]no", "see ##[group] there", "::error::b", " ::debug::"])
def test_no_command_for_a_ci_service_is_left_in_a_line(text):
    """Some are read anywhere in a line, others at its beginning, however far it is indented."""
    printable = make_printable(text)
    assert "##[" not in printable
    assert not printable.strip().startswith("::")
    assert printable.replace(" ", "") == text.replace(" ", "")


def test_no_line_of_several_begins_with_a_command_for_a_ci_service():
    """Nor does one behind another kind of line's end."""
    lines = make_lines_printable("a\n::error::b\r::add-mask::c\u2028::d").splitlines()
    assert lines == ["a", ": :error::b", ": :add-mask::c", ": :d"]


def test_usual_texts_are_left_as_they_are():
    """Letters of any language, tables and C++ names stay."""
    text = "  error: std::vector - größer, 日本 | [1]\n## heading"
    assert make_lines_printable(text) == text
