"""The table of releases as a repository that asv can run through.

It has a commit for each release and a branch for each upstream. The same table gives the same
hashes on every machine, and a longer table keeps them.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from fixwatch.durable_files import make_own_folder
from fixwatch.git import run_git
from fixwatch.history.release_table import Release
from fixwatch.layout import STATE_DIR

REPOSITORY_DIR = STATE_DIR / "releases.git"
BRANCHES = {"numba": "main", "numba-cuda": "numba-cuda"}
# numba-cuda's versions will one day reach numba's, so its tags carry its name.
TAG_PREFIXES = {"numba": "v", "numba-cuda": "numba-cuda-v"}


def build_release_repository(
    releases: Sequence[Release], path: Path = REPOSITORY_DIR
) -> dict[tuple[str, str], str]:
    """Make the bare repository of the releases, whole or not at all; keep one that is current.

    Returns the commit of each release, by upstream and version.
    """
    stream = _write_fast_import(releases)
    stamp = path / "fixwatch-table"
    if not stamp.is_file() or stamp.read_bytes() != stream:
        _build(stream, path, stamp.name)
    return {release: commit for commit, release in read_release_commits(path).items()}


def _build(stream: bytes, path: Path, stamp: str) -> None:
    building = make_own_folder(path.parent, "releases-")
    try:
        # A template or a default of the user's must not change what comes out.
        init = ["init", "--quiet", "--bare", "--template=", "--object-format=sha1"]
        run_git([*init, "--initial-branch=main", "."], building)
        run_git(["fast-import", "--quiet", "--done"], building, stdin=stream)
        (building / stamp).write_bytes(stream)
        shutil.rmtree(path, ignore_errors=True)
        os.replace(building, path)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def read_release_commits(path: Path = REPOSITORY_DIR) -> dict[str, tuple[str, str]]:
    """Return upstream and version of each commit of the release repository."""
    output = run_git(["log", "--all", "--format=%H %s"], path).decode("utf-8")
    rows = map(str.split, output.splitlines())
    return {commit: (upstream, version) for commit, upstream, version in rows}


def _write_fast_import(releases: Sequence[Release]) -> bytes:
    """Return the input of ``git fast-import``."""
    parts: list[bytes] = []
    tags: dict[str, int] = {}
    newest: dict[str, int] = {}
    for mark, release in enumerate(releases, start=1):
        seconds = int(release.uploaded_at.timestamp())
        message = f"{release.upstream} {release.version}\n".encode()
        content = json.dumps(
            {"upstream": release.upstream, "version": release.version}, sort_keys=True
        ).encode()
        parts.append(
            b"commit refs/heads/%s\nmark :%d\n" % (BRANCHES[release.upstream].encode(), mark)
            + b"committer Fixwatch <fixwatch@invalid> %d +0000\n" % seconds
            + b"data %d\n%s" % (len(message), message)
        )
        if release.upstream in newest:
            parts.append(b"from :%d\n" % newest[release.upstream])
        parts.append(b"M 100644 inline release.json\ndata %d\n%s\n" % (len(content), content))
        newest[release.upstream] = mark
        prefix = TAG_PREFIXES[release.upstream]
        tags[prefix + release.version] = mark
        tags.setdefault(prefix + release.minor_series, mark)
    for tag, mark in tags.items():
        parts.append(b"reset refs/tags/%s\nfrom :%d\n" % (tag.encode(), mark))
    return b"".join(parts) + b"done\n"
