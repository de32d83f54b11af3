"""The published site, written by real asv from results alone."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from fixwatch.__main__ import main
from fixwatch.asv_adapter import site_assets
from fixwatch.asv_adapter.publisher import load_results
from fixwatch.configuration import load_configuration
from fixwatch.layout import (
    CUDA_CONFIGURATION,
    NUMBA_CUDA_CONFIGURATION,
    RELEASES_CONFIGURATION,
)
from fixwatch.records.evidence import SHIELD, save_evidence
from tests.fixwatch.asv_adapter.published_project import (
    AFFECTED,
    FIXED,
    PublishedProject,
    released,
)
from tests.fixwatch.sample_records import hash_of, new_batch, new_record
from tests.project import ROOT

SITES = ("numba-cuda", "releases/numba", "releases/numba-cuda")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Return a project with a history and the releases of both upstreams, published."""
    project = PublishedProject(tmp_path_factory.mktemp("published"))
    project.add_history("numba-cuda", (*AFFECTED, *FIXED))
    project.add(
        "releases",
        *(released(version, 90, "numba") for version in ("0.57.0", "0.58.0")),
        *(released(version, 90, "numba-cuda") for version in ("0.23.0", "0.24.0")),
        *(released(version, 0, "numba-cuda") for version in ("0.26.0", "0.27.0")),
    )
    (project.html / "left-over").mkdir(parents=True)
    done = project.run("fixwatch", "publish")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "published; open html/index.html" in done.stderr
    return project


def test_a_file_that_cannot_be_copied_is_one_line_and_the_site_stays(
    project, tmp_path, monkeypatch, capsys
):
    """As on a disk that is full: what cannot be written is named, and nothing is left of it."""
    (tmp_path / "library.js").symlink_to(tmp_path / "missing")
    monkeypatch.setattr(site_assets, "LIBRARIES", tmp_path)
    monkeypatch.chdir(project.path)
    before = sorted(project.html.rglob("*"))
    assert main(["publish"]) == 3
    last = capsys.readouterr().err.splitlines()[-1]
    assert re.match(r"fixwatch: .*/assets/library\.js: .*No such file", last)
    assert last.endswith("mend that and run the command again")
    assert sorted(project.html.rglob("*")) == before


def test_the_answer_is_at_the_root_and_asvs_sites_below(project):
    """What an earlier publishing left is gone."""
    assert "numba-cuda" in (project.html / "index.html").read_text()
    assert (project.html / "fix-status.json").exists()
    found = {
        path.parent.relative_to(project.html).as_posix() for path in project.html.rglob("info.json")
    }
    assert found == set(SITES)
    assert not (project.html / "left-over").exists()
    assert not list(project.html.glob(".publishing*"))


@pytest.mark.parametrize("site", SITES)
def test_a_site_has_one_upstream(project, site):
    """Its graphs have the revisions of that upstream and no others."""
    index = project.load(f"{site}/index.json")
    names = {
        "numba-cuda": [hash_of("numba-cuda", index) for index in range(5)],
        "releases/numba": ["0.57.0", "0.58.0"],
        "releases/numba-cuda": ["0.23.0", "0.24.0", "0.26.0", "0.27.0"],
    }
    assert list(index["revision_to_hash"].values()) == names[site]
    assert len(index["graph_param_list"]) == 1


@pytest.mark.parametrize("site", SITES)
def test_every_row_of_asvs_list_has_a_value(project, site):
    """Only what was planned has one."""
    (path,) = (project.html / site).glob("graphs/**/summary.json")
    rows = project.load(path)
    assert len(rows) == 3 * (4 if site == "numba-cuda" else 3)
    assert all(row["last_value"] is not None for row in rows)


@pytest.mark.parametrize("site", SITES)
def test_nothing_is_loaded_from_elsewhere_and_every_script_is_there(project, site):
    """All scripts and styles are the one copy, but for asv's own data."""
    folder = project.html / site
    text = (folder / "index.html").read_text()
    loaded = re.findall(r'<(?:script|link|img)[^>]*? (?:src|href)="([^"]+)"', text)
    assert len(loaded) > 15
    for address in loaded:
        assert (folder / address).is_file(), address
    assert not list(folder.glob("*.js"))
    assert "integrity" not in text


@pytest.mark.parametrize("site", SITES)
def test_the_navigation_leads_back_to_the_answer(project, site):
    """It is the first thing in the bar."""
    folder = project.html / site
    (address,) = re.findall(
        r'<a href="([^"]+)">Fix status</a>', (folder / "index.html").read_text()
    )
    assert (folder / address).resolve() == (project.html / "index.html").resolve()


@pytest.mark.parametrize("site", SITES)
def test_the_first_benchmark_and_its_summary_are_the_failures_of_the_default_workload(
    project, site
):
    """The same as the first tile."""
    assert next(iter(project.load(f"{site}/index.json")["benchmarks"])) == "track_failures"
    tile = project.load(f"{site}/tiles.json")["groups"][0]["tiles"][0]
    assert tile["title"] == "track_failures: local-array"
    assert project.load(f"{site}/graphs/summary/track_failures.json") == tile["points"]


def test_a_release_is_called_by_its_version_and_leads_to_the_index(project):
    """Its hash exists nowhere else."""
    index = project.load("releases/numba/index.json")
    name = index["revision_to_hash"]["0"][: index["hash_length"]]
    assert index["show_commit_url"] + name == "https://pypi.org/project/numba/0.57.0"


def test_one_configuration_published_by_asv_leaves_the_other_sites(project):
    """The answer is written anew, and nothing is cloned or fetched."""
    before = (project.html / "fix-status.json").stat().st_mtime_ns
    other = (project.html / "numba-cuda" / "info.json").stat().st_mtime_ns
    done = project.asv(RELEASES_CONFIGURATION, "publish")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (project.html / "fix-status.json").stat().st_mtime_ns > before
    assert (project.html / "numba-cuda" / "info.json").stat().st_mtime_ns == other
    assert not (project.path / ".fixwatch").exists()


def test_asv_publishes_a_range_of_one_upstream_to_another_folder(project, tmp_path):
    """Both ends are in it; the site of the upstream that has no such release is not written."""
    elsewhere = tmp_path / "html"
    arguments = ["publish", "v0.24..0.26.0", "--html-dir", str(elsewhere)]
    done = project.asv(RELEASES_CONFIGURATION, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no revision 'v0.24' of numba was measured" in done.stdout
    index = project.load(elsewhere / "releases" / "numba-cuda" / "index.json")
    (points,) = (project.load(path) for path in elsewhere.glob("**/branch*/**/track_failures.json"))
    assert [index["revision_to_hash"][str(place)] for place, _ in points] == ["0.24.0", "0.26.0"]
    ((tile,),) = [
        group["tiles"]
        for group in project.load(elsewhere / "releases" / "numba-cuda" / "tiles.json")["groups"]
    ]
    assert len(tile["points"]) == 2
    assert not (elsewhere / "releases" / "numba").exists()
    assert (elsewhere / "assets" / "asv.js").exists()


def test_a_range_that_no_upstream_has_is_one_line(project):
    """It names the revision, and nothing is published."""
    done = project.asv(RELEASES_CONFIGURATION, "publish", "v0.99..main")
    assert done.returncode == 1
    assert "no revision 'v0.99' of numba" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_without_results_one_line_says_so(project, tmp_path):
    """Both commands end with an error, and nothing is written."""
    done = project.asv(CUDA_CONFIGURATION, "publish")
    assert done.returncode == 1
    assert "nothing is measured in results/cuda" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    empty = PublishedProject(tmp_path)
    done = empty.run("fixwatch", "publish")
    assert (done.returncode, empty.html.exists()) == (3, False)
    assert "nothing is measured" in done.stderr


def test_a_configuration_of_its_own_has_its_own_answer(tmp_path):
    """What it measured enters no history of the others."""
    project = PublishedProject(tmp_path)
    project.add("releases", *(released(name, 90, "numba") for name in ("0.57.0", "0.58.0")))
    project.add("mended", *(released(name, 0, "numba") for name in ("0.57.0", "0.58.0")))
    text = (tmp_path / RELEASES_CONFIGURATION).read_text()
    text = text.replace("results/releases", "results/mended").replace('"html"', '"html/mended"')
    (tmp_path / "asv.mended.conf.json").write_text(text)
    done = project.run("fixwatch", "publish")
    assert done.returncode == 0, done.stdout + done.stderr
    done = project.asv("asv.mended.conf.json", "publish")
    assert done.returncode == 0, done.stdout + done.stderr
    states = {
        name: project.load(f"{name}fix-status.json")["upstreams"][0]["state"]
        for name in ("", "mended/")
    }
    assert states[""] == "affected"
    assert states["mended/"] != "affected"
    assert (project.html / "mended" / "mended" / "numba" / "index.html").exists()


def test_a_machine_without_a_device_adds_no_site(tmp_path):
    """asv has no results of what never ran; the answer says why."""
    project = PublishedProject(tmp_path)
    batch = replace(new_batch("local-array"), printed=None, stage="device", reason="no driver")
    record = new_record("0.57.0", batch, target="cuda")
    project.add("cuda", record)
    for path in (tmp_path / "results").rglob(f"{record.commit[:8]}-*.json"):
        path.unlink()
    done = project.run("fixwatch", "publish")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (project.html / "cuda").exists()
    assert "cuda/numba" not in (project.html / "index.html").read_text()
    assert "no driver" in (project.html / "fix-status.json").read_text()


def test_a_commit_that_is_not_listed_is_named_and_published(tmp_path):
    """It stands where its date is."""
    project = PublishedProject(tmp_path)
    *_, newest = project.add_history("numba-cuda", (*AFFECTED, *FIXED), unlisted=1)
    done = project.asv(NUMBA_CUDA_CONFIGURATION, "publish")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("1 measured commits of numba-cuda are not in its list") == 1
    hashes = project.load("numba-cuda/index.json")["revision_to_hash"]
    assert list(hashes.values())[-1] == newest.commit


def test_results_without_evidence_are_named_and_left_out(tmp_path):
    """Nothing says which upstream they are of."""
    project = PublishedProject(tmp_path)
    records = project.add_history("numba-cuda", (*AFFECTED, *FIXED))
    (evidence,) = (tmp_path / "results").rglob(f"{records[0].commit[:8]}-*.evidence")
    evidence.unlink()
    done = project.run("fixwatch", "publish")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"left out 1 revisions without evidence: {records[0].commit[:8]}" in done.stderr
    assert len(project.load("numba-cuda/index.json")["revision_to_hash"]) == len(records) - 1


def test_what_was_measured_with_the_shield_speaks_for_no_release(tmp_path, monkeypatch):
    """Wherever its record lies."""
    shutil.copy(ROOT / RELEASES_CONFIGURATION, tmp_path)
    monkeypatch.chdir(tmp_path)
    shielded = released("0.57.0", 0, "numba")
    shielded = replace(shielded, packages={**shielded.packages, SHIELD: "1"})
    folder = tmp_path / "results" / "releases" / "m"
    for record in (shielded, released("0.58.0", 90, "numba")):
        save_evidence(record, folder / f"{record.name}.evidence")
    results = load_results([load_configuration(Path(RELEASES_CONFIGURATION))], print)
    assert {revision.record.name for series in results.series for revision in series.revisions} == {
        "0.58.0"
    }
    assert [record.name for record in results.shielded] == ["0.57.0"]
