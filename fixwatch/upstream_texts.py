"""Versions and moments as upstreams and package indexes write them."""

from __future__ import annotations

import re
from datetime import datetime, timezone

from packaging.version import InvalidVersion, Version

_CI_COMMAND = re.compile(r"^\s*::|##\[")


def parse_version(text: str) -> Version | None:
    """Return the version that a tag or a release's name is; None if it is none (PEP 440)."""
    try:
        return Version(text)
    except InvalidVersion:
        return None


def make_printable(text: str) -> str:
    """Return a line of a text without what would steer a terminal or turn the text around.

    A tag may have such characters, and so may whatever a build prints. CI services take commands
    from ``::`` at the beginning of a line and from ``##[`` anywhere, so the signs are parted.
    """
    signs = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)
    return _CI_COMMAND.sub(lambda match: f"{match[0][:-1]} {match[0][-1]}", signs)


def make_lines_printable(text: str) -> str:
    """Return a text of several lines, each as `make_printable` returns it."""
    return "\n".join(map(make_printable, text.expandtabs().splitlines()))


def parse_moment(text: str) -> datetime:
    """Return an ISO-8601 moment or day; Python 3.10 does not read a ``Z`` at its end."""
    return datetime.fromisoformat(text.strip().replace("Z", "+00:00"))


def parse_moment_in_utc(text: str) -> datetime:
    """Return an ISO-8601 moment or day; one that names no zone is in UTC."""
    moment = parse_moment(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
