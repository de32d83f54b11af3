"""The answer as the committed results make it: small enough to be read on the way."""

from __future__ import annotations

from pathlib import Path

from fixwatch.asv_adapter.answer_pages import write_answer
from fixwatch.asv_adapter.publisher import load_results
from fixwatch.configuration import load_configuration
from fixwatch.layout import CONFIGURATIONS
from fixwatch.report.page import PAGE_NAME

# What somebody loads who has come for an answer, and for one table.
MAX_ANSWER_BYTES, MAX_PAGE_BYTES = 150_000, 700_000


def test_no_page_is_larger_than_a_reader_waits_for(tmp_path):
    """However much was measured, the answer stays small, and what is behind it lies on pages."""
    configurations = [load_configuration(Path(name)) for name in CONFIGURATIONS]
    results = load_results(configurations, print)
    write_answer(results.series, results.order.releases, tmp_path, results.shielded)
    sizes = {path.name: path.stat().st_size for path in tmp_path.glob("*.html")}
    assert len(sizes) >= 10
    assert sizes[PAGE_NAME] <= MAX_ANSWER_BYTES
    assert max(sizes.values()) <= MAX_PAGE_BYTES, sizes
