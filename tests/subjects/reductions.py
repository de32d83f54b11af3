"""Programs that come to a result which is missed if points are left out that matter.

In each, thread 0 notes that it is there, reads, and keeps what it read, with nothing between that
thread 1 could see; thread 1 writes only if thread 0 is there.
"""

from __future__ import annotations

import contextlib
import operator
import threading
import types
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
def _manage(*_values):
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
        taken = map(_manage, values)
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
    manager = _manage()

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

    def run():
        global GLOBAL
        try:
            with (GLOBAL := _manage()):
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
