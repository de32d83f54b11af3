"""What the published document leaves out."""

from __future__ import annotations

import copy
import json

import jsonschema
import pytest

from fixwatch.report.abridgement import abridge_document
from scripts.write_schemas import render_schemas
from tests.fixwatch.sample_records import new_batch, new_controls, new_record
from tests.fixwatch.verdicts.test_series import document_of

WORKLOADS = ("local-array", "shared-array")
VERSIONS = ("0.21.0", "0.22.0", "0.23.0", "0.24.0", "0.26.0", "0.27.0")


@pytest.fixture(scope="module")
def document():
    """Return the document of a history in which two workloads are fixed in 0.26.0."""
    return document_of(
        *(
            new_record(
                version,
                *(new_batch(name, 0 if version >= "0.26" else 95) for name in WORKLOADS),
                *new_controls(),
                upstream="numba-cuda",
            )
            for version in VERSIONS
        )
    )


def names(entry):
    """Return the releases whose measurements an entry has."""
    return [item["revision"]["name"] for item in entry["measurements"]]


def test_the_workload_that_stands_for_its_defect_is_whole(document):
    """Its history is what most readers look at."""
    (entry,) = (e for e in abridge_document(document)["upstreams"] if e["workload"] == WORKLOADS[0])
    assert names(entry) == list(VERSIONS)
    assert entry["left_out"] == 0
    assert all("packages" not in item for item in entry["measurements"])
    assert {item["rate_high"] for item in entry["measurements"]} == {0.9836, 0.0362}


def test_of_the_others_what_their_states_rest_on_is_kept(document):
    """Both sides of each change, and the newest; what is left out is counted."""
    (entry,) = (e for e in abridge_document(document)["upstreams"] if e["workload"] == WORKLOADS[1])
    assert names(entry) == ["0.24.0", "0.26.0", "0.27.0"]
    assert entry["left_out"] == 3
    assert entry["unmeasured"] == []
    assert entry["fixed_in"]["name"] == "0.26.0"


def test_it_has_the_form_of_the_document(document):
    """Readers need one schema."""
    schema = json.loads(render_schemas()["fix-status.schema.json"])
    jsonschema.validate(abridge_document(document), schema)


def test_the_whole_document_stays_as_it_is(document):
    """It is written, too."""
    before = copy.deepcopy(document)
    abridge_document(document)
    assert document == before
