"""The command ``releases``: the table of releases, brought up to date on request."""

from __future__ import annotations

import argparse

from fixwatch.commands.command_line import Subparsers, announce
from fixwatch.history.package_index import fetch_releases
from fixwatch.history.release_table import (
    FIRST_VERSIONS,
    load_release_table,
    refresh_release_table,
    save_release_table,
)


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    """Declare the command."""
    parser = subparsers.add_parser("releases", help="list the table of releases")
    parser.add_argument(
        "--refresh", action="store_true", help="first bring the table up to date from the index"
    )
    return parser


def run(options: argparse.Namespace) -> int:
    """Print a release a line."""
    table = load_release_table()
    if options.refresh:
        found = []
        for upstream in FIRST_VERSIONS:
            announce(f"asking the package index for {upstream}")
            found += fetch_releases(upstream)
        n_known = len(table)
        table = refresh_release_table(table, found)
        save_release_table(table)
        announce(f"{len(table) - n_known} new releases")
    for release in table:
        yanked = "  yanked" if release.is_yanked else ""
        print(f"{release.upstream:<11}{release.version:<10}{release.uploaded_at:%Y-%m-%d}{yanked}")
    return 0
