"""Our pages as they are made of the committed results, once in a test run."""

from __future__ import annotations

from pathlib import Path

from fixwatch.asv_adapter.answer_pages import write_answer
from fixwatch.asv_adapter.publisher import load_results
from fixwatch.configuration import load_configuration
from fixwatch.layout import CONFIGURATIONS
from tests.once import make_once


def make_committed_pages(tmp_path_factory):
    """Return the folder of the pages."""
    return make_once(tmp_path_factory, "committed", _write)


def _write(folder):
    configurations = [load_configuration(Path(name)) for name in CONFIGURATIONS]
    results = load_results(configurations, print)
    write_answer(results.series, results.order.releases, folder, results.shielded)
