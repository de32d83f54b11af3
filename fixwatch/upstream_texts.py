"""Versions and moments as upstreams and package indexes write them."""

from __future__ import annotations

from datetime import datetime

from packaging.version import InvalidVersion, Version


def parse_version(text: str) -> Version | None:
    """Return the version that a tag or a release's name is; None if it is none (PEP 440)."""
    try:
        return Version(text)
    except InvalidVersion:
        return None


def make_printable(text: str) -> str:
    """Return a line of a text without what would steer a terminal or turn the text around.

    A tag may have such characters, and so may whatever a build prints.
    """
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)


def parse_moment(text: str) -> datetime:
    """Return an ISO-8601 moment or day; Python 3.10 does not read a ``Z`` at its end."""
    return datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
