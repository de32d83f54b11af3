"""The command line: ``python -m fixwatch``."""

from __future__ import annotations

import argparse
import errno
import os
import sys
import traceback
from collections.abc import Sequence

from asv.util import UserError

from fixwatch.commands import (
    dashboard,
    explain,
    plan,
    publish,
    releases,
    status,
    track,
)
from fixwatch.commands.check import command as check
from fixwatch.commands.command_line import OneLineParser, announce
from fixwatch.commands.judge import command as judge
from fixwatch.commands.merge import command as merge
from fixwatch.commands.mine import command as mine
from fixwatch.commands.pinpoint import command as pinpoint
from fixwatch.durable_files import write_text_atomically
from fixwatch.errors import CouldNotMeasureError, FixwatchError
from fixwatch.layout import STATE_DIR

# In the order of --help. Each has `add_parser(subparsers)` and `run(options)`.
COMMANDS = (
    status,
    dashboard,
    publish,
    plan,
    pinpoint,
    check,
    judge,
    mine,
    explain,
    track,
    merge,
    releases,
)
TRACEBACK_LOG = STATE_DIR / "traceback.log"

# A disk that is full or read-only, and whoever may not write there.
REFUSALS_OF_DISKS = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM}
)

EXIT_INTERRUPTED = 130
# What a shell makes of SIGPIPE; no command answers with it.
EXIT_READER_GONE = 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; errors become one line on standard error."""
    try:
        options = _build_parser().parse_args(arguments)
        exit_status = int(options.run(options))
        sys.stdout.flush()
        return exit_status
    except (FixwatchError, UserError) as error:
        announce(str(error))
        return getattr(error, "exit_status", FixwatchError.exit_status)
    except KeyboardInterrupt as interrupt:
        announce(f"interrupted; {str(interrupt) or 'what was measured is kept'}")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader has closed the pipe; keep the interpreter from failing again as it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_READER_GONE
    except Exception as error:
        if isinstance(error, OSError) and error.errno in REFUSALS_OF_DISKS:
            # The second name is that of a copy.
            place = error.filename2 or error.filename
            told = f"{place}: {error.strerror}" if place else error.strerror
            announce(f"{told}; mend that and run the command again")
            return CouldNotMeasureError.exit_status
        announce(f"unexpected {type(error).__name__}: {error}; {_keep_traceback()}")
        # 1 would be one of judge's answers.
        return CouldNotMeasureError.exit_status


def _build_parser() -> argparse.ArgumentParser:
    parser = OneLineParser(
        prog="python -m fixwatch", description="Track an upstream fix by counts."
    )
    subparsers = parser.add_subparsers(dest="command", required=True)
    for command in COMMANDS:
        command.add_parser(subparsers).set_defaults(run=command.run)
    return parser


def _keep_traceback() -> str:
    """Write the traceback of the error that is being handled, and say where it is."""
    try:
        write_text_atomically(TRACEBACK_LOG, traceback.format_exc())
    except OSError as error:
        return f"its traceback cannot be kept ({error})"
    return f"please report it with {TRACEBACK_LOG}"


if __name__ == "__main__":
    sys.exit(main())
