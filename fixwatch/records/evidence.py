"""Evidence records: what was measured of a revision in an environment, beside asv's result file.

The record is the home of the counts; asv's result repeats three of them for its own pages.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from packaging.version import Version
from pydantic import Field, TypeAdapter, ValidationError

from fixwatch.durable_files import set_aside, write_text_atomically
from fixwatch.errors import FixwatchError
from fixwatch.layout import CONFIGURATION_OF
from fixwatch.records import fields
from fixwatch.records.fields import Closed, Count, Name, Text, describe_violation
from fixwatch.records.install_record import AVAILABILITY
from fixwatch.upstream_texts import parse_moment, parse_version

FORMAT_VERSION: Literal[3] = 3
# What of a printed batch stands in the record around it.
_STATED_ELSEWHERE = frozenset(
    {"version", "defect", "workload", "role", "schedule", "target", "packages", "python"}
)
# Not ".json": asv takes every such file below its results for a result.
SUFFIX = ".evidence"
# The upstream and the target of each results folder; None for releases of both.
FOLDERS = {
    "numba": ("numba", "simulator"),
    "numba-cuda": ("numba-cuda", "simulator"),
    "releases": (None, "simulator"),
    "compiler-numba": ("numba", "compiler"),
    "compiler-numba-cuda": ("numba-cuda", "compiler"),
    "compiler-releases": (None, "compiler"),
    "cuda": (None, "cuda"),
    "cuda-numba": ("numba", "cuda"),
    "cuda-numba-cuda": ("numba-cuda", "cuda"),
}
# What a record names among its packages if the simulator was repaired before it was measured.
SHIELD = "cudasim-shield"
# The schedule whose trials are different schedules, each run once.
EXPLORE = "explore"


_LEFT_OUT_IF_NONE = Field(exclude_if=lambda value: value is None)


class UnreadableEvidenceError(FixwatchError):
    """A record could not be read now, or by this program; nothing is known of what is in it."""


@dataclass(frozen=True, kw_only=True)
class ExploredSpace(Closed):
    """How much of a space of schedules was run, as `mwe.schedules.explore` says.

    Raises
    ------
    ValueError
        If the numbers do not go together.
    """

    schedules: Count
    """That are known; all there are, once those with one switch less were run."""
    run: Count
    exhausted: bool
    switches: Count
    """Forced ones of a schedule, at most."""
    threads: Count
    points: Count
    """Of the thread with the most, at which a switch is forced."""

    def __post_init__(self) -> None:
        if self.run > self.schedules or self.exhausted != (self.run == self.schedules):
            raise ValueError(f"impossible space: {self}")


@dataclass(frozen=True, kw_only=True)
class PrintedBatch(Closed):
    """What ``python -m mwe --json`` printed of a batch, without what the record around it says.

    Raises
    ------
    ValueError
        If the counts do not add up.
    """

    trials: Count
    failures: Count
    failures_by_mode: dict[fields.FailureMode, Count]
    signature_failures: Count
    """Failures in the way of the defect that is looked for; on a device, and in a negative control,
    all."""
    refusals: Count
    """Passing trials in which upstream refused the launch, with an error that says so."""
    early_return_failures: Count | None
    """Failures whose thread should have returned early; null where a thread is not known."""
    first_failure_trial: Count | None
    """1-based number of the first failing trial."""
    first_failure_s: fields.Seconds | None
    duration_s: fields.Seconds
    seed: fields.Seed
    attributes: Annotated[dict[Annotated[str, Field(max_length=100)], Count], Field(max_length=50)]
    """How often each attribute was missing."""
    trials_by_kernel: dict[fields.Kernel, Count]
    failures_by_kernel: dict[fields.Kernel, Count]
    leaks: Count
    """Failing trials after which a global was not the original."""
    failing_trials: Annotated[tuple[Count, ...], Field(max_length=10_000)]
    """1-based numbers of the failing trials."""
    details: Annotated[tuple[Text, ...], Field(max_length=10)]
    """Messages of failures, each once."""
    status: fields.Line
    """``complete``, or why the batch stopped short."""
    space: Annotated[ExploredSpace | None, _LEFT_OUT_IF_NONE] = None
    """Under ``explore``: what of its space was run."""
    first_failure_schedule: Annotated[fields.ScheduleText | None, _LEFT_OUT_IF_NONE] = None
    """Under ``explore``: what ``python -m mwe --replay`` takes."""

    def __post_init__(self) -> None:
        if not sum(self.failures_by_mode.values()) == self.failures <= self.trials:
            raise ValueError(
                f"{self.failures} failures of {self.trials} trials, by mode {self.failures_by_mode}"
            )
        if self.signature_failures > self.failures or self.refusals > self.trials - self.failures:
            raise ValueError(
                f"{self.signature_failures} failures with the signature of {self.failures}, "
                f"{self.refusals} refusals in {self.trials} trials"
            )


@dataclass(frozen=True, kw_only=True)
class BatchEvidence(Closed):
    """A planned batch: what it printed, or why there is nothing."""

    defect: Name
    """That the workload is for."""
    workload: Name
    role: fields.Role
    schedule: fields.Schedule
    decides: bool = True
    """Whether a revision's verdict rests on this schedule; else it is a record only."""
    printed: Annotated[PrintedBatch | None, Field(alias="batch")] = None
    """The counts; null where the batch was not run. In the file it is called ``batch``."""
    stage: fields.Stage | None = None
    """The step that failed where the batch was not run."""
    reason: Text | None = None

    @property
    def is_exploration(self) -> bool:
        """Whether its trials are different schedules: one experiment, and no rate."""
        return self.schedule == EXPLORE


@dataclass(frozen=True, kw_only=True)
class Evidence(Closed):
    """Everything kept of one revision in one environment on one machine."""

    format_version: Annotated[Literal[3], Field(alias="version")] = FORMAT_VERSION
    upstream: fields.Upstream
    source: fields.Source
    commit: fields.Hash
    """The revision's hash in the history that asv ran."""
    # A tag is upstream's own: `/` and much else may stand in it.
    name: Text
    """Tag, version or short hash."""
    date: fields.Moment
    machine: Name
    environment: Name
    python: fields.PythonVersion
    target: fields.Target
    measured_at: fields.Moment
    """When the record was written."""
    interpreter: fields.Interpreter | None = None
    """As the batches name it, such as ``CPython 3.11.7``; null where nothing ran."""
    measurement_version: fields.MeasurementVersion | None = None
    """What the counts mean; numbers of different versions are never compared."""
    packages: fields.Packages = field(default_factory=dict)
    """What was installed."""
    build_packages: fields.Packages = field(default_factory=dict)
    """What a commit was built with."""
    extensions: fields.Extensions | None = None
    """Whether a commit's extensions were compiled, reused, or there were none."""
    resolved_as_of: fields.Moment | None = None
    """Up to which moment uploads counted."""
    not_run_stage: fields.Stage | None = None
    """The step that failed where nothing could be run."""
    not_run_reason: Text | None = None
    batches: Annotated[tuple[BatchEvidence, ...], Field(max_length=fields.MAX_BATCHES)] = ()
    """One for each planned workload and schedule."""

    @property
    def version(self) -> Version | None:
        """The version of a release or of a release tag; None of any other commit.

        A short hash may look like a version.
        """
        if self.source == "commits" and self.commit.startswith(self.name):
            return None
        return parse_version(self.name)

    @property
    def is_shielded(self) -> bool:
        """Whether it says nothing of the revision as it is, as the simulator was repaired."""
        return SHIELD in self.packages

    def of_defect(self, defect: str) -> Evidence:
        """Return the record with the batches of one defect alone."""
        return replace(self, batches=tuple(b for b in self.batches if b.defect == defect))

    @property
    def is_complete(self) -> bool:
        """Whether measuring it again would add nothing: all batches ran, or none ever can."""
        if self.not_run_stage == AVAILABILITY:
            return True
        return bool(self.batches) and all(batch.printed is not None for batch in self.batches)

    @property
    def extent(self) -> tuple[int, int, int]:
        """How much was measured: meaning of the counts, batches, trials."""
        printed = [batch.printed for batch in self.batches if batch.printed is not None]
        version = int(self.measurement_version or 0)
        return version, len(printed), sum(batch.trials for batch in printed)

    @property
    def rank(self) -> tuple[tuple[int, int, int], datetime, str]:
        """Of several measurements of a revision in an environment the greatest stays.

        That is the one of the newer meaning of counts, of these the one with more batches, then
        with more trials, then the newer; of equals always the same one.
        """
        return self.extent, parse_moment(self.measured_at), repr(self)


_RECORD = TypeAdapter(Evidence)
_BATCH = TypeAdapter(PrintedBatch)


def evidence_path(result_path: Path) -> Path:
    """Return where the record of an asv result file lies."""
    return result_path.with_suffix(SUFFIX)


def parse_printed(printed: Mapping[str, Any]) -> PrintedBatch:
    """Return the counts of a printed batch; raises `ValueError` if it is none."""
    return _BATCH.validate_json(json.dumps(_leave_out_stated(printed)))


def _leave_out_stated(printed: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in printed.items() if name not in _STATED_ELSEWHERE}


def restore_batch(record: Evidence, batch: BatchEvidence) -> dict[str, Any]:
    """Return a batch of a record as it was printed, for the benchmarks to go on with.

    Its packages are all that the record names, not only those that the batch looked at.
    """
    return {
        "defect": batch.defect,
        "workload": batch.workload,
        "role": batch.role,
        "schedule": batch.schedule,
        "target": record.target,
        "packages": record.packages,
        "python": record.interpreter,
        **(asdict(batch.printed) if batch.printed else {}),
    }


def save_evidence(evidence: Evidence, path: Path) -> None:
    """Write a record, whole or not at all: a field a line, a batch a line."""
    data = _RECORD.dump_python(evidence, by_alias=True)
    batches = ",\n".join(map(_dump, data.pop("batches")))
    fields = "".join(f'"{name}":{_dump(value)},\n' for name, value in data.items())
    write_text_atomically(path, f'{{{fields}"batches":[\n{batches}\n]}}\n')


def _dump(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def load_evidence(path: Path) -> Evidence:
    """Read a record; errors are those of `parse_evidence`, and name the file."""
    try:
        record = parse_evidence(path.read_bytes())
        check_folder(record, path.absolute().parents[1].name)
        return record
    except OSError as error:
        raise UnreadableEvidenceError(f"{path}: cannot be read ({error.strerror})") from error
    except FixwatchError as error:
        raise type(error)(f"{path}: {error}") from error


def parse_evidence(text: bytes) -> Evidence:
    """Return the record that a file's content describes.

    Raises
    ------
    UnreadableEvidenceError
        If it is of an unknown format version, or a file cannot be read now.
    FixwatchError
        If it describes no record.
    """
    try:
        return _RECORD.validate_json(text)
    except ValidationError as error:
        data = _read_object(text)
        version = data.get("version")
        if version == 2 and (upgraded := _upgrade(data)):
            return parse_evidence(upgraded)
        if version == 1:
            raise UnreadableEvidenceError(
                "format version 1 is no longer read; measure the revision again"
            ) from error
        if version not in (None, 2, FORMAT_VERSION):
            raise UnreadableEvidenceError(
                f"format version {version}, this program reads up to {FORMAT_VERSION}; "
                "update Fixwatch"
            ) from error
        raise FixwatchError(f"not an evidence record: {describe_violation(error)}") from error


def check_folder(record: Evidence, folder: str) -> None:
    """Raise a `FixwatchError` if a record belongs in another results folder.

    What belongs in one that is not of `FOLDERS` nobody knows.
    """
    if folder not in FOLDERS:
        return
    upstream, target = FOLDERS[folder]
    expected = {
        "source": "commits" if upstream else "releases",
        "target": target,
        "upstream": upstream or record.upstream,
    }
    for name, value in expected.items():
        if getattr(record, name) != value:
            raise FixwatchError(f"{name} is {getattr(record, name)!r}, its place says {value!r}")


def _read_object(text: bytes) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _upgrade(data: dict[str, Any]) -> bytes | None:
    """Return version 2, which knew a single defect and counted no signatures, as version 3."""
    try:
        batches = [
            {
                "defect": "cuda-swap",
                **batch,
                "batch": batch["batch"] and _count_signature(batch, data),
            }
            for batch in data["batches"]
        ]
    except (TypeError, KeyError, AttributeError):
        return None
    return json.dumps({**data, "version": FORMAT_VERSION, "batches": batches}).encode()


def _count_signature(batch: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    printed = batch["batch"]
    modes = printed["failures_by_mode"]
    n_shown = modes.get("missing-attribute", 0) + modes.get("leaked-global", 0)
    counts_all = data["target"] == "cuda" or batch["role"] == "negative-control"
    shown = printed["failures"] if counts_all else n_shown
    return {**printed, "signature_failures": shown, "refusals": 0}


def iter_evidence(
    results_dir: Path, report_damage: Callable[[str], None] = lambda _message: None
) -> Iterator[Evidence]:
    """Read all records below a results folder, which may be missing; damaged ones are set aside.

    `report_damage` gets a line for each record that was set aside or cannot be read.
    """
    for path in sorted(results_dir.glob(f"*/*{SUFFIX}")):
        try:
            yield load_evidence(path)
        except FixwatchError as error:
            message = str(error)
            if not isinstance(error, UnreadableEvidenceError):
                try:
                    message += f"; set aside as {set_aside(path).name}; {_name_remedy(path)}"
                except OSError as rename_error:
                    message += f"; cannot be set aside ({rename_error})"
            report_damage(message)


def _name_remedy(path: Path) -> str:
    """Return the command that measures again what a record was of."""
    commit, _, environment = path.stem.partition("-")
    configuration = CONFIGURATION_OF.get(path.parents[1].name)
    if configuration is None or not environment:
        return "measure it again"
    return f"measure it again: asv --config {configuration} run '{commit}^!'"
