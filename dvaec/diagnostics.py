"""Spans, stable codes and caret excerpts: how every room reports a fault in a spec.

Rooms raise `Fault` or return `Diagnostic` values; only the command line prints them.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

WIDEST = 120  # characters of a line that an excerpt shows
HIDDEN = "\N{REPLACEMENT CHARACTER}"  # stands for what cannot be printed


class Severity(StrEnum):
    """How bad a finding is. Only an error makes the exit status 1."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, order=True)
class Span:
    """A place in a text: `line` and `column` count from 1, `width` is what the caret underlines."""

    file: str
    line: int
    column: int
    width: int = 1


@dataclass(frozen=True)
class Diagnostic:
    """One finding: a stable code (`DV012`), what is wrong, where, and how to mend it."""

    code: str
    message: str
    span: Span
    hint: str | None = None
    severity: Severity = Severity.ERROR


@dataclass(frozen=True)
class Sources:
    """The texts that spans point into, by file name, for the excerpts."""

    texts: dict[str, str] = field(default_factory=dict)

    def lines(self, file: str) -> list[str]:
        """Return the lines of `file`, or none if its text is not known."""
        return self.texts.get(file, "").splitlines()


class Fault(Exception):  # noqa: N818 - a fault of the page, not of the program
    """Raised when a pass cannot go on; carries every diagnostic found so far and the texts."""

    def __init__(self, diagnostics: Iterable[Diagnostic], sources: Sources) -> None:
        self.diagnostics = ordered(diagnostics)
        self.sources = sources
        super().__init__(render(self.diagnostics, sources))


def ordered(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Sort by position, then by code and text; drop exact repetitions."""
    unique = dict.fromkeys(diagnostics)
    return tuple(sorted(unique, key=lambda d: (d.span, d.code, d.message)))


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """Return `did you mean 'y'?` for the closest known word, or None if none is close.

    Equal but for capitals is closest of all.
    """
    words = list(known)
    close = [one for one in words if one.lower() == word.lower()]
    close += difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    return f"did you mean '{close[0]}'?" if close else None


def render(diagnostics: Iterable[Diagnostic], sources: Sources) -> str:
    """Lay out diagnostics as text: heading, two lines of context, a caret, a hint."""
    lines: dict[str, list[str]] = {}
    texts = []
    for diagnostic in diagnostics:
        file = diagnostic.span.file
        if file not in lines:
            lines[file] = sources.lines(file)
        texts.append(_render_one(diagnostic, lines[file]))
    return "\n\n".join(texts)


def visible(text: str) -> str:
    """Return the text with everything that a terminal would obey or hide written as an escape."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)


def _render_one(diagnostic: Diagnostic, lines: list[str]) -> str:
    span = diagnostic.span
    where = f"{_clipped(visible(span.file))}:{span.line}:{span.column}"
    out = [f"{where}: {diagnostic.severity}[{diagnostic.code}]: {visible(diagnostic.message)}"]
    if span.line <= len(lines):
        gutter = len(str(span.line))
        shown, start, stop = _excerpt(lines[span.line - 1], span)
        if span.line > 1:
            before, _, _ = _excerpt(lines[span.line - 2], span)
            out.append(f" {span.line - 1:>{gutter}} | {before}".rstrip())
        out.append(f" {span.line:>{gutter}} | {shown}".rstrip())
        pad = "".join("\t" if c == "\t" else " " * _cells(c) for c in shown[:start])
        marked = sum(map(_cells, shown[start:stop]))
        out.append(f" {'':>{gutter}} | {pad}{'^' * max(1, marked)}")
    if diagnostic.hint:
        out.append(f"   = hint: {visible(diagnostic.hint)}")
    return "\n".join(out)


def _excerpt(line: str, span: Span) -> tuple[str, int, int]:
    """Return what fits of a line around the span's columns, and from where to where the caret goes in it."""
    shown = "".join(c if c == "\t" or c.isprintable() else HIDDEN for c in line)
    start = min(span.column - 1, len(shown))
    stop = min(start + span.width, len(shown))
    if len(shown) <= WIDEST:
        return shown, start, stop
    first = max(0, min(start - WIDEST // 3, len(shown) - WIDEST))
    last = first + WIDEST
    ahead, behind = "..." if first else "", "..." if last < len(shown) else ""
    moved = len(ahead) - first
    return ahead + shown[first:last] + behind, start + moved, min(stop, last) + moved


def _clipped(text: str) -> str:
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 3]}..."


def _cells(character: str) -> int:
    """Return how many columns of a terminal a character takes."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
