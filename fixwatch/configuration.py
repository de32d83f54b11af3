"""asv's configuration files, with the keys that Fixwatch adds."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asv import util
from asv.config import Config

from fixwatch.errors import FixwatchError
from fixwatch.layout import CONFIGURATIONS
from mwe.targets import find_configured_target


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


def load_configuration(path: Path) -> Configuration:
    """Read a configuration; one that is missing or not of Fixwatch is a `FixwatchError`."""
    if not path.is_file():
        raise FixwatchError(
            f"no configuration {str(path)!r}; choose one of {', '.join(CONFIGURATIONS)}"
        )
    try:
        conf = Config.load(str(path))
    except (util.UserError, OSError, ValueError) as error:
        raise FixwatchError(f"{path}: cannot be read as an asv configuration: {error}") from error
    return describe_configuration(path, conf)


def describe_configuration(path: Path, conf: Any) -> Configuration:
    """Return what Fixwatch needs of a configuration that asv has read from a path."""
    try:
        source = str(conf.fixwatch["source"])
    except (AttributeError, KeyError, TypeError) as error:
        raise FixwatchError(
            f"{path}: has no {{'fixwatch': {{'source': ...}}}}; "
            f"choose one of {', '.join(CONFIGURATIONS)}"
        ) from error
    return Configuration(
        path=path,
        source=source,
        project=str(conf.project),
        repository=str(conf.repo),
        branch=str(conf.branches[0]),
        results_dir=path.parent / conf.results_dir,
        html_dir=path.parent / conf.html_dir,
        target=find_configured_target(_list_variables(conf)).value,
        workloads=tuple(map(str, chosen)) if (chosen := conf.fixwatch.get("workloads")) else None,
        asv=conf,
    )


def _list_variables(conf: Any) -> dict[str, str]:
    """Return the environment variables of the benchmarks; each has one value."""
    variables = (conf.matrix or {}).get("env_nobuild", {})
    return {name: values[0] for name, values in variables.items() if values}
