"""The dashboard of a machine that has measured everything already: no asv, no index."""

from __future__ import annotations

import json
import shutil

import pytest
from asv.results import get_filename

from fixwatch.commands import dashboard
from fixwatch.history.release_repository import build_release_repository
from fixwatch.history.release_table import load_release_table, select_dashboard_releases
from fixwatch.machine import describe_machine, describe_python
from fixwatch.records.asv_results import derive_result
from fixwatch.records.evidence import evidence_path, save_evidence
from mwe.planned.plan import MEASUREMENT_VERSION
from tests.fixwatch.sample_records import new_batch, new_controls, new_record
from tests.project import ROOT

TABLE = load_release_table()
OWN = describe_machine().name


def leave(project, commits, machine, reason=None, releases=None):
    """Leave records and asv's results of a machine; numba-cuda is fixed in 0.26.0."""
    folder = project / "results" / "releases"
    (folder / machine).mkdir(parents=True)
    shutil.copy(ROOT / "results" / "releases" / "benchmarks.json", folder)
    about = {"machine": machine, "os": "o", "arch": "a", "cpu": "c", "num_cpu": "2", "ram": "1"}
    (folder / machine / "machine.json").write_text(json.dumps({**about, "version": 1}))
    for release in releases or select_dashboard_releases(TABLE):
        is_fixed = release.upstream == "numba-cuda" and release.minor_series >= "0.26"
        batches = (new_batch(failures=0 if is_fixed else 90), *new_controls())
        record = new_record(
            release.version,
            *(() if reason else batches),
            upstream=release.upstream,
            commit=commits[release.upstream, release.version],
            date=release.uploaded_at.isoformat(),
            machine=machine,
            python=describe_python(),
            measurement_version=MEASUREMENT_VERSION,
            not_run_stage="availability" if reason else None,
            not_run_reason=reason,
        )
        path = folder / get_filename(record.machine, record.commit, record.environment)
        save_evidence(record, evidence_path(path))
        path.write_text(json.dumps(derive_result(record, about)))


@pytest.fixture(scope="module")
def commits(tmp_path_factory):
    """Return the commits of the releases."""
    return build_release_repository(TABLE, tmp_path_factory.mktemp("history") / "releases.git")


def test_the_answer_is_two_lines_an_upstream_and_then_where_to_look(project, commits, fixwatch):
    """Standard output has nothing else, and all of it is short."""
    leave(project, commits, OWN)
    done = fixwatch("dashboard")
    assert done.returncode == 0, done.stderr
    numba, numba_advice, cuda, cuda_advice, page, status = done.stdout.splitlines()
    assert numba.startswith("numba: affected by cuda-swap")
    assert numba_advice.startswith("  ")
    assert cuda.startswith("numba-cuda: ")
    assert "cuda-swap fixed in 0.26.0" in cuda
    assert "free of cuda-swap (from 0.26.0 on)" in cuda_advice
    assert page.endswith(": html/index.html")
    assert status.endswith("-m fixwatch status; with --all each workload")
    assert "safe" not in done.stdout
    assert "; 23 of them are measured" in done.stderr
    assert len(done.stderr.splitlines()) <= 5


def test_one_release_here_is_the_answer_and_takes_nothing_from_the_advice(
    project, commits, monkeypatch, capsys
):
    """Results of another machine are not this one's answer, and still known."""
    leave(project, commits, "elsewhere")
    leave(project, commits, OWN, releases=select_dashboard_releases(TABLE)[-1:])
    monkeypatch.chdir(project)
    dashboard._print_answer(describe_machine())
    state, advice = capsys.readouterr().out.splitlines()
    assert state.startswith("numba-cuda: cuda-swap inconclusive")
    assert "is free of cuda-swap (from 0.26.0 on)" in advice


def test_a_python_that_has_no_release_is_an_error_with_the_reason(project, commits, fixwatch):
    """There is nothing to answer, and no zero."""
    leave(project, commits, OWN, reason="no wheel for CPython 3.99")
    done = fixwatch("dashboard")
    assert done.returncode == 3
    assert "(no wheel for CPython 3.99); try another Python" in done.stderr.splitlines()[-1]
    assert "never observed" not in done.stdout
