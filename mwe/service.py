"""Run one batch after another on request, so that numba is imported once for many.

Where the platform has a safe fork, each batch runs in forks of this process, which imports the
workloads and launches nothing: it is as fresh for the last batch as for the first.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from mwe.errors import BadArgumentError, HarnessError
from mwe.processes import end_with_parent
from mwe.request import BatchRequest


def serve() -> None:
    """Answer each line on standard input by one on standard output, until there is no more.

    A request is a JSON object with the fields of `BatchRequest`. Its answer is an object with
    either ``batch``, what ``--json`` prints, or ``error``, the line that says why the harness
    could not run it. What upstream's code prints goes to standard error.

    Raises
    ------
    BadArgumentError
        If a request does not make sense; whoever sends them is in error then.
    """
    # A client that was killed cannot end it, and upstream's code may never come back.
    end_with_parent()
    sys.stdout.flush()
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)
        for line in sys.stdin:
            try:
                request = BatchRequest(**json.loads(line))
            except (ValueError, TypeError) as error:
                raise BadArgumentError(f"not a batch request: {error}") from error
            answer: dict[str, Any]
            try:
                answer = {"batch": request.run().to_json()}
            except HarnessError as error:
                answer = {"error": " ".join(str(error).split())}
            print(json.dumps(answer), file=answers, flush=True)
