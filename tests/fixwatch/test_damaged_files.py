"""A file that is damaged in any place is named in one line, or what it says can be gone on with."""

from __future__ import annotations

import json
import re
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from asv import util
from asv.benchmarks import Benchmarks
from asv.commands.publish import check_benchmark_params
from asv.results import Results
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixwatch.__main__ import main
from fixwatch.asv_adapter.results import load_json, load_or_set_aside, pick_results
from fixwatch.commands.check import planning
from fixwatch.commands.check import run as run_of_check
from fixwatch.configuration import load_configuration
from fixwatch.errors import FixwatchError
from fixwatch.history.last_look import LOOK_NAME, PROBLEM_NAME, save_look
from fixwatch.history.listing import LISTING_NAME
from fixwatch.history.release_table import (
    TABLE_PATH,
    load_release_table,
    save_release_table,
    select_dashboard_releases,
)
from fixwatch.layout import COMMITS_CONFIGURATION, NUMBA_CUDA_CONFIGURATION
from fixwatch.records.plans import PlannedRelease, dump_plan, load_plan
from tests.fixwatch.asv_adapter.published_project import (
    FIXED,
    PublishedProject,
    released,
)
from tests.fixwatch.damage import damaged
from tests.fixwatch.history.test_last_look import PROBLEM, change
from tests.fixwatch.records.test_plans import PLAN
from tests.project import ROOT

SETTINGS = settings(
    max_examples=50,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
HISTORY = "results/numba-cuda"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Return a project with a history, in which this process is."""
    project = PublishedProject(tmp_path_factory.mktemp("damaged"))
    project.add_history("numba-cuda", (100, 0))
    save_look((change(),), project.path / "results")
    (project.path / "results" / PROBLEM_NAME).write_text(json.dumps(PROBLEM))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.path)
        yield project


def run(*arguments):
    """Run a command in this process; return its status, and what it printed, errors by line."""
    printed, errors = StringIO(), StringIO()
    with redirect_stdout(printed), redirect_stderr(errors):
        status = main(arguments)
    return status, printed.getvalue(), errors.getvalue().splitlines()


def draw_damage(data, path, **options):
    """Return the content of a file, damaged."""
    text = path.read_text()
    document = list(map(json.loads, text.splitlines())) if options else json.loads(text)
    return data.draw(damaged(document, **options))


@pytest.mark.parametrize("pattern", ["m/*.evidence", LISTING_NAME, LOOK_NAME, PROBLEM_NAME])
@settings(SETTINGS, max_examples=20)
@given(data=st.data())
def test_status_answers_or_names_the_file(project, pattern, data):
    """Of a record the others are answered; what orders them all is needed."""
    folder = Path(HISTORY) if pattern not in (LOOK_NAME, PROBLEM_NAME) else Path("results")
    path = sorted(folder.glob(pattern))[0]
    whole = path.read_bytes()
    options = {"is_in_lines": True} if pattern == LISTING_NAME else {}
    try:
        path.write_bytes(draw_damage(data, path, **options))
        status, printed, lines = run("status", "--json", "--config", NUMBA_CUDA_CONFIGURATION)
    finally:
        for damaged_copy in folder.rglob("*.damaged-*"):
            damaged_copy.unlink()
        path.write_bytes(whole)
    # An unforeseen error would be 3.
    assert (status, len(lines)) in {(0, 0), (0, 1), (2, 1)}, lines
    assert all(path.name in line for line in lines)
    if status == 0:
        assert json.loads(printed)["upstreams"]


@pytest.mark.parametrize(
    ("arguments", "status"),
    [(["status"], 0), (["publish"], 0), (["merge", "shard"], 0), (["check"], 3)],
)
def test_a_record_of_a_newer_program_is_named_once(project, monkeypatch, arguments, status):
    """However often a command reads the results. This check asks for nothing."""
    monkeypatch.setattr(run_of_check, "plan_look", lambda *_, **__: replace(PLAN, asked=()))
    path = Path(HISTORY, "m", "00000000-e.evidence")
    path.write_text('{"version": 99}')
    Path("shard").mkdir(exist_ok=True)
    try:
        found, _, lines = run(*arguments)
    finally:
        path.unlink()
    assert found == status, lines
    (line,) = [line for line in lines if path.name in line]
    assert line.endswith("format version 99, this program reads up to 3; update Fixwatch")


def read_table(path):
    """Read a table of releases, and do with it what the commands do."""
    releases = load_release_table(path)
    save_release_table(releases, path)
    return [release.resolved_as_of for release in select_dashboard_releases(releases)]


def read_plan(path):
    """Read a plan, and take the releases that it names into a table."""
    plan = load_plan(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planning, "save_release_table", lambda rows: save_release_table(rows, path))
        planning.take_planned_releases(plan)
    return plan


def read_machine(path):
    """Read a description of a machine as asv does."""
    json.dumps(load_json(str(path)), allow_nan=False)


def read_benchmarks(path):
    """Read the list of benchmarks as asv does, and check it as its publishing does."""
    found = load_json(str(path), api_version=Benchmarks.api_version)
    benchmarks = Benchmarks(SimpleNamespace(benchmark_dir=""), found.values())
    for name in benchmarks:
        check_benchmark_params(name, benchmarks[name])
    return benchmarks


def read_result(path):
    """Read a result as asv does, and compute with its numbers as its publishing does."""
    result = load_or_set_aside(Results, str(path), machine_name="m")
    benchmarks = read_benchmarks(path.parents[1] / "benchmarks.json")
    for name in result.get_result_keys(benchmarks):
        axes = result.get_result_params(name)
        util.mean_na(pick_results(result._results[name], axes, benchmarks[name]["params"]))
    json.dumps([result.params, result.env_vars, result.date], allow_nan=False)


READERS = {
    "releases.json": read_table,
    "plan.json": read_plan,
    "machine.json": read_machine,
    "benchmarks.json": read_benchmarks,
    "result": read_result,
    COMMITS_CONFIGURATION: load_configuration,
}


@pytest.fixture(scope="module")
def files(project):
    """Return a file that is whole for each of the readers."""
    row = PlannedRelease(
        upstream="numba",
        version="99.0",
        uploaded_at="2026-01-01T00:00:00+00:00",
        wheel_tags=("py3-none-any",),
    )
    Path("plan.json").write_text(dump_plan(replace(PLAN, releases=(row,))))
    table = json.loads(TABLE_PATH.read_text())
    Path("releases.json").write_text(json.dumps({**table, "releases": table["releases"][:9]}))
    text = re.sub(r"^ *//.*$", "", Path(COMMITS_CONFIGURATION).read_text(), flags=re.MULTILINE)
    Path(COMMITS_CONFIGURATION).write_text(text)
    return {
        **{name: Path(name) for name in READERS},
        "machine.json": Path(HISTORY, "m", "machine.json"),
        "benchmarks.json": Path(HISTORY, "benchmarks.json"),
        "result": sorted(Path(HISTORY, "m").glob("*-*.json"))[0],
    }


@pytest.mark.parametrize("name", READERS)
@SETTINGS
@given(data=st.data())
def test_a_reader_takes_a_file_or_names_it(files, name, data):
    """What it takes, nothing behind it stumbles over."""
    path = files[name]
    whole = path.read_bytes()
    try:
        path.write_bytes(draw_damage(data, path))
        READERS[name](path)
        message = path.name
    except (FixwatchError, util.UserError) as error:
        message = str(error)
    finally:
        for damaged_copy in path.parent.glob("*.damaged-*"):
            damaged_copy.unlink()
        path.write_bytes(whole)
    assert path.name in message
    assert "\n" not in message


def take_twice(table):
    """Let a table name its first release again."""
    table["releases"].append(table["releases"][0])


def name_no_version(table):
    """Give a release what has a version's characters and is none."""
    table["releases"][0]["version"] = "1.0-x-y"


def date_no_day(plan):
    """Give a revision a day that no calendar has."""
    plan["asked"][0]["date"] = "2026-02-30T00:00:00+00:00"


def drop_a_name(benchmarks):
    """Name one parameter less than there are."""
    benchmarks["track_failures"]["param_names"].pop()


def exchange_a_benchmark(benchmarks):
    """Put the version of the file where a benchmark is, and the benchmark in its place."""
    benchmarks["version"], benchmarks["track_trials"] = (
        benchmarks["track_trials"],
        benchmarks["version"],
    )


def drop_a_value(result):
    """Leave out one of the combinations."""
    result["results"]["track_failures"][0].pop()


@pytest.mark.parametrize(
    ("name", "damage", "said"),
    [
        ("releases.json", take_twice, "is there 2 times"),
        ("releases.json", name_no_version, "releases/0/version"),
        ("plan.json", date_no_day, "asked/0/date"),
        ("benchmarks.json", drop_a_name, "track_failures"),
        ("benchmarks.json", exchange_a_benchmark, "is what another name stands for"),
        ("result", drop_a_value, "values for"),
    ],
)
def test_what_only_looks_right_is_named(files, capsys, name, damage, said):
    """Each value has the form that is asked for, and the document makes no sense."""
    path = files[name]
    whole = path.read_bytes()
    document = json.loads(whole)
    damage(document)
    path.write_text(json.dumps(document))
    try:
        with pytest.raises((FixwatchError, util.UserError)) as caught:
            READERS[name](path)
    finally:
        for damaged_copy in path.parent.glob("*.damaged-*"):
            damaged_copy.unlink()
        path.write_bytes(whole)
    assert path.name in str(caught.value)
    assert said in str(caught.value) + capsys.readouterr().err


@pytest.mark.parametrize("name", READERS)
def test_a_reader_takes_what_is_whole(files, name):
    """It does not refuse everything."""
    whole = files[name].read_bytes()
    READERS[name](files[name])
    files[name].write_bytes(whole)


def test_what_is_committed_is_whole():
    """All that lies in the results of this checkout."""
    for path in (ROOT / "results").glob("*/**/*.json"):
        if path.name in ("machine.json", "benchmarks.json"):
            load_json(str(path))
        else:
            load_or_set_aside(Results, str(path))


DAMAGED_RESULTS = (
    "",
    "NaN",
    "[" * 100_000,
    json.dumps("text"),
    {"version": 1},
    {"commit_hash": "f" * 40},
    {"params": {"python": "3.11"}},
    {"env_vars": {"A": float("inf")}},
    {"results": {"track_failures": [[1, [2]], [["'local-array'"], ["'delay'", "'handoff'"]]]}},
    {"results": {"track_failures": [[1], [["'local-array'"], [["'delay'"]]]]}},
)


def test_publishing_names_each_damaged_file_once_and_shows_the_rest(tmp_path):
    """A result is set aside; a history without its list of benchmarks has the answer alone."""
    project = PublishedProject(tmp_path)
    project.add_history("numba-cuda", (*(100 for _ in DAMAGED_RESULTS), *FIXED))
    project.add("releases", released("0.24.0", 90, "numba-cuda"))
    paths = sorted((tmp_path / HISTORY / "m").glob("*-*.json"))[: len(DAMAGED_RESULTS)]
    for path, content in zip(paths, DAMAGED_RESULTS, strict=True):
        if isinstance(content, dict):
            content = json.dumps({**json.loads(path.read_text()), **content})
        path.write_text(content)
    (tmp_path / "results" / "releases" / "benchmarks.json").unlink()
    done = project.run("fixwatch", "publish")
    printed = done.stdout + done.stderr
    assert done.returncode == 0, printed
    for path in paths:
        assert printed.count(path.name) == 2, printed  # and the name that it has now
        assert path.with_name(f"{path.name}.damaged-1").exists()
    assert printed.count("results/releases/benchmarks.json: cannot be read") == 1
    assert not (project.html / "releases").exists()
    answered = project.load("fix-status.json")["upstreams"]
    assert {entry["source"] for entry in answered} == {"commits", "releases"}
    graphs = project.html / "numba-cuda" / "graphs"
    (graph,) = (path for path in graphs.rglob("track_failures.json") if "summary" not in path.parts)
    assert len(json.loads(graph.read_text())) == len(FIXED)
