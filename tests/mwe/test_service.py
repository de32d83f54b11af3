"""Batches on request, in a real process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def describe(**changes):
    """Return a request for a few trials of the positive control, with changes."""
    request = {
        "workload": "planted-race",
        "schedule": "handoff",
        "n_trials": 5,
        "seed": 1,
        "target": "simulator",
    }
    return json.dumps({**request, **changes})


def serve(*requests):
    """Run ``python -m mwe --serve`` over request lines."""
    return subprocess.run(
        [sys.executable, "-m", "mwe", "--serve"],
        input="".join(line + "\n" for line in requests),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_each_request_has_its_answer_in_order():
    """A control between two batches that fail every time is as clean as alone."""
    done = serve(describe(), describe(workload="one-thread"), describe(seed=2))
    batches = [json.loads(line)["batch"] for line in done.stdout.splitlines()]
    assert [(b["workload"], b["seed"], b["failures"]) for b in batches] == [
        ("planted-race", 1, 5),
        ("one-thread", 1, 0),
        ("planted-race", 2, 5),
    ]
    assert done.returncode == 0


def test_an_answer_is_what_the_command_line_prints():
    """Both print the same fields, so that a record does not depend on how a batch was asked for."""
    (answer,) = serve(describe()).stdout.splitlines()
    alone = subprocess.run(
        [sys.executable, "-m", "mwe", "--json", "--workload", "planted-race", "--schedule",
         "handoff", "--trials", "5", "--seed", "1"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    clock = {"duration_s": 0, "first_failure_s": 0}
    assert {**json.loads(answer)["batch"], **clock} == {**json.loads(alone.stdout), **clock}


def test_a_request_that_makes_no_sense_ends_the_service_with_one_line():
    """Requests before the bad one have been answered."""
    for bad, message in (
        ("{", "not a batch request"),
        ('{"workload": "one-thread"}', "not a batch request"),
        (describe(workload="nope"), "unknown workload 'nope'"),
    ):
        done = serve(describe(), bad)
        assert (done.returncode, len(done.stdout.splitlines())) == (2, 1)
        assert message in done.stderr
        assert done.stderr.count("\n") == 1


CLIENT = """
import subprocess, sys, time
command = [sys.executable, "-m", "mwe", "--serve"]
server = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)
print(sys.argv[1], file=server.stdin, flush=True)
print(server.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing ends it")
def test_a_server_ends_with_its_client_whatever_it_waits_for(tmp_path):
    """Upstream's code may hang while it is imported, and a killed client ends nobody."""
    (tmp_path / "numba").mkdir()
    (tmp_path / "numba" / "__init__.py").write_text(
        f"import pathlib, time\npathlib.Path({str(tmp_path)!r}, 'hangs').touch()\ntime.sleep(60)\n"
    )
    client = subprocess.Popen(
        [sys.executable, "-c", CLIENT, describe(workload="local-array")],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with client:
        server = Path("/proc", client.stdout.readline().decode().strip())
        deadline_s = time.monotonic() + 30
        while not (tmp_path / "hangs").exists():
            assert time.monotonic() < deadline_s
            time.sleep(0.01)
        client.kill()
    while server.exists() and "State:\tZ" not in (server / "status").read_text():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
