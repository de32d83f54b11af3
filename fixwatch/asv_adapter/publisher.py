"""What ``asv publish`` writes besides asv's own pages: the fix status in all its forms."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from asv.console import log
from asv.publishing import OutputPublisher
from asv.util import UserError

from fixwatch.asv_adapter.site_assets import localise_assets
from fixwatch.configuration import load_configuration
from fixwatch.durable_files import write_json_atomically, write_text_atomically
from fixwatch.errors import FixwatchError
from fixwatch.history.last_look import find_last_look, find_tracker_problem
from fixwatch.history.order import load_order
from fixwatch.layout import CONFIGURATIONS
from fixwatch.records.evidence import iter_evidence

DOCUMENT_NAME = "fix-status.json"


class FixStatusPublisher(OutputPublisher):  # type: ignore[misc]
    """Publishes the verdicts of the results."""

    name = "fix-status"
    button_label = "Fix status"
    description = "Which revisions are affected, and since when"
    order = 4

    @classmethod
    def publish(cls, conf: Any, _repo: Any, benchmarks: Any, graphs: Any, _revisions: Any) -> None:
        """Write the fix status in all its forms, and link the page from the navigation.

        It covers every results folder of the checkout, whichever asv publishes, so that releases
        and commits stand side by side.
        """
        # asv loads this module at every start; what only publishing needs would double its time.
        from fixwatch.asv_adapter.summary_tiles import rewrite_summaries
        from fixwatch.report.badge import describe_badges, render_badge
        from fixwatch.report.feed import FEED_NAME, render_feed
        from fixwatch.report.page import add_navigation_item, render_pages
        from fixwatch.report.status import build_document
        from fixwatch.verdicts.pin_advice import advise_on_releases
        from fixwatch.verdicts.series import build_series

        html_dir = Path(conf.html_dir)
        try:
            configurations = [load_configuration(Path(name)) for name in CONFIGURATIONS]
            configured = [configuration.results_dir for configuration in configurations]
            # The one that is published need not be among them.
            folders = list(dict.fromkeys(map(Path.resolve, [Path(conf.results_dir), *configured])))
            order = load_order(folders)
        except FixwatchError as error:
            raise UserError(str(error)) from error
        records = [record for folder in folders for record in iter_evidence(folder, log.warning)]
        series = build_series(records, order)
        now = datetime.now(timezone.utc)
        advised = advise_on_releases(series, order.releases)
        document = build_document(series, now, advised, find_last_look(), find_tracker_problem())
        write_json_atomically(html_dir / DOCUMENT_NAME, document, indent=1)
        for name, text in render_pages(series, document, advised).items():
            write_text_atomically(html_dir / name, text)
        write_text_atomically(html_dir / FEED_NAME, render_feed(document))
        for upstream, badge in describe_badges(document).items():
            write_json_atomically(html_dir / f"badge-{upstream}.json", badge)
            write_text_atomically(html_dir / f"badge-{upstream}.svg", render_badge(badge))
        roles = {batch.workload: batch.role for record in records for batch in record.batches}
        rewrite_summaries(graphs, benchmarks, roles, html_dir)
        try:
            add_navigation_item(html_dir)
            localise_assets(html_dir, log.warning)
        except FixwatchError as error:
            log.warning(str(error))
