"""What ``asv publish`` writes besides asv's own pages: the fix status as JSON and as a page."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from asv.console import log
from asv.publishing import OutputPublisher
from asv.util import UserError

from fixwatch.durable_files import write_json_atomically, write_text_atomically
from fixwatch.errors import FixwatchError
from fixwatch.evidence import iter_evidence
from fixwatch.history.order import load_order
from fixwatch.report.page import PAGE_NAME, add_navigation_item, render_page
from fixwatch.report.status import build_document, build_series

DOCUMENT_NAME = "fix-status.json"


class FixStatusPublisher(OutputPublisher):  # type: ignore[misc]
    """Publishes the verdicts of the configuration's results."""

    name = "fix-status"
    button_label = "Fix status"
    description = "Which revisions are affected, and since when"
    order = 4

    @classmethod
    def publish(cls, conf: Any, *_unused: Any) -> None:
        """Write ``fix-status.json`` and ``fix-status.html``, and link them from the navigation."""
        results_dir = Path(conf.results_dir)
        try:
            order = load_order([results_dir])
        except FixwatchError as error:
            raise UserError(str(error)) from error
        series = build_series(iter_evidence(results_dir, log.warning), order)
        document = build_document(series, datetime.now(timezone.utc), order)
        html_dir = Path(conf.html_dir)
        write_json_atomically(html_dir / DOCUMENT_NAME, document, indent=1)
        write_text_atomically(html_dir / PAGE_NAME, render_page(series, document))
        try:
            add_navigation_item(html_dir)
        except FixwatchError as error:
            log.warning(str(error))
