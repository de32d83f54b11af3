"""Which releases are free of which defects, in words."""

from __future__ import annotations

import html
from dataclasses import replace
from datetime import datetime, timezone

import pytest

from fixwatch.history.order import RevisionOrder
from fixwatch.history.release_table import load_release_table
from fixwatch.report.addresses import RELEASES_NAME
from fixwatch.report.advice import describe_advice, summarise_advice
from fixwatch.report.answer import describe_history, describe_state
from fixwatch.report.page import render_pages
from fixwatch.report.status import build_document
from fixwatch.verdicts.defects import find_verdicts
from fixwatch.verdicts.pin_advice import advise_on_releases
from fixwatch.verdicts.series import build_series
from mwe.defects import DEFECTS
from tests.fixwatch.sample_records import new_batch, new_controls, new_record, of_defect

ORDER = RevisionOrder(load_release_table())
RELEASES = ("0.24.0", "0.26.0", "0.30.4")


@pytest.fixture(autouse=True)
def known_defects(monkeypatch):
    """Let the race be the only defect that is known beside those in the records."""
    known = {"cuda-swap": DEFECTS["cuda-swap"]}
    monkeypatch.setattr("fixwatch.verdicts.defects.DEFECTS", known)


def series_of(swap, lost=None, **lost_batch):
    """Return the series of three releases with failures of the race and of a second defect."""
    records = [
        new_record(
            release,
            new_batch(failures=swap[index]),
            *new_controls(),
            *(of_defect("lost-sum", new_batch(failures=lost[index], **lost_batch)) if lost else ()),
            *(of_defect("lost-sum", *new_controls()) if lost else ()),
            upstream="numba-cuda",
        )
        for index, release in enumerate(RELEASES)
    ]
    return build_series(records, ORDER)


def advise(*failures, **lost_batch):
    """Return the summary of the one upstream, and the advice by defect."""
    (upstream,) = advise_on_releases(series_of(*failures, **lost_batch), ORDER.releases)
    advice = {entry["defect"]: entry for entry in describe_advice(upstream)}
    return summarise_advice(upstream), advice


def test_free_of_one_defect_names_the_one_that_remains():
    """In every sentence that calls a release free, for the newest and from the oldest on."""
    summary, advice = advise((90, 0, 0), (70, 70, 70))
    swap, lost = advice["cuda-swap"], advice["lost-sum"]
    assert (swap["free_from"], swap["not_free"]) == ("0.26.0", ["0.24.0"])
    assert swap["text"].startswith(
        "numba-cuda >= 0.26.0 is free of cuda-swap: all 2 measured releases from there to 0.30.4 "
    )
    assert swap["text"].endswith("What remains: lost-sum.")
    assert (lost["free_from"], lost["not_free"]) == (None, ["0.30.4", "0.26.0", "0.24.0"])
    assert lost["text"] == (
        "All 3 releases of numba-cuda measured for it, 0.24.0 to 0.30.4, have lost-sum."
    )
    assert summary == (
        "No measured release of numba-cuda is free of all known defects. The newest, 0.30.4, has "
        "lost-sum and is free of cuda-swap (from 0.26.0 on)."
    )


def test_free_of_none_says_what_the_newest_release_has():
    """There is no version to name."""
    summary, advice = advise((90, 90, 90), (70, 70, 70))
    assert [entry["free_from"] for entry in advice.values()] == [None, None]
    assert summary.endswith("0.30.4, has cuda-swap and lost-sum.")


def test_free_of_all_names_them_all():
    """It is no promise about defects that nobody looks for."""
    summary, advice = advise((90, 0, 0), (70, 70, 0))
    assert summary == (
        "numba-cuda 0.30.4, the newest release measured, is free of cuda-swap and lost-sum. No "
        "other defect is looked for."
    )
    assert advice["cuda-swap"]["text"].endswith("What remains: lost-sum (in 1 of them).")
    assert advice["lost-sum"]["text"].endswith(
        "Free of cuda-swap, too; no other defect is looked for."
    )


def test_a_defect_that_is_not_decided_is_named_as_such():
    """It is neither there nor known to be absent."""
    summary, advice = advise((90, 0, 0), (0, 0, 0))
    assert summary.startswith(
        "No measured release of numba-cuda is known to be free of all known defects. The newest"
    )
    assert advice["cuda-swap"]["text"].endswith("Not known to be absent: lost-sum.")
    assert advice["lost-sum"]["text"] == (
        "No measured release of numba-cuda is known to be free of lost-sum."
    )
    assert advice["lost-sum"]["not_free"] == []


def test_a_defect_that_was_not_measured_is_named_as_such(monkeypatch):
    """An upstream is not free of what nobody looked for there."""
    known = {"cuda-swap": DEFECTS["cuda-swap"], "unseen": DEFECTS["cuda-swap"]}
    monkeypatch.setattr("fixwatch.verdicts.defects.DEFECTS", known)
    summary, advice = advise((90, 0, 0))
    assert advice["unseen"]["text"] == "unseen was not measured in any release of numba-cuda."
    assert advice["cuda-swap"]["text"].endswith("Not known to be absent: unseen.")
    assert summary.endswith(
        "0.30.4, is free of cuda-swap (from 0.26.0 on) and is not known to be free of unseen."
    )


def test_a_launch_that_upstream_refuses_is_not_affected_and_the_text_says_so():
    """A documented limit: nobody gets a wrong result."""
    refused = {"refusals": 99}
    _, advice = advise((90, 90, 90), (0, 0, 0), **refused)
    lost = advice["lost-sum"]
    assert (lost["free_from"], lost["not_free"]) == ("0.24.0", [])
    assert (
        "They refuse the launch, with an error that says so. What remains: cuda-swap."
        in (lost["text"])
    )
    verdict = find_verdicts(series_of((90, 90, 90), (0, 0, 0), **refused))[1]
    says = "0 of 100 trials failed, as upstream refuses the launch, with an error that says so"
    assert says in describe_history(verdict.histories[0])


def test_what_is_refused_is_named(monkeypatch):
    """Of host launches only the second is; the first runs."""
    known = {"host-launch": DEFECTS["host-launch"]}
    monkeypatch.setattr("fixwatch.verdicts.defects.DEFECTS", known)
    batches = (
        new_batch("host-launch", 0, 20, schedule="natural", refusals=19),
        new_batch("planted-host-launch", 19, 20, schedule="natural", signature_failures=19),
        new_batch("host-launch-in-turn", 0, 20, schedule="natural"),
    )
    record = new_record(
        "0.24.0",
        *(replace(batch, decides=True) for batch in batches),
        upstream="numba-cuda",
    )
    all_series = build_series([record], ORDER)
    refuses = "a second launch while another host thread's runs, with an error that says so"
    (upstream,) = advised = advise_on_releases(all_series, ORDER.releases)
    assert f". They refuse {refuses}. " in describe_advice(upstream)[0]["text"]
    (speaker,) = [own for own in all_series if own.key.workload == "host-launch"]
    assert f"as upstream refuses {refuses})" in describe_state(speaker)
    document = build_document(all_series, datetime(2026, 11, 21, tzinfo=timezone.utc), advised)
    page = html.unescape(render_pages(all_series, document, advised)[RELEASES_NAME])
    assert f"“refused” under host-launch: numba-cuda refuses {refuses}." in page
    assert ">refused</a>" in page


def test_releases_between_which_others_have_the_defect_are_listed():
    """As spans, oldest to newest; nothing is free from a version on."""
    _, advice = advise((0, 0, 90), (70, 70, 70))
    swap = advice["cuda-swap"]
    assert swap["free_from"] is None
    assert swap["text"] == (
        "Only these measured releases of numba-cuda are known to be free of cuda-swap: 0.24.0 to "
        "0.26.0. What remains: lost-sum."
    )


def test_one_release_of_a_newer_machine_changes_no_sentence():
    """It measured a little of what is known; all releases still count."""
    records = [
        new_record(name, new_batch(failures=k), *new_controls(), upstream="numba-cuda")
        for name, k in zip(RELEASES, (90, 0, 0), strict=True)
    ]
    newer = replace(records[-1], machine="newer")
    sentences = []
    for measured in (records, [*records, newer]):
        (upstream,) = advise_on_releases(build_series(measured, ORDER), ORDER.releases)
        entries = describe_advice(upstream)
        sentences.append([summarise_advice(upstream), *(entry["text"] for entry in entries)])
    assert sentences[0] == sentences[1]
    assert "all 2 measured releases" in sentences[0][0]


def test_a_single_release_is_said_to_be_one():
    """No plural, and no span."""
    record = new_record("0.24.0", new_batch(failures=90), *new_controls(), upstream="numba-cuda")
    (upstream,) = advise_on_releases(build_series([record], ORDER), ORDER.releases)
    (entry,) = describe_advice(upstream)
    assert entry["text"] == "numba-cuda 0.24.0, the only release measured for it, has cuda-swap."


@pytest.mark.parametrize("swap", [(90, 90, 90), (90, 0, 0), (0, 0, 90), (0, 0, 0)])
@pytest.mark.parametrize("lost", [None, (70, 70, 70), (70, 70, 0), (0, 0, 0)])
def test_nothing_is_called_safe(swap, lost):
    """A version is free of what was looked for, and no more is said of it."""
    summary, advice = advise(swap, lost)
    for sentence in (summary, *(entry["text"] for entry in advice.values())):
        assert "safe" not in sentence.lower()
