"""Reading the result files of a shard, and refusing what is not one."""

from __future__ import annotations

import os
import re
import stat
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

from fixwatch.errors import FixwatchError
from fixwatch.records.asv_files import parse_machine
from fixwatch.records.evidence import FOLDERS, SUFFIX, Evidence, check_folder, parse_evidence
from fixwatch.records.plans import NONCE_NAME, Plan, answers, find_shard_number
from fixwatch.upstream_texts import parse_moment

# Before numba had a simulator.
FIRST_DATE = datetime(2012, 1, 1, tzinfo=timezone.utc)
# A record has some kilobytes.
MAX_FILE_BYTES = 512 * 1024
MAX_FILES = 5000
# Of a file: results folder, machine, name.
DEPTH = 3
MACHINE_STEM = "machine"
_MACHINE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")
_RESULT = re.compile(r"([0-9a-f]{8})-([A-Za-z0-9][A-Za-z0-9._-]{0,99})")
# Written by every run; the ones of the checkout that merges are its own.
IGNORED = frozenset({"benchmarks.json", "relevant-commits.jsonl", ".lock"})
IGNORED_AT_TOP = frozenset({NONCE_NAME, "last-look.json", "tracker-problem.json"})
# Of a batch: defect, workload, role, schedule, whether it decides.
BatchIdentity = tuple[str, str, str, str, bool]
# All but line ends and tabs: those of terminals, and marks that turn a text around.
_CONTROL_CHARACTERS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)
# Path in the shard's folder and reason of what cannot be taken.
Refused = tuple[str, str]


class RefusedError(FixwatchError):
    """A file is not what it should be; the text says how."""


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """What the checkout that merges knows itself."""

    measurement_version: int  # the newest meaning of counts that there is
    releases: frozenset[tuple[str, str]]  # upstream and version of each
    # The trials of each batch that there is now; None where that is not known.
    planned_batches: Mapping[BatchIdentity, int] | None = None
    plan: Plan | None = None  # what shards were asked for; None where a person answers for them


@dataclass(frozen=True, order=True)
class Place:
    """Where a record belongs: results folder, machine's folder in it, name without its end."""

    folder: str
    machine: str
    stem: str

    def __str__(self) -> str:
        return f"{self.folder}/{self.machine}/{self.stem}"


@dataclass(frozen=True, kw_only=True)
class Shard:
    """What a folder that is laid out like `results/` holds: what can be taken, and the rest."""

    records: dict[Place, Evidence] = field(default_factory=dict)
    # asv's description of each machine, by folder and name.
    machines: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)


def read_shard(root: Path, checkout: Checkout, max_files: float = MAX_FILES) -> Shard:
    """Read a folder that is laid out like `results/`, following no link and believing no name.

    The folder may be missing. Of more results than `max_files` the rest is refused; no more other
    files are named. asv's own results are not read: what they say follows from the records.
    """
    shard = Shard()
    results = set()
    if checkout.plan is not None and not answers(checkout.plan, root):
        shard.refused.append((".", f"its {NONCE_NAME} is not that of the plan"))
        return shard
    n_results = n_strays = 0
    for path, reason in _walk(root):
        name = path.relative_to(root).as_posix()
        parts = path.relative_to(root).parts
        if not reason and _is_of_checkout(parts):
            continue
        try:
            place, end = _parse_name(parts)
        except RefusedError as error:
            n_strays += 1
            if n_strays <= max_files:
                shard.refused.append((name, reason or str(error)))
            continue
        n_results += 1
        if n_results > max_files:
            shard.refused.append((".", f"more than {max_files} results; the rest was not read"))
            break
        try:
            if reason:
                raise RefusedError(reason)
            if place.stem == MACHINE_STEM:
                shard.machines[place.folder, place.machine] = _read_machine(path, place.machine)
            elif end == SUFFIX:
                shard.records[place] = _read_record(path, place, checkout, root)
            else:
                results.add(place)
        except FixwatchError as error:
            shard.refused.append((name, str(error)))
        except OSError as error:
            shard.refused.append((name, f"cannot be read ({error.strerror})"))
    if n_strays > max_files:
        shard.refused.append((".", f"more than {max_files} files that are no results"))
    refused = {name for name, _ in shard.refused}
    shard.refused.extend(
        (f"{place}.json", f"has no {SUFFIX} file beside it")
        for place in sorted(results - shard.records.keys())
        if f"{place}{SUFFIX}" not in refused
    )
    return shard


def _is_of_checkout(parts: tuple[str, ...]) -> bool:
    if len(parts) == 1:
        return parts[0] in IGNORED_AT_TOP
    return len(parts) == 2 and parts[0] in FOLDERS and parts[1] in IGNORED


def _walk(root: Path) -> Iterator[tuple[Path, str | None]]:
    """Yield every file below a folder, with the reason where it must not be opened.

    Folders are entered down to where results lie, and yielded where files should be.
    """
    for folder, names, files in os.walk(root, followlinks=False):
        names.sort()
        is_deepest = len(Path(folder).relative_to(root).parts) == DEPTH - 1
        for name in [name for name in names if is_deepest or (Path(folder) / name).is_symlink()]:
            names.remove(name)
            is_link = (Path(folder) / name).is_symlink()
            yield Path(folder) / name, "a link to a folder" if is_link else "a folder"
        for name in sorted(files):
            path = Path(folder) / name
            status = path.lstat()
            if stat.S_ISLNK(status.st_mode):
                yield path, "a link"
            elif not stat.S_ISREG(status.st_mode):
                yield path, "not a plain file"
            elif status.st_size > MAX_FILE_BYTES:
                yield path, f"{status.st_size} bytes, more than {MAX_FILE_BYTES}"
            else:
                yield path, None


def _parse_name(parts: tuple[str, ...]) -> tuple[Place, str]:
    """Return what a file's place says that it is, and the end of its name."""
    if len(parts) != DEPTH:
        raise RefusedError("not at a place where results lie: <upstream>/<machine>/<file>")
    folder, machine, name = parts
    if folder not in FOLDERS:
        raise RefusedError(f"no results folder is called {folder!r}")
    if not _MACHINE.fullmatch(machine):
        raise RefusedError("not a machine's name")
    stem, end = os.path.splitext(name)
    if name != f"{MACHINE_STEM}.json" and (
        end not in (".json", SUFFIX) or not _RESULT.fullmatch(stem)
    ):
        raise RefusedError("not the name of a result: <hash>-<environment>.json or .evidence")
    return Place(folder, machine, stem), end


def _read_machine(path: Path, machine: str) -> dict[str, str]:
    described = parse_machine(path.read_bytes(), machine)
    return {name: text for name, text in asdict(described).items() if isinstance(text, str)}


def _read_record(path: Path, place: Place, checkout: Checkout, root: Path) -> Evidence:
    record = parse_evidence(path.read_bytes())
    _check_place(record, place)
    _check_sense(record, checkout)
    if checkout.plan is not None:
        excess = checkout.plan.find_excess(record, place.folder, find_shard_number(root))
        if excess is not None:
            raise RefusedError(excess)
    return record


def _check_place(record: Evidence, place: Place) -> None:
    """Refuse a record that belongs elsewhere."""
    check_folder(record, place.folder)
    if record.machine != place.machine:
        raise RefusedError(f"machine is {record.machine!r}, its place says {place.machine!r}")
    if place.stem != f"{record.commit[:8]}-{record.environment}":
        raise RefusedError("commit or environment is not that of its name")


def _check_sense(record: Evidence, checkout: Checkout) -> None:
    """Refuse what is well formed and cannot be."""
    for name in ("date", "measured_at"):
        if not _is_in_history(moment := getattr(record, name)):
            raise RefusedError(f"{name} is {moment}, which is no day of this history")
    if any(map(_CONTROL_CHARACTERS.search, _iter_texts(record))):
        raise RefusedError("a text has control characters")
    if not _REVISION.fullmatch(record.name):
        raise RefusedError("name is none of a version, a release tag or a short hash")
    if int(record.measurement_version or 0) > checkout.measurement_version:
        raise RefusedError(
            f"measurement version {record.measurement_version}, "
            f"this checkout's is {checkout.measurement_version}"
        )
    if record.source == "releases" and (record.upstream, record.name) not in checkout.releases:
        raise RefusedError(f"{record.name} is not in the table of releases")
    if int(record.measurement_version or 0) == checkout.measurement_version:
        _check_batches(record, checkout)
    planned = Counter((batch.workload, batch.schedule) for batch in record.batches)
    for (workload, schedule), count in planned.items():
        if count > 1:
            raise RefusedError(f"{workload} under {schedule} is there {count} times")


def _check_batches(record: Evidence, checkout: Checkout) -> None:
    """Refuse batches that this program does not plan, or with more trials than a plan asks for."""
    if checkout.planned_batches is None:
        return
    for batch in record.batches:
        name = f"{batch.workload} under {batch.schedule}"
        identity = (batch.defect, batch.workload, batch.role, batch.schedule, batch.decides)
        n_planned = checkout.planned_batches.get(identity)
        if n_planned is None:
            raise RefusedError(f"{name} is not planned so")
        if checkout.plan and batch.printed:
            limit = checkout.plan.limit_trials(record, n_planned)
            if batch.printed.trials > limit:
                raise RefusedError(f"{name} has {batch.printed.trials} trials, {limit} are planned")


def _is_in_history(text: str) -> bool:
    try:
        return FIRST_DATE <= parse_moment(text) <= datetime.now(timezone.utc) + timedelta(days=1)
    except ValueError:
        return False


def _iter_texts(record: Evidence) -> Iterator[str]:
    """Yield every text that is no name or number by its pattern."""
    yield record.not_run_reason or ""
    for batch in record.batches:
        yield batch.reason or ""
        if batch.printed is not None:
            yield from (batch.printed.status, *batch.printed.details, *batch.printed.attributes)
