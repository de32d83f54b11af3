"""Programs of some threads that `explore` runs: what they start with, and what came of a run."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from mwe.runner import run_trial
from mwe.schedules.explore.plans import Plan
from mwe.schedules.explore.space import Space
from mwe.schedules.explore.turns import Turns
from tests.subjects.planted import SoundSubject


class ProgramSubject(SoundSubject):
    """Starts each function in a thread of its own, and joins them.

    `set_up` puts everything back and returns the functions; `find_result` says what came of them,
    in words that can be compared.
    """

    def __init__(
        self,
        set_up: Callable[[], Sequence[Callable[[], Any]]],
        find_result: Callable[[], Any],
        expected: Any = None,
    ) -> None:
        super().__init__()
        self.set_up = set_up
        self.find_result = find_result
        self.expected = expected
        self.results: list[Any] = []

    def launch(self, kernel: Any, shape: Any = None) -> Any:
        """Run the threads and return what came of them."""
        threads = [threading.Thread(target=run, daemon=True) for run in self.set_up()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.results.append(self.find_result())
        return self.results[-1]

    def describe_mismatch(self, output: Any) -> str:
        """Compare with what is expected, if anything is."""
        if self.expected is None or output == self.expected:
            return ""
        return f"output is {output}, expected {self.expected}"


def make_notes(*lengths: int, end: Callable[[str], Any] = str) -> ProgramSubject:
    """Return a program whose threads note so many marks each, a point each: a1 a2, b1 b2.

    What came of a run is the order of the marks, or what `end` makes of it.
    """
    order: list[str] = []
    source = "".join(
        f"def {name}(note=append): "
        + "; ".join(f"note('{name}{number}')" for number in range(1, length + 1))
        + "\n"
        for name, length in zip("abc", lengths, strict=False)
    )

    def set_up() -> list[Any]:
        order.clear()
        names: dict[str, Any] = {"append": order.append}
        exec(compile(source, "/planted/notes.py", "exec"), names)  # noqa: S102
        return [names[name] for name in "abc"[: len(lengths)]]

    return ProgramSubject(set_up, lambda: end(" ".join(order)))


@dataclass
class Explored:
    """What the schedules of a space came to."""

    space: Space
    plans: list[Plan] = field(default_factory=list)
    results: Counter[Any] = field(default_factory=Counter)
    first_plans: dict[Any, Plan] = field(default_factory=dict)


def explore(
    subject: ProgramSubject, switches: int, n_threads: int = 2, *, leaves_out: bool = True
) -> Explored:
    """Run the whole space of a program in this process."""
    turns = Turns(Plan(), n_threads, records_points=False)
    assert run_trial(subject, lambda _: turns.taken(), None, "").detail == ""
    explored = Explored(Space(switches, n_threads, leaves_out=leaves_out))
    explored.space.survey(turns)
    while (plan := explored.space.take()) is not None:
        turns = explored.space.open_turns(plan)
        subject.results.clear()
        outcome = run_trial(subject, lambda _, turns=turns: turns.taken(), None, "")
        result = subject.results[0] if subject.results else outcome.detail
        explored.space.add(plan, turns)
        if not turns.is_possible:
            # On a machine that is too busy; it comes again.
            continue
        explored.plans.append(plan)
        explored.results[result] += 1
        explored.first_plans.setdefault(result, plan)
    assert explored.space.report().exhausted
    return explored
