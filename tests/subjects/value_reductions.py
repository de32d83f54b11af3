"""Programs that come to a result which is missed if values are followed where they may change.

They are of the form of those of `tests.subjects.reductions`; `PROGRAMS` has both.
"""

from __future__ import annotations

import contextlib
import types
from typing import Any

from tests.subjects.reductions import PROGRAMS, Object, Other, make_subject, manage, program

__all__ = ["PROGRAMS", "make_subject"]

GLOBAL: Any = "old"


def _name(is_new: object) -> str:
    return "new" if is_new else "old"


class Number(int):
    """Is calculated with by whatever function of C stands in the class."""


@program
def calculated_with_a_list(here, read):
    """Add up a list that thread 1 changes."""
    values = ["old"]

    def run(note=here.append, more=("more",)):
        more = list(more)
        note(1)
        value = values + more
        read["last"] = value[0]

    def write():
        if here:
            values[0] = "new"

    return run, write


@program
def calculated_in_c(here, read):
    """Add with a class whose own way to add reads."""
    values = [0]
    number = Number(0)
    Number.__add__ = values.__getitem__

    def run(note=here.append):
        note(1)
        value = number + 0
        read["last"] = _name(value)

    def write():
        if here:
            values[0] = 1

    return run, write


@program
def compared_with_a_list(here, read):
    """Compare a list that thread 1 changes."""
    values, others = ["old"], ["new"]

    def run(note=here.append):
        note(1)
        value = values == others
        read["last"] = _name(value)

    def write():
        if here:
            values[0] = "new"

    return run, write


@program
def contained_in_a_list(here, read):
    """Look for something in a list that thread 1 changes."""
    values = ["old"]

    def run(note=here.append):
        note(1)
        value = "new" in values
        read["last"] = _name(value)

    def write():
        if here:
            values[0] = "new"

    return run, write


@program
def contained_in_keys(here, read):
    """Look for a key by a view of a dictionary that thread 1 changes."""
    names = {}

    def run(note=here.append):
        note(1)
        value = "key" in names.keys()  # noqa: SIM118
        read["last"] = _name(value)

    def write():
        if here:
            names["key"] = 1

    return run, write


@program
def contained_in_values(here, read):
    """Look for a value by a view of a dictionary that thread 1 changes."""
    names = {"key": "old"}

    def run(note=here.append):
        note(1)
        value = "new" in names.values()
        read["last"] = _name(value)

    def write():
        if here:
            names["key"] = "new"

    return run, write


@program
def compared_inside_of_a_tuple(here, read):
    """Look for a list that thread 1 changes among others."""
    values, more = ["old"], ["new"]

    def run(note=here.append):
        note(1)
        value = more in (values, here)
        read["last"] = _name(value)

    def write():
        if here:
            values[0] = "new"

    return run, write


@program
def iterated(here, read):
    """Loop over a list that thread 1 changes."""
    values = ["old"]

    def run(note=here.append):
        note(1)
        for value in values:
            read["last"] = value

    def write():
        if here:
            values[0] = "new"

    return run, write


@program
def iterated_by_a_view(here, read):
    """Loop over what a dictionary holds, behind a look at how much that is."""
    names = {"value": "old"}

    def run(note=here.append):
        for _ in names.items():
            note(1)
            break
        for _name, value in names.items():
            read["last"] = value

    def write():
        if here:
            names["value"] = "new"

    return run, write


@program
def unpacked(here, read):
    """Unpack a list that thread 1 changes."""
    values = ["old"]

    def run(note=here.append):
        note(1)
        (value,) = values
        read["last"] = value

    def write():
        if here:
            values[0] = "new"

    return run, write


@program
def sliced(here, read):
    """Take a part of a list that thread 1 changes."""
    values = ["old"]

    def run(note=here.append):
        note(1)
        value = values[:1]
        read["last"] = value[0]

    def write():
        if here:
            values[0] = "new"

    return run, write


@program
def measured(here, read):
    """Ask for the length of a list that thread 1 changes."""
    values = []

    def run(note=here.append):
        note(1)
        value = len(values)
        read["last"] = _name(value)

    def write():
        if here:
            values.append(1)

    return run, write


@program
def taken_for_true(here, read):
    """Ask whether a list that thread 1 changes holds anything."""
    values = []

    def run(note=here.append):
        note(1)
        read["last"] = "new" if values else "old"

    def write():
        if here:
            values.append(1)

    return run, write


@program
def taken_for_true_behind_another_value(here, read):
    """Ask for the truth of a list that is the result itself, if it is empty."""
    values = []

    def run(note=here.append):
        note(1)
        value = values and "new"
        read["last"] = _name(value == "new")

    def write():
        if here:
            values.append(1)

    return run, write


@program
def called_like_a_builtin(here, read):
    """Call a function of C that only has the name of another one."""
    values = ["old"]

    def run(note=here.append, id=values.__getitem__):  # noqa: A002
        note(1)
        value = id(0)
        read["last"] = value

    def write():
        if here:
            values[0] = "new"

    return run, write


@program
def measured_by_a_method(here, read):
    """Ask for the length of a list that thread 1 changes, which is bound to the function of C."""
    values = []
    measure = types.MethodType(len, values)

    def run(note=here.append):
        note(1)
        value = measure()
        read["last"] = _name(value)

    def write():
        if here:
            values.append(1)

    return run, write


@program
def asked_for_its_class(here, read):
    """Ask what an instance is of, whose class thread 1 changes."""
    subject = Object()

    def run(note=here.append):
        note(1)
        value = isinstance(subject, Other)
        read["last"] = _name(value)

    def write():
        if here:
            subject.__class__ = Other

    return run, write


@program
def typed(here, read):
    """Ask for the class itself."""
    subject = Object()

    def run(note=here.append):
        note(1)
        value = type(subject)
        read["last"] = _name(value is Other)

    def write():
        if here:
            subject.__class__ = Other

    return run, write


@program
def called_by_its_class(here, read):
    """Call an instance whose class has another way to be called meanwhile."""

    class Called:
        def __call__(self):
            return "old"

    subject = Called()

    def run(note=here.append):
        note(1)
        value = subject()
        read["last"] = value

    def write():
        if here:
            Called.__call__ = lambda _: "new"

    return run, write


@program
def entered_by_both(here, read):
    """Enter a context manager of the standard library's, which both threads have."""
    manager = manage()

    def run(note=here.append):
        note(1)
        try:
            with manager:
                read["last"] = "old"
        except Exception:
            read["last"] = "new"

    def write():
        if here:
            with contextlib.suppress(Exception):
                manager.__enter__()

    return run, write


@program
def listed_and_kept(here, read):
    """Look for something in a list in brackets that thread 1 has as well."""
    global GLOBAL
    GLOBAL = "old"

    def run():
        global GLOBAL
        value = "new" in (GLOBAL := ["old"])
        read["last"] = _name(value)

    def write():
        if isinstance(GLOBAL, list):
            GLOBAL[0] = "new"

    return run, write


@program
def entered_and_kept(here, read):
    """Enter a context manager as it is made, where thread 1 has it as well."""
    global GLOBAL
    GLOBAL = "old"

    def run():
        global GLOBAL
        try:
            with (GLOBAL := manage()):
                read["last"] = "old"
        except Exception:
            read["last"] = "new"

    def write():
        if not isinstance(GLOBAL, str):
            with contextlib.suppress(Exception):
                GLOBAL.__enter__()

    return run, write


@program
def cell_of_a_comprehension_and_a_function(here, read):
    """Write a variable that a comprehension closes over, and a function that thread 0 has."""
    functions = [lambda: "old"]

    def prepare():
        value = "old"
        functions[0] = lambda: value
        [value for _ in ()]
        yield
        if here:
            value = "new"
        yield

    steps = prepare()
    next(steps)

    def run(note=here.append, look=functions[0]):
        note(1)
        read["last"] = look()

    return run, lambda: next(steps)


@program
def in_a_list_that_a_loop_has_left(here, read):
    """Take an item behind a loop that was left by an exception, with another value on the stack."""
    values = ["old"]

    def run(note=here.append):
        try:
            for number in range(3):
                1 // (number - 1)
        except ZeroDivisionError:
            note(1)
            value = values[0]
            read["last"] = value

    def write():
        if here:
            values[0] = "new"

    return run, write
