"""The process that collects a user's tests: ``python -m mwe.user_tests``, for `command` alone."""

from __future__ import annotations

import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path

from mwe.errors import HarnessError
from mwe.targets import Target, prepare_target

_FOLDER = str(Path(__file__).resolve().parents[2])


def _stand_aside() -> None:
    """Let no other package of this checkout come before, or reach, what the tests import."""
    elsewhere = [path for path in sys.path if os.path.realpath(path or ".") != _FOLDER]
    if len(elsewhere) < len(sys.path) and os.path.realpath(os.getcwd()) != _FOLDER:
        sys.path[:] = [*elsewhere, _FOLDER]
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    kept = [path for path in paths if path and os.path.realpath(path) != _FOLDER]
    os.environ.pop("PYTHONPATH", None)
    if kept:
        os.environ["PYTHONPATH"] = os.pathsep.join(kept)


def main() -> int:
    """Run pytest as standard input asks for; what the tests read there is empty."""
    request = json.loads(sys.stdin.read())
    _stand_aside()
    with open(request["results"], "a", encoding="utf-8") as results:
        try:
            if find_spec("pytest") is None:
                raise HarnessError("pytest is not installed in this environment; install it")
            prepare_target(Target.SIMULATOR)
        except HarnessError as error:
            results.write(json.dumps({"kind": "failed", "what": str(error)}) + "\n")
            return 1
        from mwe.user_tests.plan import TrialPlan
        from mwe.user_tests.plugin import run_session

        return run_session(request["arguments"], TrialPlan(**request["plan"]), results)


if __name__ == "__main__":
    sys.exit(main())
