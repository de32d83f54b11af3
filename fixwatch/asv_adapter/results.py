"""What Fixwatch adds to how asv keeps results: files written whole, and evidence beside them."""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from asv import results, runner, util
from asv.console import log
from asv.results import Results
from asv.runner import BenchmarkResult, Spawner

from fixwatch.asv_adapter.environments import AsOfVirtualenv
from fixwatch.durable_files import set_aside, write_text_atomically
from fixwatch.errors import FixwatchError
from fixwatch.installing.as_of import shorten_output
from fixwatch.layout import STATE_DIR
from fixwatch.records.asv_files import check_beside_results, check_result
from fixwatch.records.asv_results import COUNTS, derive_values, has_result
from fixwatch.records.batch_outcomes import describe_batch
from fixwatch.records.evidence import Evidence, evidence_path, load_evidence, save_evidence
from fixwatch.records.install_record import (
    BATCH,
    BUILD,
    INSTALL,
    InstallRecord,
    read_install_record,
)
from mwe.planned.client import BatchResult
from mwe.planned.spool import SpooledPlan, read_spool
from mwe.targets import find_configured_target

_asv_load_json: Callable[..., Any] = util.load_json
_asv_save: Callable[..., None] = Results.save
_asv_load: Callable[..., Results] = Results.load.__func__
_asv_load_data: Callable[..., None] = Results.load_data
_asv_run_benchmark: Callable[..., BenchmarkResult] = runner.run_benchmark


def install_hooks() -> None:
    """Replace asv's writing and reading of results by durable versions, once.

    And its running of benchmarks by one that starts no process for what is counted already.
    """
    util.write_json = write_json
    util.load_json = load_json
    results._compatible_results = pick_results
    Results.save = save_with_evidence
    Results.load = classmethod(load_or_set_aside)
    Results.load_data = load_data_or_set_aside
    runner.run_benchmark = read_benchmark


def write_json(path: str, data: Any, api_version: int | None = None, compact: bool = False) -> None:
    """Write JSON as `asv.util.write_json` does, but whole or not at all.

    Results are shared, and asv names files of the suite in them; they are named relative to the
    checkout, which lies elsewhere on every machine.
    """
    if api_version is not None:
        data = {**data, "version": api_version}
    text = json.dumps(data) if compact else json.dumps(data, indent=4, sort_keys=True)
    if STATE_DIR.absolute() not in Path(path).absolute().parents:
        text = text.replace(json.dumps(os.getcwd() + os.sep)[1:-1], "")
    write_text_atomically(Path(path), text)


def load_json(path: str, api_version: int | None = None, js_comments: bool = False) -> Any:
    """Load JSON as asv does; what describes machines and benchmarks is checked first."""
    try:
        check_beside_results(Path(path))
    except FixwatchError as error:
        raise util.UserError(str(error)) from error
    return _asv_load_json(path, api_version=api_version, js_comments=js_comments)


def pick_results(
    values: Sequence[Any] | None,
    combinations: Sequence[Sequence[Any]],
    wanted: Sequence[Sequence[Any]],
) -> list[Any]:
    """Return the values of the wanted parameters, as asv does, but for those that a result lacks.

    They were no part of the suite then: not a number, which is not applicable, and not None, which
    failed and would be tried again.
    """
    if values is None:
        return [None for _ in itertools.product(*wanted)]
    known = dict(zip(itertools.product(*combinations), values, strict=False))
    return [known.get(place, float("nan")) for place in itertools.product(*wanted)]


def load_or_set_aside(cls: type, path: str, machine_name: str | None = None) -> Results:
    """Load a result file; one that is damaged, as a kill may leave it, is set aside and named.

    asv passes over the file with the error as a warning.
    """
    try:
        check_result(Path(path))
    except FixwatchError as error:
        try:
            remedy = f"set aside as {set_aside(Path(path)).name}, merge or asv run writes it anew"
        except OSError as rename_error:
            remedy = f"cannot be set aside ({rename_error})"
        raise util.UserError(f"{path}: {error}; {remedy}") from error
    except OSError as error:
        raise util.UserError(f"{path}: cannot be read ({error.strerror})") from error
    return _asv_load(cls, path, machine_name=machine_name)


def load_data_or_set_aside(result: Results, results_dir: str) -> None:
    """Load the previous results of a revision, none if their file is damaged."""
    try:
        _asv_load_data(result, results_dir)
    except util.UserError as error:
        log.warning(str(error))


def read_benchmark(
    benchmark: dict[str, Any], spawner: Spawner, profile: bool, **options: Any
) -> BenchmarkResult:
    """Return the counts of the batches that `setup_cache` left, as asv's processes would.

    asv starts a process for each benchmark and combination of parameters, to no end but to read
    one number: together they took a third of a revision's time.
    """
    name, environment = benchmark["name"], AsOfVirtualenv.by_name.get(spawner.env.name)
    if profile or name not in COUNTS or environment is None:
        return _asv_run_benchmark(benchmark, spawner, profile, **options)
    evidence = collect_evidence(environment, environment.installed_commit_hash)
    n_values = math.prod(map(len, benchmark["params"]))
    values = derive_values(evidence, name, benchmark["params"]) if evidence else None
    return BenchmarkResult(
        result=values or [None] * n_values,
        samples=[None] * n_values,
        number=[None] * n_values,
        errcode=0,
        stderr="",
        profile=None,
    )


def save_with_evidence(result: Results, results_dir: str) -> None:
    """Write evidence, then asv's result with the counts of the evidence, then drop the spool.

    In this order a kill in between leaves the spool, from which the next run of the revision
    writes the same files without measuring again. The spool stays as long as batches are missing.
    A measurement is never replaced by one that has fewer batches of the same meaning.
    """
    try:
        _save(result, results_dir)
    except OSError as error:
        raise util.UserError(
            f"cannot write into {results_dir}: {error}; the finished batches are kept, "
            "mend that and run the command again"
        ) from error


def _save(result: Results, results_dir: str) -> None:
    environment = AsOfVirtualenv.by_name.get(result.env_name)
    evidence = environment and collect_evidence(
        environment,
        result.commit_hash,
        machine=result.params["machine"],
        failure=_describe_failure(result),
    )
    if environment is None or evidence is None:
        _asv_save(result, results_dir)
        return
    path = Path(results_dir) / result._filename
    if _is_less(evidence, path):
        log.warning(
            f"{evidence.name} was measured before, with more trials or batches; what came now does "
            "not replace that"
        )
        return
    gaps = [batch for batch in evidence.batches if batch.printed is None]
    if gaps:
        reason = (gaps[0].reason or "no reason").splitlines()[-1]
        log.warning(
            f"{evidence.name}: {len(gaps)} of {len(evidence.batches)} batches were not run; "
            f"{gaps[0].stage}: {reason}"
        )
    save_evidence(evidence, evidence_path(path))
    if not has_result(evidence):
        return
    for benchmark in COUNTS.keys() & result.get_all_result_keys():
        axes = result.get_result_params(benchmark)
        result._results[benchmark] = derive_values(evidence, benchmark, axes)
    _asv_save(result, results_dir)
    if evidence.is_complete:
        folder = spool_folder(environment, result.commit_hash)
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):  # other environments of the revision may have a spool
            folder.parent.rmdir()


def _is_less(new: Evidence, path: Path) -> bool:
    """Whether what stands at the path of asv's result is more of the same meaning.

    A batch that went on is not replaced by one of the plan's size.
    """
    try:
        old = load_evidence(evidence_path(path))
    except FixwatchError:
        return False
    is_comparable = new.measurement_version in (None, old.measurement_version)
    return path.exists() and is_comparable and old.extent > new.extent


def spool_folder(environment: AsOfVirtualenv, commit_hash: str) -> Path:
    """Return where the benchmarks leave the finished batches of a revision."""
    return Path(environment.spool_path) / commit_hash / str(environment.name)


def collect_evidence(
    environment: AsOfVirtualenv, commit_hash: str, *, machine: str = "", failure: str | None = None
) -> Evidence | None:
    """Put together what the install and the batches of a revision left; None if nothing did.

    `failure` is what became of the benchmarks, where batches are missing.
    """
    record = read_install_record(environment.path)
    if record is None or record.commit != commit_hash:
        return None
    plan = read_plan(record, spool_folder(environment, commit_hash))
    planned = plan.batches if plan is not None else ()
    missing = BatchResult(stage=BATCH, reason=failure)
    batches = tuple(
        describe_batch(
            batch.identity, record.packages, **vars(missing if found == BatchResult() else found)
        )
        for batch, found in planned
    )
    if not batches and record.not_run_reason is None:
        record = replace(record, not_run_stage=BATCH, not_run_reason=failure)
    return Evidence(
        **asdict(record),
        source=environment.source,
        machine=machine,
        environment=environment.name,
        python=environment.python,
        interpreter=next((found.batch["python"] for _, found in planned if found.batch), None),
        target=find_configured_target(environment.env_vars).value,
        measured_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        measurement_version=plan.measurement_version if plan is not None else None,
        batches=batches,
    )


def read_plan(record: InstallRecord, folder: Path) -> SpooledPlan | None:
    """Return what the benchmarks left in the spool; None where they cannot have run.

    If this build failed, the spool is from an earlier attempt; leave it for the next.
    """
    return None if record.not_run_stage in (BUILD, INSTALL) else read_spool(folder)


def _describe_failure(result: Results) -> str:
    outputs = [output for output in result.stderr.values() if output]
    output = shorten_output(outputs[0]) if outputs else "no output"
    return f"the benchmarks did not run: {output}".replace(os.getcwd() + os.sep, "")
