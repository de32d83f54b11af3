"""The feed of transitions and the badges."""

from __future__ import annotations

import dataclasses
import html
from xml.etree import ElementTree

import pytest

from fixwatch.report.addresses import series_anchor
from fixwatch.report.badge import describe_badges, render_badge
from fixwatch.report.feed import render_feed
from mwe.defects import DEFECTS
from tests.fixwatch.sample_records import new_batch, new_controls, new_record, of_defect
from tests.fixwatch.verdicts.test_series import FIXED, document_of

ATOM = "{http://www.w3.org/2005/Atom}"
HOSTILE = "<script>&\"'\x07"


def test_the_feed_has_an_entry_for_each_transition():
    """Feed and entry have what RFC 4287 requires: identity, title and moment of the last change."""
    feed = ElementTree.fromstring(render_feed(document_of(*FIXED)))
    for element in (feed, *feed.findall(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            assert element.findtext(f"{ATOM}{name}")
    (entry,) = feed.findall(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}title") == "numba-cuda: cuda-swap fixed in 0.26.0"
    assert entry.findtext(f"{ATOM}updated") == "2026-11-20T00:00:00Z"
    assert "after 0.24.0" in entry.findtext(f"{ATOM}content")


def test_nothing_that_was_counted_is_certain_in_the_feed():
    """A probability is not rounded up to 1."""
    document = document_of(*FIXED)
    document["defects"][0]["histories"][0]["transitions"][0]["confidence"] = 0.99999
    feed = ElementTree.fromstring(render_feed(document))
    content = html.unescape(feed.findtext(f"{ATOM}entry/{ATOM}content"))
    assert content.endswith("; confidence > 99.99 %")


def test_an_entry_keeps_its_identity():
    """A reader is not shown an entry again for a newer release, nor for measuring it again."""
    newer = new_record("0.30.4", new_batch(), *new_controls(), upstream="numba-cuda")
    again = [dataclasses.replace(record, measured_at="2026-11-27T00:00:00Z") for record in FIXED]
    feeds = [render_feed(document_of(*records)) for records in (FIXED, (*FIXED, newer), again)]
    ids = {ElementTree.fromstring(feed).findtext(f"{ATOM}entry/{ATOM}id") for feed in feeds}
    assert len(ids) == 1
    assert feeds[0] != feeds[2]


def test_a_defect_has_one_entry_for_a_transition_however_many_workloads_it_has():
    """A reader is told once, and of which defect."""
    records = [
        dataclasses.replace(
            record,
            batches=(*record.batches, *of_defect("lost-sum", *record.batches), other),
        )
        for record, other in zip(
            FIXED, [new_batch("shared-array", k) for k in (60, 0, 60, 60)], strict=True
        )
    ]
    feed = ElementTree.fromstring(render_feed(document_of(*records)))
    assert sorted(entry.findtext(f"{ATOM}title") for entry in feed.findall(f"{ATOM}entry")) == [
        "numba-cuda: cuda-swap fixed in 0.26.0",
        "numba-cuda: lost-sum fixed in 0.26.0",
    ]


def test_a_feed_without_transitions_is_still_a_feed():
    """Its moment of the last change is the epoch, and so stays the same."""
    feed = ElementTree.fromstring(render_feed(document_of()))
    assert feed.findtext(f"{ATOM}updated").startswith("1970")


def test_hostile_names_are_escaped():
    """No name adds an element to the feed, its HTML or a badge, and none breaks their XML."""
    document = document_of(*FIXED)
    document["defects"][0]["histories"][0]["transitions"][0]["at"]["name"] = HOSTILE
    document["defects"][0]["histories"][0]["machine"] = HOSTILE
    document["upstreams"][0]["machine"] = HOSTILE
    feed = ElementTree.fromstring(render_feed(document))
    content = feed.findtext(f"{ATOM}entry/{ATOM}content")
    assert "&lt;script&gt;" in content
    assert "<" not in content
    assert series_anchor(document["upstreams"][0]).isascii()
    assert "<" not in series_anchor(document["upstreams"][0])
    svg = render_badge({"label": HOSTILE[:-1], "message": HOSTILE[:-1], "color": "#000"})
    tags = [element.tag for element in ElementTree.fromstring(svg).iter()]
    assert [tag for tag in tags if "script" in tag] == []


@pytest.mark.parametrize(
    ("records", "message"),
    [(FIXED, "fixed in 0.26.0"), (FIXED[:1], "affected"), (FIXED[1:2], "inconclusive")],
)
def test_a_badge_says_the_state(records, message):
    """The object for badge services and the picture have the same text."""
    badge = describe_badges(document_of(*records))["numba-cuda--cuda-swap"]
    assert badge.keys() == {"schemaVersion", "label", "message", "color"}
    assert (badge["schemaVersion"], badge["message"]) == (1, message)
    texts = [element.text for element in ElementTree.fromstring(render_badge(badge)).iter()]
    assert message in texts


def test_the_worst_state_of_an_upstream_decides_its_badge():
    """A release history that is fixed does not hide commits that are affected."""
    commits = new_record(
        "abc", new_batch(failures=90), *new_controls(), upstream="numba-cuda", source="commits"
    )
    badges = describe_badges(document_of(*FIXED, commits))
    assert badges["numba-cuda--cuda-swap"]["message"] == "affected"


@pytest.mark.parametrize(
    ("lost", "message"),
    [
        (70, "has 1 of 2 known defects"),
        (0, "not known for 1 of 2 known defects"),
        (None, "has none of 1 known defect"),
    ],
)
def test_the_badge_of_an_upstream_is_green_only_if_it_has_no_defect(monkeypatch, lost, message):
    """One that is fixed hides none that is there, or that may be."""
    known = {"cuda-swap": DEFECTS["cuda-swap"]}
    monkeypatch.setattr("fixwatch.verdicts.defects.DEFECTS", known)
    batches = () if lost is None else of_defect("lost-sum", new_batch(failures=lost))
    controls = () if lost is None else of_defect("lost-sum", *new_controls())
    records = [
        dataclasses.replace(record, batches=(*record.batches, *batches, *controls))
        for record in FIXED
    ]
    badge = describe_badges(document_of(*records))["numba-cuda"]
    assert badge["message"] == message
    green = describe_badges(document_of(*FIXED))["numba-cuda--cuda-swap"]["color"]
    assert (badge["color"] == green) is (lost is None)
