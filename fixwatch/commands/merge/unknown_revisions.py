"""Records of revisions that no history has, which a merge without a plan does not take by itself.

With a plan, the job that planned has looked up each revision that it asks for. Without one a file
may name any commit, and call it any version.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from pathlib import Path

from fixwatch.configuration import load_configuration
from fixwatch.errors import FixwatchError
from fixwatch.history.listing import load_listing
from fixwatch.history.mirror import UpstreamMirror
from fixwatch.history.release_repository import build_release_repository
from fixwatch.history.release_table import load_release_table
from fixwatch.layout import CONFIGURATION_OF
from fixwatch.records.evidence import Evidence
from fixwatch.records.shards import Refused, Shard
from fixwatch.upstream_texts import parse_moment

_REMEDY = "merge with --accept if you answer for it"


def drop_unknown(shards: Sequence[Shard], announce: Callable[[str], None]) -> list[Refused]:
    """Take records out of shards whose revision is in no history; return which, and why.

    Upstream's repository is asked only for commits that are not listed with the results.
    """
    commits: dict[str, set[str]] = defaultdict(set)
    for shard in shards:
        for place, record in shard.records.items():
            commits[place.folder].add(record.commit)
    known = {folder: _find_known(folder, own, announce) for folder, own in commits.items()}
    refused = []
    for shard in shards:
        for place, record in [*shard.records.items()]:
            if reason := _find_fault(record, known[place.folder].get(record.commit)):
                del shard.records[place]
                refused.append((str(place), f"{reason}; {_REMEDY}"))
    # Several shards may name the same.
    return list(dict.fromkeys(refused))


# Name of a revision, and its date; None where that of the record counts for nothing.
_Revision = tuple[str, datetime | None]


def _find_known(
    folder: str, commits: Collection[str], announce: Callable[[str], None]
) -> dict[str, _Revision]:
    """Return what is known of those commits of a results folder that there are."""
    configuration = load_configuration(Path(CONFIGURATION_OF[folder]))
    if configuration.source == "releases":
        releases = build_release_repository(load_release_table())
        return {commit: (version, None) for (_, version), commit in releases.items()}
    listings = [load_listing(configuration.results_dir)]
    unlisted = [commit for commit in commits if not listings[0] or commit not in listings[0]]
    if unlisted:
        try:
            mirror = UpstreamMirror(
                configuration.repository, configuration.project, announce, configuration.target
            )
            mirror.pull(announce)
            listings.append(mirror.list_history(configuration.branch, unlisted))
        except FixwatchError as error:
            announce(f"{configuration.project}: commits cannot be looked up ({error})")
    return {
        listed.commit: (listed.name, parse_moment(listed.date))
        for listing in filter(None, listings)
        for listed in listing.commits
    }


def _find_fault(record: Evidence, known: _Revision | None) -> str | None:
    """Say what a record has wrong of its revision; None if nothing."""
    if known is None:
        return f"{record.commit} is in no history of {record.upstream} that is known here"
    name, date = known
    # A commit may have been measured before it got a tag.
    if record.name not in (name, record.commit[:8]):
        return f"{record.commit} is {name}, not {record.name}"
    if date not in (None, parse_moment(record.date)):
        return f"{record.commit} is not of that date"
    return None
