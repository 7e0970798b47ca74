"""Spans, stable codes and caret excerpts: how every room reports a fault in a spec.

Rooms raise `Fault` or return `Diagnostic` values; only the command line prints them.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


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
    """Return `did you mean 'y'?` for the closest known word, or None if none is close."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"did you mean '{close[0]}'?" if close else None


def render(diagnostics: Iterable[Diagnostic], sources: Sources) -> str:
    """Lay out diagnostics as text: heading, two lines of context, a caret, a hint."""
    return "\n\n".join(_render_one(d, sources) for d in diagnostics)


def _render_one(diagnostic: Diagnostic, sources: Sources) -> str:
    span = diagnostic.span
    where = f"{span.file}:{span.line}:{span.column}"
    out = [f"{where}: {diagnostic.severity}[{diagnostic.code}]: {diagnostic.message}"]
    lines = sources.lines(span.file)
    if span.line <= len(lines):
        gutter = len(str(span.line))
        for number in range(max(1, span.line - 1), span.line + 1):
            out.append(f" {number:>{gutter}} | {lines[number - 1]}".rstrip())
        room = max(1, len(lines[span.line - 1]) - span.column + 1)
        pad = "".join("\t" if c == "\t" else " " for c in lines[span.line - 1][: span.column - 1])
        out.append(f" {'':>{gutter}} | {pad}{'^' * max(1, min(span.width, room))}")
    if diagnostic.hint:
        out.append(f"   = hint: {diagnostic.hint}")
    return "\n".join(out)
