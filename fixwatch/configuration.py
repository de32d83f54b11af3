"""asv's configuration files, with the keys that Fixwatch adds."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from asv import util
from asv.config import Config
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from fixwatch.errors import FixwatchError
from fixwatch.layout import CONFIGURATIONS
from fixwatch.records import fields
from fixwatch.records.fields import describe_violation
from mwe.errors import BadArgumentError
from mwe.targets import find_configured_target

# The rest is asv's.
_OPEN = ConfigDict(extra="ignore")
_Some = Annotated[list[fields.Text], Field(min_length=1)]


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """What Fixwatch needs of an asv configuration; its folders lie in that of the file."""

    path: Path
    source: str  # releases or commits
    project: str
    repository: str  # the address that is cloned
    branch: str
    results_dir: Path
    html_dir: Path
    target: str
    workloads: tuple[str, ...] | None = None  # None for all
    # All of it as asv reads it.
    asv: Any = field(repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class _Added:
    """What Fixwatch adds to a configuration."""

    __pydantic_config__ = _OPEN

    source: fields.Source
    workloads: list[fields.Name] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class _Matrix:
    """The environment variables of the benchmarks; each has one value."""

    __pydantic_config__ = _OPEN

    env_nobuild: dict[fields.Name, _Some] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Stated:
    """What Fixwatch reads of a configuration, or asv as it publishes."""

    __pydantic_config__ = _OPEN

    project: fields.Name
    repo: fields.Text
    branches: _Some
    results_dir: fields.Text
    html_dir: fields.Text
    matrix: _Matrix
    regressions_first_commits: dict[fields.Text, fields.Text | None]
    fixwatch: _Added


_STATED = TypeAdapter(_Stated)


# asv takes for granted what it reads, too.
_UNREADABLE = (util.UserError, OSError, ValueError, TypeError, AttributeError, RecursionError)


def load_configuration(path: Path) -> Configuration:
    """Read a configuration; one that is missing or not of Fixwatch is a `FixwatchError`."""
    if not path.is_file():
        raise FixwatchError(
            f"no configuration {str(path)!r}; choose one of {', '.join(CONFIGURATIONS)}"
        )
    try:
        conf = Config.load(str(path))
    except _UNREADABLE as error:
        raise FixwatchError(f"{path}: cannot be read as an asv configuration: {error}") from error
    return describe_configuration(path, conf)


def describe_configuration(path: Path, conf: Any) -> Configuration:
    """Return what Fixwatch needs of a configuration that asv has read from a path."""
    try:
        stated = _STATED.validate_python(vars(conf))
        variables = {name: values[0] for name, values in stated.matrix.env_nobuild.items()}
        target = find_configured_target(variables).value
    except (ValidationError, BadArgumentError) as error:
        raise FixwatchError(
            f"{path}: not a configuration of Fixwatch ({describe_violation(error)}); "
            f"choose one of {', '.join(CONFIGURATIONS)}"
        ) from error
    return Configuration(
        path=path,
        source=stated.fixwatch.source,
        project=stated.project,
        repository=stated.repo,
        branch=stated.branches[0],
        results_dir=path.parent / stated.results_dir,
        html_dir=path.parent / stated.html_dir,
        target=target,
        workloads=tuple(stated.fixwatch.workloads) or None,
        asv=conf,
    )
