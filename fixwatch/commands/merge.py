"""The command ``merge``: results of other machines taken into ``results/``."""

from __future__ import annotations

import argparse
from pathlib import Path

from fixwatch.commands.command_line import COMMITS_CONFIGURATIONS, Subparsers, announce
from fixwatch.configuration import load_configuration
from fixwatch.errors import FixwatchError, RefusedResultsError
from fixwatch.history.mirror import UpstreamMirror
from fixwatch.history.release_table import load_release_table
from fixwatch.layout import RESULTS_DIR
from fixwatch.records.evidence import iter_evidence
from fixwatch.records.merge import merge_shards
from fixwatch.records.shards import Checkout
from mwe.planned.plan import MEASUREMENT_VERSION


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    """Declare the command."""
    parser = subparsers.add_parser("merge", help="take the results of shards into results/")
    parser.add_argument(
        "folders", type=Path, nargs="+", metavar="DIR", help="laid out like results/"
    )
    return parser


def run(options: argparse.Namespace) -> int:
    """Take what validates, and name each file that does not."""
    checkout = Checkout(
        measurement_version=int(MEASUREMENT_VERSION),
        releases=frozenset((release.upstream, release.version) for release in load_release_table()),
    )
    n_written, refused = merge_shards(options.folders, RESULTS_DIR, checkout, announce)
    for name, reason in refused:
        announce(f"refused {name!r}: {reason}")
    if n_written:
        _list_merged_commits()
    announce(f"{n_written} revisions written, {len(refused)} refused")
    if refused:
        raise RefusedResultsError(
            f"refused files: {len(refused)}, see above; the rest is in {RESULTS_DIR}"
        )
    return 0


def _list_merged_commits() -> None:
    """Bring the lists of relevant commits up to date from git; a shard has no say in them."""
    for name in COMMITS_CONFIGURATIONS:
        configuration = load_configuration(Path(name))
        folder = configuration.results_dir
        commits = [record.commit for record in iter_evidence(folder, announce)]
        if not commits:
            continue
        try:
            mirror = UpstreamMirror(configuration.repository, configuration.project, announce)
            mirror.pull(announce)
            mirror.refresh_listing(folder, configuration.branch, commits, announce)
        except FixwatchError as error:
            announce(f"{configuration.project}: the relevant commits cannot be listed ({error})")
