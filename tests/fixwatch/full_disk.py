"""A disk that is full, for tests: no file of a process may grow past a size."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

# The limit comes behind the imports, which write compiled modules.
_LIMIT = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({0}, {0}))\n"


def run_on_full_disk(max_bytes: int, imports: str, code: str, path: Path) -> str:
    """Run code about `sys.argv[1]` where files end at a size; return the last line of its errors.

    Windows has no such limit.
    """
    program = f"import sys; from pathlib import Path; {imports}\n{_LIMIT.format(max_bytes)}{code}"
    done = subprocess.run(
        [sys.executable, "-c", program, path], capture_output=True, text=True, check=False
    )
    return done.stderr.splitlines()[-1]
