"""What asv's own files may hold: results, the machines they are from, and the list of benchmarks.

asv takes for granted what it finds in them, and stops at a value that it does not expect.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, Strict, TypeAdapter, ValidationError

from fixwatch.errors import FixwatchError
from fixwatch.records import fields
from fixwatch.records.fields import Closed, describe_violation

MACHINE_NAME, BENCHMARKS_NAME = "machine.json", "benchmarks.json"
_RESTORE = "restore it with git checkout"
# A newer asv may add to its files.
_OPEN = ConfigDict(extra="ignore", strict=True)
_Short = Annotated[str, Field(max_length=100, pattern=r"^[A-Za-z0-9 ._()@/+-]*$")] | None


def _refuse_infinity(value: float) -> float:
    if math.isinf(value):
        raise ValueError("is infinite")
    return value


# NaN is asv's "not applicable".
_Value = Annotated[float, Strict(), AfterValidator(_refuse_infinity)]
# The values of each parameter.
_Axes = list[list[fields.Line]]


@dataclass(frozen=True, kw_only=True)
class MachineFile(Closed):
    """asv's description of a machine."""

    version: Literal[1]
    machine: fields.Name
    arch: _Short = None
    cpu: _Short = None
    num_cpu: _Short = None
    os: _Short = None
    ram: _Short = None


@dataclass(frozen=True, kw_only=True)
class _Row:
    """What a result says of a benchmark that counts.

    Raises
    ------
    ValueError
        If it has not a value for each combination of the parameters.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    result: list[_Value | None] | None = None
    params: _Axes
    version: fields.Line | None = None
    started_at: int | None = None
    duration: _Value | None = None

    def __post_init__(self) -> None:
        n_values = math.prod(map(len, self.params))
        if self.result is not None and len(self.result) != n_values:
            raise ValueError(f"{len(self.result)} values for {n_values} combinations")


_ROW = TypeAdapter(_Row)


@dataclass(frozen=True, kw_only=True)
class ResultFile:
    """asv's result of a revision.

    Raises
    ------
    ValueError
        If a row is not what a benchmark that counts has.
    """

    __pydantic_config__ = _OPEN

    version: Literal[2]
    commit_hash: fields.Hash
    env_name: fields.Name
    date: Annotated[int, Field(ge=0, le=10**13)]  # in milliseconds
    params: dict[fields.Name, fields.Line | None]
    python: fields.Line
    requirements: dict[fields.Name, fields.Line | None]
    env_vars: dict[fields.Name, fields.Line]
    result_columns: list[fields.Name]
    results: dict[fields.Name, list[Any]]
    durations: dict[fields.Line, _Value]

    def __post_init__(self) -> None:
        for values in self.results.values():
            row = zip(self.result_columns, values, strict=False)
            _ROW.validate_python({name: value for name, value in row if value is not None})


@dataclass(frozen=True, kw_only=True)
class _Benchmark:
    """asv's description of a benchmark.

    Raises
    ------
    ValueError
        If it has not a name for each parameter.
    """

    __pydantic_config__ = _OPEN

    name: fields.Line
    code: fields.Text
    param_names: list[fields.Line]
    params: _Axes
    type: fields.Line
    unit: fields.Line
    version: fields.Line
    setup_cache_key: fields.Line | None = None
    setup_cache_timeout: _Value | None = None

    def __post_init__(self) -> None:
        if len(self.param_names) != len(self.params):
            raise ValueError(f"{len(self.param_names)} names for {len(self.params)} parameters")


def _refuse_exchanged(values: dict[str, int | _Benchmark]) -> dict[str, int | _Benchmark]:
    """Refuse a list in which a benchmark stands for the version of the file, or the reverse."""
    for name, value in values.items():
        if isinstance(value, _Benchmark) is (name == "version"):
            raise ValueError(f"{name} is what another name stands for")
    return values


_RESULT = TypeAdapter(ResultFile)
_MACHINE = TypeAdapter(MachineFile)
_BENCHMARKS = TypeAdapter(
    Annotated[dict[fields.Line, Literal[2] | _Benchmark], AfterValidator(_refuse_exchanged)]
)


def parse_machine(text: bytes, machine: str) -> MachineFile:
    """Return the description of a machine; any other is a `FixwatchError`."""
    try:
        described = _MACHINE.validate_json(text)
    except ValidationError as error:
        raise FixwatchError(f"no description of a machine: {describe_violation(error)}") from error
    if described.machine != machine:
        raise FixwatchError(f"describes another machine, {described.machine!r}")
    return described


def check_result(path: Path) -> None:
    """Raise a `FixwatchError` if a file is not asv's result of the revision that it is named for.

    Raises
    ------
    OSError
        If it cannot be read now.
    """
    try:
        result = _RESULT.validate_json(path.read_bytes())
    except ValidationError as error:
        raise FixwatchError(f"not a result of asv: {describe_violation(error)}") from error
    if (path.parent.name, path.stem) != (
        result.params.get("machine"),
        f"{result.commit_hash[:8]}-{result.env_name}",
    ):
        raise FixwatchError("machine, commit or environment is not that of its place")


def check_beside_results(path: Path) -> None:
    """Raise a `FixwatchError` if a machine's description or the list of benchmarks is none."""
    try:
        if path.name == MACHINE_NAME:
            parse_machine(path.read_bytes(), path.parent.name)
        elif path.name == BENCHMARKS_NAME:
            _BENCHMARKS.validate_json(path.read_bytes())
    except ValidationError as error:
        reason = f"no list of benchmarks: {describe_violation(error)}"
        raise FixwatchError(f"{path}: {reason}; {_RESTORE}") from error
    except OSError as error:
        raise FixwatchError(f"{path}: cannot be read ({error.strerror}); {_RESTORE}") from error
    except FixwatchError as error:
        raise FixwatchError(f"{path}: {error}; {_RESTORE}") from error
