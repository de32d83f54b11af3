"""Markdown and lines of text from templates, with upstream's texts in them that are no markup."""

from __future__ import annotations

import functools
from typing import Any

import jinja2

from fixwatch.report.answer import format_probability
from fixwatch.upstream_texts import make_printable

MAX_CELL = 200


def quote_markdown(text: str, max_characters: int = MAX_CELL) -> str:
    """Return a text as a code span of one line: nothing in it is a link, a mention or markup.

    A long one is cut, so that no text of upstream's makes an issue too long to be written.
    """
    line = make_printable(" ".join(text.split()))
    line = line if len(line) <= max_characters else line[: max_characters - 1] + "…"
    # A table's cell ends at a bar even within a code span.
    return "`" + line.replace("`", "'").replace("|", "\\|") + "`" if line else ""


def render(template: str, **values: Any) -> str:
    """Return the text of a template, in which no value begins a line of its own.

    ``code`` is the filter that makes a value harmless in Markdown, see `quote_markdown`.
    """
    return _create_environment().get_template(template).render(values)


@functools.cache
def _create_environment() -> jinja2.Environment:
    environment = jinja2.Environment(  # noqa: S701 (Markdown, not HTML)
        loader=jinja2.PackageLoader("fixwatch.report"),
        undefined=jinja2.StrictUndefined,
        finalize=lambda value: " ".join(str(value).split()),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["code"] = quote_markdown
    environment.filters["confidence"] = format_probability
    return environment
