"""The answer for people and programs: pages, document, feed and badges at the site's root."""

from __future__ import annotations

import json
import lzma
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from fixwatch.asv_adapter.site_graphs import write_compactly
from fixwatch.durable_files import write_json_atomically, write_text_atomically
from fixwatch.history.last_look import find_last_look, find_tracker_problem
from fixwatch.history.release_table import Release
from fixwatch.records.evidence import Evidence
from fixwatch.report.abridgement import abridge_document
from fixwatch.report.badge import describe_badges, render_badge
from fixwatch.report.feed import FEED_NAME, render_feed
from fixwatch.report.page import render_pages
from fixwatch.report.status import build_document
from fixwatch.verdicts.pin_advice import advise_on_releases
from fixwatch.verdicts.series import Series

DOCUMENT_NAME = "fix-status.json"
# With all there is, in a sixtieth of its size.
WHOLE_DOCUMENT_NAME = "fix-status-all.json.xz"


def write_answer(
    all_series: Sequence[Series],
    releases: Sequence[Release],
    root: Path,
    shielded: Sequence[Evidence],
) -> None:
    """Write what the series of all results say, releases and commits side by side.

    What was measured with the shield stands above the releases as they are.
    """
    advised = advise_on_releases(all_series, releases)
    now = datetime.now(timezone.utc)
    problem = find_tracker_problem()
    document = build_document(all_series, now, advised, find_last_look(), problem)
    write_compactly(root / DOCUMENT_NAME, abridge_document(document))
    whole = json.dumps(document, allow_nan=False).encode()
    (root / WHOLE_DOCUMENT_NAME).write_bytes(lzma.compress(whole))
    for name, text in render_pages(all_series, document, advised, shielded).items():
        write_text_atomically(root / name, text)
    write_text_atomically(root / FEED_NAME, render_feed(document))
    for upstream, badge in describe_badges(document).items():
        write_json_atomically(root / f"badge-{upstream}.json", badge)
        write_text_atomically(root / f"badge-{upstream}.svg", render_badge(badge))
