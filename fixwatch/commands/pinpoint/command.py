"""The command ``pinpoint``: its options, what it refuses, and what it prints."""

from __future__ import annotations

import argparse
import json

from fixwatch.asv_adapter.command import record_machine
from fixwatch.asv_adapter.measuring import CommitMeasurer
from fixwatch.commands.command_line import (
    Subparsers,
    add_output_form,
    add_range,
    announce,
    open_console,
)
from fixwatch.commands.pinpoint.document import build_document
from fixwatch.commands.pinpoint.findings import Finding, Settings
from fixwatch.commands.pinpoint.observations import MeasuringSetup
from fixwatch.commands.pinpoint.search import Search
from fixwatch.commands.pinpoint.summary import print_answer, render_markdown
from fixwatch.configuration import Configuration
from fixwatch.errors import FixwatchError
from fixwatch.history.mirror import BESIDE_THE_BRANCH, UpstreamMirror
from fixwatch.layout import STATE_DIR
from fixwatch.machine import describe_machine, describe_python
from fixwatch.run_lock import hold_lock
from fixwatch.statistics.search_planning import SearchAnswer
from fixwatch.verdicts.series import FALLBACK_WORKLOAD
from mwe.defects import Defect, find_defect, find_workload
from mwe.errors import BadArgumentError
from mwe.planned.plan import EXPLORE, plan_batches
from mwe.schedules import DEFAULT_SCHEDULES
from mwe.targets import Target
from mwe.workloads.subject import Role

EXIT_NOT_DECIDED = 4
# Standard output is for the answer, and asv prints tables.
LOG_PATH = STATE_DIR / "pinpoint" / "asv.log"
# The schedule that finds most kinds of races; further trials are run under it where it decides.
PREFERRED_SCHEDULE = "delay"


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    """Declare the command."""
    parser = subparsers.add_parser(
        "pinpoint", help="find the commit of a range where the failure rate changes"
    )
    add_range(parser, "v0.24.0..v0.26.0")
    parser.add_argument(
        "--workload",
        default=FALLBACK_WORKLOAD,
        help="whose failures are counted (default: %(default)s)",
    )
    parser.add_argument(
        "--relevant-only",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="leave out commits that can change nothing, as plan does (the default), or search "
        "every commit of the branch",
    )
    parser.add_argument(
        "--max-builds",
        type=int,
        metavar="N",
        help="build at most N commits; a search that would need more ends undecided",
    )
    add_output_form(parser, "print each commit that was measured, too")
    return parser


def run(options: argparse.Namespace) -> int:
    """Search, print what was found, and return the exit status."""
    finding = _search(options)
    if options.json:
        print(json.dumps(build_document(finding), indent=1, allow_nan=False))
    elif options.markdown:
        print(render_markdown(finding), end="")
    else:
        print_answer(finding, open_console(), shows_commits=options.all)
    return EXIT_NOT_DECIDED if finding.answer is SearchAnswer.NOT_DECIDED else 0


def _search(options: argparse.Namespace) -> Finding:
    configuration: Configuration = options.config
    if options.max_builds is not None and options.max_builds < 0:
        raise FixwatchError(f"--max-builds is {options.max_builds}; give 0 or more")
    check_workload(options.workload, configuration)
    mirror = UpstreamMirror(
        configuration.repository, configuration.project, announce, configuration.target
    )
    mirror.pull(announce)
    commits = mirror.list_range(options.range, relevant_only=options.relevant_only)
    if len(commits) < 2:
        raise FixwatchError(
            f"the range {options.range!r} has {len(commits)} commits of the branch to measure; "
            "give one with at least two"
        )
    announce(
        f"{len(commits)} commits from {commits[0].name} ({commits[0].date[:10]}) to "
        f"{commits[-1].name} ({commits[-1].date[:10]})"
    )
    if BESIDE_THE_BRANCH in commits[0].reasons:
        announce(
            f"the lower end of {options.range} lies beside the branch; the search begins at "
            f"{commits[0].name}, where it leaves"
        )
    # A second search of the same upstream takes its turn, and finds what this one measured.
    hold_lock(STATE_DIR / "pinpoint" / configuration.results_dir.name, announce)
    machine = describe_machine()
    record_machine(machine)
    settings = Settings(
        range=options.range,
        workload=options.workload,
        target=configuration.target,
        own=MeasuringSetup(
            machine.name,
            describe_python(),
            choose_schedule(find_defect(options.workload), Target(configuration.target)),
        ),
        max_builds=options.max_builds,
    )
    measurer = CommitMeasurer(
        configuration=str(configuration.path),
        project=configuration.project,
        machine=machine.name,
        log_path=LOG_PATH,
    )
    return Search(settings, commits, mirror, configuration.results_dir, measurer, announce).run()


def choose_schedule(defect: Defect, target: Target = Target.SIMULATOR) -> str:
    """Return the schedule that a search for a defect rests on: one that samples, if one decides."""
    if target is not Target.SIMULATOR:
        return DEFAULT_SCHEDULES[target]
    sampled = [name for name in defect.schedules if name != EXPLORE]
    if PREFERRED_SCHEDULE in sampled:
        return PREFERRED_SCHEDULE
    return sampled[0] if sampled else EXPLORE


def check_workload(name: str, configuration: Configuration) -> None:
    """Refuse, with a `FixwatchError`, a workload that commits cannot be searched with."""
    try:
        workload = find_workload(name)
    except BadArgumentError as error:
        raise FixwatchError(str(error)) from error
    target = Target(configuration.target)
    if target not in workload.targets:
        raise FixwatchError(
            f"{name} is not for the target {target.value} of {configuration.path}; name another "
            "workload or configuration"
        )
    if configuration.workloads is not None and name not in configuration.workloads:
        raise FixwatchError(
            f"{configuration.path} leaves {name} out; choose from "
            f"{', '.join(configuration.workloads)}"
        )
    if workload.role is not Role.WORKLOAD:
        raise FixwatchError(
            f"{name} is a {workload.role.value}, which never changes; name a workload"
        )
    defect = find_defect(name)
    schedule = choose_schedule(defect, target)
    if not plan_batches(target, [name], schedules=[schedule]):
        raise FixwatchError(
            f"{name} is not run under {schedule} in histories, only by judges; "
            f"name {defect.default_workload.name}"
        )
