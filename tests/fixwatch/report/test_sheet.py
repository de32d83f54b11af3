"""The measurements of a defect along a history: what repeats is said once, and nothing is lost."""

from __future__ import annotations

from dataclasses import replace

from fixwatch.report.sheet import build_sheet, describe_install, describe_run
from tests.fixwatch.sample_records import new_batch, new_controls, new_exploration, new_record
from tests.fixwatch.verdicts.test_series import FIXED, document_of


def sheet_of(*records, taken=()):
    """Return the sheet of the records' one defect, workloads first."""
    entries = sorted(
        document_of(*records)["upstreams"], key=lambda entry: entry["role"] != "workload"
    )
    return build_sheet(entries, set(taken))


def test_a_revision_is_a_row_newest_first_with_a_cell_a_measurement():
    """Its counts, its verdict, and how its workloads failed; a control's failures are none."""
    sheet = sheet_of(*FIXED)
    assert [row.name for row in sheet.rows][:2] == ["0.26.0", "0.24.0"]
    assert len(sheet.rows) == len(FIXED)
    (row,) = [row for row in sheet.rows if row.name == "0.24.0"]
    assert [column.workload for column in sheet.workloads] == ["local-array"]
    assert sorted(column.workload for column in sheet.controls) == ["planted-race", "same-module"]
    assert [(cell.text, cell.verdict) for cell in row.cells[:1]] == [("88/100", "observed")]
    assert sorted(cell.text for cell in row.cells[1:]) == ["0/50", "45/50"]
    assert (row.modes, row.attributes) == ((("missing-attribute", 88),), (("local", 88),))


def test_packages_and_notes_are_said_once():
    """Rows refer to them by number."""
    again = [replace(record, packages={"numba": "0.61.0"}) for record in FIXED]
    sheet = sheet_of(*again)
    assert sheet.installs == ("pip install numba==0.61.0",)
    assert {row.install for row in sheet.rows} == {1}
    assert len(sheet.notes) == len(set(sheet.notes))
    for row in sheet.rows:
        assert all(1 <= note <= len(sheet.notes) for note in row.notes)


def test_a_revision_that_was_not_run_says_why_and_has_no_counts():
    """It is no zero, and nothing reproduces it."""
    missing = new_record("0.27.0", upstream="numba-cuda", not_run_reason="no wheel")
    (row,) = [row for row in sheet_of(*FIXED, missing).rows if row.name == "0.27.0"]
    assert (row.not_run, row.cells, row.install) == ("no wheel", (), 0)


def test_a_schedule_that_did_not_run_leaves_its_cell_empty():
    """A batch that one revision has and another lacks."""
    other = new_record(
        "0.27.0", new_batch(schedule="handoff"), *new_controls(), upstream="numba-cuda"
    )
    (row,) = [row for row in sheet_of(*FIXED, other).rows if row.name == "0.27.0"]
    assert [cell.text for cell in row.cells[:2]] == ["-", "0/100"]
    assert row.cells[0].verdict == "not-run"


def test_an_exploration_names_the_schedule_that_failed_or_how_much_was_run():
    """It has no rate."""
    shown = [
        sheet_of(new_record("0.57.0", batch, *new_controls())).rows[0].cells[0]
        for batch in (
            new_exploration(run=123, failing="0,0@79:1"),
            new_exploration(schedules=4832),
            new_exploration(schedules=11000, run=1202),
        )
    ]
    assert [(cell.text, cell.replay, cell.verdict) for cell in shown] == [
        ("fails: ", "0,0@79:1", "observed"),
        ("0 in all 4,832", "", "not-observed"),
        ("0 in 1,202 of 11,000", "", "inconclusive"),
    ]


def test_a_commit_has_one_anchor_on_a_page():
    """A second sheet of the page leaves it to the first."""
    first, *others = FIXED
    sheet = sheet_of(*FIXED, taken=[first.commit])
    assert {row.name for row in sheet.rows if row.has_anchor} == {
        record.name for record in others if record.commit != first.commit
    }


def test_the_years_lead_to_the_newest_row_of_each():
    """They are the anchors into a long table."""
    dates = (("0.57.0", "2023-05-01"), ("0.58.0", "2023-09-20"), ("0.59.0", "2024-01-31"))
    batches = (new_batch(failures=90), *new_controls())
    sheet = sheet_of(*(new_record(name, *batches, date=date) for name, date in dates))
    assert list(sheet.years) == ["2024", "2023"]
    for year, commit in sheet.years.items():
        own = [row.commit for row in sheet.rows if row.date.startswith(year)]
        assert commit == own[0]


def test_a_release_is_installed_from_the_index_and_a_commit_from_its_repository():
    """Words are quoted, whatever a package is called."""
    entry = {"workload": "local-array", "target": "simulator", "upstream": "numba-cuda"}
    item = {"packages": {"numba": "0.63.1", "numba-cuda": "0.24.0; rm -rf x"}}
    assert describe_install({**entry, "source": "releases"}, item) == (
        "pip install numba==0.63.1 'numba-cuda==0.24.0; rm -rf x'"
    )
    assert describe_install({**entry, "source": "commits"}, item) == (
        "pip install numba==0.63.1 'numba-cuda @ git+https://github.com/NVIDIA/numba-cuda@COMMIT'"
    )
    assert describe_run({**entry, "workload": "a; rm -rf x"}) == (
        "python -m mwe --workload 'a; rm -rf x' --target simulator"
    )
