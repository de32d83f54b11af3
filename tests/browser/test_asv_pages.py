"""asv's own pages in a browser, with the network cut: the grid, the graphs, the list."""

from __future__ import annotations

import itertools

import pytest

from tests.browser.test_site import ASV, shoot, wait_for

pytestmark = pytest.mark.end_to_end


@pytest.fixture
def grid(visit):
    """Return the grid, drawn."""
    opened = visit(ASV)
    wait_for(lambda: opened.page.locator(".benchmark-plot canvas").count() >= 1)
    return opened


def test_nothing_is_loaded_from_elsewhere(grid):
    """The grid, a graph and the list are drawn from the site alone."""
    shoot(grid, "grid")
    grid.page.goto(f"{grid.site}/{ASV}#track_failures")
    wait_for(lambda: grid.page.locator("#main-graph canvas").count() >= 1)
    grid.page.goto(f"{grid.site}/{ASV}#/summarylist")
    wait_for(lambda: "track_failures" in grid.page.locator("#summarylist-display").inner_text())
    shoot(grid, "list")
    assert grid.left == []
    assert grid.errors == []
    assert "error.html" not in grid.page.url


def test_the_grid_says_where_the_fix_is(grid):
    """The first tile is the default workload's, and names the change beside its line."""
    tile = grid.page.locator(".benchmark-container").first
    assert "track_failures: local-array" in tile.inner_text()
    assert "fixed in" in tile.locator(".fixwatch-answer").inner_text()
    assert tile.locator(".benchmark-plot").get_by_text("fixed in").count() == 1
    # Controls have no tiles: this history has one workload.
    assert grid.page.locator(".benchmark-container").count() == 1


def test_a_tile_leads_to_the_graph_of_its_workload(grid):
    """Under every schedule that it was measured under, and no other workload."""
    grid.page.locator(".benchmark-container").first.click()
    wait_for(lambda: grid.page.locator("#main-graph .legendLabel").count() >= 1)
    labels = grid.page.locator("#main-graph .legendLabel").all_inner_texts()
    assert all("workload-local-array" in label for label in labels)
    shoot(grid, "graph")


def test_every_row_of_the_list_has_a_value(grid):
    """asv shows none for a combination that nobody planned."""
    grid.page.goto(f"{grid.site}/{ASV}#/summarylist")
    wait_for(lambda: grid.page.locator("#summarylist-body tbody tr").count() >= 1)
    values = grid.page.locator("#summarylist-body td.value").all_inner_texts()
    assert len(values) == grid.page.locator("#summarylist-body tbody tr").count()
    assert all(value.strip() for value in values)


@pytest.mark.parametrize("width", [1280, 500])
def test_no_tag_lies_over_another(visit, width):
    """Those that have room are shown, each of them whole."""
    opened = visit(
        f"{ASV}#track_failures?p-workload='local-array'", viewport={"width": width, "height": 800}
    )
    wait_for(lambda: opened.page.locator("#main-graph canvas").count() >= 1)
    boxes = opened.page.evaluate(
        "() => $('#main-graph > div').get().filter(e => e.style.top === '-2ex')"
        ".map(e => e.getBoundingClientRect()).filter(r => r.width)"
        ".map(r => [r.left, r.right]).sort((a, b) => a[0] - b[0])"
    )
    assert boxes
    for (_, end), (start, _) in itertools.pairwise(boxes):
        assert end <= start
    assert boxes[-1][1] <= width
