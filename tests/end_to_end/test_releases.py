"""Real releases from the package index, through real asv."""

from __future__ import annotations

import json
import subprocess
import time

import pytest

from tests.end_to_end.measuring import AFFECTED, FIXED, MACHINE, WAIT_S, ReleaseProject, counts

pytestmark = pytest.mark.end_to_end

CONTROLS = (
    "same-module",
    "helper-without-cuda",
    "one-thread",
    "no-threads",
    "registry-persistent",
    "chunked-plain",
)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Return a project in which an affected and a fixed release are measured."""
    project = ReleaseProject(tmp_path_factory.mktemp("releases"))
    done = project.measure(AFFECTED, FIXED)
    assert done.returncode == 0, done.stdout + done.stderr
    return project


def test_the_affected_release_fails_and_the_fixed_one_does_not(project):
    """The race shows in 0.24.0 with its signature, and not in 0.26.0; the controls behave."""
    # Measured 0.85 and more on 0.24.0; with p >= 0.7, P(fewer than 22 of 50) < 1e-4.
    failures, trials = counts(project.evidence(AFFECTED), "local-array")
    assert (failures >= 22, trials) == (True, 50)
    assert counts(project.evidence(FIXED), "local-array") == (0, 50)
    for record in map(project.evidence, (AFFECTED, FIXED)):
        for control in CONTROLS:
            assert counts(record, control)[0] == 0
        assert counts(record, "planted-race")[0] > 0
        assert record.packages["numba-cuda"] == record.name
        assert record.interpreter.startswith("CPython 3.")
        for batch in record.batches:
            if batch.defect == "cuda-swap":
                assert batch.printed.early_return_failures == 0
                assert set(batch.printed.failures_by_mode) <= {"missing-attribute"}


def test_dependencies_are_those_of_the_upload_day(project):
    """They are what was newest on the index on that day, which is not what is newest now."""
    packages = project.evidence(AFFECTED).packages
    assert packages["numba-cuda"] == "0.24.0"
    assert packages["numba"] == "0.63.1"
    assert packages["llvmlite"] == "0.46.0"
    assert project.evidence(AFFECTED).resolved_as_of == "2026-01-13T00:00:00+00:00"


def test_asv_has_the_counts_of_the_evidence(project):
    """asv's own result repeats failures, trials and early-return failures, NaN where unplanned."""
    record = project.evidence(AFFECTED)
    (path,) = (project.path / "results" / "releases" / MACHINE).glob(f"{record.commit[:8]}-*.json")
    result = json.loads(path.read_text())
    assert result["results"].keys() == {
        "track_failures",
        "track_trials",
        "track_early_return_failures",
    }
    values, (workloads, schedules) = result["results"]["track_failures"][:2]
    table = dict(zip(((w, s) for w in workloads for s in schedules), values, strict=True))
    assert table["'local-array'", "'delay'"] == counts(record, "local-array")[0]
    assert table["'local-array'", "'natural'"] == counts(record, "local-array", "natural")[0]
    unplanned = table["'one-thread'", "'natural'"]
    assert unplanned != unplanned


def test_results_do_not_say_where_the_checkout_lies(project):
    """No file that is shared names the folder, which is this machine's own."""
    files = [path for path in (project.path / "results").rglob("*") if path.is_file()]
    assert len(files) > 4
    for path in files:
        assert str(project.path) not in path.read_text()


@pytest.mark.parametrize(
    "workload",
    [
        "local-array-2d",
        "local-array-blocks",
        "shared-array",
        "registry-local",
        "registry-shared",
        "registry-mixed",
        "chunked-local",
    ],
)
def test_every_way_of_allocating_is_hit_and_mended(project, workload):
    """The affected release fails under both schedules, and the fixed one under none."""
    # Measured 0.54 and more; with p >= 0.5, P(fewer than 2 of 20) < 1e-4.
    assert counts(project.evidence(AFFECTED), workload)[0] >= 2
    assert counts(project.evidence(AFFECTED), workload, "handoff") == (20, 20)
    assert counts(project.evidence(FIXED), workload) == (0, 20)
    assert counts(project.evidence(FIXED), workload, "handoff") == (0, 20)


def test_each_batch_ran_once(project):
    """There is one batch for each planned workload and schedule, not one for each track_."""
    batches = [
        (b.workload, b.schedule) for b in project.evidence(FIXED).batches if b.defect == "cuda-swap"
    ]
    racy = (
        "local-array",
        "local-array-2d",
        "local-array-blocks",
        "shared-array",
        "registry-local",
        "registry-shared",
        "registry-mixed",
        "chunked-local",
    )
    controls = (*CONTROLS, "planted-race", "sound-swap")
    assert sorted(batches) == sorted(
        [("local-array", "natural")]
        + [(w, "explore") for w in ("local-array", "one-thread", "planted-race")]
        + [(w, s) for w in (*racy, *controls) for s in ("delay", "handoff")]
    )


def test_publishing_gives_the_verdict_and_the_page(project):
    """It is fixed in 0.26.0, last affected 0.24.0, exactly; asv's navigation has the page."""
    done = project.asv("publish")
    assert done.returncode == 0, done.stdout + done.stderr
    html = project.path / "html"
    document = json.loads((html / "fix-status.json").read_text())
    (entry,) = [e for e in document["upstreams"] if e["workload"] == "local-array"]
    assert (entry["upstream"], entry["state"]) == ("numba-cuda", "fixed")
    assert entry["fixed_in"]["name"] == "0.26.0"
    assert entry["last_affected"]["name"] == "0.24.0"
    assert entry["transitions"][0]["exact"] is True
    assert "fixed in 0.26.0" in (html / "index.html").read_text()
    site = html / "releases" / "numba-cuda"
    assert 'href="../../index.html"' in (site / "index.html").read_text()
    assert json.loads((site / "regressions.json").read_text()) == {"regressions": []}


def test_existing_results_are_not_measured_again(project):
    """The record stays as it is with asv's --skip-existing."""
    before = project.evidence(AFFECTED)
    done = project.measure(AFFECTED, options=["--skip-existing"])
    assert done.returncode == 0, done.stdout + done.stderr
    assert project.evidence(AFFECTED) == before


def test_an_unknown_revision_is_one_line(project):
    """The line names the newest release tag, and there is no traceback."""
    done = project.asv("run", "--machine", MACHINE, "v0.99..main")
    assert done.returncode == 1
    assert "no revision 'v0.99' in numba-releases; the newest release tag is v0." in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


@pytest.fixture(scope="module")
def hurried(project):
    """Return the project, which from now on measures few workloads."""
    project.measure_few_workloads()
    return project


def test_an_older_release_keeps_no_newer_package(hurried):
    """Installed over 0.26.0, 0.0.15 has numba 0.60 and no cuda-bindings."""
    older = ("numba-cuda", "0.0.15")
    done = hurried.measure(FIXED, older)
    assert done.returncode == 0, done.stdout + done.stderr
    packages = hurried.evidence(older).packages
    assert packages == {
        "llvmlite": "0.43.0",
        "numba": "0.60.0",
        "numba-cuda": "0.0.15",
        "numpy": "2.0.2",
    }
    (site_packages,) = hurried.path.glob(".fixwatch/envs/releases/*/lib*/python*/site-packages")
    assert not list(site_packages.glob("cuda_bindings*"))


def test_an_index_out_of_reach_keeps_what_was_measured(hurried):
    """asv stops with one line; the release that was measured before keeps its record."""
    before = hurried.evidence(AFFECTED)
    out_of_reach = {"UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple", "UV_HTTP_RETRIES": "0"}
    done = hurried.measure(("numba-cuda", "0.27.0"), AFFECTED, **out_of_reach)
    assert done.returncode == 1
    assert "the package index cannot be reached" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert hurried.evidence(AFFECTED) == before


def test_a_failed_run_does_not_replace_a_measurement(hurried):
    """An install that fails for a reason of the moment leaves record and result as they were."""
    before = hurried.evidence(AFFECTED)
    assert hurried.measure(FIXED).returncode == 0
    # FIXED is still installed and serves asv's discovery; AFFECTED has to be installed again.
    done = hurried.measure(FIXED, AFFECTED, UV_CACHE_DIR="/dev/null/no-cache")
    assert done.returncode == 2
    assert "the install failed" in done.stdout
    assert "was measured before" in done.stdout
    assert hurried.evidence(AFFECTED) == before
    (path,) = (hurried.path / "results" / "releases" / MACHINE).glob(f"{before.commit[:8]}-*.json")
    assert json.loads(path.read_text())["results"]["track_trials"][0]


def test_a_truncated_asv_result_is_set_aside(hurried):
    """The next run of the revision names it and goes on."""
    commit = hurried.commits[FIXED]
    (path,) = (hurried.path / "results" / "releases" / MACHINE).glob(f"{commit[:8]}-*.json")
    path.write_text(path.read_text()[:100])
    done = hurried.measure(FIXED)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "set aside as" in done.stdout
    assert json.loads(path.read_text())["commit_hash"] == commit
    assert path.with_name(f"{path.name}.damaged-1").exists()


def test_a_second_run_says_whom_it_waits_for_and_takes_what_that_one_measured(tmp_path):
    """Nothing is measured twice; what the first was not asked for is left to the second."""
    project = ReleaseProject(tmp_path)
    project.measure_few_workloads()
    (project.path / "both").write_text("\n".join(map(project.commits.get, (AFFECTED, FIXED))))
    (project.path / "one").write_text(project.commits[AFFECTED])

    def start(hashes):
        return subprocess.Popen(
            project.command("run", "--machine", MACHINE, f"HASHFILE:{hashes}"),
            cwd=project.path,
            env=project.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    first = start("one")
    lock = project.results_dir / ".lock"
    deadline_s = time.monotonic() + WAIT_S
    while not (lock.exists() and lock.read_text()):
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
    second, third = start("both"), start("one")
    printed, *others = (
        process.communicate(timeout=WAIT_S)[0] for process in (first, second, third)
    )
    assert "waiting for" not in printed
    for process, text in zip((second, third), others, strict=True):
        assert process.returncode == 0, text
        assert "waiting for process" in text
        assert "revisions were measured meanwhile" in text
    assert others[1].count("Benchmarking") == 0
    for release in (AFFECTED, FIXED):
        assert counts(project.evidence(release), "local-array")[1] == 50
