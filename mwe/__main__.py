"""The command line of the reproducer: ``python -m mwe``."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import textwrap
import time
from collections.abc import Callable, Sequence
from typing import NoReturn

from mwe.batch import Batch
from mwe.errors import BadArgumentError, HarnessError
from mwe.request import BatchRequest
from mwe.schedules import DEFAULT_SCHEDULE, SCHEDULES
from mwe.service import serve_standard_streams
from mwe.targets import Target
from mwe.workloads import DEFAULT_WORKLOAD, WORKLOADS

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
        "--serve",
        action="store_true",
        help="run the batches that standard input asks for, a JSON object a line each",
    )
    parser.add_argument(
        "--list", action="store_true", help="print workloads and controls, and exit"
    )
    return parser.parse_args(arguments)


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
    if options.serve:
        serve_standard_streams()
        return EXIT_NOTHING_OBSERVED
    request = BatchRequest(
        workload=options.workload,
        schedule=options.schedule,
        n_trials=options.trials,
        seed=options.seed,
        target=options.target,
    )
    batch = request.run(_progress_printer(options.trials))
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
