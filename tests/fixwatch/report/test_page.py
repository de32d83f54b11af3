"""The page: everything escaped, and nothing loaded."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

from fixwatch.report.page import PAGE_NAME, describe_command, render_pages
from fixwatch.verdicts.pin_advice import advise_on_releases
from fixwatch.verdicts.series import build_series
from mwe.defects import DEFECTS
from tests.fixwatch.sample_records import new_batch, new_controls, new_record, of_defect
from tests.fixwatch.verdicts.test_series import FIXED, ORDER, document_of

HOSTILE = "<script>alert('x')</script>\"><img src=x onerror=y>"


class Elements(HTMLParser):
    """Collects the elements of a page with their attributes, and its text."""

    def __init__(self):
        super().__init__()
        self.elements = []
        self.text = ""

    def handle_starttag(self, tag, attributes):
        """Keep an element."""
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data):
        """Keep text."""
        self.text += data


def render(*records):
    """Return the pages for some records, by file name."""
    all_series = build_series(records, ORDER)
    advised = advise_on_releases(all_series, ORDER.releases)
    return render_pages(all_series, document_of(*records), advised)


def parse(page):
    """Return the elements of a page."""
    parser = Elements()
    parser.feed(page)
    return parser.elements


def parse_text(page):
    """Return the text of a page."""
    parser = Elements()
    parser.feed(page)
    return parser.text


def test_hostile_text_is_escaped_wherever_it_stands():
    """A tag, a reason, a package or an attribute of upstream's cannot add an element."""
    record = new_record(
        "0.30.0",
        new_batch(failures=3, attributes={HOSTILE: 3}, failures_by_mode={HOSTILE: 3}),
        *new_controls(),
        upstream="numba-cuda",
        commit=HOSTILE,
        machine=HOSTILE,
        packages={HOSTILE: HOSTILE},
    )
    not_run = new_record(HOSTILE, source="commits", not_run_reason=HOSTILE)
    pages = render(record, not_run)
    assert len(pages) == 3
    scripts = 0
    for page in pages.values():
        tags = [tag for tag, _ in parse(page)]
        scripts += tags.count("script")
        assert "img" not in tags
        assert not any(
            name.startswith("on") for _, attributes in parse(page) for name in attributes
        )
        assert "&lt;script&gt;" in page
    # The one that shows the age.
    assert scripts == 1


def test_the_pages_load_nothing_and_their_policy_stops_every_other_script():
    """The only script is the one whose digest the policy names."""
    for name, page in render(*FIXED).items():
        elements = parse(page)
        assert not any("src" in attributes for _, attributes in elements)
        links = [attributes.get("rel") for tag, attributes in elements if tag == "link"]
        assert links == ["alternate"]
        (policy,) = [
            attributes["content"] for _, attributes in elements if "http-equiv" in attributes
        ]
        assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; script-src 'sha")
        scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
        assert len(scripts) == (name == PAGE_NAME)
        for script in scripts:
            digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
            assert f"script-src 'sha256-{digest}'" in policy


def test_the_pages_say_the_answer_and_the_counts():
    """They show state, transition, counts, packages and what a clean result does not prove."""
    pages = render(*FIXED)
    for text in (
        "numba-cuda: fixed",
        "fixed in 0.26.0; last affected 0.24.0",
        "numba-cuda 0.26.0, the newest release measured, is free of cuda-swap.",
        "What a clean result does not prove",
        "<svg",
    ):
        assert text in pages[PAGE_NAME]
    for text in ("88 of 100", "88 missing-attribute", "numba-cuda 0.24.0"):
        assert text in pages["fix-status-numba-cuda-releases.html"]


def test_the_answer_names_each_defect_with_what_is_known_of_it():
    """Its sentence, its state by upstream, and what to do; tables have a column for it."""
    defect = DEFECTS["cuda-swap"]
    records = [
        replace(record, batches=(*record.batches, *of_defect("lost-sum", *record.batches)))
        for record in FIXED
    ]
    numba = new_record("0.57.0", new_batch(failures=90), *new_controls())
    text = parse_text(render(*records, numba)[PAGE_NAME])
    assert "numba: affected by cuda-swap" in text
    assert defect.summary.replace("`", "") in text
    for sentence in (defect.symptom, *defect.remedies, *defect.references):
        assert sentence in text
    answers = text[: text.index("Which releases")]
    assert answers.index("numba: affected") < answers.index("numba-cuda: fixed")
    assert answers.index("numba-cuda: fixed") < answers.rindex("lost-sum")
    # Two tables of releases, one of ways and one of work-arounds, whatever the defects.
    assert render(*records, numba)[PAGE_NAME].count("<table>") == 4


def test_a_workload_that_does_not_speak_is_drawn_beside_its_measurements():
    """The page of the answer has one picture for each defect and history."""
    records = [
        replace(record, batches=(*record.batches, new_batch("shared-array", k)))
        for record, k in zip(FIXED, (60, 0, 60, 60), strict=True)
    ]
    pages = render(*records)
    assert pages[PAGE_NAME].count("<svg") == 1
    assert pages["fix-status-numba-cuda-releases.html"].count("<svg") == 1


def test_each_revision_can_be_linked_to_once():
    """Its address is unique however many workloads there are; every series has an address too."""
    page = render(*FIXED)["fix-status-numba-cuda-releases.html"]
    ids = [attributes["id"] for tag, attributes in parse(page) if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {record.commit for record in FIXED} <= set(ids)
    sections = [attributes["id"] for tag, attributes in parse(page) if tag == "section"]
    assert len(sections) == 3


def test_an_old_check_is_warned_of():
    """The page itself warns if it was old when made; its script warns if it grew old since."""
    fresh = render(*FIXED)[PAGE_NAME]
    old = tuple(replace(record, measured_at="2026-11-01T00:00:00+00:00") for record in FIXED)
    stale = render(*old)[PAGE_NAME]
    (warning,) = [attributes for _, attributes in parse(fresh) if attributes.get("id") == "stale"]
    assert "hidden" in warning
    (warning,) = [attributes for _, attributes in parse(stale) if attributes.get("id") == "stale"]
    assert "hidden" not in warning
    assert "19 days old" in stale


def test_the_command_runs_the_same_batch_again():
    """A release is installed from the index, a commit from its repository; words are quoted."""
    entry = {"workload": "local-array", "target": "simulator", "upstream": "numba-cuda"}
    item = {
        "schedule": "delay",
        "trials": 100,
        "seed": 7,
        "packages": {"numba": "0.63.1", "numba-cuda": "0.24.0; rm -rf x"},
        "revision": {"commit": "d41b90d3"},
    }
    mwe = (
        "python -m mwe --workload local-array --schedule delay --trials 100 --seed 7 "
        "--target simulator"
    )
    assert describe_command({**entry, "source": "releases"}, item) == (
        f"pip install numba==0.63.1 'numba-cuda==0.24.0; rm -rf x'\n{mwe}"
    )
    assert describe_command({**entry, "source": "commits"}, item) == (
        "pip install numba==0.63.1 "
        f"'numba-cuda @ git+https://github.com/NVIDIA/numba-cuda@d41b90d3'\n{mwe}"
    )
