"""The committed table of releases, the one home of which releases exist and when they came out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from functools import cached_property
from pathlib import Path
from typing import Annotated

from packaging import tags
from packaging.version import Version
from pydantic import AwareDatetime, ConfigDict, Field, TypeAdapter

from fixwatch.durable_files import write_text_atomically
from fixwatch.errors import FixwatchError
from fixwatch.records import fields
from fixwatch.records.fields import Closed, describe_violation

TABLE_PATH = Path(__file__).with_name("releases.json")
FORMAT_VERSION = 1
# The oldest release of each upstream that is tracked.
FIRST_VERSIONS = {"numba": Version("0.57.0"), "numba-cuda": Version("0.0.12")}
# Of an upload; git takes none before 1970.
FIRST_MOMENT = datetime(2012, 1, 1, tzinfo=timezone.utc)
END_OF_MOMENTS = datetime(2100, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True, kw_only=True)
class Release(Closed):
    """A release of an upstream on the package index."""

    upstream: fields.Upstream
    version: fields.ReleaseVersion  # in its normal form
    # Of its first file, in UTC, to the second.
    uploaded_at: Annotated[AwareDatetime, Field(ge=FIRST_MOMENT, lt=END_OF_MOMENTS)]
    wheel_tags: tuple[fields.WheelTag, ...]  # as in the wheels' file names
    # The index advises against it: it keeps its row, for the history, but is not measured.
    is_yanked: bool = False

    @cached_property
    def parsed_version(self) -> Version:
        """The version, comparable."""
        return Version(self.version)

    @property
    def minor_series(self) -> str:
        """The first two numbers of the version, such as ``0.57``."""
        return f"{self.parsed_version.major}.{self.parsed_version.minor}"

    @property
    def resolved_as_of(self) -> datetime:
        """The moment up to which its dependencies are taken: the end of the upload day, in UTC."""
        day = self.uploaded_at.replace(hour=0, minute=0, second=0)
        return day + timedelta(days=1)

    def has_wheel_for(self, python: tuple[int, int]) -> bool:
        """Whether one of its wheels fits a CPython of that version on this platform."""
        interpreter = f"cp{python[0]}{python[1]}"
        fitting = set(tags.cpython_tags(python)) | set(tags.compatible_tags(python, interpreter))
        return any(not fitting.isdisjoint(tags.parse_tag(tag)) for tag in self.wheel_tags)


@dataclass(frozen=True, kw_only=True)
class _Stated:
    """What a table of any version says of itself."""

    __pydantic_config__ = ConfigDict(strict=True)

    version: int


@dataclass(frozen=True, kw_only=True)
class _Table(_Stated, Closed):
    """What the file holds.

    Raises
    ------
    ValueError
        If a release is there twice.
    """

    releases: tuple[Release, ...]

    def __post_init__(self) -> None:
        found = Counter((release.upstream, release.parsed_version) for release in self.releases)
        for (upstream, version), count in found.items():
            if count > 1:
                raise ValueError(f"{upstream} {version} is there {count} times")


_STATED = TypeAdapter(_Stated)
_TABLE = TypeAdapter(_Table)
_RELEASES = TypeAdapter(tuple[Release, ...])


def load_release_table(path: Path = TABLE_PATH) -> list[Release]:
    """Read the table, in its own order: that of the history, to which refreshing only appends.

    A file that is no table of a known format version is a `FixwatchError`.
    """
    try:
        text = path.read_bytes()
        version = _STATED.validate_json(text).version
        if version != FORMAT_VERSION:
            raise FixwatchError(
                f"{path}: format version {version}, this program reads {FORMAT_VERSION}; "
                "update Fixwatch"
            )
        return list(_TABLE.validate_json(text).releases)
    except (OSError, ValueError) as error:
        raise FixwatchError(
            f"{path}: not a table of releases ({describe_violation(error)}); restore it with git "
            "checkout"
        ) from error


def save_release_table(releases: Sequence[Release], path: Path = TABLE_PATH) -> None:
    """Write the table, a row a line, whole or not at all."""
    dumped = _RELEASES.dump_python(tuple(releases), mode="json", exclude_defaults=True)
    rows = ",\n".join("  " + json.dumps(row) for row in dumped)
    write_text_atomically(path, f'{{"version": {FORMAT_VERSION}, "releases": [\n{rows}\n]}}\n')


def refresh_release_table(known: Sequence[Release], found: Iterable[Release]) -> list[Release]:
    """Return the table with what the index has now.

    Rows keep their place, version and date. New wheels and yanks are taken over; new releases are
    appended by date, even one that is older than the last row.
    """
    by_key = {(release.upstream, release.parsed_version): release for release in found}
    refreshed = []
    for release in known:
        now = by_key.pop((release.upstream, release.parsed_version), None)
        if now is not None:
            release = replace(release, wheel_tags=now.wheel_tags, is_yanked=now.is_yanked)
        refreshed.append(release)
    new = sorted(by_key.values(), key=lambda release: (release.uploaded_at, release.upstream))
    return refreshed + [release for release in new if not release.is_yanked]


def select_dashboard_releases(releases: Iterable[Release]) -> list[Release]:
    """Choose the releases that ``make dashboard`` measures, in version order.

    For numba the newest patch of each minor series. For numba-cuda about ten: the ends of the
    history, the maintenance release that came after a newer one, what lies around the fix, and
    the newest patch of every eighth series in between.
    """
    measurable = sorted(
        (release for release in releases if not release.is_yanked),
        key=lambda release: (release.upstream, release.parsed_version),
    )
    newest_patches: dict[tuple[str, str], Release] = {}
    for release in measurable:
        newest_patches[release.upstream, release.minor_series] = release
    numba = [release for key, release in newest_patches.items() if key[0] == "numba"]
    numba_cuda = [release for key, release in newest_patches.items() if key[0] == "numba-cuda"]
    always = {"0.0.15", "0.19.2", "0.23.0", "0.24.0", "0.26.0", "0.27.0"}
    chosen = {release.version for release in numba_cuda[4:-1:8]} | always
    if numba_cuda:
        chosen.add(numba_cuda[-1].version)
    return numba + [
        release
        for release in measurable
        if release.upstream == "numba-cuda" and release.version in chosen
    ]
