"""The answer in one line for each upstream."""

from __future__ import annotations

from fixwatch.history.order import RevisionOrder
from fixwatch.report.answer import describe_upstreams
from fixwatch.verdicts.defects import find_verdicts
from fixwatch.verdicts.series import build_series
from tests.fixwatch.sample_records import new_batch, new_controls, new_record


def measure(name, day, failures, source):
    """Return the record of a revision of numba-cuda."""
    date = f"2026-01-{day:02}T00:00:00+00:00"
    batches = (new_batch(failures=failures), *new_controls())
    return new_record(name, *batches, upstream="numba-cuda", date=date, source=source)


FIX = 4
COMMITS = [
    measure("44444444" if n == FIX else f"0.{n}.0", n, 95 if n < FIX else 0, "commits")
    for n in range(1, 9)
]
RELEASES = [
    measure(f"0.{n}.0", n, 95 if n < FIX else 0, "releases") for n in range(1, 8) if n != FIX
]


def say(records):
    """Return what is said of the race."""
    (line,) = describe_upstreams(find_verdicts(build_series(records, RevisionOrder())))
    return line.partition(";")[0]


def test_a_fix_is_named_by_its_commit_and_the_first_release_with_it():
    """Who pins a version knows nothing of commits."""
    assert say(COMMITS + RELEASES) == "numba-cuda: cuda-swap fixed in 44444444 (release 0.5.0)"


def test_a_fix_that_is_known_of_releases_alone_is_named_once():
    """So is one that no release has yet."""
    assert say(RELEASES) == "numba-cuda: cuda-swap fixed in 0.5.0"
    assert say(COMMITS) == "numba-cuda: cuda-swap fixed in 44444444"
