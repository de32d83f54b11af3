"""What uv is asked for, and what a resolution leaves behind."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest

from fixwatch.installing import as_of
from fixwatch.layout import STATE_DIR

MOMENT = datetime(2024, 5, 2, tzinfo=timezone.utc)


@pytest.fixture
def constrained(tmp_path, monkeypatch):
    """Return the constraints that uv was given, in a folder of its own; nothing is resolved."""
    texts = []

    def run_uv(arguments, stdin):
        assert stdin == "numba==0.59.0\n"
        texts.append(Path(arguments[arguments.index("--constraints") + 1]).read_text())
        return ""

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(as_of, "_run_uv", run_uv)
    return texts


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell whether a process ended")
def test_constraints_of_a_run_that_was_killed_go_with_the_next(constrained):
    """Neither its file nor the own one stays."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = STATE_DIR / f"constraints-{ended.pid}-x"
    left.mkdir(parents=True)
    (left / "constraints.txt").write_text("setuptools<60\n")
    as_of.resolve_as_of(
        ["numba==0.59.0"], MOMENT, Path("python"), constraints=["numpy<2", "pip<24"]
    )
    assert constrained == ["numpy<2\npip<24\n"]
    assert list(STATE_DIR.iterdir()) == []
