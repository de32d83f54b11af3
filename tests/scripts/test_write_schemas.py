"""The schemas in docs/ are what the models say."""

from __future__ import annotations

import json

import jsonschema
import pytest

from scripts.write_schemas import DOCS, MODELS, render_schemas


def test_the_schemas_in_docs_are_current():
    """Whoever changes a model writes its schema again: python -m scripts.write_schemas."""
    for name, text in render_schemas().items():
        assert (DOCS / name).read_text(encoding="utf-8") == text, name
    assert {path.name for path in DOCS.glob("*.schema.json")} == render_schemas().keys()


@pytest.mark.parametrize("name", MODELS)
def test_each_schema_is_one_and_closed(name):
    """A reader's validator takes it, and an unknown field does not pass."""
    schema = json.loads(render_schemas()[f"{name}.schema.json"])
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["additionalProperties"] is False
    assert "version" in schema["required"]


def test_a_committed_record_fits_the_schema_of_evidence():
    """The file as it lies on disk, not only what the program makes of it."""
    schema = json.loads((DOCS / "evidence.schema.json").read_text(encoding="utf-8"))
    path = next((DOCS.parent / "results").glob("*/*/*.evidence"))
    jsonschema.validate(json.loads(path.read_text(encoding="utf-8")), schema)
