"""The check in words: Markdown for a run's summary."""

from __future__ import annotations

from fixwatch.commands.check.comparison import Comparison
from fixwatch.report.markdown import render


def render_summary(comparison: Comparison) -> str:
    """Return the check as Markdown; upstream's names cannot add markup to it."""
    return render("check.md.j2", comparison=comparison)
