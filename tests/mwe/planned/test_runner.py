"""The one runner of planned batches and its spool, in real processes."""

from __future__ import annotations

import json
import math
import zlib
from dataclasses import replace

import pytest

from mwe.planned import spool
from mwe.planned.client import BATCH, BatchResult, BatchServer
from mwe.planned.plan import PlannedBatch
from mwe.planned.runner import (
    BATCH_TIMEOUT_S,
    Contender,
    describe_request,
    run_planned_batches,
)
from mwe.planned.spool import Spool, read_spool

PLANTED = PlannedBatch(
    workload="planted-race",
    role="positive-control",
    schedule="handoff",
    target="simulator",
    n_trials=3,
)
DELAYED = replace(PLANTED, schedule="delay")


@pytest.fixture
def new_contender(tmp_path):
    """Return a maker of contenders with spools of their own."""

    def new(name="own", packages=None, start_server=BatchServer):
        return Contender(name, "c0ffee", Spool(tmp_path / name, packages or {}, {}), start_server)

    return new


def run(*contenders, planned=(PLANTED,)):
    """Return what became of each batch by contender and schedule."""
    found = run_planned_batches(contenders, planned)
    return {(contender.name, batch.schedule): result for contender, batch, result in found}


def refuse_to_start():
    """Stand for an environment in which nothing may run."""
    raise AssertionError("a process was started")


def test_a_finished_batch_is_not_run_again(new_contender):
    """A second run takes the same counts from the spool and starts no process."""
    first = run(new_contender())
    assert first["own", "handoff"].batch["failures"] == 3
    assert run(new_contender(start_server=refuse_to_start)) == first


def test_a_run_that_ends_early_keeps_what_was_finished(new_contender):
    """Only the batch that had not ended is run by the next run."""
    contender = new_contender()
    results = run_planned_batches([contender], [PLANTED, replace(DELAYED, n_trials=10**6)])
    next(results)
    results.close()
    assert contender.spool.load(PLANTED)["trials"] == 3
    assert contender.spool.load(DELAYED) is None
    spooled = read_spool(contender.spool.folder)
    assert [batch.schedule for batch, _ in spooled.batches] == ["handoff", "delay"]
    (_, finished), (_, missing) = spooled.batches
    assert finished.batch["trials"] == 3
    assert missing == BatchResult()


def test_more_trials_go_on_where_the_kept_batch_ended(new_contender):
    """The kept trials are the first of the larger batch, whose seed stays."""
    first = run(new_contender())["own", "handoff"].batch
    more = run(new_contender(), planned=[replace(PLANTED, n_trials=5)])["own", "handoff"].batch
    assert (more["trials"], more["failing_trials"]) == (5, [1, 2, 3, 4, 5])
    assert more["seed"] == first["seed"]
    assert more["first_failure_s"] == first["first_failure_s"]
    # Fewer trials than are kept are no reason to run any.
    assert run(new_contender(start_server=refuse_to_start))["own", "handoff"].batch == more


def test_a_batch_of_another_identity_is_not_taken(new_contender, monkeypatch):
    """Nor is a file that was cut off, or a batch that stopped."""
    contender = new_contender()
    batch = run(contender)["own", "handoff"].batch
    path = contender.spool.folder / "planted-race--handoff.json"
    text = path.read_text()
    assert new_contender(packages={"numpy": "0"}).spool.load(PLANTED) is None
    path.write_text(text[:100])
    assert contender.spool.load(PLANTED) is None
    path.write_text(text.replace('"complete"', '"stopped after trial 3 of 3: 3 hangs"'))
    assert contender.spool.load(PLANTED) is None
    path.write_text(text)
    assert contender.spool.load(PLANTED) == batch
    folder = contender.spool.folder
    assert Spool(folder, {}, {}, python="CPython 3.99.0").load(PLANTED) is None
    assert Spool(folder, {}, {"setuptools": "0"}).load(PLANTED) is None
    monkeypatch.setattr(spool, "MEASUREMENT_VERSION", "0")
    assert Spool(folder, {}, {}).load(PLANTED) is None
    monkeypatch.undo()
    monkeypatch.setattr(spool, "digest_harness", lambda: "of other sources")
    assert Spool(folder, {}, {}).load(PLANTED) is None


EXPLORED = replace(PLANTED, schedule="explore", n_trials=10**6, limit_s=60.0)
NONE_FAILED = {"trials": 9, "failures": 0, "signature_failures": 0}
PART = {**NONE_FAILED, "space": {"exhausted": False}, "duration_s": 5.1}
SHOWN = {"failures": 1, "signature_failures": 1}


def test_an_exploration_that_failed_is_finished(new_contender):
    """It stops at the first failure, which shows the race, and is not run again."""
    first = run(new_contender(), planned=[EXPLORED])["own", "explore"].batch
    assert first["failures_by_mode"] == {"missing-attribute": 1}
    assert first["trials"] == first["space"]["run"] == first["first_failure_trial"] < 10**6
    again = run(new_contender(start_server=refuse_to_start), planned=[EXPLORED])
    assert again["own", "explore"].batch == first


@pytest.mark.parametrize(
    ("changes", "planned", "is_finished"),
    [
        pytest.param(SHOWN, EXPLORED, True, id="failed"),
        pytest.param({"failures": 1}, EXPLORED, False, id="failed-otherwise"),
        pytest.param({"space": {"exhausted": True}}, EXPLORED, True, id="whole-space"),
        pytest.param({"duration_s": 60.2}, EXPLORED, True, id="at-its-limit"),
        pytest.param({}, EXPLORED, False, id="of-a-shorter-limit"),
        pytest.param({"duration_s": 60.2}, replace(EXPLORED, limit_s=None), False, id="no-limit"),
        pytest.param(SHOWN, replace(EXPLORED, schedule="delay"), False, id="repetitions"),
    ],
)
def test_when_an_exploration_is_finished(new_contender, changes, planned, is_finished):
    """With the signature, its whole space, or as much time as is planned now; never others so."""
    spool = new_contender().spool
    spool.save(planned, BatchResult({**PART, "status": "complete", **changes}))
    assert (spool.load_finished(planned) is not None) is is_finished


def test_an_exploration_begins_anew(new_contender):
    """What was run of a space before is known to nobody, so nothing goes on from it."""
    requests = []

    class Server:
        is_usable = True

        def request(self, request, timeout_s):
            requests.append((request, timeout_s))

        def poll(self):
            return BatchResult(stage="batch", reason="enough")

        def stop(self):
            pass

    contender = new_contender(start_server=Server)
    whole = replace(EXPLORED, limit_s=None, workload="one-thread")
    for planned in (EXPLORED, whole):
        contender.spool.save(planned, BatchResult({**PART, "status": "complete", "seed": 3}))
    run(contender, planned=[EXPLORED, whole])
    assert [request["earlier"] for request, _ in requests] == [None, None]
    assert [request["exploration"]["limit_s"] for request, _ in requests] == [60.0, None]
    # The process ends it by itself; the time-out is for one that does not.
    assert [timeout_s > 60 for _, timeout_s in requests] == [True, True]
    assert requests[1][1] == math.inf


def test_a_dropped_spool_has_nothing(new_contender):
    """Whoever asks again after an answer gets a new measurement."""
    contender = new_contender()
    run(contender)
    contender.spool.drop()
    assert contender.spool.load(PLANTED) is None
    assert not contender.spool.folder.exists()


def test_two_contenders_take_turns_in_going_first(new_contender):
    """Neither is always the first one to start a batch."""
    first, second = new_contender("first"), new_contender("second")
    for contender in (first, second):
        run(contender, planned=[PLANTED, DELAYED])
    kept = run_planned_batches([first, second], [PLANTED, DELAYED])
    assert [(contender.name, batch.schedule) for contender, batch, _ in kept] == [
        ("first", "handoff"),
        ("second", "handoff"),
        ("second", "delay"),
        ("first", "delay"),
    ]


def test_after_two_batches_that_crash_the_rest_is_not_tried(new_contender):
    """The reason says so and is kept in the spool, but is not taken for a batch later."""
    contender = new_contender(start_server=lambda: BatchServer("/bin/false"))
    planned = [replace(PLANTED, workload=name) for name in ("planted-race", "one-thread")] * 3
    found = list(run_planned_batches([contender], planned))
    reasons = [result.reason for _, _, result in found]
    assert sum("ended with status 1" in reason for reason in reasons) in (2, 3)
    assert reasons[-1] == "not tried: 2 batches before it did not finish"
    assert all(result.stage == "batch" for _, _, result in found)
    kept = json.loads((contender.spool.folder / "planted-race--handoff.json").read_text())
    assert kept["reason"] in reasons
    assert contender.spool.load(PLANTED) is None


def test_a_process_that_crashed_is_replaced(new_contender):
    """One crash costs its own batch alone."""
    servers = iter([BatchServer("/bin/false")])
    contender = new_contender(start_server=lambda: next(servers, None) or BatchServer())
    planned = [replace(PLANTED, schedule=name) for name in ("handoff", "delay")] * 2
    results = [result for _, _, result in run_planned_batches([contender], planned)]
    assert sorted(result.stage or "ran" for result in results) == [BATCH, "ran", "ran", "ran"]


class Answering:
    """Stands for a process that answers each request at once, and notes its limits."""

    is_usable = True

    def __init__(self, **batch):
        self.limits_s = []
        self._answer = BatchResult({"trials": 3, "seed": 1, "failures_by_mode": {}, **batch})

    def request(self, request, timeout_s):
        """Take a request."""
        self.limits_s.append(timeout_s)

    def poll(self):
        """Return the answer."""
        return self._answer

    def stop(self):
        """Stay."""


@pytest.mark.parametrize(
    ("status", "n_tried"), [("stopped after trial 3 of 20: 3 hangs", 2), ("complete", 5)]
)
def test_after_two_batches_that_hangs_have_stopped_the_rest_is_not_tried(
    new_contender, status, n_tried
):
    """Each hang costs a whole timeout; a batch that hung and went on to its end does not count."""
    contender = new_contender(
        start_server=lambda: Answering(status=status, failures_by_mode={"hang": 3})
    )
    results = [result for _, _, result in run_planned_batches([contender], [PLANTED] * 5)]
    assert sum(result.batch is not None for result in results) == n_tried


def test_more_trials_than_the_plans_have_as_much_more_time(new_contender):
    """The plan has 20 trials of the control; fewer have the same time."""
    server = Answering(status="complete")
    planned = [replace(PLANTED, n_trials=n_trials) for n_trials in (5, 20, 60)]
    list(run_planned_batches([new_contender(start_server=lambda: server)], planned))
    assert server.limits_s == [BATCH_TIMEOUT_S, BATCH_TIMEOUT_S, 3 * BATCH_TIMEOUT_S]


def test_a_check_ends_the_run_and_its_processes(new_contender):
    """What the check raises passes through, and no process is left behind."""
    servers = []

    def start_server():
        servers.append(BatchServer())
        return servers[-1]

    def check():
        if servers:
            raise KeyboardInterrupt

    endless = replace(PLANTED, n_trials=10**9)
    with pytest.raises(KeyboardInterrupt):
        list(
            run_planned_batches([new_contender(start_server=start_server)], [endless], check=check)
        )
    assert [server.is_usable for server in servers] == [False] * len(servers)


def test_the_seed_is_that_of_the_recorded_history():
    """The counts that are committed were drawn from the crc32 of commit, workload and schedule."""
    request = describe_request("c0ffee", PLANTED)
    assert request["seed"] == zlib.crc32(b"c0ffee/planted-race/handoff")
    assert request["earlier"] is None
    assert describe_request("c0ffee", PLANTED, {"seed": 7})["seed"] == 7
