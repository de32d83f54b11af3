"""A small upstream's whole history, built and measured through real asv."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from tests.end_to_end.small_history import MEASURED, SmallHistory, check_verdicts

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """Return the project after one scan."""
    history = SmallHistory(tmp_path_factory.mktemp("history"))
    done = history.run()
    # asv says with 2 that it went through and something failed.
    assert done.returncode == 2, done.stdout + done.stderr
    return history


def test_each_commit_is_measured_or_says_why_not(history):
    """The race appears and is fixed in the right commits; three gaps have three reasons."""
    check_verdicts(history)


def test_a_second_run_repeats_nothing(history):
    """Neither what was measured nor what failed."""
    before = history.records()
    done = history.run("--skip-existing")
    assert done.returncode == 0, done.stdout + done.stderr
    assert history.records() == before


def test_failures_can_be_tried_again(history):
    """And only they: a commit that was measured keeps its record."""
    before = history.records()
    history.run("--skip-existing-successful")
    after = history.records()
    tried = {name for name in MEASURED if after[name].measured_at != before[name].measured_at}
    assert tried == {"unbuildable", "unimportable", "endless"}
    check_verdicts(history)


def test_with_everything_built_nothing_is_built_again(history):
    """The wheels of the scan serve the next one."""
    shutil.rmtree(history.results)
    wheels = history.wheels()
    assert len(wheels) == len(MEASURED) - 1
    done = history.run()
    assert done.returncode == 2, done.stdout + done.stderr
    assert history.wheels() == wheels
    check_verdicts(history)


def test_the_published_site_has_the_whole_history(history):
    """From the results alone, without measuring."""
    done = history.asv("publish", "--no-pull")
    assert done.returncode == 0, done.stdout + done.stderr
    html = history.path / "html"
    document = json.loads((html / "fix-status.json").read_text())
    entry = next(each for each in document["upstreams"] if each["workload"] == "local-array")
    assert len({each["revision"]["commit"] for each in entry["measurements"]}) == len(MEASURED)
    page = (html / "fix-status.html").read_text()
    assert "this commit does not import" in page
    graphs = list(html.glob("graphs/**/track_failures.json"))
    assert graphs


def test_a_full_disk_stops_the_scan_and_loses_nothing(history):
    """One line says so; with more room the scan goes on where it was."""
    if shutil.which("mount") is None:
        pytest.skip("cannot mount a small file system here: no mount command")
    shutil.rmtree(history.results)
    history.results.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=40k", "tmpfs", str(history.results)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"cannot mount a small file system here: {done.stderr.strip()}")
    try:
        stopped = history.run()
        assert stopped.returncode == 1
        assert "No space left on device" in stopped.stdout + stopped.stderr
        assert "Traceback" not in stopped.stdout + stopped.stderr
        before = history.records()
        assert before
        for path in history.results.glob("*/*.json"):
            json.loads(path.read_text())
        grow = ["mount", "-o", "remount,size=8m", str(history.results)]
        subprocess.run(grow, check=True)
        done = history.run("--skip-existing")
        assert done.returncode == 2, done.stdout + done.stderr
        check_verdicts(history)
        after = history.records()
        for name, record in before.items():
            # The last one may have had evidence and no room for asv's own file.
            assert after[name].batches == record.batches
    finally:
        subprocess.run(["umount", str(history.results)], check=True)
