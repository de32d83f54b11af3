"""Dependencies as of a date, resolved and installed by uv."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import unquote

from packaging.requirements import Requirement
from packaging.utils import parse_wheel_filename
from uv import find_uv_bin

from fixwatch.durable_files import make_own_folder
from fixwatch.errors import CouldNotMeasureError, FixwatchError
from fixwatch.layout import STATE_DIR
from fixwatch.run_lock import inherited_descriptors
from fixwatch.upstream_texts import make_printable

TIMEOUT_S = 600.0
# How much of a failed command's output is kept as evidence.
MAX_REASON_LINES = 12
MAX_REASON_CHARACTERS = 2000

_UNWANTED_VARIABLES = frozenset({
    "PYTHONHOME", "PYTHONPATH", "UV_EXCLUDE_NEWER", "UV_PRERELEASE", "UV_RESOLUTION", "VIRTUAL_ENV",
})  # fmt: skip

# What uv says when the index cannot be asked, as opposed to when it has no answer.
_UNREACHABLE = (
    "error sending request",
    "Failed to fetch",
    "dns error",
    "Could not connect",
    "client error (Connect)",
    "network connectivity is disabled",
    "Network connectivity is disabled",
    "operation timed out",
    # An index that refuses, or does not say when a file was uploaded, knows no more.
    "could not be queried",
    "returned a 401",
    "returned a 403",
    "401 Unauthorized",
    "403 Forbidden",
)


class ResolutionError(FixwatchError):
    """The index was asked and has no set of packages that fits, or one does not install."""


class NoSolutionError(ResolutionError):
    """No set of packages fits. As of a date in the past that never changes."""


class IndexUnreachableError(CouldNotMeasureError):
    """The index could not be asked, so nothing is known."""


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """The packages that a requirement resolved to."""

    pins: tuple[str, ...]  # requirements, each of which names one version or one file
    as_of: datetime  # later uploads did not count

    @property
    def packages(self) -> dict[str, str]:
        """Name and version of each package."""
        return dict(sorted(_name_and_version(Requirement(pin)) for pin in self.pins))


def resolve_as_of(
    requirements: Sequence[str],
    as_of: datetime,
    python: Path,
    *,
    constraints: Sequence[str] = (),
    exempt: Sequence[str] = (),
) -> Resolution:
    """Resolve requirements for an interpreter as the index was at a moment, wheels only.

    Later uploads do not exist, but for the packages that are `exempt`. `constraints` are bounds on
    packages that come in; they bring in none by themselves.

    Raises
    ------
    NoSolutionError
        If nothing fits; with uv's explanation.
    IndexUnreachableError
        If the index cannot be asked.
    """
    now = datetime.now(timezone.utc)
    arguments = [
        "pip", "compile", "-", "--quiet", "--no-header", "--no-annotate", "--no-sources",
        "--only-binary", ":all:", "--python", str(python),
        "--exclude-newer", _format_moment(as_of),
    ]  # fmt: skip
    for name in exempt:
        arguments += ["--exclude-newer-package", f"{name}={_format_moment(now)}"]
    with _write_constraints(constraints) as named:
        output = _run_uv([*arguments, *named], stdin="\n".join(requirements) + "\n")
    pins = tuple(
        line.strip() for line in output.splitlines() if line.strip() and not line.startswith("#")
    )
    return Resolution(pins=pins, as_of=as_of)


@contextlib.contextmanager
def _write_constraints(constraints: Sequence[str]) -> Iterator[list[str]]:
    """Yield the arguments of uv that name a file of constraints, which is removed again."""
    if not constraints:
        yield []
        return
    # Not among the system's temporary files: what a killed process leaves is removed here.
    folder = make_own_folder(STATE_DIR, "constraints-")
    try:
        file = folder / "constraints.txt"
        file.write_text("\n".join(constraints) + "\n", encoding="utf-8")
        yield ["--constraints", str(file)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class Environment:
    """A virtual environment: its folder, and its interpreter."""

    path: Path
    python: Path

    def install_as_of(
        self,
        requirements: Sequence[str],
        as_of: datetime,
        *,
        constraints: Sequence[str] = (),
        exempt: Sequence[str] = (),
        tools: Sequence[str] = (),
    ) -> Resolution:
        """Let it hold what requirements resolve to, and tools beside them, and nothing else.

        The other parameters and the errors are those of `resolve_as_of` and `install_exactly`.
        """
        resolution = resolve_as_of(
            requirements, as_of, self.python, constraints=constraints, exempt=exempt
        )
        install_exactly([*resolution.pins, *tools], self.path, self.python)
        return resolution


def create_environment(path: Path, python: Path) -> Environment:
    """Make an empty environment in the place of what is there; raises `ResolutionError`."""
    shutil.rmtree(path, ignore_errors=True)
    _run_uv(["venv", "--quiet", "--no-project", "--python", str(python), str(path)])
    interpreters = [file for file in path.glob("[bS]*/python*") if file.stem == "python"]
    return Environment(path, interpreters[0].absolute())


def list_installed(python: Path) -> list[str]:
    """Return what an interpreter's environment holds, as requirements of one version each."""
    return _run_uv(["pip", "freeze", "--quiet", "--python", str(python)]).splitlines()


def find_site_packages(environment_path: Path) -> list[Path]:
    """Return the folder that an environment's packages are in; an empty list if it has none."""
    patterns = ("lib/python*/site-packages", "Lib/site-packages")
    return [found for pattern in patterns for found in environment_path.glob(pattern)]


def install_exactly(pins: Sequence[str], environment_path: Path, python: Path) -> None:
    """Make an environment hold these packages and no others.

    Its packages are removed first, whatever they are: uv keeps a newer one that a resolution for
    an older date does not contain, and an install that was killed leaves half a package. Errors are
    those of `resolve_as_of`.
    """
    for site_packages in find_site_packages(environment_path):
        shutil.rmtree(site_packages)
        site_packages.mkdir()
    arguments = ["pip", "install", "--quiet", "--no-deps", "--python", str(python), "-r", "-"]
    _run_uv(arguments, stdin="\n".join(pins) + "\n")


def build_wheel(source: Path, destination: Path, python: Path) -> Path:
    """Build the wheel of a source tree with the build packages that the environment has.

    If it does not build, a `ResolutionError` has the last lines of the output.
    """
    _run_uv(
        ["build", "--wheel", "--no-build-isolation", "--python", str(python),
         "--out-dir", str(destination), str(source)]
    )  # fmt: skip
    wheels = sorted(destination.glob("*.whl"))
    if len(wheels) != 1:
        raise ResolutionError(f"the build left {len(wheels)} wheels where one was expected")
    return wheels[0]


def shorten_output(output: str) -> str:
    """Return the last lines of an output, limited in lines and characters."""
    lines = [
        make_printable(line.rstrip().expandtabs())
        for line in output.strip().splitlines()
        if line.strip()
    ]
    return "\n".join(lines[-MAX_REASON_LINES:])[-MAX_REASON_CHARACTERS:]


def _name_and_version(pin: Requirement) -> tuple[str, str]:
    if pin.url is None:
        return pin.name, str(pin.specifier).removeprefix("==")
    _, version, _, _ = parse_wheel_filename(unquote(pin.url.rpartition("/")[2]))
    return pin.name, str(version)


def _format_moment(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _uv_environment() -> dict[str, str]:
    # A configuration of the user's project, or of the folder, must not change a resolution, nor
    # a package of another place a build.
    result = {name: value for name, value in os.environ.items() if name not in _UNWANTED_VARIABLES}
    result["UV_NO_CONFIG"] = "1"
    result["UV_PYTHON_DOWNLOADS"] = "never"
    if "PIP_INDEX_URL" in result and not result.keys() & {"UV_DEFAULT_INDEX", "UV_INDEX_URL"}:
        result["UV_DEFAULT_INDEX"] = result["PIP_INDEX_URL"]
    return result


def _run_uv(arguments: Sequence[str], stdin: str = "") -> str:
    try:
        completed = subprocess.run(
            [find_uv_bin(), *arguments, "--color", "never"],
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=TIMEOUT_S,
            check=False,
            env=_uv_environment(),
            pass_fds=inherited_descriptors(),
        )
    except subprocess.TimeoutExpired as error:
        raise ResolutionError(f"uv did not finish within {TIMEOUT_S:g} s") from error
    if completed.returncode == 0:
        return completed.stdout
    output = shorten_output(completed.stderr or completed.stdout)
    if any(sign in completed.stderr for sign in _UNREACHABLE):
        raise IndexUnreachableError(
            "the package index cannot be reached; check the network and run the command again, "
            f"what was measured is kept ({output.splitlines()[-1].strip() if output else 'uv'})"
        )
    if "No solution found" in completed.stderr:
        raise NoSolutionError(output)
    raise ResolutionError(output or f"uv exited with status {completed.returncode}")
