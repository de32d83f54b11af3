"""The kinds of values in stored documents, each with its limits.

A shard has run upstream's code, so its files are whatever that code wanted: every text has a
limit, every name a pattern. `pydantic` checks them when a document is read; ``^`` and ``$`` are
the ends of the whole text.
"""

from __future__ import annotations

from typing import Annotated, Any

from packaging.version import Version
from pydantic import AfterValidator, ConfigDict, Field, ValidationError

from fixwatch.records.install_record import STAGES
from fixwatch.upstream_texts import make_printable, parse_moment

MAX_TEXT = 8000
MAX_TRIALS = 1_000_000
MAX_BATCHES = 500
# What is not declared is refused, and nothing is converted: no "1" for a 1, no 1 for a true.
CLOSED = ConfigDict(
    extra="forbid",
    strict=True,
    allow_inf_nan=False,
    json_schema_serialization_defaults_required=True,
    use_attribute_docstrings=True,
)


class Closed:
    """The base of documents that have no other fields than the declared ones."""

    __pydantic_config__ = CLOSED


def one_of(*names: str) -> Any:
    """Return what limits a text to a few names."""

    def enumerate_names(schema: dict[str, Any]) -> None:
        del schema["pattern"]
        schema["enum"] = list(names)

    return Field(pattern=f"^({'|'.join(names)})$", json_schema_extra=enumerate_names)


def _check_moment(text: str) -> str:
    """Refuse what looks like a moment and is none: a 30th of February, say."""
    parse_moment(text)
    return text


def _check_version(text: str) -> str:
    """Refuse what looks like a version and is none (PEP 440)."""
    Version(text)
    return text


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,99}$")]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]
Moment = Annotated[
    str,
    Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,15}(\+00:00|Z)$"),
    AfterValidator(_check_moment),
]
PackageVersion = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.!+_-]{0,79}$")]
ReleaseVersion = Annotated[PackageVersion, AfterValidator(_check_version)]
WheelTag = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.]+-[A-Za-z0-9_.]+-[A-Za-z0-9_.]+$")]
Text = Annotated[str, Field(max_length=MAX_TEXT)]
Line = Annotated[str, Field(max_length=200)]
Count = Annotated[int, Field(ge=0, le=MAX_TRIALS)]
Seconds = Annotated[float, Field(ge=0, le=1e7)]
Seed = Annotated[int, Field(ge=0, le=2**64)]
Packages = Annotated[dict[Name, PackageVersion], Field(max_length=100)]

Upstream = Annotated[str, one_of("numba", "numba-cuda")]
Source = Annotated[str, one_of("releases", "commits")]
Target = Annotated[str, one_of("simulator", "cuda", "compiler")]
Role = Annotated[str, one_of("workload", "positive-control", "negative-control")]
Schedule = Annotated[str, one_of("natural", "delay", "handoff", "explore", "launch-mix")]
# Of a schedule of `explore`; it goes into a command line that a person copies.
ScheduleText = Annotated[
    str,
    Field(pattern=r"^[0-9]{1,4}(,[0-9]{1,4}@[0-9]{1,9}:[0-9]{1,4})*$", max_length=200),
]
Stage = Annotated[str, one_of(*STAGES)]
Extensions = Annotated[str, one_of("none", "compiled", "reused")]
FailureMode = Annotated[
    str,
    one_of("missing-attribute", "leaked-global", "wrong-result", "exception", "hang", "crash"),
]
CheckedKind = Annotated[
    str,
    one_of("newest commit", "newest release", "positive control", "negative control"),
]
Kernel = Annotated[str, one_of("fresh", "reused")]
PythonVersion = Annotated[str, Field(pattern=r"^3\.[0-9]{1,2}$")]
Interpreter = Annotated[str, Field(pattern=r"^[A-Za-z]{1,20} [0-9][0-9a-z.+]{0,19}$")]
MeasurementVersion = Annotated[str, Field(pattern=r"^[0-9]{1,4}$")]


# Of documents that are only written.
Number = Annotated[int, Field(ge=0)]
PositiveNumber = Annotated[int, Field(ge=1)]
Probability = Annotated[float, Field(ge=0, le=1)]
IsoMoment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
TreeHash = Annotated[str, Field(pattern=r"^[0-9a-f]{40}([0-9a-f]{24})?$")]


def describe_violation(error: Exception) -> str:
    """Return in one line where a document breaks its model first, and how many times it does.

    Of a document that cannot even be read it is the error itself.
    """
    if not isinstance(error, ValidationError):
        return repr(error)
    first, *others = error.errors(include_url=False, include_context=False, include_input=False)
    place = "/".join(map(str, first["loc"])) or "the whole"
    more = f" (and {len(others)} more)" if others else ""
    return make_printable(f"{place}: {first['msg']}")[:300] + more
