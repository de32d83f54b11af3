"""The published site in a browser: links, offline, widths, colours, keyboard, without scripts."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import urldefrag, urljoin

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import HOSTILE_TAG

pytestmark = pytest.mark.end_to_end

OVERVIEW = "index.html"
ASV = "numba/index.html"
MEASUREMENTS = "measurements-numba-commits-cuda-swap.html"
PAGES = (OVERVIEW, "releases.html", MEASUREMENTS)
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
WAIT_S = 20.0


def shoot(visit, name):
    """Keep a picture where somebody asked for it, to be looked at."""
    folder = os.environ.get("FIXWATCH_SCREENSHOTS")
    if folder:
        visit.page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


def wait_for(condition):
    """Wait until something is so."""
    deadline_s = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


@pytest.mark.parametrize("path", PAGES)
def test_every_link_leads_somewhere(visit, site, path):
    """Files exist, and anchors in them too; nothing leads out of the site."""
    opened = visit(path)
    links = opened.page.eval_on_selector_all("a", "all => all.map(a => a.getAttribute('href'))")
    assert len(links) > 5
    anchors = defaultdict(set)
    for link in links:
        address, anchor = urldefrag(urljoin(f"{site}/{path}", link))
        anchors[address].add(anchor)
    for address, named in anchors.items():
        assert address.startswith(site)
        assert opened.page.request.get(address).status == 200, address
        if address.endswith(".html") and (named := named - {""}):
            target = visit(address.removeprefix(f"{site}/")).page
            found = target.eval_on_selector_all("[id]", "all => all.map(e => e.id)")
            assert [anchor for anchor in named if found.count(anchor) != 1] == [], address


def test_the_navigation_of_asv_leads_to_the_page_and_back(visit):
    """By a click each."""
    opened = visit(ASV)
    opened.page.click("text=Fix status")
    assert opened.page.url == f"{opened.site}/{OVERVIEW}"
    opened.page.click(f"a[href='{ASV}']")
    assert opened.page.url == f"{opened.site}/{ASV}"


@pytest.mark.parametrize("path", PAGES)
def test_our_pages_ask_the_network_for_nothing(visit, path):
    """Not even their own site for more than the page."""
    opened = visit(path)
    assert opened.left == []
    assert opened.errors == []
    n_resources = opened.page.evaluate("performance.getEntriesByType('resource').length")
    assert n_resources == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("path", PAGES)
def test_our_pages_are_accessible_and_fit(visit, path, viewport, scheme):
    """axe finds no violation, and the page does not scroll sideways."""
    opened = visit(path, viewport=viewport, color_scheme=scheme)
    opened.unfold()
    results = Axe().run(opened.page)
    assert results.violations_count == 0, results.generate_report()
    width = opened.page.evaluate("document.documentElement.scrollWidth")
    assert width <= viewport["width"]
    opened.page.reload()
    shoot(opened, f"{path.removesuffix('.html')}-{viewport['width']}-{scheme}")


def test_a_hostile_tag_is_text(visit):
    """It stands on the page as upstream wrote it, and did not run."""
    opened = visit(MEASUREMENTS)
    assert HOSTILE_TAG in opened.page.locator("body").inner_text()
    assert opened.page.title() != "hit"
    assert opened.errors == []


def test_a_script_of_somebody_elses_is_stopped(visit):
    """The page's policy lets only its own run."""
    opened = visit(OVERVIEW)
    opened.page.evaluate(
        "() => { const s = document.createElement('script'); s.textContent = 'window.ran = 1';"
        " document.body.append(s) }"
    )
    assert opened.page.evaluate("window.ran") is None


def test_the_page_is_whole_without_javascript(visit, site):
    """The answer, the picture and the ways; an address unfolds what it leads into."""
    page = visit(OVERVIEW, java_script_enabled=False).page
    assert page.locator(".answers li").first.inner_text().startswith("numba")
    assert page.locator("svg:visible").count() == 1
    assert page.locator("#ways").is_visible()
    assert not page.locator("#stale").is_visible()
    assert not page.locator("#defect-cuda-swap").is_visible()
    page.goto(f"{site}/{OVERVIEW}#defect-cuda-swap")
    assert page.locator("#defect-cuda-swap").is_visible()


def test_an_old_page_warns(visit, browser, site):
    """When it is read fifteen days after the check, not when after thirteen."""
    for days, is_warned in ((13, False), (15, True)):
        context = browser.new_context()
        page = context.new_page()
        page.clock.set_fixed_time(datetime.now(timezone.utc) + timedelta(days=days))
        page.goto(f"{site}/{OVERVIEW}")
        assert page.locator("#stale").is_visible() is is_warned
        context.close()


def test_the_page_can_be_read_by_keyboard(visit):
    """The first stop skips to the content; the picture's links and what scrolls can be reached."""
    opened = visit(OVERVIEW)
    opened.page.keyboard.press("Tab")
    focused = "document.activeElement.textContent"
    assert opened.page.evaluate(focused) == "Skip to the content"
    opened.page.keyboard.press("Enter")
    assert opened.page.url.endswith("#main")
    stops = set()
    for _ in range(60):
        opened.page.keyboard.press("Tab")
        stops.add(opened.page.evaluate("document.activeElement.getAttribute('aria-label')"))
        stops.add(opened.page.evaluate("document.activeElement.getAttribute('href')"))
    assert "Ways of writing a kernel" in stops
    assert any(stop and stop.startswith(f"{MEASUREMENTS}#") for stop in stops)


def test_an_address_points_to_a_revision(visit):
    """asv's graphs and people link to the anchor of a commit; it is shown at the top."""
    opened = visit(MEASUREMENTS)
    row = opened.page.locator("tr[id]").last
    anchor = row.get_attribute("id")
    target = visit(f"{MEASUREMENTS}#{anchor}")
    assert target.page.locator(f"[id='{anchor}']").is_visible()
    assert target.page.evaluate("document.querySelector(':target') !== null")
