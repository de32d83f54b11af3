"""A hosting service in a folder: a repository, an index, issues, and a runner of workflows.

The runner reads the workflow and runs the commands of its steps, each job in a checkout of its own.
What the steps use of the service is stood in for: checkouts by git, artifacts by folders, `gh` by
`tests/end_to_end/gh_stand_in.py`.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tests.project import ROOT, project_environment

STAND_IN = Path(__file__).with_name("gh_stand_in.py")
EXPRESSION = re.compile(r"\$\{\{ *(.*?) *\}\}")


@dataclass
class Job:
    """How a job ended, and what it said."""

    result: str = "skipped"
    outputs: dict[str, str] = field(default_factory=dict)
    log: str = ""


class Hosting:
    """The service.

    Parameters
    ----------
    folder
        Where everything lies.
    """

    def __init__(self, folder):
        self.folder = folder
        self.origin = folder / "origin.git"
        self.issues_dir = folder / "issues"
        self.issues_dir.mkdir(parents=True)
        self.inputs = {}
        self.kill_measuring_when = None  # called until true; then the measuring jobs are killed
        self.environment = project_environment(
            folder / "home",
            GH_STAND_IN=str(self.issues_dir),
            GIT_CONFIG_COUNT="1",
            GIT_CONFIG_KEY_0="init.defaultBranch",
            GIT_CONFIG_VALUE_0="main",
        )
        gh = folder / "home" / "gh"
        gh.write_text(f"#!{sys.executable}\n{STAND_IN.read_text()}")
        gh.chmod(0o755)
        self.environment.pop("GH_TOKEN", None)

    @property
    def issues(self):
        """Return the issues that there are."""
        path = self.issues_dir / "issues.json"
        return json.loads(path.read_text()) if path.exists() else []

    @contextlib.contextmanager
    def without_issues(self):
        """Let `gh` fail for this block."""
        (self.issues_dir / "away").touch()
        yield
        (self.issues_dir / "away").unlink()

    def check_out(self, folder):
        """Leave main's files in a folder; environments and mirrors of a run before stay."""
        if not folder.exists():
            git(self.folder, "clone", "-q", self.origin, folder)
            install_stand_in(folder)
        git(folder, "fetch", "-q", "origin", "main")
        git(folder, "checkout", "-q", "--force", "--detach", "origin/main")
        git(folder, "clean", "-qfd")

    def run_workflow(self, name, run="run", **inputs):
        """Run the jobs of a workflow in their order; return how they ended, by name."""
        self.inputs = inputs or self.inputs
        workflow = yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text())
        artifacts = self.folder / "artifacts" / run
        shutil.rmtree(artifacts, ignore_errors=True)
        artifacts.mkdir(parents=True)
        jobs = {}
        for job_name, job in workflow["jobs"].items():
            needs = job.get("needs", [])
            needs = [needs] if isinstance(needs, str) else needs
            ended = jobs[job_name] = Job()
            if job_name == "deploy":
                continue
            condition = job.get("if") or " && ".join(
                f"needs.{n}.result == 'success'" for n in needs
            )
            if "steps" not in job or not evaluate(condition or "always()", jobs):
                continue
            variants = [{}]
            if "strategy" in job:
                variants = self._list_variants(job["strategy"]["matrix"], jobs)
            place = self.folder / "runners" / run / job_name
            with ThreadPoolExecutor() as pool:
                parts = list(
                    pool.map(
                        lambda matrix, job=job, place=place: self._run_job(
                            job, jobs, matrix, place, artifacts
                        ),
                        variants,
                    )
                )
            ended.log = "".join(part.log for part in parts)
            is_sound = all(part.result == "success" for part in parts)
            ended.result = "success" if is_sound else "failure"
            for output, expression in job.get("outputs", {}).items():
                step_output = re.search(r"outputs\.(\w+)", expression)[1]
                ended.outputs[output] = parts[0].outputs.get(step_output, "")
        return jobs

    def _list_variants(self, matrix, jobs):
        """Return the variables of each variant of a job."""
        if isinstance(matrix, str):
            return json.loads(self._fill(matrix, jobs, {}))["include"]
        return [{"shard": shard} for shard in json.loads(self._fill(matrix["shard"], jobs, {}))]

    def _fill(self, text, jobs, matrix):
        """Return a text of a workflow with its expressions replaced."""
        return EXPRESSION.sub(
            lambda match: str(look_up(match[1], jobs, matrix, self.inputs)), str(text)
        )

    def _run_job(self, job, jobs, matrix, place, artifacts):
        """Run the steps of a job, for one variant of its matrix."""
        if "shard" in matrix:
            place = place.with_name(f"{place.name}-{matrix['shard']}")
        done = Job(result="success")
        for step in job["steps"]:
            if not is_due(step.get("if", ""), done):
                continue
            action = step.get("uses", "").partition("@")[0]
            options = {
                key: self._fill(value, jobs, matrix) if isinstance(value, str) else value
                for key, value in step.get("with", {}).items()
            }
            if action == "actions/checkout":
                assert options.get("ref", "main") == "main"
                assert options["persist-credentials"] is False
                self.check_out(place)
            elif action == "actions/upload-artifact":
                source = place / options["path"]
                if source.exists():
                    shutil.copytree(source, artifacts / options["name"])
            elif action == "actions/download-artifact":
                target = place / options["path"]
                shutil.rmtree(target, ignore_errors=True)
                for artifact in artifacts.glob(options["pattern"]):
                    shutil.copytree(artifact, target / artifact.name)
            elif "run" in step:
                variables = {
                    key: self._fill(value, jobs, matrix)
                    for key, value in step.get("env", {}).items()
                }
                self._run_step(step["run"], variables, place, done, is_killed="strategy" in job)
            elif action == "actions/upload-pages-artifact":
                shutil.copytree(place / options["path"], self.folder / "pages")
            else:
                assert action == "actions/setup-python", action
        return done

    def _run_step(self, command, variables, place, done, is_killed):
        output = place.with_name(f"{place.name}.output")
        output.write_text("")
        process = subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", command],
            cwd=place,
            env={**self.environment, **variables, "GITHUB_OUTPUT": str(output)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        kill_when = self.kill_measuring_when if is_killed else None
        timer = threading.Thread(target=kill_group_when, args=(process, kill_when, place))
        timer.start()
        log, _ = process.communicate()
        timer.join()
        done.log += f"$ {command}\n{log}"
        if process.returncode:
            done.result = "failure"
        for line in output.read_text().splitlines():
            key, _, value = line.partition("=")
            done.outputs[key] = value


def is_due(condition, job):
    """Return whether a step is run, which may ask for an output of a step before."""
    if match := re.fullmatch(r"steps\.\w+\.outputs\.(\w+) != '(.*)'", condition):
        return job.result == "success" and job.outputs[match[1]] != match[2]
    return job.result == "success" or condition == "always()"


def kill_group_when(process, is_time, place):
    """Kill a step with all that it started, as soon as it is time."""
    while is_time is not None and process.poll() is None:
        if is_time(place):
            os.killpg(process.pid, signal.SIGKILL)
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.02)


def look_up(expression, jobs, matrix, inputs=None):
    """Return the value of an expression of the workflows."""
    parts = expression.removeprefix("fromJSON(").removesuffix(")").split(".")
    if parts[0] == "needs":
        job = jobs[parts[1]]
        return job.result if parts[2] == "result" else job.outputs.get(parts[3], "")
    if parts[0] == "matrix":
        return matrix[parts[1]]
    if parts[0] == "inputs":
        return (inputs or {})[parts[1]]
    assert parts[0] == "github", expression
    return {"token": "token", "repository": "o/r", "run_id": "7"}.get(parts[1], "https://h")


def evaluate(condition, jobs):
    """Return whether a job's condition holds; without `always()` all before have to be sound."""
    is_sound = all(job.result in ("success", "skipped") for job in [*jobs.values()][:-1])
    if "always()" not in condition and not is_sound:
        return False
    for part in condition.split("&&"):
        if part.strip() == "always()":
            continue
        left, operator, right = re.fullmatch(r"\s*(\S+) (==|!=) '(.*)'\s*", part).groups()
        if (look_up(left, jobs, {}) == right) is not (operator == "=="):
            return False
    return True


def install_stand_in(checkout):
    """Leave an environment in a checkout that is this one, as if it had been installed."""
    bin_dir = checkout / ".venv" / "bin"
    bin_dir.mkdir(parents=True)
    script = bin_dir / "python"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    script.chmod(0o755)
    for stamp in (".venv/bin/uv", ".venv/locked", ".venv/installed"):
        (checkout / stamp).parent.mkdir(parents=True, exist_ok=True)
        (checkout / stamp).touch()
        # Newer than any file of a checkout to come.
        os.utime(checkout / stamp, (4e9, 4e9))


def git(folder, *arguments, **variables):
    """Run git and return its output."""
    command = ["git", "-C", folder, "-c", "user.name=n", "-c", "user.email=e", *arguments]
    environment = {**os.environ, **variables}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return done.stdout.strip()


class Index:
    """A package index of the releases of small upstreams, at an address of this machine."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.releases = {"numba": {}, "numba-cuda": {}}
        handler = type("Handler", (_Handler,), {"index": self})
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def add(self, project, version, day, wheel=None):
        """Upload a release; without a wheel it is only listed."""
        name = f"{project.replace('-', '_')}-{version}-py3-none-any.whl"
        if wheel:
            shutil.copy(wheel, self.folder / name)
        size = wheel.stat().st_size if wheel else 0
        self.releases[project][version] = {
            "filename": name,
            "packagetype": "bdist_wheel",
            "upload_time_iso_8601": f"{day}T00:00:00.000000Z",
            "yanked": False,
            "size": size,
        }

    def close(self):
        """Answer no more."""
        self.server.shutdown()
        self.server.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    index = None

    def do_GET(self):
        """Answer as PyPI does: its JSON API, the simple API in JSON, and files."""
        parts = self.path.strip("/").split("/")
        files = self.index.releases.get(parts[1] if len(parts) > 1 else "", {})
        if parts[0] == "pypi":
            document = {"releases": {version: [file] for version, file in files.items()}}
            self._answer(json.dumps(document).encode(), "application/json")
        elif parts[0] == "files" and (self.index.folder / parts[1]).is_file():
            self._answer((self.index.folder / parts[1]).read_bytes(), "application/octet-stream")
        elif parts[0] == "simple" and files:
            document = {
                "meta": {"api-version": "1.1"},
                "name": parts[1],
                "versions": list(files),
                "files": [
                    {
                        "filename": file["filename"],
                        "url": f"{self.index.url}/files/{file['filename']}",
                        "hashes": {},
                        "size": file["size"],
                        "upload-time": file["upload_time_iso_8601"],
                    }
                    for file in files.values()
                ],
            }
            kind = "application/vnd.pypi.simple.v1+json"
            self._answer(json.dumps(document).encode(), kind)
        else:
            self.send_error(404)

    def _answer(self, content, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_HEAD = do_GET  # noqa: N815 (the name that the server calls)

    def log_message(self, *_arguments):
        """Say nothing."""
