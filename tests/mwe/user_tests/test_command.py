"""What ``python -m mwe --test`` makes of tests as users have them."""

from __future__ import annotations

import pytest

from mwe.isolation import CAN_FORK
from tests.mwe.user_tests.suites import (
    ALLOCATOR,
    CONFTEST,
    RACY,
    SUITE,
    read_answers,
    run_mwe,
)

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="needs a safe fork")

# Two runs of each test that fails in any case, and few of the others.
QUICK = ("--trials", "4", "--limit", "1", "--timeout", "3", "--json")


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """Return what is said of the tests of the suite."""
    folder = tmp_path_factory.mktemp("suite")
    (folder / "test_suite.py").write_text(SUITE)
    (folder / "conftest.py").write_text(CONFTEST)
    done = run_mwe(folder, "test_suite.py", *QUICK)
    assert done.returncode == 1, done.stderr
    document, tests = read_answers(done)
    assert document["status"] == "complete"
    assert sorted(path.name for path in folder.iterdir() if path.name != "__pycache__") == [
        "conftest.py",
        "test_suite.py",
    ]
    return tests


@pytest.mark.parametrize(
    "name",
    [
        "test_passes",
        "test_only_runs_once",
        "test_without_threads",
        "test_leaves_a_thread",
        "test_with_parameters[1]",
        "test_in_a_class",
        "test_in_a_case",
        "test_expected_to_fail",
    ],
)
def test_what_passes_in_pytest_shows_nothing(answers, name):
    """Fixtures, conftest, parameters, classes and marks work; each run is in a fresh process."""
    assert answers[name]["verdict"] == "not-shown", answers[name]["answer"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("test_with_parameters[2]", "an assertion of its own fails: assert 2 == 1"),
        ("test_that_fails", "an assertion of its own fails: "),
        ("test_expected_to_fail_that_does_not", "it raises [XPASS(strict)]"),
        ("test_misspelt_on_the_host", "has no attribute 'grit'"),
        ("test_misspelt_in_a_kernel", "has no attribute 'grit'"),
        ("test_needs_a_network", "it needs a network: gaierror: "),
        ("test_hangs", "it hangs: did not end within 3 s, with 0 s of processor time"),
        ("test_kills_its_process", "its process dies: killed by SIGKILL"),
        ("test_with_a_broken_fixture", "it raises in its setup: RuntimeError: no such table"),
        ("test_without_its_fixture", "it raises in its setup: fixture 'missing' not found ("),
    ],
)
def test_what_fails_by_itself_is_named_for_what_it_is(answers, name, said):
    """It is taken for no defect, and is run no further once it failed twice unpaced."""
    test = answers[name]
    assert (test["verdict"], test["defect"]) == ("fails-otherwise", None)
    assert said in test["answer"]
    assert "2 of 2 when nothing is paced" in test["answer"]
    assert test["fails_by_itself"]
    assert [batch["schedule"] for batch in test["schedules"]] == ["natural"]


def test_what_is_skipped_is_not_run(answers):
    """Its reason is said."""
    assert answers["test_skipped"]["verdict"] == "not-run"
    assert "not today" in answers["test_skipped"]["answer"]


def test_a_test_without_threads_has_nothing_to_explore(answers):
    """An empty space is said to be one."""
    assert "starts no threads" in answers["test_without_threads"]["answer"]


@pytest.fixture(scope="module")
def racy(tmp_path_factory):
    """Return a folder with a test that meets the race on an affected release."""
    folder = tmp_path_factory.mktemp("racy")
    (folder / "test_racy.py").write_text(RACY)
    (folder / "allocator.py").write_text(ALLOCATOR)
    return folder


def test_a_test_that_meets_the_race_is_named_and_its_schedule_replayed(racy):
    """The installed numba is affected: the schedules show what hardly ever happens by itself."""
    # A thread is paused in the window in nearly each run; hundreds of two threads' schedules fail.
    done = run_mwe(racy, "test_racy.py", "--trials", "40", "--limit", "60", "--json")
    assert done.returncode == 1
    document, tests = read_answers(done)
    test = tests["test_kernel"]
    assert (test["verdict"], test["defect"]) == ("defect", "cuda-swap")
    assert test["replay"] is not None
    assert any("allocator.py" in line for line in test["interleaving"])
    again = run_mwe(racy, "test_racy.py", "--replay", test["replay"])
    assert again.returncode == 1
    assert "module 'numba.cuda' has no attribute 'local'" in again.stdout
    assert document["packages"]["numba"]


@pytest.mark.parametrize(
    ("content", "arguments", "status", "said"),
    [
        ("def test_a(:\n", (), 3, "SyntaxError"),
        ("import nothing_of_that_name\n", (), 3, "No module named 'nothing_of_that_name'"),
        ("x = 1\n", (), 3, "no tests were collected"),
        ("def test_a(): pass\n", ("-k", "other"), 3, "no tests were collected"),
        ("import os; os._exit(7)\n", (), 3, "exited with status 7"),
        ("def test_a(): pass\n", ("--trials", "0"), 2, "--trials is 0"),
        ("def test_a(): pass\n", ("--workload", "local-array"), 2, "--workload"),
        ("def test_a(): pass\n", ("-p", "no_such_plugin"), 2, "no_such_plugin"),
    ],
)
def test_what_cannot_be_run_is_a_line(tmp_path, content, arguments, status, said):
    """Nothing is measured, nothing is printed, and the line says why."""
    (tmp_path / "test_it.py").write_text(content)
    done = run_mwe(tmp_path, "test_it.py", *arguments)
    assert (done.returncode, done.stdout) == (status, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_file_that_is_not_there_is_a_bad_argument(tmp_path):
    """Pytest's own words name it."""
    done = run_mwe(tmp_path, "test_nothing.py")
    assert (done.returncode, done.stdout) == (2, "")
    assert "file or directory not found: test_nothing.py" in done.stderr


def test_a_file_that_does_not_import_leaves_the_others(tmp_path):
    """Both are said, and the exit status is not that of a whole run."""
    (tmp_path / "test_broken.py").write_text("def test_a(:\n")
    (tmp_path / "test_sound.py").write_text("def test_b(): pass\n")
    done = run_mwe(tmp_path, ".", *QUICK)
    document, tests = read_answers(done)
    assert done.returncode == 3
    assert list(tests) == ["test_b"]
    (unusable,) = document["unusable"]
    assert unusable["where"] == "test_broken.py"
    assert "SyntaxError" in unusable["what"]


def test_a_test_that_a_plugin_runs_elsewhere_has_not_passed(tmp_path):
    """Pytest reports nothing of it, which is no silence."""
    (tmp_path / "conftest.py").write_text("def pytest_runtest_protocol(item): return True\n")
    (tmp_path / "test_it.py").write_text("def test_a(): assert False\n")
    done = run_mwe(tmp_path, "test_it.py", *QUICK)
    assert done.returncode == 3
    assert "pytest reported nothing of the test" in done.stdout + done.stderr
