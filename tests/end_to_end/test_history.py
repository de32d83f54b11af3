"""A small upstream's whole history, built and measured through real asv."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from tests.end_to_end.small_history import (
    MEASURED,
    check_records,
    check_verdicts,
    copy_measured_history,
)

pytestmark = pytest.mark.end_to_end


# A commit with the race, one that does not build, and one without the race.
FEW = ("appeared", "unbuildable", "fixed")


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """Return a project after one scan of the whole history."""
    return copy_measured_history(tmp_path_factory, "history")


def test_each_commit_is_measured_or_says_why_not(history):
    """The race appears and is fixed in the right commits; three gaps have three reasons."""
    check_verdicts(history)


def test_a_second_run_repeats_nothing(history):
    """With --skip-existing asv tries neither what was measured nor what failed."""
    before = history.records()
    done = history.run("--skip-existing")
    assert done.returncode == 0, done.stdout + done.stderr
    assert history.records() == before


def test_failures_can_be_tried_again(history):
    """With --skip-existing-successful the three failures are tried, and no measured commit."""
    before = history.records()
    history.run("--skip-existing-successful")
    after = history.records()
    tried = {name for name in MEASURED if after[name].measured_at != before[name].measured_at}
    assert tried == {"unbuildable", "unimportable", "endless"}
    check_verdicts(history)


def test_the_published_site_has_the_whole_history(history):
    """The site is made from the results alone, without the upstream's repository."""
    shutil.rmtree(history.path / ".fixwatch" / "mirrors")
    done = history.asv("publish")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (history.path / ".fixwatch" / "mirrors").exists()
    html = history.path / "html"
    document = json.loads((html / "fix-status.json").read_text())
    entry = next(e for e in document["upstreams"] if e["workload"] == "local-array")
    measured = {measurement["revision"]["commit"] for measurement in entry["measurements"]}
    assert len(measured) == len(MEASURED)
    page = (html / "measurements-numba-commits-cuda-swap.html").read_text()
    assert "this commit does not import" in page
    graphs = list(html.glob("numba/graphs/**/track_failures.json"))
    assert graphs


def test_with_everything_built_nothing_is_built_again(history):
    """The wheels of the scan serve the next one."""
    wheels = history.wheels()
    assert len(wheels) == len(MEASURED) - 1
    before = history.records()
    done = history.run_commits(FEW)
    assert done.returncode == 2, done.stdout + done.stderr
    assert history.wheels() == wheels
    after = history.records()
    again = {name for name in MEASURED if after[name].measured_at != before[name].measured_at}
    assert again == set(FEW)
    check_verdicts(history)


def test_a_full_disk_stops_the_scan_and_loses_nothing(history):
    """One line says so; with more room the scan goes on where it was."""
    if shutil.which("mount") is None:
        pytest.skip("cannot mount a small file system here: no mount command")
    shutil.rmtree(history.results)
    history.results.mkdir()
    # Room for the list of commits and benchmarks, and for the files of one commit.
    mount = ["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", str(history.results)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"cannot mount a small file system here: {done.stderr.strip()}")
    try:
        stopped = history.run_commits(FEW)
        assert stopped.returncode == 1
        assert "No space left on device" in stopped.stdout + stopped.stderr
        assert "Traceback" not in stopped.stdout + stopped.stderr
        before = history.records()
        assert before
        for path in history.results.glob("*/*.json"):
            json.loads(path.read_text())
        grow = ["mount", "-o", "remount,size=8m", str(history.results)]
        subprocess.run(grow, check=True)
        done = history.run_commits(FEW, "--skip-existing")
        assert done.returncode == 2, done.stdout + done.stderr
        after = history.records()
        assert after.keys() == set(FEW)
        check_records(after)
        for name, record in before.items():
            # The last one may have had evidence and no room for asv's own file.
            assert after[name].batches == record.batches
    finally:
        subprocess.run(["umount", str(history.results)], check=True)
