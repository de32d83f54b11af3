"""The processes that run batches on request, killed and out of time."""

from __future__ import annotations

import time

from mwe.planned.client import BatchResult, BatchServer

REQUEST = {
    "workload": "planted-race",
    "schedule": "handoff",
    "n_trials": 5,
    "seed": 1,
    "target": "simulator",
}
TIMEOUT_S = 60.0


def wait(server):
    """Poll until it is known what became of the batch."""
    while (result := server.poll()) is None:
        time.sleep(0.01)
    return result


def test_one_process_runs_one_batch_after_another():
    """Two requests give two batches, and the process is still usable."""
    server = BatchServer()
    for _ in range(2):
        server.request(REQUEST, TIMEOUT_S)
        assert wait(server).batch["failures"] == 5
    assert server.is_usable
    server.stop()


def test_a_batch_that_takes_too_long_is_ended_and_named():
    """The process is stopped, and the reason states the limit."""
    server = BatchServer()
    server.request({**REQUEST, "n_trials": 10**9}, timeout_s=1.0)
    assert wait(server) == BatchResult(stage="batch", reason="did not finish within 1 s")
    assert not server.is_usable
    assert server._process.poll() is not None


def test_a_process_that_dies_is_no_result():
    """The reason names how it ended; a request to the dead process does not raise."""
    server = BatchServer()
    server._process.kill()
    server._process.wait()
    server.request(REQUEST, TIMEOUT_S)
    assert wait(server) == BatchResult(stage="batch", reason="ended with signal 9: no output")
    assert not server.is_usable


def test_a_workload_that_cannot_be_loaded_is_a_failed_import():
    """Without a device the CUDA target does not load, and one line says so."""
    server = BatchServer()
    request = {**REQUEST, "workload": "local-array", "schedule": "natural", "target": "cuda"}
    server.request(request, TIMEOUT_S)
    result = wait(server)
    if result.batch is not None:  # on a machine with a device
        assert result.batch["trials"] == 5
    else:
        assert result.stage == "import"
        assert "\n" not in result.reason
