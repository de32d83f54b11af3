"""Text from templates, with upstream's texts in it."""

from __future__ import annotations

import pytest
from jinja2 import UndefinedError

from fixwatch.report.markdown import render


def test_a_value_that_is_missing_is_an_error():
    """A template never leaves out silently what it was to say."""
    with pytest.raises(UndefinedError):
        render("check.md.j2")
