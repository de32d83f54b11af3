"""The table of releases as a repository that asv can run through."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from asv import util

from fixwatch.asv_adapter.repositories import NamedRevisions
from fixwatch.history.release_table import Release, load_release_table
from fixwatch.layout import STATE_DIR

BRANCHES = {"numba": "main", "numba-cuda": "numba-cuda"}
# numba-cuda's versions will one day reach numba's, so its tags carry its name.
TAG_PREFIXES = {"numba": "v", "numba-cuda": "numba-cuda-v"}


class ReleaseHistory(NamedRevisions):
    """The table of releases as a repository: a commit a release, a branch an upstream.

    The same table gives the same hashes on every machine, and a longer table keeps them.
    """

    dvcs = "fixwatch-releases"

    def __init__(self, url: str, project: str) -> None:
        self._project = project
        path = STATE_DIR / "releases.git"
        build_release_repository(load_release_table(Path(url)), path)
        super().__init__(str(path), str(path))
        self._pulled = True

    def _release_tags(self) -> list[str]:
        prefix = TAG_PREFIXES["numba"]
        return [tag for tag in self.get_tags() if tag.startswith(prefix) and tag.count(".") > 1]


def build_release_repository(releases: Sequence[Release], path: Path) -> None:
    """Make the bare repository of the releases, whole or not at all; keep one that is current."""
    stream = _fast_import_stream(releases)
    stamp = path / "fixwatch-table"
    if stamp.is_file() and stamp.read_bytes() == stream:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(dir=path.parent, prefix="releases-"))
    try:
        # A template or a default of the user's must not change what comes out.
        init = ["init", "--quiet", "--bare", "--template=", "--object-format=sha1"]
        _run_git([*init, "--initial-branch=main", "."], building)
        _run_git(["fast-import", "--quiet", "--done"], building, stream)
        (building / stamp.name).write_bytes(stream)
        shutil.rmtree(path, ignore_errors=True)
        os.replace(building, path)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def read_release_commits(path: Path = STATE_DIR / "releases.git") -> dict[str, tuple[str, str]]:
    """Return upstream and version of each commit of the release repository."""
    output = _run_git(["log", "--all", "--format=%H %s"], path).decode("utf-8")
    commits = {}
    for line in output.splitlines():
        commit, upstream, version = line.split()
        commits[commit] = (upstream, version)
    return commits


def _fast_import_stream(releases: Sequence[Release]) -> bytes:
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


def _run_git(arguments: Sequence[str], directory: Path, stdin: bytes = b"") -> bytes:
    environment: dict[str, Any] = {
        name: value for name, value in os.environ.items() if not name.startswith("GIT_")
    }
    environment["GIT_CONFIG_NOSYSTEM"] = "1"
    environment["GIT_CONFIG_GLOBAL"] = os.devnull
    completed = subprocess.run(
        ["git", "-c", "safe.directory=*", *arguments],  # noqa: S607 (git from PATH, as asv has it)
        cwd=directory,
        input=stdin,
        capture_output=True,
        check=False,
        env=environment,
    )
    if completed.returncode:
        raise util.UserError(
            f"git {arguments[0]} failed in {directory}: "
            f"{completed.stderr.decode('utf-8', 'replace').strip()}"
        )
    return completed.stdout
