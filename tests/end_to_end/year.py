"""The upstreams, the index and the repository of the simulated year, and what happens in it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from fixwatch.machine import describe_python
from fixwatch.records.evidence import Evidence, iter_evidence, save_evidence
from mwe.planned.plan import MEASUREMENT_VERSION
from tests.end_to_end.hosting import Hosting, Index, Job, git
from tests.end_to_end.measuring import FEW_BATCHES
from tests.fixwatch.sample_records import new_batch, new_controls, new_record
from tests.project import ROOT, copy_project
from tests.subjects.small_numba import BROKEN_SETUP, PLAIN, RACY_SWAP, SETUP, SOUND_SWAP

RUNNER = "github-linux-x86_64"
SWAP = "numba/cuda/swap.py"
NOTE = "numba/cuda/note.txt"


@dataclass
class Monday:
    """What is there after a look."""

    jobs: dict[str, Job]
    status: subprocess.Popen  # writes the document
    document_path: Path
    issues: list
    records: dict[str, Evidence]  # by the name of the commit, or the version

    @cached_property
    def document(self):
        """Return what the page is made of."""
        assert self.status.wait() == 0
        return json.loads(self.document_path.read_text())

    @property
    def log(self):
        """Return what the steps printed."""
        return "".join(job.log for job in self.jobs.values())

    @property
    def state(self):
        """Return what the page says of the race on numba."""
        (entry,) = [
            entry
            for entry in self.document["defects"]
            if (entry["upstream"], entry["defect"]) == ("numba", "cuda-swap")
        ]
        return entry["state"]

    @property
    def newest(self):
        """Return what the history of commits says: its state, and the last change's commit."""
        (entry,) = [
            entry
            for entry in self.document["upstreams"]
            if (entry["upstream"], entry["source"], entry["workload"])
            == ("numba", "commits", "local-array")
        ]
        return entry["state"], entry["since"] and entry["since"]["commit"]


class World:
    """Upstreams, an index, and the repository with its workflows."""

    def __init__(self, folder):
        self.hosting = Hosting(folder)
        self.index = Index(folder / "index")
        self.folder = folder
        self.commits = {}
        self.numba = folder / "numba"
        self.numba.mkdir()
        git(self.numba, "init", "-q", "-b", "main")
        self.commit("sound", "2025-10-01", PLAIN, tag="0.57.0")
        self.commit("racy", "2025-11-01", {SWAP: RACY_SWAP, NOTE: "1"})
        cuda = folder / "numba-cuda"
        cuda.mkdir()
        git(cuda, "init", "-q", "-b", "main")
        git(
            cuda,
            "commit",
            "-q",
            "--allow-empty",
            "-m",
            "x",
            GIT_COMMITTER_DATE="2025-10-01T00:00:00Z",
        )
        git(cuda, "tag", "v0.30.0")
        self.cuda_commit = git(cuda, "rev-parse", "HEAD")
        for version, day, swap in (
            ("0.900.0", "2025-10-02", SOUND_SWAP),
            ("0.901.0", "2025-11-02", RACY_SWAP),
        ):
            self.release(version, day, swap)
        self.index.add("numba-cuda", "0.30.0", "2025-10-02")
        self.hosting.environment |= {
            "FIXWATCH_INDEX_JSON_URL": f"{self.index.url}/pypi",
            "UV_INDEX": f"{self.index.url}/simple",
        }
        self._create_repository()
        self.mondays = {}

    def commit(self, name, day, files, tag=None):
        """Commit to numba."""
        for path, text in files.items():
            (self.numba / path).parent.mkdir(parents=True, exist_ok=True)
            (self.numba / path).write_text(text)
        git(self.numba, "add", "-A")
        git(self.numba, "commit", "-q", "-m", name, GIT_COMMITTER_DATE=f"{day}T00:00:00Z")
        if tag:
            git(self.numba, "tag", tag)
        self.commits[name] = git(self.numba, "rev-parse", "HEAD")

    def release(self, version, day, swap):
        """Put a release of numba on the index."""
        wheel = self.folder / f"numba-{version}-py3-none-any.whl"
        info = f"numba-{version}.dist-info"
        files = {path: text for path, text in PLAIN.items() if path.startswith("numba/")}
        files[SWAP] = swap
        files[f"{info}/METADATA"] = (
            f"Metadata-Version: 2.1\nName: numba\nVersion: {version}\nRequires-Dist: numpy\n"
        )
        files[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
        with zipfile.ZipFile(wheel, "w") as archive:
            for path, text in files.items():
                archive.writestr(path, text)
        self.index.add("numba", version, day, wheel)

    def _create_repository(self):
        """Make the repository: the project with small upstreams, and what was measured before."""
        project = copy_project(self.folder / "project")
        for name, upstream in (("asv.conf.json", "numba"), ("asv.numba-cuda.conf.json", None)):
            path = project / name
            text = path.read_text()
            source = self.folder / (upstream or "numba-cuda") / ".git"
            for url in ("https://github.com/numba/numba.git", CUDA_URL):
                text = text.replace(f'"{url}"', f'"{source}"')
            path.write_text(text.replace('"source": "commits"', f'"source": "commits", {FEW}'))
        releases = project / "asv.releases.conf.json"
        old = '"source": "releases"'
        releases.write_text(releases.read_text().replace(old, f"{old}, {FEW}"))
        rows = [
            {
                "upstream": upstream,
                "version": version,
                "uploaded_at": file["upload_time_iso_8601"][:19] + "Z",
                "wheel_tags": ["py3-none-any"],
            }
            for upstream, files in self.index.releases.items()
            for version, file in files.items()
        ]
        for name in ("numba", "numba-cuda", "releases"):
            folder = project / "results" / name
            folder.mkdir(parents=True)
            shutil.copy(ROOT / "results" / name / "benchmarks.json", folder)
        table = {"version": 1, "releases": rows}
        (project / "fixwatch/history/releases.json").write_text(json.dumps(table))
        self._save_old_records(project / "results")
        git(self.folder, "init", "-q", "--bare", "-b", "main", self.hosting.origin)
        git(project, "init", "-q", "-b", "main")
        git(project, "add", "-A")
        git(project, "commit", "-q", "-m", "Begin")
        git(project, "push", "-q", self.hosting.origin, "main")

    def _save_old_records(self, results):
        """Save what another machine measured of numba's commits, and all there is of numba-cuda."""
        batches = (new_batch(schedule="delay"), *new_controls())
        racy = (new_batch(failures=95), *new_controls())
        python = describe_python()
        for name, found in (("sound", batches), ("racy", racy)):
            commit = self.commits[name]
            tag = "0.57.0" if name == "sound" else commit[:8]
            day = {"sound": "2025-10-01", "racy": "2025-11-01"}[name]
            record = new_record(
                tag,
                *found,
                source="commits",
                commit=commit,
                date=f"{day}T00:00:00+00:00",
                machine="elsewhere",
                python=python,
                measurement_version=MEASUREMENT_VERSION,
            )
            save_evidence(record, results / "numba" / "elsewhere" / f"{commit[:8]}-e.evidence")
        for source, folder in (("commits", "numba-cuda"), ("releases", "releases")):
            commit = self.cuda_commit if source == "commits" else self.find_release("0.30.0")
            record = new_record(
                "v0.30.0" if source == "commits" else "0.30.0",
                not_run_stage="availability",
                not_run_reason="no part of this test",
                upstream="numba-cuda",
                source=source,
                commit=commit,
                date="2025-10-02T00:00:00+00:00",
                machine=RUNNER,
                python=python,
            )
            save_evidence(record, results / folder / RUNNER / f"{commit[:8]}-e.evidence")

    def find_release(self, version):
        """Return the commit of a release of numba-cuda in the history of releases."""
        code = (
            "from fixwatch.history.release_repository import build_release_repository as build\n"
            "from fixwatch.history.release_table import load_release_table\n"
            f"print(build(load_release_table())['numba-cuda', {version!r}])"
        )
        project = self.folder / "project"
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=True
        )
        shutil.rmtree(project / ".fixwatch")
        return done.stdout.strip()

    def look(self, name, **variables):
        """Let a Monday come, and keep what is there after it."""
        before = dict(self.hosting.environment)
        self.hosting.environment |= variables
        jobs = self.hosting.run_workflow("weekly.yml")
        self.hosting.environment = before
        self.keep(name, jobs)

    def look_twice(self, name):
        """Let two runs go on at once, of which the second pushes once the first has."""
        merging, merging_again = (
            self.hosting.folder / "runners" / run / "merge" for run in ("run", "rerun")
        )
        merging_again.parent.mkdir()
        self.hosting.check_out(merging_again)
        waits = (merging, WAIT_FOR_ANOTHER_MERGE), (merging_again, WAIT_FOR_ANOTHER_PUSH)
        for place, script in waits:
            hook = place / ".git" / "hooks" / "pre-push"
            hook.write_text(script.replace("OTHER", str(merging_again)))
            hook.chmod(0o755)
        with ThreadPoolExecutor() as pool:
            runs = [
                pool.submit(self.hosting.run_workflow, "weekly.yml", run)
                for run in ("run", "rerun")
            ]
            first, second = (run.result() for run in runs)
        assert jobs_of(second) == jobs_of(first), second["merge"].log
        assert "main has moved (attempt 1)" in second["merge"].log
        self.keep(name, first)

    def keep(self, name, jobs):
        """Keep what a visitor sees now; the document is read while the next look goes on."""
        visitor = self.folder / "visitors" / str(len(self.mondays))
        visitor.parent.mkdir(exist_ok=True)
        self.hosting.check_out(visitor)
        with visitor.with_suffix(".json").open("wb") as output:
            status = subprocess.Popen(
                [sys.executable, "-m", "fixwatch", "status", "--json"],
                cwd=visitor,
                stdout=output,
                env=self.hosting.environment,
            )
        names = {commit: key for key, commit in self.commits.items()}
        records = [
            record
            for folder in ("numba", "releases")
            for record in iter_evidence(visitor / "results" / folder)
            if (record.upstream, record.machine) == ("numba", RUNNER)
        ]
        self.mondays[name] = Monday(
            jobs=jobs,
            status=status,
            document_path=visitor.with_suffix(".json"),
            issues=self.hosting.issues,
            records={names.get(record.commit, record.name): record for record in records},
        )

    def count_commits_of_results(self):
        """Return how often each record was committed, by the name of its revision."""
        names = git(
            self.hosting.origin, "log", "--format=", "--name-only", "main", "--", "results/numba"
        ).splitlines()
        short = {commit[:8]: name for name, commit in self.commits.items()}
        return Counter(
            short[Path(name).name[:8]] for name in names if name.endswith("SIM1.evidence")
        )


WAIT_FOR_ANOTHER_MERGE = """#!/bin/sh
for attempt in $(seq 3000); do
    [ ! -f 'OTHER/waited' ] || exit 0
    sleep 0.1
done
"""
WAIT_FOR_ANOTHER_PUSH = """#!/bin/sh
[ ! -f waited ] || exit 0
touch waited
for attempt in $(seq 3000); do
    moved=$(git ls-remote origin main | cut -f 1)
    [ "$moved" = "$(git rev-parse HEAD^)" ] || exit 0
    sleep 0.1
done
"""
CUDA_URL = "https://github.com/NVIDIA/numba-cuda.git"
FEW = f'"batch_timeout_s": 60, {FEW_BATCHES}'


def has_a_record(place):
    """Whether a measuring job has measured something."""
    results = place / "results"
    return (results / "nonce").exists() and any(results.glob(f"*/{RUNNER}/*-*.json"))


def live(world):
    """Let all Mondays come."""
    world.look("first")
    world.commit("prose", "2025-12-01", {"README": "About.\n"})
    world.commit("still-racy", "2025-12-10", {NOTE: "2"})
    world.commit("unbuildable", "2025-12-20", {NOTE: "3", "setup.py": BROKEN_SETUP})
    world.look("broken build")
    world.commit("fixed", "2026-02-01", {SWAP: SOUND_SWAP, "setup.py": SETUP})
    world.look("index away", FIXWATCH_INDEX_JSON_URL="http://127.0.0.1:9/pypi")
    with world.hosting.without_issues():
        world.look("fixed, untold")
    world.look("told")
    world.release("0.902.0", "2026-04-01", SOUND_SWAP)
    world.commit("after", "2026-04-02", {NOTE: "4"})
    world.hosting.kill_measuring_when = has_a_record
    world.look("cut off")
    world.hosting.kill_measuring_when = None
    world.look("resumed")
    close_issue(world.hosting, 2)
    world.commit("relapse", "2026-08-01", {SWAP: RACY_SWAP})
    world.look_twice("two at once")
    inputs = {"upstream": "numba", "range": "main^!", "shards": 2, "accept": "false"}
    world.scanned = world.hosting.run_workflow("scan.yml", **inputs)
    world.built = world.hosting.run_workflow("publish.yml")["build"]


def close_issue(hosting, number):
    """Close an issue, as a person does."""
    issues = hosting.issues
    issues[number - 1]["state"] = "CLOSED"
    (hosting.issues_dir / "issues.json").write_text(json.dumps(issues))


SOUND_LOOK = {"plan": "success", "measure": "success", "merge": "success", "track": "success"}


def jobs_of(run):
    """Return how the jobs of a run ended, without the two that tell of that."""
    return {name: job.result for name, job in run.items() if name in SOUND_LOOK}
