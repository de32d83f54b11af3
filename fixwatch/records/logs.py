"""Logs and JUnit files of test suites: lines that somebody else's tests have printed."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from fixwatch.errors import FixwatchError

# A longer line is read in parts.
MAX_LINE_CHARACTERS = 100_000
_CHUNK_BYTES = 1 << 16
# Colours and the like, which CI systems keep in their logs.
_TERMINAL_CODE = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_JUNIT_ROOTS = ("testsuites", "testsuite")


@dataclass(frozen=True)
class LogLine:
    """A line, and where it stands."""

    section: str  # the test of a JUnit file; empty in a log
    number: int  # in the section, from 1
    text: str

    @property
    def place(self) -> str:
        """The test, or the line of a log."""
        return self.section or f"line {self.number}"


def read_lines(path: Path) -> Iterator[LogLine]:
    """Yield the lines of a log, or those of each test in a JUnit file.

    Raises
    ------
    FixwatchError
        If the file cannot be read, is no text, or is XML and no JUnit file.
    """
    try:
        with path.open("rb") as file:
            start = file.read(_CHUNK_BYTES)
            file.seek(0)
            is_xml = start.lstrip(codecs.BOM_UTF8 + b" \r\n\t").startswith((b"<?xml", b"<testsuit"))
            yield from _read_junit(path, file) if is_xml else _read_log(path, file, start)
    except OSError as error:
        raise FixwatchError(f"{path}: cannot be read ({error.strerror})") from error


def _read_log(path: Path, file: BinaryIO, start: bytes) -> Iterator[LogLine]:
    # What Windows PowerShell writes for `>`.
    is_utf16 = start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if not is_utf16 and b"\0" in start:
        raise FixwatchError(f"{path}: is no text; give a log or a JUnit file")
    encoding = "utf-16" if is_utf16 else "utf-8-sig"
    with io.TextIOWrapper(file, encoding=encoding, errors="replace") as lines:
        number = 1
        while text := lines.readline(MAX_LINE_CHARACTERS):
            yield LogLine("", number, _TERMINAL_CODE.sub("", text).rstrip("\n"))
            number += text.endswith("\n")


class _NoDoctype(TreeBuilder):
    """Builds a tree of a document that declares no entities."""

    def doctype(self, _name: str, _public: str | None, _system: str | None) -> None:
        """Refuse the only place where entities are declared."""
        raise FixwatchError("it declares a document type, which no JUnit file needs")


def _read_junit(path: Path, file: BinaryIO) -> Iterator[LogLine]:
    parser = XMLParser(target=_NoDoctype())  # noqa: S314 (what it warns of needs a document type)
    try:
        while chunk := file.read(_CHUNK_BYTES):
            parser.feed(chunk)
        root: Element = parser.close()
    except FixwatchError as error:
        raise FixwatchError(f"{path}: is refused: {error}") from error
    except (ParseError, ValueError, LookupError) as error:
        raise FixwatchError(f"{path}: is no XML that can be read ({error})") from error
    if root.tag not in _JUNIT_ROOTS:
        raise FixwatchError(f"{path}: is XML with the root {root.tag}; give a log or a JUnit file")
    for suite in root.iter("testsuite"):
        for part in suite:
            if part.tag == "testcase":
                yield from _read_test(part)
            elif part.tag in ("system-out", "system-err"):
                yield from _split(f"{part.tag} of {suite.get('name', 'a suite')}", part.text)


def _read_test(test: Element) -> Iterator[LogLine]:
    section = "::".join(filter(None, (test.get("classname"), test.get("name")))) or "a test"
    # The message may be cut short in the text, or stand there alone.
    texts = [text for part in test.iter() for text in (part.text, part.get("message")) if text]
    # One that passed has an empty line.
    yield from _split(section, "\n".join(texts) or "\n")


def _split(section: str, text: str | None) -> Iterator[LogLine]:
    for number, line in enumerate((text or "").splitlines(), start=1):
        yield LogLine(section, number, _TERMINAL_CODE.sub("", line))
