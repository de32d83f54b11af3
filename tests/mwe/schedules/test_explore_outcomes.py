"""Programs made at random come to the same results whether or not schedules are left out."""

from __future__ import annotations

import sys
import textwrap
import threading
from contextlib import contextmanager
from types import ModuleType

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.subjects.programs import ProgramSubject, explore

# Each is a statement of a thread; `out` is what the thread has seen.
READS = [
    "out.append(A)",
    "out.append(B)",
    "out.append(o.a)",
    "out.append(o.b)",
    "out.append(d.get('k'))",
    "out.append(len(l))",
    "out.append(o.both)",
    "out.append(cell_of())",
    "out.append(A * 2 + o.a)",
    "out.append(l + [A])",
    "out.append(5 in l)",
    "out.append(l[:1])",
    "out.append(isinstance(o, Other))",
    "out.append([n for n in l if n is not out])",
    "out.extend(n for n in range(A))",
    "out.append(len(l) + sum(d.values()))",
    "out.append(o())",
    "with managed() as seen: out.append(seen)",
]
WRITES = [
    "A = A + 1",
    "B += 1",
    "o.a += 1",
    "o.b = A",
    "d['k'] = B",
    "l.append(A)",
    "setattr(o, 'a', 5)",
    "object.__setattr__(o, 'b', 6)",
    "o.__dict__.update(a=7, b=7)",
    "globals().update(A=8)",
    "helper.C += 1",
    "add_one()",
    "add_many(1)",
    "add_to_cell()",
    "o.late()",
    "o.__class__ = Other",
    "l[:] = [A, 5]",
    "Object.__call__ = lambda _: 11",
    "with managed() as seen: o.a = seen",
]
statements = st.sampled_from(READS + WRITES)


@st.composite
def nested(draw):
    """Return a statement, maybe in a block."""
    statement = draw(statements)
    block = draw(st.sampled_from([None, None, None, "with lock:", "for _ in 1, 2:", "if o.a > 5:"]))
    return f"{block}\n    {statement}" if block else statement


bodies = st.lists(nested(), min_size=1, max_size=3)

MODULE = """
A = B = 0

class Object:
    def __init__(self):
        self.a = self.b = 0

    @property
    def both(self):
        return self.a, self.b

    def late(self):
        if A:
            self.b = 9

    def __call__(self):
        return self.a

class Other(Object):
    pass

@contextmanager
def managed():
    yield A

o = Object()
d = {}
l = []

def add_one():
    global A
    A += 1

def add_many(n, m=1):
    for _ in range(n + m):
        o.a += 1

def make_cell():
    cell = 0
    def cell_of():
        return cell
    def add_to_cell():
        nonlocal cell
        cell += 1
    return cell_of, add_to_cell

cell_of, add_to_cell = make_cell()
"""
FUNCTION = """
def run_{number}(out):
    global A, B
{body}
"""
NAME = "program_at_random"


def make_subject(programs):
    """Return the subject of two lists of statements."""
    texts = [
        FUNCTION.format(number=number, body=textwrap.indent("\n".join(body), "    "))
        for number, body in enumerate(programs)
    ]
    code = compile(MODULE + "".join(texts), f"/planted/{NAME}.py", "exec")
    outs = []
    names = {}

    def set_up():
        module = sys.modules[NAME]
        # The same code at each trial, or nothing is a second visit's.
        vars(module).clear()
        vars(module).update(__name__=NAME, lock=threading.Lock(), helper=ModuleType("helper"))
        vars(module)["contextmanager"] = contextmanager
        vars(module)["helper"].C = 0
        exec(code, vars(module))  # noqa: S102
        outs[:] = [], []
        names.update(vars(module))
        return [lambda run=names[f"run_{n}"], out=outs[n]: run(out) for n in range(len(programs))]

    def find_result():
        module = sys.modules[NAME]
        o = module.o
        return repr((outs, module.A, module.B, o.a, o.b, module.d, module.l, module.cell_of()))

    return ProgramSubject(set_up, find_result)


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(bodies, bodies)
def test_what_is_left_out_changes_no_result(one, other):
    """With schedules left out, the same set of results is found as without."""
    sys.modules[NAME] = ModuleType(NAME)
    try:
        subject = make_subject([one, other])
        everything = explore(subject, 2, leaves_out=False)
        reduced = explore(subject, 2)
        assert set(reduced.results) == set(everything.results)
        assert len(reduced.plans) <= len(everything.plans)
    finally:
        del sys.modules[NAME]
