"""The page: everything escaped, nothing loaded, and its place in the navigation."""

from __future__ import annotations

import shutil
from html.parser import HTMLParser
from pathlib import Path

import asv
import pytest

from fixwatch.errors import FixwatchError
from fixwatch.report.page import add_navigation_item, render_page
from fixwatch.report.status import build_series
from tests.fixwatch.records import new_batch, new_controls, new_record
from tests.fixwatch.report.test_status import FIXED, ORDER, document_of

HOSTILE = "<script>alert('x')</script>\"><img src=x onerror=y>"


class Elements(HTMLParser):
    """Collects the elements of a page with their attributes."""

    def __init__(self):
        super().__init__()
        self.elements = []

    def handle_starttag(self, tag, attributes):
        """Keep an element."""
        self.elements.append((tag, dict(attributes)))


def render(*records):
    """Return the page for some records."""
    return render_page(build_series(records, ORDER), document_of(*records))


def test_hostile_text_is_escaped_wherever_it_stands():
    """A tag, a reason, a package or an attribute of upstream's cannot add an element."""
    record = new_record(
        "0.30.0",
        new_batch(failures=3, attributes={HOSTILE: 3}, failures_by_mode={HOSTILE: 3}),
        *new_controls(),
        upstream="numba-cuda",
        commit=HOSTILE,
        date=HOSTILE,
        machine=HOSTILE,
        packages={HOSTILE: HOSTILE},
    )
    not_run = new_record(HOSTILE, source="commits", not_run_reason=HOSTILE)
    page = render(record, not_run)
    parser = Elements()
    parser.feed(page)
    tags = {tag for tag, _ in parser.elements}
    assert "script" not in tags
    assert "img" not in tags
    assert not any(
        name.startswith("on") for _, attributes in parser.elements for name in attributes
    )
    assert "&lt;script&gt;" in page


def test_the_page_loads_nothing():
    """No source, no style sheet, and a policy that would stop a script."""
    parser = Elements()
    parser.feed(render(*FIXED))
    assert not any("src" in attributes for _, attributes in parser.elements)
    assert "link" not in {tag for tag, _ in parser.elements}
    policies = [a["content"] for _, a in parser.elements if "http-equiv" in a]
    assert policies == [
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    ]


def test_the_page_says_the_answer_and_the_counts():
    """State, transition, counts, packages and what a clean result does not prove."""
    page = render(*FIXED)
    for text in (
        "numba-cuda: fixed",
        "fixed in 0.26.0; last affected 0.24.0",
        "88 of 100",
        "88 missing-attribute",
        "numba-cuda 0.24.0",
        "What a clean result does not prove",
    ):
        assert text in page


def test_each_revision_can_be_linked_to_once():
    """asv's graphs link to the anchor of a commit."""
    parser = Elements()
    parser.feed(render(*FIXED))
    ids = [attributes["id"] for _, attributes in parser.elements if "id" in attributes]
    assert sorted(ids) == sorted(record.commit for record in FIXED)


def test_the_navigation_of_the_installed_asv_takes_the_item_once(tmp_path):
    """The page of the asv that is installed has the place that the item goes to."""
    shutil.copy(Path(asv.__file__).parent / "www" / "index.html", tmp_path)
    for _ in range(2):
        add_navigation_item(tmp_path)
    assert (tmp_path / "index.html").read_text().count('<a href="fix-status.html">') == 1


def test_another_navigation_is_reported(tmp_path):
    """A page without that place is left as it is."""
    (tmp_path / "index.html").write_text("<nav></nav>")
    with pytest.raises(FixwatchError, match="not where it was"):
        add_navigation_item(tmp_path)
    assert (tmp_path / "index.html").read_text() == "<nav></nav>"
