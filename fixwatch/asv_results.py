"""What Fixwatch adds to how asv keeps results: files written whole, and evidence beside them."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from asv import util
from asv.console import log
from asv.results import Results

from fixwatch.durable_files import set_aside, write_text_atomically
from fixwatch.evidence import BatchEvidence, Evidence, evidence_path, save_evidence
from fixwatch.history.as_of import shorten_output
from fixwatch.history.environments import AsOfVirtualenv
from fixwatch.install_record import BATCH, read_install_record

_asv_save: Callable[..., None] = Results.save
_asv_load_data: Callable[..., None] = Results.load_data


def install_hooks() -> None:
    """Replace asv's writing and reading of results by durable versions, once."""
    util.write_json = write_json
    Results.save = save_with_evidence
    Results.load_data = load_data_or_set_aside


def write_json(path: str, data: Any, api_version: int | None = None, compact: bool = False) -> None:
    """Write JSON as `asv.util.write_json` does, but whole or not at all."""
    if api_version is not None:
        data = {**data, "version": api_version}
    text = json.dumps(data) if compact else json.dumps(data, indent=4, sort_keys=True)
    write_text_atomically(Path(path), text)


def load_data_or_set_aside(result: Results, results_dir: str) -> None:
    """Load the previous results of a revision; a damaged file is set aside and named."""
    path = Path(results_dir) / result._filename
    try:
        _asv_load_data(result, results_dir)
    except (util.UserError, ValueError, TypeError, AttributeError) as error:
        log.warning(f"{path}: unreadable ({error}); set aside as {set_aside(path).name}")


def save_with_evidence(result: Results, results_dir: str) -> None:
    """Write evidence, then asv's result, then drop the spool.

    In this order a kill in between leaves the spool, from which the next run of the revision
    writes the same files without measuring again.
    """
    environment = AsOfVirtualenv.by_name.get(result.env_name)
    evidence = collect_evidence(result, environment) if environment else None
    path = Path(results_dir) / result._filename
    if evidence is not None:
        save_evidence(evidence, evidence_path(path))
    _asv_save(result, results_dir)
    if environment is not None:
        folder = spool_folder(environment, result.commit_hash)
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):  # other environments of the revision may have a spool
            folder.parent.rmdir()


def spool_folder(environment: AsOfVirtualenv, commit_hash: str) -> Path:
    """Return where the benchmarks leave the finished batches of a revision."""
    return Path(environment.spool_path) / commit_hash / str(environment.name)


def collect_evidence(result: Results, environment: AsOfVirtualenv) -> Evidence | None:
    """Put together what the install and the batches of a revision left; None if nothing did."""
    record = read_install_record(environment.path)
    if record is None or record.commit != result.commit_hash:
        return None
    kept = list(_iter_kept(spool_folder(environment, result.commit_hash)))
    batches = tuple(_describe_batch(each) for each in kept)
    versions = {each["identity"]["measurement_version"] for each in kept}
    stage, reason = record.not_run_stage, record.not_run_reason
    if not batches and reason is None:
        stage, reason = BATCH, _describe_failure(result)
    return Evidence(
        upstream=record.upstream,
        source=environment.source,
        commit=record.commit,
        name=record.name,
        date=record.date,
        machine=result.params["machine"],
        environment=environment.name,
        python=environment.python,
        target="cuda" if result.env_vars.get("NUMBA_ENABLE_CUDASIM") == "0" else "simulator",
        measured_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        measurement_version=max(versions, key=int, default=None),
        packages=record.packages,
        resolved_as_of=record.resolved_as_of,
        not_run_stage=stage,
        not_run_reason=reason,
        batches=batches,
    )


def _iter_kept(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("*.json")):
        try:
            yield json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            log.warning(f"{path}: unreadable, left out")


def _describe_batch(kept: dict[str, Any]) -> BatchEvidence:
    source = kept.get("batch") or kept
    return BatchEvidence(
        workload=source["workload"],
        role=source["role"],
        schedule=source["schedule"],
        batch=kept.get("batch"),
        stage=kept.get("stage"),
        reason=kept.get("reason"),
    )


def _describe_failure(result: Results) -> str:
    outputs = [output for output in result.stderr.values() if output]
    output = shorten_output(outputs[0]) if outputs else "no output"
    return f"the benchmarks did not run: {output}".replace(os.getcwd() + os.sep, "")
