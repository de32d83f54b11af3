"""Compiled extensions, kept by what they depend on, and put where a build looks for them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from fixwatch.durable_files import write_json_atomically
from fixwatch.installing.extension_keys import ExtensionKey

MANIFEST_NAME = "manifest.json"
_SUFFIXES = frozenset({".so", ".pyd", ".dylib", ".dll"})


@dataclass(frozen=True)
class ExtensionCache:
    """A folder with a folder for each key, each whole or not there."""

    root: Path

    def load(self, key: ExtensionKey) -> dict[str, bytes] | None:
        """Return the extensions of a key by their path in the wheel; None if there are none.

        An entry that is not what was stored is removed.
        """
        folder = self.root / key.digest
        try:
            digests = json.loads((folder / MANIFEST_NAME).read_text(encoding="utf-8"))["sha256"]
            contents = {
                path: (folder / str(number)).read_bytes() for number, path in enumerate(digests)
            }
        except (OSError, ValueError, KeyError, TypeError):
            shutil.rmtree(folder, ignore_errors=True)
            return None
        if any(_digest(contents[path]) != digest for path, digest in digests.items()):
            shutil.rmtree(folder, ignore_errors=True)
            return None
        return contents

    def store(self, key: ExtensionKey, extensions: Mapping[str, bytes]) -> None:
        """Keep the extensions of a key, unless they are kept already."""
        folder = self.root / key.digest
        if not extensions or folder.exists():
            return
        self.root.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(dir=self.root, prefix="storing-"))
        try:
            for number, content in enumerate(extensions.values()):
                (building / str(number)).write_bytes(content)
            digests = {path: _digest(content) for path, content in extensions.items()}
            write_json_atomically(building / MANIFEST_NAME, {"sha256": digests})
            os.replace(building, folder)
        except OSError:
            # A full disk, or another run that stored the same: a build is due again, no more.
            shutil.rmtree(building, ignore_errors=True)


def read_extensions(wheel: Path) -> dict[str, bytes]:
    """Return the compiled files of a wheel by their path in it."""
    with zipfile.ZipFile(wheel) as archive:
        return {
            name: archive.read(name)
            for name in archive.namelist()
            if PurePosixPath(name).suffix in _SUFFIXES
        }


def place_for_build(extensions: Mapping[str, bytes], source: Path, key: ExtensionKey) -> None:
    """Put extensions where setuptools would compile them to, newer than their sources.

    It then takes them for up to date. Where it looks elsewhere, it compiles.
    """
    build_lib = source / "build" / f"lib.{key.python['platform']}-{key.python['cache_tag']}"
    for name, content in extensions.items():
        path = build_lib / PurePosixPath(name)
        if build_lib.resolve() not in path.resolve().parents:
            raise ValueError(f"{name} leads out of the build folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
