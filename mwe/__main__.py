"""The command line of the reproducer: ``python -m mwe``."""

from __future__ import annotations

import argparse
import functools
import json
import signal
import sys
import textwrap
import time
from collections.abc import Callable, Sequence
from typing import NoReturn

from mwe.batch import Batch
from mwe.errors import BadArgumentError, HarnessError
from mwe.isolation import run_batch
from mwe.schedules import DEFAULT_SCHEDULE, SCHEDULES, find_schedule
from mwe.targets import Target, find_packages, find_python, prepare_target
from mwe.workloads import DEFAULT_WORKLOAD, WORKLOADS, Workload, find_workload
from mwe.workloads.subject import Subject

DEFAULT_TRIALS = 100
PROGRESS_PERIOD_S = 2.0

EXIT_NOTHING_OBSERVED = 0
EXIT_FAILURE_OBSERVED = 1
EXIT_BAD_ARGUMENT = 2
EXIT_HARNESS = 3
EXIT_INTERRUPTED = 130


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        raise BadArgumentError(message)


def _parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = _Parser(
        prog="python -m mwe",
        description="Run trials of a workload and count the failures of Numba's CUDA simulator.",
        epilog="Exit status: 0 nothing observed, 1 a failure was observed, 2 bad arguments, "
        "3 the harness could not run.",
    )
    parser.add_argument("--workload", default=DEFAULT_WORKLOAD, help=", ".join(WORKLOADS))
    parser.add_argument("--schedule", default=DEFAULT_SCHEDULE, help=", ".join(SCHEDULES))
    parser.add_argument("--trials", type=int, default=DEFAULT_TRIALS, help="at least 1")
    parser.add_argument("--seed", type=int, default=0, help="fixes the schedule's decisions")
    parser.add_argument(
        "--target",
        default=Target.SIMULATOR.value,
        help=", ".join(target.value for target in Target),
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--list", action="store_true", help="print workloads and controls, and exit"
    )
    return parser.parse_args(arguments)


def _check_arguments(options: argparse.Namespace) -> tuple[Workload, Target]:
    workload = find_workload(options.workload)
    find_schedule(options.schedule)
    if options.trials < 1:
        raise BadArgumentError(f"--trials is {options.trials}; give at least 1")
    try:
        target = Target(options.target)
    except ValueError:
        raise BadArgumentError(
            f"unknown target {options.target!r}; choose one of simulator, cuda"
        ) from None
    if target is Target.CUDA and options.schedule != "natural":
        raise BadArgumentError(
            f"schedule {options.schedule!r} paces simulated threads, a device has none; "
            "use --schedule natural"
        )
    if target is Target.CUDA and not workload.needs_numba:
        raise BadArgumentError(
            f"workload {workload.name!r} has no CUDA code; use --target simulator"
        )
    return workload, target


def _load_subject(workload: Workload, target: Target, schedule: str) -> Subject:
    if workload.needs_numba:
        prepare_target(target)
    try:
        return workload.load(find_schedule(schedule).n_active_threads)
    except Exception as error:
        raise HarnessError(
            f"workload {workload.name} does not import: {type(error).__name__}: {error}"
        ) from error


def _progress_printer(n_trials: int) -> Callable[[Batch], None]:
    last_s = time.monotonic()

    def report(batch: Batch) -> None:
        nonlocal last_s
        if time.monotonic() - last_s >= PROGRESS_PERIOD_S:
            last_s = time.monotonic()
            line = f"{batch.trials} of {n_trials} trials, {batch.failures} failures"
            print(line, file=sys.stderr, flush=True)

    return report


def _print_summary(batch: Batch) -> None:
    packages = ", ".join(f"{name} {version}" for name, version in batch.packages.items())
    print(
        f"{batch.workload} under {batch.schedule} on the {batch.target}: "
        f"{batch.failures} of {batch.trials} trials failed ({batch.duration_s:.2f} s, "
        f"seed {batch.seed}; {batch.python}; {packages})"
    )
    for mode, count in sorted(batch.failures_by_mode.items()):
        print(f"  {count} {mode}")
    for detail in batch.details:
        print(textwrap.indent(detail, "    "))
    if batch.first_failure_trial is not None:
        print(f"  first in trial {batch.first_failure_trial}, after {batch.first_failure_s:.3f} s")
    if batch.status != "complete":
        print(f"  {batch.status}")


def run(arguments: Sequence[str]) -> int:
    """Run the command and return its exit status.

    Raises
    ------
    BadArgumentError, HarnessError
        With a message of one line.
    """
    options = _parse_arguments(arguments)
    if options.list:
        for workload in WORKLOADS.values():
            print(f"{workload.name:<22}{workload.role.value:<18}{workload.summary}")
        return EXIT_NOTHING_OBSERVED
    workload, target = _check_arguments(options)
    load_subject = functools.partial(_load_subject, workload, target, options.schedule)
    batch = Batch(
        workload=workload.name,
        role=workload.role.value,
        schedule=options.schedule,
        target=target.value,
        seed=options.seed,
        packages=find_packages(),
        python=find_python(),
    )
    run_batch(
        load_subject,
        find_schedule(options.schedule),
        batch,
        options.trials,
        report_progress=_progress_printer(options.trials),
    )
    if options.json:
        print(json.dumps(batch.to_json()))
    else:
        _print_summary(batch)
    return EXIT_FAILURE_OBSERVED if batch.failures else EXIT_NOTHING_OBSERVED


def _end(_number: int, _frame: object) -> NoReturn:
    # As an exception it passes through what ends the workers.
    raise KeyboardInterrupt


def main() -> int:
    """Run the command line; errors become one line on standard error."""
    signal.signal(signal.SIGTERM, _end)
    try:
        return run(sys.argv[1:])
    except BadArgumentError as error:
        status, message = EXIT_BAD_ARGUMENT, str(error)
    except HarnessError as error:
        status, message = EXIT_HARNESS, str(error)
    except KeyboardInterrupt:
        status, message = EXIT_INTERRUPTED, "interrupted; nothing was recorded"
    except Exception as error:
        # Whatever it is, it is no outcome; 1 would say that a failure was observed.
        status, message = EXIT_HARNESS, f"could not run: {type(error).__name__}: {error}"
    print(f"mwe: {' '.join(message.split())}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
