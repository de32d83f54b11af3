"""Every table of the documents has an author: a script that writes it, or a commit that did."""

from __future__ import annotations

import importlib.util
import re
import shutil

import pytest

from scripts import (
    calibrate,
    calibrate_pinpoint,
    measure_engine,
    measure_ptx,
    sensitivity,
    tabulate_results,
)
from scripts.tables import MEASUREMENTS, TableWriter, make_parser, replace_table

README = tabulate_results.README
TABLE = re.compile(
    r"<!-- table: (?P<name>[^,]+), written by (?P<script>[\w.]+) -->\n"
    r"(?P<text>.*?)<!-- end: (?P=name) -->\n",
    re.DOTALL,
)
PUBLISHED = re.compile(
    r"<!-- published: (?P<name>[^,]+), (?P<commit>[0-9a-f]{7,40}|measured by hand) -->\n"
    r"(?P<text>.*?)<!-- end: (?P=name) -->\n",
    re.DOTALL,
)


def find_tables(path, script):
    """Return the text of each table that a script writes into a document, by name."""
    found = TABLE.finditer(path.read_text(encoding="utf-8"))
    return {match["name"]: match["text"] for match in found if match["script"] == script.__name__}


@pytest.fixture
def document(tmp_path):
    """Return a copy of the measurements that a script may write into."""
    return shutil.copy(MEASUREMENTS, tmp_path / MEASUREMENTS.name)


def test_every_table_of_the_measurements_says_where_it_comes_from():
    """No table stands outside the markers, and each script that one names exists."""
    text = MEASUREMENTS.read_text(encoding="utf-8")
    tables = list(TABLE.finditer(text))
    assert len({match["name"] for match in tables}) == len(tables) > 0
    assert all(importlib.util.find_spec(match["script"]) for match in tables)
    outside = PUBLISHED.sub("", TABLE.sub("", text))
    assert not re.search(r"^\|", outside, re.MULTILINE)


def test_a_published_table_says_when_it_was_measured():
    """A table that no script writes any more carries its date."""
    published = list(PUBLISHED.finditer(MEASUREMENTS.read_text(encoding="utf-8")))
    assert published
    undated = [match["name"] for match in published if not re.search(r"on \d{4}-", match["text"])]
    assert undated == []


def test_a_table_whose_place_is_missing_is_refused(document):
    """A script that finds no markers of its table names them, and leaves the document alone."""
    before = document.read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="0 places for the table.*table: no such"):
        replace_table(document, "no such", "scripts.calibrate", "text")
    assert document.read_text(encoding="utf-8") == before


def test_a_small_size_writes_into_no_document_unless_one_is_named(tmp_path, monkeypatch):
    """What --quick measures next to nothing of must not stand in docs/measurements.md."""
    monkeypatch.chdir(tmp_path)
    TableWriter("s", make_parser("").parse_args(["--quick"])).write("name", ["a"], [[1]])
    with pytest.raises(FileNotFoundError, match=str(MEASUREMENTS)):
        TableWriter("s", make_parser("").parse_args([])).write("name", ["a"], [[1]])


@pytest.mark.parametrize("script", [calibrate, calibrate_pinpoint, measure_engine, sensitivity])
def test_a_script_runs_at_a_small_size_and_writes_each_of_its_tables(script, document):
    """Each table that names the script is replaced, and says that it is of a small size."""
    check_writes_its_tables(script, document)


@pytest.mark.end_to_end
def test_the_ptx_script_installs_a_release_and_compiles_it(document):
    """One release with its parts of the toolkit compiles every kernel without a device.

    What that costs is timed apart.
    """
    assert measure_ptx.main(["--quick", "--cost", "--document", str(document)]) == 0
    table, cost = check_writes_its_tables(measure_ptx, document)
    assert "| numba 0.68.1 |" in cost
    (row,) = [line for line in table.splitlines() if line.startswith("| numba 0.68.1 | 12 |")]
    n_complete, n_kernels = re.search(r"\| (\d+) of (\d+) \|", row).groups()
    assert n_complete == n_kernels


def check_writes_its_tables(script, document):
    """Run a script at a small size and return its tables."""
    names = set(find_tables(document, script))
    assert script.main(["--quick", "--document", str(document)]) == 0
    tables = find_tables(document, script)
    assert set(tables) == names != set()
    assert all("a small size" in text and "\n|---|" in text for text in tables.values())
    return list(tables.values())


def test_the_verdicts_and_the_table_of_workloads_are_those_of_the_committed_results(
    tmp_path, document
):
    """What ``make tables`` would write stands in the README and in the measurements."""
    readme = shutil.copy(README, tmp_path / README.name)
    shield = shutil.copy(tabulate_results.SHIELD, tmp_path / "shield.md")
    arguments = ["--readme", str(readme), "--document", str(document), "--shield", str(shield)]
    assert tabulate_results.main(arguments) == 0
    places = ((README, readme), (MEASUREMENTS, document), (tabulate_results.SHIELD, shield))
    for committed, written in places:
        current = find_tables(written, tabulate_results)
        assert find_tables(committed, tabulate_results) == current != {}
