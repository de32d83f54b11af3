"""The feed of transitions and the badges."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from fixwatch.report.badge import describe_badges, render_badge
from fixwatch.report.feed import render_feed, series_anchor
from tests.fixwatch.sample_records import new_batch, new_controls, new_record
from tests.fixwatch.verdicts.test_series import FIXED, document_of

ATOM = "{http://www.w3.org/2005/Atom}"
HOSTILE = "<script>&\"'\x07"


def test_the_feed_has_an_entry_for_each_transition():
    """With what RFC 4287 requires: identity, title and the moment of its last change."""
    feed = ElementTree.fromstring(render_feed(document_of(*FIXED)))
    for element in (feed, *feed.findall(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            assert element.findtext(f"{ATOM}{name}")
    (entry,) = feed.findall(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}title") == "numba-cuda: fixed in 0.26.0"
    assert entry.findtext(f"{ATOM}updated") == "2026-11-20T00:00:00+00:00"
    assert "after 0.24.0" in entry.findtext(f"{ATOM}summary")


def test_an_entry_keeps_its_identity():
    """Further measurements do not make a reader show it again."""
    later = new_record("0.30.4", new_batch(), *new_controls(), upstream="numba-cuda")
    feeds = [render_feed(document_of(*records)) for records in (FIXED, (*FIXED, later))]
    ids = [ElementTree.fromstring(feed).find(f"{ATOM}entry/{ATOM}id").text for feed in feeds]
    assert ids[0] == ids[1]


def test_a_feed_without_transitions_is_still_a_feed():
    """It has a moment of its last change, which never was."""
    feed = ElementTree.fromstring(render_feed(document_of()))
    assert feed.findtext(f"{ATOM}updated").startswith("1970")


def test_hostile_names_are_escaped():
    """In the feed, in an address and in a badge."""
    document = document_of(*FIXED)
    document["upstreams"][0]["transitions"][0]["at"]["name"] = HOSTILE
    document["upstreams"][0]["machine"] = HOSTILE
    ElementTree.fromstring(render_feed(document))
    assert series_anchor(document["upstreams"][0]).isascii()
    assert "<" not in series_anchor(document["upstreams"][0])
    svg = render_badge({"label": HOSTILE[:-1], "message": HOSTILE[:-1], "color": "#000"})
    assert [each.tag for each in ElementTree.fromstring(svg).iter() if "script" in each.tag] == []


@pytest.mark.parametrize(
    ("records", "message"),
    [(FIXED, "fixed in 0.26.0"), (FIXED[:1], "affected"), (FIXED[1:2], "inconclusive")],
)
def test_a_badge_says_the_state(records, message):
    """In the form that badge services read, and as a picture with the same text."""
    badge = describe_badges(document_of(*records))["numba-cuda"]
    assert badge.keys() == {"schemaVersion", "label", "message", "color"}
    assert (badge["schemaVersion"], badge["message"]) == (1, message)
    texts = [each.text for each in ElementTree.fromstring(render_badge(badge)).iter() if each.text]
    assert message in texts


def test_the_worst_state_of_an_upstream_decides_its_badge():
    """A release history that is fixed does not hide commits that are affected."""
    commits = new_record(
        "abc", new_batch(failures=90), *new_controls(), upstream="numba-cuda", source="commits"
    )
    assert describe_badges(document_of(*FIXED, commits))["numba-cuda"]["message"] == "affected"
