"""Names of revisions as people write them: ``v0.57`` for the tag ``0.57.0``, and ranges of them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator

from packaging.version import Version

from fixwatch.errors import FixwatchError
from fixwatch.upstream_texts import parse_version

_RELEASE_NAME = re.compile(r"^v?(\d+(?:\.\d+)+)$")
# Options of git's rev-list that choose commits; others make it write files, say.
_OPTION = re.compile(
    r"-n?\d+|--(max-count|skip)=\d+|--(since|after|until|before)=.+|--(all|branches|tags)"
)
# "a..b", "a...b", "^a", "a^!" and "a~3" around names.
_NAME_IN_RANGE = re.compile(r"(?P<name>[^\s^~:@{}.]+(?:\.[^\s^~:@{}.]+)*)")


class UnknownRevisionError(FixwatchError):
    """A name that is no revision of the repository."""


def iter_spellings(name: str) -> Iterator[str]:
    """Yield the names to try for `name`, itself first.

    For release numbers the ``v`` may be there or not, and a minor series stands for its ``.0``.
    """
    yield name
    match = _RELEASE_NAME.match(name)
    if match:
        number = match[1]
        for spelling in (number, f"v{number}", f"{number}.0", f"v{number}.0"):
            if spelling != name:
                yield spelling


def resolve_range(range_spec: str, resolve_name: Callable[[str], str]) -> list[str]:
    """Split a range into arguments of ``git rev-list`` whose names are all replaced.

    It is written as git takes it: names joined by dots, ``^name``, ``name^!``, and those options
    that choose commits. Any other option is an `UnknownRevisionError`.
    """

    def resolve_end(end: str) -> str:
        return _NAME_IN_RANGE.sub(lambda match: resolve_name(match["name"]), end, count=1)

    try:
        arguments = shlex.split(range_spec)
    except ValueError as error:
        raise UnknownRevisionError(f"range {range_spec!r} cannot be read: {error}") from error
    for argument in arguments:
        if argument.startswith("-") and not _OPTION.fullmatch(argument):
            raise UnknownRevisionError(
                f"range {range_spec!r}: {argument!r} is no option of a range; "
                "name revisions, and -n5, --since=DATE or --all beside them"
            )
    return [
        argument
        if argument.startswith("-")
        # The dots are parts of their own.
        else "".join(map(resolve_end, re.split(r"(\.{2,3})", argument)))
        for argument in arguments
    ]


def describe_unknown(name: str, project: str, release_tags: list[str]) -> UnknownRevisionError:
    """Return the error for a name that does not exist, with the newest release as a hint."""
    newest = max(release_tags, key=_sort_key, default=None)
    hint = f"the newest release tag is {newest}" if newest else "there are no release tags"
    return UnknownRevisionError(
        f"no revision {name!r} in {project}; {hint}. Name a tag, a branch or a commit."
    )


def _sort_key(tag: str) -> tuple[bool, Version, int]:
    """Sort final releases last, and of two names of one release the longer, ``v0.57.0``."""
    version = parse_version(tag)
    if version is None:
        return False, Version("0"), 0
    return not version.is_prerelease, version, len(tag)
