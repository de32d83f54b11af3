"""What a defect is: a named fault of upstream, how it shows, and what looks for it."""

from __future__ import annotations

from dataclasses import dataclass

from mwe.outcomes import FailureMode, Outcome
from mwe.targets import Target
from mwe.workloads.subject import Role
from mwe.workloads.workload import Workload

_NAMING_MODES = frozenset({FailureMode.MISSING_ATTRIBUTE, FailureMode.LEAKED_GLOBAL})


@dataclass(frozen=True, kw_only=True)
class RaisedError:
    """An error by where it comes from and what it begins with."""

    function: str  # whose code raised it
    detail: str  # its type and the beginning of its message, as in `Outcome.detail`


@dataclass(frozen=True, kw_only=True)
class Signature:
    """Which failures are a defect's own; others say nothing of it."""

    modes: frozenset[FailureMode]
    errors: tuple[RaisedError, ...] = ()  # which count as well, whatever their mode

    @property
    def naming_modes(self) -> frozenset[str]:
        """The modes of which an error tells that it is this defect; none if others look alike."""
        return (
            frozenset(mode.value for mode in self.modes)
            if self.modes <= _NAMING_MODES
            else frozenset()
        )

    def matches(self, outcome: Outcome) -> bool:
        """Whether a trial failed in the defect's way."""
        return outcome.mode in self.modes or (
            outcome.failed
            and any(
                outcome.function == error.function and outcome.detail.startswith(error.detail)
                for error in self.errors
            )
        )


@dataclass(frozen=True, kw_only=True)
class Message:
    """What stands in a log of a test suite that met a defect."""

    pattern: str  # a regular expression for a part of a line
    # That raised it, where the pattern alone says too little: the last of the traceback before.
    function: str | None = None
    note: str = ""  # what else the line may be, or what follows from it, in a sentence


ANY_FAILURE = Signature(modes=frozenset(FailureMode))


@dataclass(frozen=True, kw_only=True)
class Defect:
    """A fault of upstream that correct programs meet."""

    name: str
    summary: str  # what happens inside, in a sentence
    symptom: str  # what a user sees, in a sentence
    signature: Signature
    # Where there can be such a fault; elsewhere its workloads are right programs like any other.
    targets: frozenset[Target] = frozenset({Target.SIMULATOR})
    # Under which an affected revision is seen to fail; a revision has to be silent under each to
    # count as not affected. Under `explore` silence counts where the whole space was run.
    schedules: tuple[str, ...]
    recorded_schedules: tuple[str, ...] = ()  # of the first workload, for the record alone
    references: tuple[str, ...]  # where upstream has it
    remedies: tuple[str, ...]  # what a user can do in any release, in a sentence each
    messages: tuple[Message, ...] = ()  # none where it shows by wrong numbers alone
    refused: str = "the launch"  # what upstream refuses where it refuses a workload's launches
    workloads: tuple[Workload, ...]  # the one that stands for the defect first
    # The negative control that no patch of upstream breaks by a race; as long as it is silent, the
    # harness works.
    harness_control: str

    @property
    def default_workload(self) -> Workload:
        """The workload that stands for the defect."""
        return self.workloads[0]

    def find_signature(self, role: Role) -> Signature:
        """Return which failures count in a workload of the defect or a control.

        In a negative control, which no failure is known of, that is any.
        """
        return ANY_FAILURE if role is Role.NEGATIVE_CONTROL else self.signature
