"""A scan of a small upstream's history, killed at random moments."""

from __future__ import annotations

import json
import random
import shutil
import sys
from dataclasses import replace

import pytest

from fixwatch.records.evidence import parse_printed
from tests.end_to_end.measuring import MACHINE
from tests.end_to_end.small_history import RANGE, SmallHistory, check_verdicts

N_KILLS, N_INTERRUPTED, MAX_KILLS = 6, 2, 24
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
    finished = {}
    batches = {}
    n_kills = n_interrupted = 0
    # Until some met moments at which there was something to lose.
    while n_kills < N_KILLS or (n_interrupted < N_INTERRUPTED and n_kills < MAX_KILLS):
        # Two of three kills wait for something new, so that the scan gets on; the third meets
        # whatever comes before: a build, an installation, the beginning of a batch.
        command = history.command("run", "--machine", MACHINE, "--skip-existing", RANGE)
        status = history.kill_at_random(command, chance, is_early=n_kills % 3 == 0)
        if status is not None:
            # It came to its end: begin anew, the wheels are built.
            assert status in (0, 2)
            check_verdicts(history)
            shutil.rmtree(history.results)
            finished, batches = {}, {}
            continue
        n_kills += 1
        records = history.records()
        n_interrupted += bool(history.spooled())
        for name, record in records.items():
            assert finished.setdefault(name, undated(record)) == undated(record)
        for (commit, file), kept_batch in history.spooled().items():
            if "batch" in kept_batch:
                key = (history.names[commit], file)
                assert batches.setdefault(key, kept_batch["batch"]) == kept_batch["batch"]
        for path in history.results.glob("*/*.json"):
            json.loads(path.read_text())
    assert n_interrupted >= N_INTERRUPTED
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
