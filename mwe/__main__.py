"""The command line of the reproducer: ``python -m mwe``."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import textwrap
import time
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from mwe.batch import Batch
from mwe.compiler.command_line import judge_all, print_ptx
from mwe.compiler.compilation import (
    DEFAULT_COMPUTE_CAPABILITY,
    check_compiler,
    parse_compute_capability,
)
from mwe.defects import DEFAULT_WORKLOAD, DEFECTS, WORKLOADS
from mwe.device import MissingPartError
from mwe.errors import BadArgumentError, HarnessError
from mwe.request import BatchRequest
from mwe.schedules import DEFAULT_SCHEDULES, SCHEDULES
from mwe.schedules.explore.space import describe_space
from mwe.schedules.explore.stretches import Stretch, render_stretches
from mwe.service import serve
from mwe.targets import SHIELD_VARIABLE, Target, find_target, prepare_target
from mwe.toolkit import offer_toolkit
from mwe.user_tests.command import FAILED, TestRequest, render, run_tests
from mwe.user_tests.plan import TrialPlan

# A compiler makes the same of a kernel each time.
DEFAULT_TRIALS = {Target.SIMULATOR: 100, Target.CUDA: 100, Target.COMPILER: 1}
# Of one exploration; its bounds and its time limit end it long before.
MAX_SCHEDULES = 10**9
PROGRESS_PERIOD_S = 2.0

EXIT_NOTHING_OBSERVED = 0
EXIT_FAILURE_OBSERVED = 1
EXIT_BAD_ARGUMENT = 2
EXIT_HARNESS = 3
EXIT_INTERRUPTED = 130
# What a shell makes of SIGPIPE; it says nothing of trials.
EXIT_READER_GONE = 141


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        raise BadArgumentError(message)


def _parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = _Parser(
        prog="python -m mwe",
        description="Run trials of a workload, in Numba's CUDA simulator or on a device, and count "
        "the failures.",
        epilog="Exit status: 0 nothing observed, 1 a failure was observed, 2 bad arguments, "
        "3 the harness could not run.",
    )
    parser.add_argument("--workload", help=", ".join(WORKLOADS))
    defaults = ", ".join(f"{name} ({target.value})" for target, name in DEFAULT_SCHEDULES.items())
    parser.add_argument("--schedule", help=f"{', '.join(SCHEDULES)}; default: {defaults}")
    parser.add_argument(
        "--trials",
        type=int,
        help=f"at least 1; default: {DEFAULT_TRIALS[Target.SIMULATOR]}, under explore all, of the "
        f"compiler {DEFAULT_TRIALS[Target.COMPILER]}",
    )
    parser.add_argument("--seed", type=int, default=0, help="fixes the schedule's decisions")
    parser.add_argument(
        "--target",
        default=Target.SIMULATOR.value,
        help=f"{', '.join(target.value for target in Target)}; compiler judges compiled kernels "
        "and needs no device, without --workload every kernel",
    )
    parser.add_argument(
        "--shield",
        action="store_true",
        help="repair the simulator before it is measured, by mwe/shield/cudasim_shield.py",
    )
    explore = parser.add_argument_group("--schedule explore")
    explore.add_argument(
        "--switches", type=int, help="forced switches of a schedule, at most; default: 2"
    )
    explore.add_argument("--threads", type=int, help="threads to switch among; default: 2")
    explore.add_argument("--limit", type=float, metavar="SECONDS", help="begin no schedule later")
    explore.add_argument(
        "--all",
        action="store_true",
        help="go on after the first failure that has the defect's signature",
    )
    explore.add_argument(
        "--replay", metavar="TEXT", help="run one schedule, as a report names it, and show it"
    )
    tests = parser.add_argument_group("--test, for tests of your own")
    tests.add_argument(
        "--test",
        nargs="+",
        metavar="TEST",
        help="run these pytest tests (files, node ids) under each schedule, each run in a fresh "
        "process; takes --trials, --seed, --limit and --replay, too",
    )
    tests.add_argument("-k", dest="keyword", metavar="EXPR", help="only those that match")
    tests.add_argument(
        "-p", dest="plugins", action="append", default=[], metavar="NAME", help="a pytest plugin"
    )
    tests.add_argument(
        "--timeout", type=float, metavar="SECONDS", help="of one run of a test; default: 30"
    )
    tests.add_argument(
        "--max-schedules", type=int, metavar="N", help="explore so many schedules of a test at most"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--serve",
        action="store_true",
        help="run the batches that standard input asks for, a JSON object a line each",
    )
    parser.add_argument(
        "--check", action="store_true", help="only say whether the target can be used, and exit"
    )
    parser.add_argument(
        "--ptx",
        nargs="?",
        const=DEFAULT_COMPUTE_CAPABILITY,
        metavar="X.Y",
        help="compile the kernels for a device of compute capability X.Y "
        f"({DEFAULT_COMPUTE_CAPABILITY}), which needs no device, and exit",
    )
    parser.add_argument(
        "--list", action="store_true", help="print defects, their workloads and controls, and exit"
    )
    return parser.parse_args(arguments)


def _find_exploration(options: argparse.Namespace) -> dict[str, Any]:
    """Return the options of `explore` that were given."""
    given = {
        "switches": options.switches,
        "threads": options.threads,
        "limit_s": options.limit,
        "replay": options.replay,
        "stops_at_failure": False if options.all else None,
    }
    return {name: value for name, value in given.items() if value is not None}


def _progress_printer(n_trials: int) -> Callable[[Batch], None]:
    last_s = time.monotonic()

    def report(batch: Batch) -> None:
        nonlocal last_s
        if time.monotonic() - last_s >= PROGRESS_PERIOD_S:
            last_s = time.monotonic()
            n_all = batch.space["schedules"] if batch.space else n_trials
            line = f"{batch.trials} of {n_all} trials, {batch.failures} failures"
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
    if batch.signature_failures != batch.failures:
        print(f"  {batch.signature_failures} of them with the signature of {batch.defect}")
    if batch.refusals:
        print(f"  {batch.refusals} launches were refused, with an error that says so")
    for detail in batch.details:
        print(textwrap.indent(detail, "    "))
    if batch.first_failure_trial is not None:
        print(f"  first in trial {batch.first_failure_trial}, after {batch.first_failure_s:.3f} s")
    if batch.stretches is not None:
        stretches = [Stretch.from_json(stretch) for stretch in batch.stretches]
        print("\n".join(render_stretches(stretches)))
    elif batch.space is not None:
        print(f"  {describe_space(batch.space)}")
    if batch.first_failure_schedule is not None and batch.stretches is None:
        print(
            f"  python -m mwe --workload {batch.workload} --replay {batch.first_failure_schedule} "
            "shows it"
        )
    if batch.status != "complete":
        print(f"  {batch.status}")


def _check(target: Target, *, as_json: bool) -> int:
    """Say whether kernels can run on a target; what is missing is an error as in a batch."""
    missing = None
    try:
        with offer_toolkit(target):
            prepare_target(target)
            if target is not Target.SIMULATOR:
                check_compiler(parse_compute_capability(DEFAULT_COMPUTE_CAPABILITY))
    except MissingPartError as error:
        missing = error.part.value
        raise
    finally:
        if as_json:
            print(json.dumps({"version": 1, "target": target.value, "missing": missing}))
    if not as_json:
        print(f"the target {target.value} can be used")
    return EXIT_NOTHING_OBSERVED


def _run_tests(options: argparse.Namespace) -> int:
    """Run a user's own tests under each schedule."""
    if options.workload or options.schedule:
        raise BadArgumentError(
            "--test runs tests of your own under each schedule; it takes no "
            "--workload and no --schedule"
        )
    given = {
        "n_trials": options.trials,
        "seed": options.seed,
        "limit_s": options.limit,
        "timeout_s": options.timeout,
        "max_schedules": options.max_schedules,
        "replay": options.replay,
    }
    request = TestRequest(
        tests=options.test,
        keyword=options.keyword,
        plugins=options.plugins,
        plan=TrialPlan(**{name: value for name, value in given.items() if value is not None}),
    )
    document = run_tests(request, lambda line: print(line, file=sys.stderr, flush=True))
    if options.json:
        print(json.dumps(document))
    else:
        print("\n".join(render(document)))
    if any(test["verdict"] in FAILED for test in document["tests"]):
        return EXIT_FAILURE_OBSERVED
    was_run = any(test["verdict"] != "not-run" for test in document["tests"])
    is_whole = document["status"] == "complete" and all(
        place.get("skipped", False) for place in document["unusable"]
    )
    return EXIT_NOTHING_OBSERVED if was_run and is_whole else EXIT_HARNESS


def run(arguments: Sequence[str]) -> int:
    """Run the command and return its exit status; errors have a message of one line."""
    options = _parse_arguments(arguments)
    if options.list:
        for defect in DEFECTS.values():
            print(f"{defect.name:<32}{'defect':<18}{defect.summary}")
            for workload in defect.workloads:
                print(f"  {workload.name:<30}{workload.role.value:<18}{workload.summary}")
        return EXIT_NOTHING_OBSERVED
    if options.serve:
        serve()
        return EXIT_NOTHING_OBSERVED
    target = find_target(options.target)
    if options.shield:
        if target is not Target.SIMULATOR:
            raise BadArgumentError("--shield is for --target simulator; a device needs none")
        os.environ[SHIELD_VARIABLE] = "1"
    if options.test:
        return _run_tests(options)
    if options.check:
        return _check(target, as_json=options.json)
    if options.ptx:
        print_ptx(options.workload, options.ptx, as_json=options.json)
        return EXIT_NOTHING_OBSERVED
    schedule = options.schedule or ("explore" if options.replay else DEFAULT_SCHEDULES[target])
    n_trials = MAX_SCHEDULES if schedule == "explore" else DEFAULT_TRIALS[target]
    request = BatchRequest(
        workload=options.workload or DEFAULT_WORKLOAD,
        schedule=schedule,
        n_trials=n_trials if options.trials is None else options.trials,
        seed=options.seed,
        target=options.target,
        exploration=_find_exploration(options),
    )
    if target is Target.COMPILER and options.workload is None:
        has_failed = judge_all(request, as_json=options.json)
        return EXIT_FAILURE_OBSERVED if has_failed else EXIT_NOTHING_OBSERVED
    batch = request.run(_progress_printer(request.n_trials))
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
        status = run(sys.argv[1:])
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # The reader has closed the pipe; keep the interpreter from failing again as it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_READER_GONE
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
