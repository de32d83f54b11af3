"""Reading the result files of a shard, and refusing what is not one."""

from __future__ import annotations

import json
import math
import os
import re
import stat
import unicodedata
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from fixwatch.errors import FixwatchError
from fixwatch.history.release_table import load_release_table
from fixwatch.records.evidence import SUFFIX, Evidence, parse_evidence
from fixwatch.records.schemas import find_violation
from fixwatch.upstream_texts import parse_moment
from mwe.planned.plan import MEASUREMENT_VERSION

# Before numba had a simulator.
FIRST_DATE = datetime(2012, 1, 1, tzinfo=timezone.utc)
UPSTREAM_FOLDERS = {"numba": "numba", "numba-cuda": "numba-cuda", "releases": None, "cuda": None}
DEVICE_FOLDER = "cuda"
# A record has some kilobytes.
MAX_FILE_BYTES = 512 * 1024
MAX_FILES = 5000
_MACHINE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")
_RESULT = re.compile(r"([0-9a-f]{8})-([A-Za-z0-9][A-Za-z0-9._-]{0,99})")
# Written by every run; the ones of the checkout that merges are its own.
IGNORED = frozenset({"benchmarks.json", "relevant-commits.jsonl", ".lock"})


class RefusedError(Exception):
    """A file is not what it should be; the text says how."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A revision's evidence and asv's result, both checked.

    Attributes
    ----------
    folder, machine, stem
        Where they belong: the results folder of the upstream, the machine's folder in it, and the
        name of both files without its end.
    """

    folder: str
    machine: str
    stem: str
    evidence: Evidence
    result: dict[str, Any]

    @property
    def rank(self) -> tuple[int, int, datetime, str]:
        """Which of two measurements of a revision stays.

        That of the newer meaning of counts, of these the one with more batches, then the newer.
        """
        n_batches = sum(batch.printed is not None for batch in self.evidence.batches)
        version = int(self.evidence.measurement_version or 0)
        return version, n_batches, parse_moment(self.evidence.measured_at), repr(self.evidence)


@dataclass(frozen=True, kw_only=True)
class Shard:
    """What a shard's folder holds.

    Attributes
    ----------
    measured
        What can be taken.
    machines
        asv's description of each machine, by folder and name.
    refused
        Path in the shard's folder and reason of everything else.
    """

    measured: tuple[Measured, ...]
    machines: dict[tuple[str, str], dict[str, Any]]
    refused: tuple[tuple[str, str], ...]


def read_shard(root: Path) -> Shard:
    """Read a folder that is laid out like `results/`, following no link and believing no name."""
    measured, refused = [], []
    machines: dict[tuple[str, str], dict[str, Any]] = {}
    pairs: dict[tuple[str, str, str], dict[str, Path]] = {}
    for number, (path, reason) in enumerate(_walk(root)):
        name = path.relative_to(root).as_posix()
        if number >= MAX_FILES:
            refused.append((".", f"more than {MAX_FILES} files; the rest was not looked at"))
            break
        if reason:
            refused.append((name, reason))
            continue
        parts = path.relative_to(root).parts
        if parts[-1] in IGNORED and len(parts) == 2 and parts[0] in UPSTREAM_FOLDERS:
            continue
        try:
            folder, machine, stem, end = _parse_name(parts)
            if stem == "machine":
                machines[folder, machine] = _read_machine(path, machine)
            else:
                pairs.setdefault((folder, machine, stem), {})[end] = path
        except RefusedError as error:
            refused.append((name, str(error)))
    for (folder, machine, stem), files in sorted(pairs.items()):
        try:
            measured.append(_read_pair(folder, machine, stem, files))
        except RefusedError as error:
            refused.append((f"{folder}/{machine}/{stem}", str(error)))
    return Shard(measured=tuple(measured), machines=machines, refused=tuple(refused))


def _walk(root: Path) -> Iterator[tuple[Path, str | None]]:
    """Yield every file below a folder, with the reason where it must not be opened."""
    for folder, names, files in os.walk(root, followlinks=False):
        names.sort()
        for name in [each for each in names if (Path(folder) / each).is_symlink()]:
            names.remove(name)
            yield Path(folder) / name, "a link to a folder"
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


def _parse_name(parts: tuple[str, ...]) -> tuple[str, str, str, str]:
    """Return folder, machine, stem and end of a file's place."""
    if len(parts) != 3:
        raise RefusedError("not at a place where results lie: <upstream>/<machine>/<file>")
    folder, machine, name = parts
    if folder not in UPSTREAM_FOLDERS:
        raise RefusedError(f"no results folder is called {folder!r}")
    if not _MACHINE.fullmatch(machine):
        raise RefusedError("not a machine's name")
    if name == "machine.json":
        return folder, machine, "machine", ".json"
    stem, end = os.path.splitext(name)
    if end not in (".json", SUFFIX) or not _RESULT.fullmatch(stem):
        raise RefusedError("not the name of a result: <hash>-<environment>.json or .evidence")
    return folder, machine, stem, end


def _read_json(path: Path, *, allow_nan: bool) -> Any:
    def refuse(constant: str) -> float:
        if allow_nan and constant == "NaN":
            return math.nan
        raise RefusedError(f"{constant} is no finite number")

    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)
    except RecursionError as error:
        raise RefusedError("nested too deeply") from error
    except (ValueError, OSError) as error:
        raise RefusedError(f"not JSON: {error}") from error


def _read_machine(path: Path, machine: str) -> dict[str, Any]:
    data = _read_json(path, allow_nan=False)
    _check("machine", data)
    if data["machine"] != machine:
        raise RefusedError(f"describes another machine, {data['machine']!r}")
    return dict(data)


def _read_pair(folder: str, machine: str, stem: str, files: dict[str, Path]) -> Measured:
    for end in (SUFFIX, ".json"):
        if end not in files:
            raise RefusedError(f"has no {end} file beside it")
    try:
        evidence = parse_evidence(files[SUFFIX].read_bytes())
    except (FixwatchError, OSError) as error:
        raise RefusedError(str(error)) from error
    result = _read_json(files[".json"], allow_nan=True)
    _check("result", result)
    _check_sense(evidence)
    _check_place(folder, machine, stem, evidence, result)
    _check_counts(evidence, result)
    return Measured(folder=folder, machine=machine, stem=stem, evidence=evidence, result=result)


def _check(kind: str, data: Any) -> None:
    violation = find_violation(kind, data)
    if violation:
        raise RefusedError(f"does not fit the schema of {kind}: {violation}")


def _check_sense(evidence: Evidence) -> None:
    """Refuse what is well formed and cannot be."""
    today = datetime.now(timezone.utc)
    for name in ("date", "measured_at"):
        text = getattr(evidence, name)
        try:
            is_possible = FIRST_DATE <= parse_moment(text) <= today + timedelta(days=1)
        except ValueError:
            is_possible = False
        if not is_possible:
            raise RefusedError(f"{name} is {text}, which is no day of this history")
    if any(unicodedata.category(each) in ("Cc", "Cs") for each in _iter_texts(asdict(evidence))):
        raise RefusedError("a text has control characters or half characters")
    if not _NAME.fullmatch(evidence.name):
        raise RefusedError("name is none of a version, a release tag or a short hash")
    if int(evidence.measurement_version or 0) > int(MEASUREMENT_VERSION):
        raise RefusedError(
            f"measurement version {evidence.measurement_version}, this checkout's is "
            f"{MEASUREMENT_VERSION}"
        )
    if evidence.source == "releases":
        known = {(each.upstream, each.version) for each in load_release_table()}
        if (evidence.upstream, evidence.name) not in known:
            raise RefusedError(f"{evidence.name} is not in the table of releases")


def _iter_texts(data: Any) -> Iterator[str]:
    """Yield the characters of every text but for the ends of lines."""
    if isinstance(data, str):
        yield from (each for each in data if each not in "\n\t")
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from _iter_texts(key)
            yield from _iter_texts(value)
    elif isinstance(data, (list, tuple)):
        for value in data:
            yield from _iter_texts(value)


def _check_place(
    folder: str, machine: str, stem: str, evidence: Evidence, result: dict[str, Any]
) -> None:
    """Refuse files whose content belongs elsewhere."""
    expected = {
        "source": "commits" if UPSTREAM_FOLDERS[folder] else "releases",
        "target": "cuda" if folder == DEVICE_FOLDER else "simulator",
        "machine": machine,
        "upstream": UPSTREAM_FOLDERS[folder] or evidence.upstream,
    }
    for name, value in expected.items():
        if getattr(evidence, name) != value:
            raise RefusedError(f"{name} is {getattr(evidence, name)!r}, its place says {value!r}")
    if stem != f"{evidence.commit[:8]}-{evidence.environment}":
        raise RefusedError("commit or environment is not that of its name")
    same = {
        "commit_hash": evidence.commit,
        "env_name": evidence.environment,
        "python": evidence.python,
    }
    if any(result[name] != value for name, value in same.items()):
        raise RefusedError("asv's result is of another revision or environment")
    if result["params"].get("machine") != machine:
        raise RefusedError(
            f"asv's result is of another machine, {result['params'].get('machine')!r}"
        )


def _check_counts(evidence: Evidence, result: dict[str, Any]) -> None:
    """Refuse counts that cannot be, and an asv result that says something else."""
    found = {}
    for each in evidence.batches:
        key = (each.workload, each.schedule)
        if key in found:
            raise RefusedError(f"{key[0]} under {key[1]} is there twice")
        found[key] = each.printed
    for benchmark, field in (("track_failures", "failures"), ("track_trials", "trials")):
        values, parameters = (result["results"].get(benchmark) or [None, [[], []]])[:2]
        if values is None or len(parameters) != 2:
            continue
        places = [(w, s) for w in parameters[0] for s in parameters[1]]
        if len(places) != len(values):
            raise RefusedError(f"{benchmark}: values and parameters do not go together")
        for (workload, schedule), value in zip(places, values, strict=True):
            batch = found.get((workload.strip("'"), schedule.strip("'")))
            count = getattr(batch, field) if batch else None
            if count != (None if value is None or math.isnan(value) else value):
                raise RefusedError(f"{benchmark} of {workload}, {schedule} is not the evidence's")
