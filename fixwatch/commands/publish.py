"""The command ``publish``: the whole site from what is on disk."""

from __future__ import annotations

import argparse
from pathlib import Path

from fixwatch.commands.command_line import Subparsers, announce


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    """Declare the command."""
    return subparsers.add_parser(
        "publish", help="write the whole site in html/ from the results on disk"
    )


def publish_site() -> Path:
    """Write the whole site anew, and return the page that answers.

    Without results that is a `NoResultsError`.
    """
    # asv's publishing is a second to load, which no other command needs.
    from fixwatch.asv_adapter.publisher import publish_all

    return publish_all(announce)


def run(options: argparse.Namespace) -> int:
    """Publish everything, and say where it is."""
    del options
    announce(f"published; open {publish_site()}")
    return 0
