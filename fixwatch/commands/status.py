"""The command ``status``: the verdict for each defect and upstream, from the results on disk."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from fixwatch.commands.command_line import Subparsers, announce, open_console
from fixwatch.configuration import load_configuration
from fixwatch.errors import NoResultsError
from fixwatch.history.last_look import find_last_look, find_tracker_problem
from fixwatch.history.order import RevisionOrder, load_order
from fixwatch.layout import CONFIGURATIONS
from fixwatch.records.evidence import Evidence, iter_evidence
from fixwatch.report.status import build_document
from fixwatch.report.table import print_status
from fixwatch.verdicts.pin_advice import advise_on_releases
from fixwatch.verdicts.series import Series, build_series


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    """Declare the command."""
    parser = subparsers.add_parser("status", help="print the verdict for each defect and upstream")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print the fix-status document")
    form.add_argument("--all", action="store_true", help="print each workload and control, too")
    parser.add_argument("--config", type=Path, help=f"one of {', '.join(CONFIGURATIONS)}")
    return parser


def run(options: argparse.Namespace) -> int:
    """Print the verdicts of one configuration, or of all."""
    paths = [options.config] if options.config else [Path(name) for name in CONFIGURATIONS]
    series, order = load_series(paths)
    advised = advise_on_releases(series, order.releases)
    if options.json:
        document = build_document(
            series,
            datetime.now(timezone.utc),
            advised,
            find_last_look(),
            find_tracker_problem(),
        )
        print(json.dumps(document, indent=1, allow_nan=False))
    else:
        print_status(series, advised, open_console(), shows_workloads=options.all)
    return 0


def load_series(paths: Sequence[Path]) -> tuple[list[Series], RevisionOrder]:
    """Read the series of the results that configurations name."""
    records, order = load_records(paths)
    return build_series(records, order), order


def load_records(paths: Sequence[Path]) -> tuple[list[Evidence], RevisionOrder]:
    """Read all records of the results that configurations name, and the order that they are in.

    Raises
    ------
    NoResultsError
        If there is none.
    """
    folders = [load_configuration(path).results_dir for path in paths]
    records = [record for folder in folders for record in iter_evidence(folder, announce)]
    if not records:
        searched = ", ".join(map(str, folders))
        raise NoResultsError(f"nothing is measured in {searched}; run make dashboard first")
    return records, load_order(folders)
