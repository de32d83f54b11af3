"""Our pages as the committed results make them: the first screen, and every page looked at."""

from __future__ import annotations

import itertools
import os

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.test_site import DESKTOP, OVERVIEW, PHONE, shoot

pytestmark = pytest.mark.end_to_end

LAPTOP = {"width": 1280, "height": 800}
ONE_OF_EACH_KIND = (OVERVIEW, "releases.html", "measurements-numba-releases-cuda-swap.html")
LONG = "measurements-numba-cuda-commits-cuda-swap.html"


@pytest.fixture
def look(open_page, committed):
    """Return a function that opens one of these pages."""

    def look(path, **options):
        return open_page(committed, path, **options)

    return look


@pytest.fixture
def pages(look):
    """Return the names of all our pages, as the answer links them."""
    page = look(OVERVIEW).page
    links = page.eval_on_selector_all("a", "all => all.map(a => a.getAttribute('href'))")
    files = {link.partition("#")[0] for link in links}
    return sorted(file for file in files if file.endswith(".html") and "/" not in file)


@pytest.mark.parametrize("viewport", [LAPTOP, PHONE], ids=["laptop", "phone"])
def test_the_picture_is_whole_on_the_first_screen(look, viewport):
    """So is the answer over it; nothing in the picture is too small to read."""
    opened = look(OVERVIEW, viewport=viewport)
    picture = opened.page.locator("svg.picture:visible").first
    box = picture.bounding_box()
    assert box["y"] + box["height"] <= viewport["height"]
    assert box["x"] + box["width"] <= viewport["width"]
    scale = box["width"] / float(picture.get_attribute("viewBox").split()[2])
    assert scale >= 0.95
    answers = opened.page.locator(".answers").first.bounding_box()
    assert answers["y"] + answers["height"] <= box["y"]
    shoot(opened, f"answer-{viewport['width']}")


def find_boxes(page, selector):
    """Return the visible elements of the pictures: their text; left, right, upper, lower edge."""
    return page.evaluate(
        "selector => [...document.querySelectorAll(`svg.picture ${selector}`)]"
        ".filter(e => e.getClientRects().length)"
        ".map(e => [e.textContent, e.getBoundingClientRect()])"
        ".map(([text, r]) => [text, [r.left, r.right, r.top + 2, r.bottom - 2]])",
        selector,
    )


def lie_apart(one, other):
    """Whether two boxes share no place."""
    is_beside = one[1] <= other[0] or other[1] <= one[0]
    return is_beside or one[3] <= other[2] or other[3] <= one[2]


def test_no_text_of_the_pictures_lies_over_another(look):
    """In neither form; nor does a defect's name lie over a band."""
    for viewport in (LAPTOP, PHONE):
        page = look(OVERVIEW, viewport=viewport).page
        texts = find_boxes(page, "text")
        assert len(texts) > 20
        for (text, box), (other, other_box) in itertools.combinations(texts, 2):
            assert lie_apart(box, other_box), (text, other)
        bands = find_boxes(page, ".band")
        for (name, box), (_, band) in itertools.product(find_boxes(page, ".defect"), bands):
            assert lie_apart(box, band), name


@pytest.mark.parametrize(
    ("viewport", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop", "phone"]
)
def test_every_page_is_accessible_and_fits(look, pages, viewport, scheme):
    """axe finds no violation with all unfolded; no page scrolls sideways or loads a thing.

    A long table takes axe most of a minute, so it looks at one page of each kind, or at all with
    ``FIXWATCH_LONG=1``.
    """
    looked_at = pages if os.environ.get("FIXWATCH_LONG") == "1" else [*ONE_OF_EACH_KIND]
    assert set(looked_at) <= set(pages) | {OVERVIEW}
    for name in pages:
        opened = look(name, viewport=viewport, color_scheme=scheme)
        opened.unfold()
        if name in looked_at:
            results = Axe().run(opened.page)
            assert results.violations_count == 0, f"{name}: {results.generate_report()}"
        width = opened.page.evaluate("document.documentElement.scrollWidth")
        assert width <= viewport["width"], name
        assert (opened.left, opened.errors) == ([], [])
        n_resources = opened.page.evaluate("performance.getEntriesByType('resource').length")
        assert n_resources == 0
        # Pages that stay open slow those that follow.
        opened.page.context.close()


def test_a_long_table_is_searched(look):
    """Only the rows that have the text stay; without scripts there is no field, but anchors."""
    page = look(LONG).page
    rows = page.locator("table.sheet").first.locator("tbody tr:visible")
    n_all = rows.count()
    page.get_by_role("searchbox").fill("D41B90D3")
    assert rows.count() == 1 < n_all
    page.get_by_role("searchbox").fill("")
    assert rows.count() == n_all
    page = look(LONG, java_script_enabled=False).page
    assert page.get_by_role("searchbox").count() == 0
    page.click(".jump a >> nth=1")
    assert page.locator("tr:target").is_visible()


def test_print_shows_the_whole_table(look):
    """Nothing is cut off at a scrolling box, and what only a screen can use is gone."""
    page = look(LONG).page
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible()
    region = page.locator(".tall").first
    assert region.evaluate("e => e.clientHeight >= e.querySelector('table').clientHeight")
