"""The answer as the committed results make it: small enough to be read on the way."""

from __future__ import annotations

from fixwatch.report.page import PAGE_NAME
from tests.committed_pages import make_committed_pages

# What somebody loads who has come for an answer, and for one table.
MAX_ANSWER_BYTES, MAX_PAGE_BYTES = 150_000, 700_000


def test_no_page_is_larger_than_a_reader_waits_for(tmp_path_factory):
    """However much was measured, the answer stays small, and what is behind it lies on pages."""
    pages = make_committed_pages(tmp_path_factory)
    sizes = {path.name: path.stat().st_size for path in pages.glob("*.html")}
    assert len(sizes) >= 10
    assert sizes[PAGE_NAME] <= MAX_ANSWER_BYTES
    assert max(sizes.values()) <= MAX_PAGE_BYTES, sizes
