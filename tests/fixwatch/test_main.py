"""What every command of Fixwatch has in common: how it fails."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

import pytest

from fixwatch.__main__ import main
from fixwatch.commands import status
from tests.project import ROOT


def test_no_command_waits_for_what_only_another_needs():
    """scipy.stats takes a second to load, half of what a start takes."""
    code = "import sys, fixwatch.__main__; print('scipy.stats' in sys.modules)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_an_unforeseen_error_is_one_line_that_names_its_traceback(project, fixwatch):
    """The exit status is 3, since 1 would be one of judge's answers."""
    (project / ".fixwatch").mkdir()
    (project / ".fixwatch" / "releases.git").write_text("a file where the repository should be")
    done = fixwatch("dashboard")
    assert (done.returncode, done.stdout) == (3, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("fixwatch: unexpected NotADirectoryError: ")
    assert line.endswith("; please report it with .fixwatch/traceback.log")
    log = (project / ".fixwatch" / "traceback.log").read_text()
    assert log.startswith("Traceback (most recent call last):")
    assert "dashboard.py" in log


def test_an_unforeseen_error_is_one_line_where_its_traceback_cannot_be_kept(project, fixwatch):
    """A log that cannot be written does not become a second error."""
    (project / ".fixwatch").write_text("a file where the folder should be")
    done = fixwatch("dashboard")
    assert (done.returncode, done.stdout) == (3, "")
    (line,) = done.stderr.splitlines()
    assert "its traceback cannot be kept" in line


def test_a_hostile_checkout_gets_no_answer(tmp_path, fixwatch):
    """A file that no parser can take ends in one line, and never in an answer of judge."""
    tree = tmp_path / "tree"
    tree.mkdir()
    for command in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "m"]):
        git = ["git", "-c", "user.name=n", "-c", "user.email=e", *command]
        subprocess.run(git, cwd=tree, check=True)
    (tree / "pyproject.toml").write_text("a = " + "[" * 3000)
    done = fixwatch("judge", str(tree))
    assert (done.returncode, done.stdout) in ((2, ""), (3, ""))
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_disk_that_takes_nothing_is_one_line(project, monkeypatch, capsys, number):
    """The line names the file; a traceback would say no more, and could not be kept."""
    monkeypatch.chdir(project)

    def refuse(handle):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    plan = '{"nonce":"' + "0" * 32 + '","machine":"m","environment":"e","python":"3.11",'
    (project / "plan").write_text(plan + '"measurement_version":"3","asked":[]}')
    assert main(["check", "--plan", "plan"]) == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        f"fixwatch: results/nonce: {os.strerror(number)}; mend that and run the command again"
    )
    assert not list(project.rglob("*.part"))


def test_a_copy_that_does_not_fit_is_named(monkeypatch, capsys):
    """Not the file that it was to be a copy of: that one is whole."""

    def refuse(_options):
        raise OSError(errno.ENOSPC, "No space left", "original", None, "copy")

    monkeypatch.setattr(status, "run", refuse)
    assert main(["status"]) == 3
    line = "fixwatch: copy: No space left; mend that and run the command again\n"
    assert capsys.readouterr().err == line


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such status")
@pytest.mark.usefixtures("releases")
def test_a_reader_that_closes_the_pipe_early_gives_the_status_of_sigpipe(project):
    """The status is 141, and nothing is printed about it."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    with open(write_end, "wb") as closed:
        done = subprocess.run(
            [sys.executable, "-m", "fixwatch", "status", "--json"],
            cwd=project,
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["status", "--config", "nope.json"], "no configuration 'nope.json'; choose one of"),
        (["status", "--config", "pyproject.toml"], "cannot be read as an asv configuration"),
        (["plan", "v0.57..main", "--config", "asv.releases.conf.json"], "choose asv.conf.json"),
        (["pinpoint", "v1..v2", "--config", "asv.releases.conf.json"], "choose asv.conf.json"),
        (["pinpoint", "v1..v2", "--max-builds", "-1"], "--max-builds is -1; give 0 or more"),
        (["pinpoint", "v1..v2", "--workload", "nope"], "nope"),
        (["judge", ".", "--json", "--markdown"], "not allowed with argument --json"),
        (["nope"], "invalid choice: 'nope'"),
        ([], "required: command"),
        (["status", "--nope"], "unrecognized arguments: --nope"),
    ],
)
def test_bad_input_is_one_line_and_exits_2(project, monkeypatch, capsys, arguments, message):
    """The line says what was found and what to do; there is no traceback and no answer."""
    monkeypatch.chdir(project)
    # In this process: a new one takes a second to import what none of these cases differs in.
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert message in printed.err
    assert printed.err.count("\n") == 1
    assert printed.out == ""
