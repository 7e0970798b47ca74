"""docs/language.md taken apart: its examples as pages, what they claim, its tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tests.shipped import ROOT

FRAME = "dvaec: 1"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TOP = re.compile(r"^(?=[A-Za-z])", re.MULTILINE)
_HEADING = re.compile(r"^#+ (.*)$")
_CLAIM = re.compile(r"^# (q|golden|silver|redundant|order): (.*)$", re.MULTILINE)


@cache
def text(name: str = "language") -> str:
    """Return one page of the documentation."""
    return (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")


def blocks(language: str, name: str = "language") -> list[str]:
    """Return the fenced blocks of one language."""
    return [found.group(2) for found in _BLOCK.finditer(text(name)) if found.group(1) == language]


@dataclass(frozen=True)
class Example:
    """A page that is shown, or put together from a part; `claims` are its comments, by their word."""

    section: str
    page: str
    claims: tuple[tuple[str, str], ...]

    def said(self, word: str) -> list[str]:
        """Return what the comments of one word say."""
        return [what for which, what in self.claims if which == word]


def examples() -> list[Example]:
    """Return the YAML examples in order; a part takes the place of the blocks of its names on the first one."""
    frame, found = "", []
    for section, shown in _sectioned("yaml"):
        frame = frame or shown
        page = shown if shown.startswith(FRAME) else put_in(frame, shown)
        found.append(Example(section, page, tuple(_CLAIM.findall(shown))))
    return found


def put_in(frame: str, part: str) -> str:
    """Return the frame page with the top-level blocks of a part in the place of its own."""
    said = _parts(part)
    kept = {key: block for key, block in _parts(_CLAIM.sub("", frame)).items() if key not in said}
    return "".join((kept | said).values())


def _parts(page: str) -> dict[str, str]:
    pieces = [piece for piece in _TOP.split(page) if piece.strip()]
    return {piece.split(":", 1)[0]: piece for piece in pieces}


def _sectioned(language: str) -> Iterator[tuple[str, str]]:
    """Yield each fenced block of a language behind the heading that it stands under."""
    starts = [m.start() for m in _BLOCK.finditer(text()) if m.group(1) == language]
    for start, block in zip(starts, blocks(language), strict=True):
        headings = [m.group(1) for line in _prose(text()[:start]) if (m := _HEADING.match(line))]
        yield headings[-1], block


def _prose(page: str) -> list[str]:
    """Return the lines outside fenced blocks, whose comments look like headings."""
    return _BLOCK.sub("", page).splitlines()


@dataclass(frozen=True)
class Table:
    """A table of the page: the heading above it, its columns and its rows of cells."""

    section: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tables(name: str = "language") -> list[Table]:
    """Return all tables in order."""
    found, section, lines = [], "", list[tuple[str, ...]]()
    for line in [*_prose(text(name)), ""]:
        if heading := _HEADING.match(line):
            section = heading.group(1)
        if line.startswith("|"):
            lines.append(tuple(cell.strip() for cell in line.strip().strip("|").split(" |")))
        elif lines:
            found.append(Table(section, lines[0], tuple(lines[2:])))
            lines = []
    return found


def code(cell: str) -> str:
    """Return what stands in a cell's backticks alone; "" where something else does."""
    match = re.fullmatch(r"`([^`]*)`", cell)
    return match.group(1) if match else ""
