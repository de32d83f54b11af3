"""Evidence records: what was measured of a revision in an environment, beside asv's result file.

The record is the home of the counts; asv's result repeats three of them for its own pages.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from packaging.version import Version

from fixwatch.durable_files import set_aside, write_text_atomically
from fixwatch.errors import FixwatchError
from fixwatch.records.install_record import AVAILABILITY
from fixwatch.upstream_texts import parse_moment, parse_version

FORMAT_VERSION = 2
# Version 1 says nothing of builds, and repeats in each batch what the record says.
READABLE_VERSIONS = frozenset({1, 2})
# What of a printed batch stands in the record around it.
_STATED_ELSEWHERE = frozenset(
    {"version", "workload", "role", "schedule", "target", "packages", "python"}
)
SOURCES = frozenset({"releases", "commits"})
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
# Not ".json": asv takes every such file below its results for a result.
SUFFIX = ".evidence"


class UnreadableEvidenceError(FixwatchError):
    """A record could not be read now; nothing is known of what is in it."""


@dataclass(frozen=True, kw_only=True)
class BatchEvidence:
    """A batch, or why there is none.

    Attributes
    ----------
    workload, role, schedule
        What was to be run.
    decides
        Whether a revision's verdict rests on this schedule; else it is a record only.
    batch
        What ``python -m mwe --json`` printed, without what the record says already; or None.
    stage, reason
        Where there is no batch: the step that failed, and how.
    """

    workload: str
    role: str
    schedule: str
    decides: bool = True
    batch: dict[str, Any] | None = None
    stage: str | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Everything kept of one revision in one environment on one machine.

    Attributes
    ----------
    source
        ``releases`` or ``commits``.
    commit, name, date
        The revision: hash in the history that asv ran, tag or version or short hash, ISO-8601.
    environment, machine, python
        As asv names them.
    interpreter
        As the batches name it, such as ``CPython 3.11.7``; None where nothing ran.
    target
        ``simulator`` or ``cuda``.
    measured_at
        When the record was written, ISO-8601 in UTC.
    measurement_version
        What the counts mean; numbers of different versions are never compared.
    packages, resolved_as_of
        What was installed, and up to which moment uploads counted.
    build_packages, extensions
        What a commit was built with, and whether its extensions were ``compiled``, ``reused`` or
        there were ``none``.
    not_run_stage, not_run_reason
        Where nothing could be run: at which step, and why.
    batches
        One for each planned workload and schedule.
    """

    upstream: str
    source: str
    commit: str
    name: str
    date: str
    machine: str
    environment: str
    python: str
    target: str
    measured_at: str
    interpreter: str | None = None
    measurement_version: str | None = None
    packages: dict[str, str] = field(default_factory=dict)
    build_packages: dict[str, str] = field(default_factory=dict)
    extensions: str | None = None
    resolved_as_of: str | None = None
    not_run_stage: str | None = None
    not_run_reason: str | None = None
    batches: tuple[BatchEvidence, ...] = ()

    @property
    def version(self) -> Version | None:
        """The version of a release or of a release tag; None of any other commit.

        A short hash may look like a version.
        """
        if self.source == "commits" and self.commit.startswith(self.name):
            return None
        return parse_version(self.name)

    @property
    def is_complete(self) -> bool:
        """Whether measuring it again would add nothing: all batches ran, or none ever can."""
        if self.not_run_stage == AVAILABILITY:
            return True
        return bool(self.batches) and all(batch.batch is not None for batch in self.batches)


def evidence_path(result_path: Path) -> Path:
    """Return where the record of an asv result file lies."""
    return result_path.with_suffix(SUFFIX)


def compact_batch(batch: dict[str, Any]) -> dict[str, Any]:
    """Return a printed batch without what the record around it says."""
    return {name: value for name, value in batch.items() if name not in _STATED_ELSEWHERE}


def restore_batch(record: Evidence, batch: BatchEvidence) -> dict[str, Any]:
    """Return a batch of a record as it was printed, for the benchmarks to go on with.

    Its packages are all that the record names, not only those that the batch looked at.
    """
    return {
        "workload": batch.workload,
        "role": batch.role,
        "schedule": batch.schedule,
        "target": record.target,
        "packages": record.packages,
        "python": record.interpreter,
        **(batch.batch or {}),
    }


def save_evidence(evidence: Evidence, path: Path) -> None:
    """Write a record, whole or not at all: a field a line, a batch a line.

    Raises
    ------
    ValueError
        If a number is not finite.
    """
    data = {"version": FORMAT_VERSION, **asdict(evidence)}
    batches = ",\n".join(map(_dump, data.pop("batches")))
    fields = "".join(f'"{name}":{_dump(value)},\n' for name, value in data.items())
    write_text_atomically(path, f'{{{fields}"batches":[\n{batches}\n]}}\n')


def _dump(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def load_evidence(path: Path) -> Evidence:
    """Read a record.

    Raises
    ------
    FixwatchError
        If the file is no record, or of an unknown format version.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        version = data.pop("version")
        if version not in READABLE_VERSIONS:
            raise FixwatchError(
                f"{path}: format version {version}, this program reads up to {FORMAT_VERSION}; "
                "update Fixwatch"
            )
        return parse_evidence(data)
    except OSError as error:
        raise UnreadableEvidenceError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise FixwatchError(
            f"{path}: not an evidence record ({type(error).__name__}: {error})"
        ) from error


def parse_evidence(data: dict[str, Any]) -> Evidence:
    """Return the record that a file's content describes, without its format version.

    Raises
    ------
    ValueError, TypeError, KeyError, AttributeError
        If it describes none.
    """
    _check_fields(data)
    fields = {name: value for name, value in data.items() if name not in {"batches", "version"}}
    return Evidence(**fields, batches=tuple(map(_parse_batch, data["batches"])))


def _check_fields(data: dict[str, Any]) -> None:
    """Refuse what would make a path or a date of somebody else's choice."""
    if not _NAME.fullmatch(data["upstream"]) or data["source"] not in SOURCES:
        raise ValueError(f"unknown upstream {data['upstream']!r} or source {data['source']!r}")
    for name in ("date", "measured_at"):
        parse_moment(data[name])


def _parse_batch(data: dict[str, Any]) -> BatchEvidence:
    parsed = BatchEvidence(**data)
    if parsed.batch is None:
        return parsed
    _check_batch(parsed.batch)
    return replace(parsed, batch=compact_batch(parsed.batch))


def _check_batch(batch: dict[str, Any]) -> None:
    """Refuse counts that cannot be."""
    n_trials, n_failures, by_mode = batch["trials"], batch["failures"], batch["failures_by_mode"]
    counts = [n_trials, n_failures, *by_mode.values(), *batch["attributes"].values()]
    if not all(isinstance(count, int) and count >= 0 for count in counts):
        raise ValueError("a count is no number from 0 on")
    if n_failures > n_trials or n_failures != sum(by_mode.values()):
        raise ValueError(f"{n_failures} failures of {n_trials} trials, by mode {by_mode}")
    if not isinstance(batch["status"], str):
        raise TypeError("the status of a batch is no text")


def iter_evidence(
    results_dir: Path, report_damage: Callable[[str], None] = lambda _message: None
) -> Iterator[Evidence]:
    """Read all records below a results folder; damaged ones are set aside.

    Parameters
    ----------
    results_dir
        asv's `results_dir`; may be missing.
    report_damage
        Called with one line for each record that was set aside or cannot be read.
    """
    for path in sorted(results_dir.glob(f"*/*{SUFFIX}")):
        try:
            yield load_evidence(path)
        except FixwatchError as error:
            message = str(error)
            is_damaged = not isinstance(error, UnreadableEvidenceError)
            if is_damaged and "format version" not in message:
                try:
                    message += f"; set aside as {set_aside(path).name}, measure it again"
                except OSError as rename_error:
                    message += f"; cannot be set aside ({rename_error})"
            report_damage(message)
