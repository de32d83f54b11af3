"""Programs that come to a result which is missed if points are left out that matter.

In each, thread 0 notes that it is there, reads, and keeps what it read, with nothing between that
thread 1 could see; thread 1 writes only if thread 0 is there.
"""

from __future__ import annotations

import contextlib
import operator
import threading
from collections.abc import Callable, Sequence
from typing import Any

from tests.subjects.programs import ProgramSubject

GLOBAL: Any = "old"
PROGRAMS: dict[str, Callable[[list[int], dict[str, Any]], Sequence[Callable[[], None]]]] = {}


class Object:
    """Has an attribute, and answers for those that it has not."""

    attribute = "old"

    def __getattr__(self, name: str) -> str:
        return "old"


class Other(Object):
    """Has another one."""

    attribute = "new"


def program(make: Any) -> Any:
    """Keep a program under the name of its function."""
    PROGRAMS[make.__name__] = make
    return make


def make_subject(name: str) -> ProgramSubject:
    """Return the subject of a program; its result is what thread 0 read last."""
    here: list[int] = []
    read: dict[str, Any] = {}

    def set_up() -> Any:
        global GLOBAL
        GLOBAL = "old"
        here.clear()
        read.clear()
        return PROGRAMS[name](here, read)

    return ProgramSubject(set_up, lambda: read.get("last"))


def _read_global(here: list[int], read: dict[str, Any]) -> Callable[[], None]:
    def run(note: Any = here.append) -> None:
        note(1)
        value = GLOBAL
        read["last"] = value

    return run


def _read_attribute(here: list[int], read: dict[str, Any], subject: Any) -> Callable[[], None]:
    def run(note: Any = here.append) -> None:
        note(1)
        value = subject.attribute
        read["last"] = value

    return run


@program
def store_global(here, read):
    """Write a global by its own instruction."""

    def write():
        global GLOBAL
        if here:
            GLOBAL = "new"

    return _read_global(here, read), write


@program
def update_of_globals(here, read):
    """Write a global through the module's dictionary."""

    def write():
        if here:
            globals().update(GLOBAL="new")

    return _read_global(here, read), write


@program
def item_of_globals_from_c(here, read):
    """Write a global by a function of C, with no name that says so."""
    put, names = operator.setitem, globals()

    def write():
        if here:
            put(names, "GLOBAL", "new")

    return _read_global(here, read), write


@program
def store_attribute(here, read):
    """Write an attribute by its own instruction."""
    subject = Object()

    def write():
        if here:
            subject.attribute = "new"

    return _read_attribute(here, read, subject), write


@program
def setattr_of_a_name(here, read):
    """Write an attribute whose name stands in no instruction."""
    subject = Object()

    def write():
        if here:
            setattr(subject, "attr" + "ibute", "new")

    return _read_attribute(here, read, subject), write


@program
def update_of_an_objects_dictionary(here, read):
    """Write an attribute through the object's dictionary."""
    subject = Object()

    def write():
        if here:
            subject.__dict__.update(attribute="new")

    return _read_attribute(here, read, subject), write


@program
def setattr_of_object(here, read):
    """Write an attribute past the class's own way."""
    subject = Object()

    def write():
        if here:
            object.__setattr__(subject, "attribute", "new")

    return _read_attribute(here, read, subject), write


@program
def another_class(here, read):
    """Write the class of an object, which has another attribute."""
    subject = Object()

    def write():
        if here:
            subject.__class__ = Other

    return _read_attribute(here, read, subject), write


@program
def setattr_of_the_class(here, read):
    """Write the class of an object by a name that stands beside `setattr`."""
    subject = Object()

    def write(subject=subject):
        if here:
            setattr(subject, "__class__", Other)  # noqa: B010

    return _read_attribute(here, read, subject), write


@program
def cell(here, read):
    """Write a variable that both functions close over."""
    value = "old"

    def run(note=here.append):
        note(1)
        read["last"] = value

    def write():
        nonlocal value
        if here:
            value = "new"

    return run, write


@program
def written_by_a_library(here, read):
    """Write an attribute in a function of the standard library."""
    event = threading.Event()

    def run(note=here.append):
        note(1)
        value = event._flag
        read["last"] = "new" if value else "old"

    def write():
        if here:
            event.set()

    return run, write


@program
def read_by_a_library(here, read):
    """Read what a property of the standard library makes of an attribute with another name."""
    barrier = threading.Barrier(2)

    def run(note=here.append):
        note(1)
        value = barrier.broken
        read["last"] = "new" if value else "old"

    def write():
        if here:
            barrier.abort()

    return run, write


@program
def written_by_a_later_schedule(here, read):
    """Write in a function that runs only where thread 1 sees what no thread leaves behind."""
    subject = Object()

    def repair():
        subject.attribute = "new"

    def run():
        here[:] = [1]
        value = subject.attribute
        read["last"] = value
        here[:] = []

    def write():
        if here:
            repair()

    return run, write


def _take(subject: Any) -> Any:
    found = None
    return found or subject.attribute


@contextlib.contextmanager
def manage(*_values):
    """Return a context in which nothing is managed."""
    yield


@program
def in_a_function_that_begins_locally(here, read):
    """Read in a function that does something of its own first."""
    subject = Object()

    def run(note=here.append):
        note(1)
        value = _take(subject)
        read["last"] = value

    def write():
        if here:
            subject.attribute = "new"

    return run, write


def _return_it(value: Any) -> Any:
    return value


@program
def in_c_before_a_function_is_called(here, read):
    """Read in C, which then calls a function; a switch in that one comes too late."""
    values = ["old"]

    def run(note=here.append):
        taken = map(_return_it, values)
        note(1)
        (value,) = list(taken)
        read["last"] = value

    def write():
        if here:
            values[0] = "new"

    return run, write


def _make_managers(list, taken):  # noqa: A002
    # A call at a lower offset than the one by which C calls back, and not far from it.
    return list(taken)


@program
def in_c_that_is_called_by_another_function(here, read):
    """Read in C, which calls a function that calls another one; its caller is not the reader."""
    values = ["old"]

    def run(note=here.append, list=list, values=values):  # noqa: A002
        taken = map(manage, values)
        note(1)
        (manager,) = _make_managers(list, taken)
        read["last"] = manager.args[0]

    def write():
        if here:
            values[0] = "new"

    return run, write


@program
def before_getattr_is_asked(here, read):
    """Look into the object, which then asks the class's function; a switch there comes too late."""
    subject = Object()

    def run(note=here.append):
        note(1)
        value = subject.only_there
        read["last"] = value

    def write():
        if here:
            subject.only_there = "new"

    return run, write


@program
def at_a_second_visit(here, read):
    """Read by an instruction that was visited before, behind one that was not and is local."""
    subject = Object()

    def run(note=here.append):
        for is_second in (False, True):
            if is_second:
                note(1)
                _return_it.__name__  # noqa: B018
            value = subject.attribute
        read["last"] = value

    def write():
        if here:
            subject.attribute = "new"

    return run, write


@program
def in_a_function_with_many_names(here, read):
    """Read by an instruction whose argument does not fit into it."""
    lines = [f"    name_{number}" for number in range(256)]
    lines = ["def run(note):", *lines, "    note(1)", "    value = GLOBAL", "    keep(value)"]
    names = {f"name_{number}": None for number in range(256)}
    names.update(GLOBAL="old", keep=lambda value: read.update(last=value))
    exec(compile("\n".join(lines), "/planted/names.py", "exec"), names)  # noqa: S102

    def write():
        if here:
            names["GLOBAL"] = "new"

    return lambda note=here.append: names["run"](note), write


@program
def in_c_by_a_function_with_many_names(here, read):
    """Read in C by such an instruction, before C calls a function; there it is too late."""
    lines = [f"    subject.name_{number}" for number in range(256)]
    lines = ["def run(note, subject):", *lines, "    note(1)", "    value = subject.only_there"]
    names = {"keep": lambda value: read.update(last=value)}
    source = "\n".join([*lines, "    keep(value)"])
    exec(compile(source, "/planted/names.py", "exec"), names)  # noqa: S102
    subject = Object()

    def write():
        if here:
            subject.only_there = "new"

    return lambda note=here.append: names["run"](note, subject), write


@program
def in_a_function_that_ran_before(here, read):
    """Read in a function whose points have all been passed."""
    subject = Object()

    def run(note=here.append):
        _take(subject)
        note(1)
        value = _take(subject)
        read["last"] = value

    def write():
        if here:
            subject.attribute = "new"

    return run, write
