"""Write the JSON schemas in docs/ from the models of what is stored and printed."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from fixwatch.commands.check.comparison import Comparison
from fixwatch.commands.judge.document import JudgeDocument
from fixwatch.commands.mine.document import MineDocument
from fixwatch.commands.pinpoint.document import PinpointDocument
from fixwatch.records.evidence import Evidence
from fixwatch.report.document import FixStatus

DOCS = Path(__file__).resolve().parents[1] / "docs"
MODELS = {
    "check": Comparison,
    "evidence": Evidence,
    "fix-status": FixStatus,
    "judge": JudgeDocument,
    "mine": MineDocument,
    "pinpoint": PinpointDocument,
}


class _Schema(GenerateJsonSchema):
    """A schema with one line of description for each object, and titles for none of its fields."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 (of the base class)
        return False

    def dataclass_schema(self, schema: Any) -> dict[str, Any]:
        written = super().dataclass_schema(schema)
        written["description"] = (inspect.getdoc(schema["cls"]) or "").splitlines()[0]
        return written


def render_schemas() -> dict[str, str]:
    """Return the content of each schema by the name of its file."""
    files = {}
    for name, model in MODELS.items():
        schema = TypeAdapter(model).json_schema(mode="serialization", schema_generator=_Schema)
        content = {"$schema": _Schema.schema_dialect, **schema}
        files[f"{name}.schema.json"] = json.dumps(content, indent=2) + "\n"
    return files


def main() -> None:
    """Write them."""
    for name, text in render_schemas().items():
        (DOCS / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
