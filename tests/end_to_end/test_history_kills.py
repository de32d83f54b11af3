"""A scan of a small upstream's history, killed at random moments."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from fixwatch.records.evidence import parse_printed
from tests.end_to_end.measuring import MACHINE
from tests.end_to_end.small_history import RANGE, SmallHistory, check_verdicts

N_KILLS, MAX_KILLS = 6, 40
SEED = 20261120

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL"),
]


def undated(record):
    """Return a record without when it was put together: a kill may come before asv has it."""
    return replace(record, measured_at="")


def test_kills_at_random_moments_lose_and_repeat_nothing(tmp_path):
    """Six kills or more, of the whole group or of asv alone, leave what was finished as it was."""
    history = SmallHistory(tmp_path)
    chance = random.Random(SEED)
    start_s = time.monotonic()
    assert history.asv("run", "--machine", MACHINE, "v0.99..main").returncode == 1
    # Starting asv takes so long here and now; a commit takes a few times that.
    startup_s = time.monotonic() - start_s
    longest_s = 4 * startup_s
    finished = {}
    batches = {}
    n_kills = n_interrupted = 0
    # Until some met moments at which there was something to lose.
    while n_kills < N_KILLS or (n_interrupted < 2 and n_kills < MAX_KILLS):
        process = subprocess.Popen(
            history.command("run", "--machine", MACHINE, "--skip-existing", RANGE),
            cwd=history.path,
            env=history.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            process.wait(startup_s * chance.uniform(1, 5))
        except subprocess.TimeoutExpired:
            n_kills += 1
            if chance.random() < 0.5:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
            process.wait()
        else:
            # It came to its end: begin anew, the wheels are built.
            assert process.returncode in (0, 2)
            check_verdicts(history)
            shutil.rmtree(history.results)
            finished, batches = {}, {}
            continue
        records = history.records()
        n_interrupted += bool(history.spooled())
        if not history.spooled() and len(records) == len(finished):
            # Too early for anything: the machine has more to do now.
            startup_s = min(1.2 * startup_s, longest_s)
        for name, record in records.items():
            assert finished.setdefault(name, undated(record)) == undated(record)
        for (commit, file), kept in history.spooled().items():
            if "batch" in kept:
                key = (history.names[commit], file)
                assert batches.setdefault(key, kept["batch"]) == kept["batch"]
        for path in history.results.glob("*/*.json"):
            json.loads(path.read_text())
    assert n_interrupted >= 2
    done = history.run("--skip-existing")
    assert done.returncode in (0, 2), done.stdout + done.stderr
    check_verdicts(history)
    records = history.records()
    for name, record in finished.items():
        assert undated(records[name]) == record
    for (name, file), batch in batches.items():
        (measured,) = [
            b.printed for b in records[name].batches if f"{b.workload}--{b.schedule}.json" == file
        ]
        assert measured == parse_printed(batch)
