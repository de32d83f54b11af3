"""Facts about upstreams as data: a TOML file beside the module that reads it, under its name."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class Table(BaseModel):
    """The base of such a file and of its rows: nothing may stand in them that is not declared."""

    model_config = ConfigDict(extra="forbid", frozen=True)


_Table = TypeVar("_Table", bound=Table)


def read_toml(path: Path) -> dict[str, Any]:
    """Return what a TOML file holds; raises `OSError` or `ValueError` if it cannot be read."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def load_table(module: str, model: type[_Table]) -> _Table:
    """Read the table of a module, which is named by its ``__file__``."""
    return model.model_validate(read_toml(Path(module).with_suffix(".toml")))
