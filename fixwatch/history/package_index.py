"""What the package index says of an upstream's releases."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from fixwatch.errors import CouldNotMeasureError
from fixwatch.history.release_table import FIRST_VERSIONS, Release
from fixwatch.upstream_texts import parse_moment, parse_version

# The JSON API (https://docs.pypi.org/api/json/) gives upload times and yanked flags, which the
# HTML form of the simple API does not.
INDEX_VARIABLE = "FIXWATCH_INDEX_JSON_URL"
DEFAULT_INDEX_JSON_URL = "https://pypi.org/pypi"
TIMEOUT_S = 30.0
MAX_RESPONSE_BYTES = 64 * 2**20


def fetch_releases(upstream: str) -> list[Release]:
    """Ask the index for the releases of an upstream, pre-releases left out.

    Raises
    ------
    CouldNotMeasureError
        If the index does not answer, or not in the form that it documents.
    """
    url = f"{os.environ.get(INDEX_VARIABLE, DEFAULT_INDEX_JSON_URL)}/{upstream}/json"
    if not url.startswith(("https://", "http://")):
        raise CouldNotMeasureError(f"{INDEX_VARIABLE} is not an http address: {url}")
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as response:  # noqa: S310 (checked)
            document = json.loads(response.read(MAX_RESPONSE_BYTES))
        return list(read_releases(upstream, document))
    except (OSError, urllib.error.URLError) as error:
        raise CouldNotMeasureError(
            f"the package index does not answer for {upstream} ({error}); "
            "the committed table is unchanged, try again later"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise CouldNotMeasureError(
            f"the package index answers for {upstream} in an unknown form "
            f"({type(error).__name__}: {error}); the committed table is unchanged"
        ) from error


def read_releases(upstream: str, document: dict[str, Any]) -> Iterator[Release]:
    """Read the releases with wheels out of the index's document for a project."""
    for text, files in document["releases"].items():
        version = parse_version(text)
        if version is None or version.is_prerelease or version < FIRST_VERSIONS[upstream]:
            continue
        wheels = [file for file in files if file["packagetype"] == "bdist_wheel"]
        if not wheels:
            continue
        yield Release(
            upstream=upstream,
            version=str(version),
            uploaded_at=min(_read_upload_time(file) for file in files),
            wheel_tags=tuple(
                sorted(filter(None, (_read_tag(file["filename"]) for file in wheels)))
            ),
            is_yanked=all(file["yanked"] for file in wheels),
        )


def _read_upload_time(file: dict[str, Any]) -> datetime:
    moment = parse_moment(str(file["upload_time_iso_8601"]))
    return moment.astimezone(timezone.utc).replace(microsecond=0)


def _read_tag(filename: str) -> str | None:
    try:
        parse_wheel_filename(filename)
    except InvalidWheelFilename:
        return None
    return "-".join(filename.removesuffix(".whl").split("-")[-3:])
