"""Simulator and device side by side: rows of their own everywhere, and verdicts of their own."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from fixwatch.report.badge import describe_badges
from fixwatch.report.page import PAGE_NAME, render_pages
from fixwatch.report.table import print_status
from fixwatch.verdicts.allocations import list_allocations
from fixwatch.verdicts.pin_advice import advise_on_releases
from fixwatch.verdicts.series import build_series
from tests.fixwatch.sample_records import new_batch, new_controls, new_record
from tests.fixwatch.verdicts.test_series import FIXED, ORDER, document_of

NO_DRIVER = "no CUDA driver: libcuda.so.1 cannot be loaded"


def device_batch(workload="local-array", failures=0, trials=300, mode="wrong-result", **changes):
    """Return the evidence of a batch on a device, where every failure counts as shown."""
    modes = {mode: failures} if failures else {}
    batch = new_batch(
        workload,
        failures,
        trials,
        schedule="natural",
        failures_by_mode=modes,
        signature_failures=failures,
        attributes={},
    )
    return replace(batch, decides=True, **changes)


def on_device(*batches, overrun=20, version="0.26.0", negative=0):
    """Return the record of a release on a device, with its controls."""
    overran = device_batch("planted-overrun", overrun, 20, role="positive-control")
    controls = (overran, device_batch("same-module", negative, role="negative-control"))
    return new_record(
        version, *batches, *controls, upstream="numba-cuda", target="cuda", environment="cuda"
    )


def verdict_of(record, workload="local-array"):
    """Return verdict and reason of the one measurement of a workload."""
    (entry,) = [e for e in document_of(record)["upstreams"] if e["workload"] == workload]
    (measurement,) = entry["measurements"]
    return measurement["verdict"], measurement["reason"]


def test_a_control_that_an_api_broke_hides_no_failure_on_a_device():
    """A transfer without a helper polls an event, and the API for that is what fails."""
    single = device_batch("one-thread", role="negative-control")
    failing = on_device(device_batch("chunked-local", 300), single, negative=300)
    assert verdict_of(failing, "chunked-local")[0] == "observed"
    silent = on_device(device_batch(), single, negative=300)
    assert verdict_of(silent)[0] == "not-observed"
    unsure = on_device(device_batch("chunked-local", 300), negative=300)
    assert verdict_of(unsure, "chunked-local")[0] == "inconclusive"


def test_a_control_that_crashed_on_a_device_is_not_left_out():
    """Only a control that the release cannot compile is left out."""
    for stage, expected in (("import", "not-observed"), ("batch", "inconclusive")):
        lost = device_batch("one-thread", role="negative-control", printed=None)
        lost = replace(lost, stage=stage, reason="ended with signal 11")
        assert verdict_of(on_device(device_batch(), lost))[0] == expected


def test_a_target_has_rows_of_its_own():
    """A failure on a device makes no simulator affected, and the other way round."""
    document = document_of(*FIXED, on_device(device_batch(failures=300)))
    states = {
        entry["target"]: entry["state"]
        for entry in document["upstreams"]
        if entry["workload"] == "local-array"
    }
    assert states == {"simulator": "fixed", "cuda": "affected"}
    for entry in document["upstreams"]:
        measured = {item["revision"]["name"] for item in entry["measurements"]}
        releases = ["0.26.0"] if entry["target"] == "cuda" else [record.name for record in FIXED]
        assert sorted(measured) == sorted(releases)


@pytest.mark.parametrize("mode", ["wrong-result", "exception", "hang", "crash"])
def test_on_a_device_any_failure_of_correct_code_is_observed(mode):
    """The race's signature cannot occur there."""
    verdict, reason = verdict_of(on_device(device_batch(failures=2, mode=mode)))
    assert (verdict, reason) == ("observed", f"on a device: 2 {mode}")


def test_silence_on_a_device_is_stated_with_the_rate_that_it_excludes():
    """1 - 0.05**(1/300) is just below 1 %."""
    verdict, reason = verdict_of(on_device(device_batch()))
    assert verdict == "not-observed"
    assert reason == "0 of 300 failed: fewer than 0.99 % do (95 %)"


def test_silence_without_the_positive_control_does_not_count():
    """Guards that show no overrun prove nothing by being silent."""
    verdict, reason = verdict_of(on_device(device_batch(), overrun=0))
    assert verdict == "inconclusive"
    assert "planted-overrun did not fail" in reason


def test_a_failing_negative_control_spoils_the_run():
    """What fails there is the harness, or the machine."""
    verdict, reason = verdict_of(on_device(device_batch(failures=9), negative=3))
    assert verdict == "inconclusive"
    assert "the negative control same-module failed in 3 of 300" in reason


def test_a_control_that_a_release_cannot_compile_leaves_the_others():
    """The built-in target refuses device functions that return local arrays."""
    refused = replace(
        device_batch("one-thread", role="negative-control"),
        printed=None,
        stage="import",
        reason="the kernel does not compile for this device",
    )
    record = on_device(device_batch("chunked-plain"), device_batch(), refused)
    assert verdict_of(record)[0] == "not-observed"
    assert verdict_of(record, "one-thread")[0] == "not-run"


def test_a_machine_without_a_driver_is_not_run_with_the_reason():
    """No number stands in for what was not counted."""
    batch = replace(device_batch(), printed=None, stage="device", reason=NO_DRIVER)
    record = new_record("0.30.4", batch, upstream="numba-cuda", target="cuda")
    assert verdict_of(record) == ("not-run", f"device: {NO_DRIVER}")
    (entry,) = document_of(record)["upstreams"]
    assert (entry["state"], entry["target"]) == ("not-run", "cuda")
    assert entry["measurements"][0]["trials"] is None
    assert entry["measurements"][0]["failures"] is None


def test_table_page_and_badges_name_the_target():
    """Where both exist, nobody takes one for the other."""
    records = (*FIXED, on_device(device_batch(failures=300)))
    series = build_series(records, ORDER)
    document = document_of(*records)
    text = StringIO()
    print_status(series, (), Console(file=text, width=200))
    assert "numba-cuda: cuda-swap fixed in 0.26.0" in text.getvalue()
    assert "numba-cuda on a device: affected\n" in text.getvalue()
    pages = render_pages(series, document, ())
    assert "numba-cuda on a device: affected" in pages[PAGE_NAME]
    assert "numba-cuda: fixed" in pages[PAGE_NAME]
    assert "0.24.0" not in pages["measurements-numba-cuda-on-cuda-releases-cuda-swap.html"]
    assert "0.24.0" in pages["measurements-numba-cuda-releases-cuda-swap.html"]
    badges = describe_badges(document)
    assert badges["numba-cuda--cuda-swap"]["message"] == "fixed in 0.26.0"
    assert badges["numba-cuda-on-a-device"]["message"] == "affected"
    assert badges["numba-cuda-on-a-device"]["label"] == "numba-cuda on a CUDA device"


def test_which_releases_may_be_pinned_does_not_ask_a_device():
    """Pin advice and work-arounds are about the simulator's race only."""
    affected_on_device = on_device(device_batch(failures=300))
    with_device = build_series((*FIXED, affected_on_device), ORDER)
    without = build_series(FIXED, ORDER)
    assert advise_on_releases(with_device, ()) == advise_on_releases(without, ())
    assert list_allocations(with_device) == list_allocations(without)


def test_references_of_the_simulator_are_none_for_a_device():
    """Failure rates and controls of one target are not used for the other."""
    record = on_device(device_batch())
    silent = new_record("0.27.0", new_batch(), *new_controls(), upstream="numba-cuda")
    (entry,) = [
        entry
        for entry in document_of(silent, on_device(device_batch(failures=300)))["upstreams"]
        if (entry["target"], entry["workload"]) == ("simulator", "local-array")
    ]
    assert entry["state"] == "inconclusive"
    assert verdict_of(record)[0] == "not-observed"
