"""The pages: everything escaped, nothing loaded, every link leading somewhere."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

from fixwatch.records.evidence import SHIELD
from fixwatch.report.addresses import RELEASES_NAME
from fixwatch.report.page import PAGE_NAME, render_pages
from fixwatch.verdicts.pin_advice import advise_on_releases
from fixwatch.verdicts.series import build_series
from mwe.defects import DEFECTS
from tests.fixwatch.sample_records import (
    new_batch,
    new_controls,
    new_exploration,
    new_record,
    of_defect,
)
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


SHEET = "measurements-numba-cuda-releases-cuda-swap.html"


def render(*records, shielded=(), **document):
    """Return the pages for some records, by file name; the document may say something else."""
    all_series = build_series(records, ORDER)
    advised = advise_on_releases(all_series, ORDER.releases)
    document = {**document_of(*records), **document}
    return render_pages(all_series, document, advised, shielded)


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
    assert len(pages) == 4
    for page in pages.values():
        tags = [tag for tag, _ in parse(page)]
        # The page's own.
        assert tags.count("script") == 1
        assert "img" not in tags
        assert not any(
            name.startswith("on") for _, attributes in parse(page) for name in attributes
        )
        assert "&lt;script&gt;" in page


def test_the_pages_load_nothing_and_their_policy_stops_every_other_script():
    """The only script is the one whose digest the policy names."""
    for page in render(*FIXED).values():
        elements = parse(page)
        assert not any("src" in attributes for _, attributes in elements)
        links = [attributes.get("rel") for tag, attributes in elements if tag == "link"]
        assert links == ["alternate"]
        (policy,) = [
            attributes["content"] for _, attributes in elements if "http-equiv" in attributes
        ]
        assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; script-src 'sha")
        scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
        (script,) = scripts
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"script-src 'sha256-{digest}'" in policy


def test_the_pages_say_the_answer_and_the_counts():
    """They show state, transition, counts, packages and what a clean result does not prove."""
    pages = render(*FIXED)
    for text in (
        "numba-cuda: fixed",
        "fixed in 0.26.0; last affected 0.24.0",
        "What a clean result does not prove",
        "<svg",
    ):
        assert text in pages[PAGE_NAME]
    for text in ("88/100", "88 missing-attribute", "numba-cuda==0.24.0", "<svg"):
        assert text in pages[SHEET]
    free = "numba-cuda 0.26.0, the newest release measured, is free of cuda-swap."
    assert free in pages[RELEASES_NAME]


def test_the_answer_names_each_defect_with_what_is_known_of_it():
    """Its sentence, its state by upstream, and what to do; the ways that meet it are rows."""
    defect = DEFECTS["cuda-swap"]
    records = [
        replace(record, batches=(*record.batches, *of_defect("lost-sum", *record.batches)))
        for record in FIXED
    ]
    numba = new_record("0.57.0", new_batch(failures=90), *new_controls())
    page = render(*records, numba)[PAGE_NAME]
    text = parse_text(page)
    for sentence in (defect.summary, defect.symptom, *defect.remedies, *defect.references):
        assert sentence.replace("`", "") in text
    for answer in ("numba affected by cuda-swap", "numba-cuda cuda-swap and lost-sum fixed in"):
        assert answer in text[: text.index("Which version")]
    # Whatever the defects, upstreams and sources.
    assert page.count("<table") == 1
    ids = {attributes.get("id") for _, attributes in parse(page)}
    assert {"ways-cuda-swap", "ways-lost-sum", "defect-cuda-swap", "defect-lost-sum"} <= ids


def test_the_answer_has_one_picture_in_two_forms():
    """A screen shows one of them; timelines are with the measurements, a workload each."""
    records = [
        replace(record, batches=(*record.batches, new_batch("shared-array", k)))
        for record, k in zip(FIXED, (60, 0, 60, 60), strict=True)
    ]
    pages = render(*records)
    assert pages[PAGE_NAME].count('<svg class="picture') == 2
    assert pages[PAGE_NAME].count("<svg") == 2
    assert pages[SHEET].count('<svg class="timeline') == 2


def test_what_compilers_make_of_the_kernels_has_a_picture_of_its_own():
    """The first one is of the simulator, so that it is whole on the first screen."""
    compiled = new_record(
        "0.26.0", new_batch(failures=90), *new_controls(), upstream="numba-cuda", target="compiler"
    )
    page = render(*FIXED, compiled)[PAGE_NAME]
    first, own = page.split('id="devices"')
    lane = ">numba-cuda compiled for a device</text>"
    assert (first.count(lane), own.count(lane)) == (0, 2)
    assert '<a href="#devices"><strong>numba-cuda compiled for a device</strong></a>' in first
    assert page.count('id="checked"') == 1
    alone = render(compiled)[PAGE_NAME]
    assert alone.count('<svg class="picture') == 2
    assert alone.count('id="checked"') == 1


def test_no_address_is_given_twice_and_each_leads_somewhere():
    """Whatever is linked is a page and an anchor of it, or one of asv's own sites."""
    numba = new_record("a", new_batch(failures=90), *new_controls(), source="commits")
    pages = render(*FIXED, numba)
    ids = {}
    for name, page in pages.items():
        own = [attributes["id"] for _, attributes in parse(page) if "id" in attributes]
        assert len(own) == len(set(own)), name
        ids[name] = set(own)
    for name, page in pages.items():
        for tag, attributes in parse(page):
            if tag != "a" or attributes["href"].startswith(("numba/", "releases/numba-cuda/")):
                continue
            file, _, anchor = attributes["href"].partition("#")
            if file.startswith("fix-status"):
                continue
            assert not anchor or anchor in ids[file or name], attributes["href"]
            assert file in pages or not file
    assert {record.commit for record in FIXED} <= ids[SHEET]
    assert {record.commit for record in FIXED} <= ids[RELEASES_NAME]


def test_an_old_look_is_warned_of():
    """The page itself warns if it was old when made; its script warns if it grew old since."""
    old = tuple(replace(record, measured_at="2026-11-01T00:00:00+00:00") for record in FIXED)
    for records, looked_at, days in (
        (FIXED, None, None),
        (old, None, 19),
        (old, "2026-11-19T00:00:00+00:00", None),
        (FIXED, "2026-11-02T00:00:00+00:00", 18),
    ):
        page = render(*records, last_looked_at=looked_at)[PAGE_NAME]
        (warning,) = [
            attributes for _, attributes in parse(page) if attributes.get("id") == "stale"
        ]
        assert ("hidden" in warning) is (days is None)
        assert days is None or f": {days} when this page was made" in page


def test_the_last_look_stands_beside_the_newest_measurement():
    """A check that found nothing new is a look, and no measurement."""
    text = parse_text(render(*FIXED, last_looked_at="2026-11-19T06:04:00+00:00")[PAGE_NAME])
    assert "Last looked 2026-11-19 06:04 UTC, newest measurement 2026-11-20 00:00 UTC" in text
    text = parse_text(render(*FIXED)[PAGE_NAME])
    assert "Newest measurement 2026-11-20 00:00 UTC; no check is recorded" in text


def test_a_tracker_that_broke_says_so():
    """In a line that is escaped, and only then."""
    page = render(*FIXED, tracker_problem=HOSTILE)[PAGE_NAME]
    assert "The tracker broke" in page
    assert HOSTILE not in page
    assert HOSTILE in parse_text(page)
    assert "The tracker broke" not in render(*FIXED)[PAGE_NAME]


def test_a_long_table_can_be_searched_and_has_anchors():
    """More than 30 rows; the field is hidden where no script shows it."""
    records = [
        new_record(f"c{n}", new_batch(failures=90), *new_controls(), source="commits")
        for n in range(31)
    ]
    name = "measurements-numba-commits-cuda-swap.html"
    long, short = (render(*own)[name] for own in (records, records[:30]))
    assert long.count('<input type="search"') == 1
    assert '<p class="search" hidden>' in long
    assert f'<p class="jump">From <a href="#{records[30].commit}">2023</a>' in long
    assert "<input" not in short


def test_what_the_shield_leaves_is_a_row_of_the_releases():
    """Above them, with its own counts; without such a measurement there is no row."""
    batches = (new_batch(trials=2000), new_exploration())
    host = replace(new_batch("host-launch", 3, 50, schedule="natural"), decides=True)
    record = new_record("0.24.0", *batches, host, upstream="numba-cuda")
    shielded = [replace(record, packages={**record.packages, SHIELD: "1"})]
    page = render(*FIXED, shielded=shielded)[RELEASES_NAME]
    (row,) = [line for line in page.splitlines() if 'id="shield-numba-cuda"' in line]
    text = parse_text(row)
    assert "with the shield1 release" in text
    assert "silent 0 of 2,000, explored: 1 of 1 spaces whole" in text
    assert "fails 3 of 50" in text
    assert "not measured" in text
    assert "with the shield" not in render(*FIXED)[RELEASES_NAME]


def test_nothing_measured_is_a_page_that_says_so():
    """And it is whole."""
    pages = render()
    assert "Nothing has been measured yet." in pages[PAGE_NAME]
    assert "No release has been measured yet." in pages[RELEASES_NAME]
