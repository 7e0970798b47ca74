"""Collecting diagnostics, so that one run shows every fault of a page."""

from __future__ import annotations

from dataclasses import dataclass, field

from dvaec.diagnostics import Diagnostic, Severity, Span
from dvaec.spec.codes import Code

MOST_FAULTS = 500  # more help nobody, and a file of junk must not keep its reader waiting


@dataclass
class Report:
    """The faults found so far in one reading; the single mutable value of this room."""

    found: list[Diagnostic] = field(default_factory=list)
    notes: list[Diagnostic] = field(default_factory=list)  # no faults: what a careful reader would remark

    def add(self, code: Code, message: str, span: Span, hint: str | None = None) -> None:
        """Note one fault; those beyond the bound are dropped."""
        if len(self.found) < MOST_FAULTS:
            self.found.append(Diagnostic(code.value, message, span, hint))

    def note(self, code: Code, message: str, span: Span, hint: str | None = None) -> None:
        """Remark on a page that is right."""
        self.notes.append(Diagnostic(code.value, message, span, hint, Severity.NOTE))
