"""The values that instructions take are followed as the interpreter has them, or are unknown."""

from __future__ import annotations

import argparse
import copy
import difflib
import fractions
import json
import sys
import textwrap
from types import BuiltinMethodType, MethodType

import pytest

from mwe.schedules.explore.effects import UNKNOWN, Made, is_simple
from mwe.schedules.explore.instructions import find_points
from mwe.schedules.explore.operands import Operands
from mwe.schedules.tracing import ask_for_instructions, hear_instructions


def parse():
    """Run a parser of options with what it has for most of them."""
    parser = argparse.ArgumentParser(prog="p", exit_on_error=False)
    parser.add_argument("numbers", nargs="+", type=int)
    parser.add_argument("--flag", action="store_true")
    parser.add_argument("--name", choices=["a", "b"], default="a")
    parser.format_help()
    return parser.parse_args(["1", "2", "--flag", "--name", "b"])


def fail_in_loops():
    """Leave loops and blocks by exceptions, and go on behind them."""
    seen = []
    for number in range(4):
        try:
            for other in range(3):
                seen.append(1 // (number - other))
        except ZeroDivisionError as error:
            kept = str(error)
            seen.append(kept)
        finally:
            last = number
    return seen, last


def find_frame():
    """Ask for what is no number, and for what is one."""
    frame = sys._getframe()
    number = id(frame)
    return frame, number


PROGRAMS = {
    "frames": find_frame,
    "options": parse,
    "exceptions": fail_in_loops,
    "differences": lambda: list(difflib.ndiff(["one\n", "two\n"], ["ore\n", "tree\n", "two\n"])),
    "paragraphs": lambda: textwrap.wrap("some words that are to be wrapped " * 5, 20),
    "fractions": lambda: fractions.Fraction("3/4") ** 3 + fractions.Fraction(1.5) * 2,
    "copies": lambda: copy.deepcopy({"a": [1, (2, {3})], "b": fractions.Fraction(1, 3)}),
    "text": lambda: json.dumps({"a": [1, 2.5, None, {"b": "c"}]}, indent=1),
}


class Watched(Operands):
    """Keeps what is known of a value that is about to be stored in a local variable."""

    stored = None

    def _run(self, step, frame, instruction):
        self.stored = None
        if step.operation == "STORE_FAST" and self._stack:
            self.stored = step.value, self._stack[-1]
        return super()._run(step, frame, instruction)


def is_as_known(value, known):
    """Whether a value is the one that is known, or of the class that is."""
    if known is UNKNOWN:
        return True
    if type(known) is Made:
        return is_simple(value) if is_simple(known) else type(value) is known.kind
    # A method is made anew each time that it is asked for.
    is_method = isinstance(known, MethodType | BuiltinMethodType)
    return value == known if is_method else value is known


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_is_known_is_what_is_stored(name):
    """Each value that is known when it is stored in a local variable is found there."""
    calls, wrong, n_known = {}, [], 0

    def trace(frame, event, _arg):
        nonlocal n_known
        if event == "call":
            frame.f_trace_lines = False
            calls[frame] = Watched(frame.f_code)
            hear_instructions(frame, trace)
        elif event == "return":
            calls.pop(frame, None)
        elif event == "opcode":
            call = calls[frame]
            stored, call.stored = call.stored, None
            call.follow(frame, find_points(frame.f_code).get(frame.f_lasti))
            if stored is not None and call._last is not None:
                variable, known = stored
                n_known += known is not UNKNOWN
                if not is_as_known(frame.f_locals.get(variable), known):
                    wrong.append((frame.f_code, frame.f_lasti, variable, known))
        return trace

    ask_for_instructions()
    sys.settrace(trace)
    try:
        PROGRAMS[name]()
    finally:
        sys.settrace(None)
    assert not wrong
    assert n_known
