"""Running a user's tests here, and the failing ones once more where defects are repaired."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from fixwatch.commands.mine.environments import UPSTREAM, copy_with_release
from fixwatch.commands.mine.findings import (
    RELEASE,
    SHIELD,
    Counterfactual,
    Finding,
    MineVerdict,
    find,
    find_run,
)
from fixwatch.commands.mine.runs import EXPLORE, TestRun, TestsRun, Wish, run_in
from fixwatch.errors import FixwatchError
from fixwatch.verdicts.judgements import Verdict
from fixwatch.verdicts.pin_advice import UpstreamReleases
from mwe.shield.cudasim_shield import REPAIRS

# With more failing tests than this, each is run less often where defects are repaired, though no
# less than here: the tests stand for one another.
_MANY_TESTS = 5
_N_TRIALS_OF_MANY = 12
# Of the schedules that were run here until the first failure.
_TIMES_SCHEDULES = 2
_MIN_SCHEDULES = 50
# Of an exploration that has to be whole to say anything.
_WHOLE_LIMIT_S = 60.0
_REPAIR_PLUGIN = "mwe.user_tests.one_repair"
_REPAIR_VARIABLE = "FIXWATCH_ONE_REPAIR"


@dataclass(frozen=True)
class MineRun:
    """All that was run, and what it shows."""

    here: TestsRun
    counterfactuals: tuple[Counterfactual, ...]
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> MineVerdict:
        """Of the tests together: a defect, if one meets one."""
        verdicts = {finding.verdict for finding in self.findings}
        for verdict in (MineVerdict.DEFECT, MineVerdict.FAILS_OTHERWISE, MineVerdict.NOT_SHOWN):
            if verdict in verdicts:
                return verdict
        return MineVerdict.NOT_RUN


def run_mine(
    python: Path,
    wish: Wish,
    find_releases: Callable[[], Sequence[UpstreamReleases]],
    announce: Callable[[str], None],
    *,
    compares: bool = True,
) -> MineRun:
    """Run tests in the user's environment, and compare the failing ones.

    What is known of releases is asked for only if a test may meet a defect.

    Errors are those of `run_in`, for the user's own environment; elsewhere they are the reason why
    there is nothing to compare with.
    """
    here = run_in(python, wish, announce)
    failing = [test for test in here.tests if test.defect or test.suspects]
    counterfactuals: tuple[Counterfactual, ...] = ()
    repaired: dict[str, dict[str, TestRun]] = {}
    if failing and compares:
        again = _repeat(wish, failing)
        with ThreadPoolExecutor(2) as pool:
            shield = pool.submit(_run_with_shield, python, again, announce)
            release = pool.submit(
                _run_with_release, python, again, failing, find_releases(), announce
            )
            counterfactuals = (shield.result(), release.result())
        repaired = _run_with_one_repair(python, again, failing, counterfactuals[0], announce)
    findings = tuple(
        find(test, counterfactuals, repaired.get(test.test, {})) for test in here.tests
    )
    return MineRun(here, counterfactuals, findings)


def _repeat(wish: Wish, failing: Sequence[TestRun]) -> Wish:
    """Return the wish for the failing tests alone: as often as here, at the least."""
    explored = [found for test in failing if (found := find_run(test, EXPLORE))]
    shows_elsewhere = all(
        any(found.failures for found in test.schedules if found.schedule != EXPLORE)
        for test in failing
    )
    options = [*wish.options]
    if shows_elsewhere:
        n_most = max((found.trials for found in explored), default=0)
        n_schedules = max(_TIMES_SCHEDULES * n_most, _MIN_SCHEDULES)
        if len(failing) > _MANY_TESTS and "--trials" not in options:
            options += ["--trials", str(_N_TRIALS_OF_MANY)]
            # What has shown under the others needs no exploration.
            n_schedules = 0
        options += ["--max-schedules", str(n_schedules)]
    elif "--limit" not in options:
        options += ["--limit", f"{_WHOLE_LIMIT_S:g}"]
    return replace(wish, tests=[test.test for test in failing], options=options)


def _run_with_shield(python: Path, wish: Wish, announce: Callable[[str], None]) -> Counterfactual:
    def say(line: str) -> None:
        announce(f"with the shield: {line}")

    title = "with the shield"
    try:
        run = run_in(python, replace(wish, options=["--shield", *wish.options]), say)
    except FixwatchError as error:
        return Counterfactual(SHIELD, title, (), {}, str(error))
    return Counterfactual(SHIELD, title, tuple(REPAIRS), {test.test: test for test in run.tests})


def _run_with_release(
    python: Path,
    wish: Wish,
    failing: Sequence[TestRun],
    releases: Sequence[UpstreamReleases],
    announce: Callable[[str], None],
) -> Counterfactual:
    wanted = {name for test in failing for name in (test.defect, *test.suspects) if name}
    version, free_of = find_free_release(releases, wanted)
    if version is None:
        reason = f"no release is known to be free of {', '.join(sorted(wanted))}"
        return Counterfactual(RELEASE, "with another release", (), {}, reason)
    title = f"with {UPSTREAM} {version}{'' if free_of else ', not known to be free of it'}"

    def say(line: str) -> None:
        announce(f"{title}: {line}")

    try:
        say("installing it beside your packages")
        other = copy_with_release(python, version)
        run = run_in(other.python, wish, say)
    except FixwatchError as error:
        return Counterfactual(RELEASE, title, (), {}, str(error))
    tests = {test.test: test for test in run.tests}
    return Counterfactual(RELEASE, title, free_of, tests, changed=other.changed)


def find_free_release(
    releases: Sequence[UpstreamReleases], defects: set[str]
) -> tuple[str | None, tuple[str, ...]]:
    """Return the newest release of numba-cuda that is free of one of some defects, and of which.

    Of none, if no release is known to be; then it is the newest in which one may not be.

    Of numba none is: a release of numba-cuda replaces its simulator, whichever numba there is.
    """
    for upstream in releases:
        if upstream.upstream != UPSTREAM:
            continue
        for release in upstream.releases:
            free_of = tuple(sorted(filter(release.is_free_of, defects)))
            if free_of:
                return release.version, free_of
        # Where none is known to be free, the newest in which the defect was never seen.
        for release in upstream.releases:
            if any(release.find(name).verdict is Verdict.INCONCLUSIVE for name in defects):
                return release.version, ()
    return None, ()


def _run_with_one_repair(
    python: Path,
    wish: Wish,
    failing: Sequence[TestRun],
    shield: Counterfactual,
    announce: Callable[[str], None],
) -> dict[str, dict[str, TestRun]]:
    """Run the tests whose failures name nothing with one repair at a time, if all end them."""
    found: dict[str, dict[str, TestRun]] = {}
    for test in failing:
        shielded = shield.tests.get(test.test)
        if not test.suspects or shielded is None or shielded.verdict != "not-shown":
            continue
        for name in test.suspects:
            alone = replace(
                wish,
                tests=[test.test],
                options=["-p", _REPAIR_PLUGIN, *wish.options],
                variables={_REPAIR_VARIABLE: name},
            )
            announce(f"{test.test}: with the repair of {name} alone")
            try:
                run = run_in(python, alone, lambda _line: None)
            except FixwatchError:
                continue
            for shown in run.tests:
                found.setdefault(test.test, {})[name] = shown
    return found
