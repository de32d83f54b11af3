"""What result files of a shard may look like (JSON Schema 2020-12); nothing else gets in.

A shard has run upstream's code, so its files are whatever that code wanted. Every text has a limit,
every name a pattern, every object a closed list of fields.
"""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator

MAX_TEXT = 8000
MAX_TRIALS = 1_000_000

_NAME = {"type": "string", "pattern": r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,99}\Z"}
_HASH = {"type": "string", "pattern": r"^[0-9a-f]{40}\Z"}
_MOMENT = {
    "type": "string",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,15}(\+00:00|Z)\Z",
}
_TEXT = {"type": "string", "maxLength": MAX_TEXT}
_COUNT = {"type": "integer", "minimum": 0, "maximum": MAX_TRIALS}
_SECONDS = {"type": "number", "minimum": 0, "maximum": 1e7}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def _closed(properties: dict[str, Any], optional: frozenset[str] = frozenset()) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": sorted(properties.keys() - optional),
        "additionalProperties": False,
    }


_VALUES = {"type": "array", "maxItems": 10_000, "items": _or_null({"type": "number"})}
_PARAMETERS = {
    "type": "array",
    "maxItems": 3,
    "items": {"type": "array", "maxItems": 100, "items": {"type": "string", "maxLength": 100}},
}
_SHORT = {"type": "string", "maxLength": 100, "pattern": r"^[A-Za-z0-9 ._()@/+-]*\Z"}
RESULT = _closed(
    {
        "version": {"const": 2},
        "commit_hash": _HASH,
        "env_name": _NAME,
        "date": {"type": "integer", "minimum": 0, "maximum": 10**14},
        "params": {"type": "object", "propertyNames": _NAME, "additionalProperties": _SHORT},
        "python": {"type": "string", "pattern": r"^3\.[0-9]{1,2}\Z"},
        "requirements": {"type": "object", "maxProperties": 0},
        "env_vars": {"type": "object", "propertyNames": _NAME, "additionalProperties": _SHORT},
        "result_columns": {"type": "array", "maxItems": 20, "items": _NAME},
        "results": {
            "type": "object",
            "propertyNames": {"enum": [
                "track_failures", "track_trials", "track_early_return_failures",
            ]},
            "additionalProperties": {
                "type": "array",
                "minItems": 2,
                "maxItems": 5,
                "prefixItems": [
                    _or_null(_VALUES),
                    _PARAMETERS,
                    _or_null({"type": "string", "pattern": r"^[0-9a-f]{1,64}\Z"}),
                    _or_null({"type": "number"}),
                    _or_null({"type": "number"}),
                ],
                "items": False,
            },
        },
        "durations": {
            "type": "object",
            "maxProperties": 10,
            "propertyNames": {"type": "string", "pattern": r"^[A-Za-z0-9_<>. :/-]{1,100}\Z"},
            "additionalProperties": _SECONDS,
        },
    }
)  # fmt: skip
MACHINE = _closed(
    {
        "version": {"const": 1},
        "machine": _NAME,
        **dict.fromkeys(("arch", "cpu", "num_cpu", "os", "ram"), _SHORT),
    },
    frozenset({"arch", "cpu", "num_cpu", "os", "ram"}),
)

# What a check measured; what is recorded, and what follows, is not the check's to say.
CHECKED = {
    "type": "object",
    "properties": {
        "version": {"const": 1},
        "checked": {
            "type": "array",
            "maxItems": 20,
            "items": _closed(
                {
                    "upstream": {"enum": ["numba", "numba-cuda"]},
                    "kind": {
                        "enum": [
                            "newest commit",
                            "newest release",
                            "positive control",
                            "negative control",
                        ]
                    },
                    "name": _NAME,
                    "commit": _HASH,
                    "date": _MOMENT,
                    "verdict": {"enum": ["observed", "not-observed", "inconclusive", "not-run"]},
                    "n_failures": _COUNT,
                    "n_trials": _COUNT,
                    "reason": _or_null(_TEXT),
                }
            ),
        },
    },
    "required": ["version", "checked"],
}

VALIDATORS = {
    "check": Draft202012Validator(CHECKED),
    "result": Draft202012Validator(RESULT),
    "machine": Draft202012Validator(MACHINE),
}


def find_violation(kind: str, data: Any) -> str | None:
    """Return in one line where data breaks its schema first, None where it does not."""
    error = min(
        VALIDATORS[kind].iter_errors(data), key=lambda each: list(map(str, each.path)), default=None
    )
    if error is None:
        return None
    place = "/".join(map(str, error.absolute_path)) or "the whole"
    return f"{place}: {error.message}"[:300]
