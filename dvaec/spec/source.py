"""Where everything of a spec stands in its text: the side tree of positions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dvaec.diagnostics import Diagnostic, Sources, Span

Path = tuple[str | int, ...]
READS = "|"
"""Behind the path of a conditional or a network, before the name and the text of each thing that it reads."""


@dataclass(frozen=True)
class Source:
    """The positions of one page by path, and the texts that they point into (the file and the overrides).

    `notes` are remarks on a page without faults.
    """

    file: str
    spans: Mapping[Path, Span]
    texts: Mapping[str, str]
    notes: tuple[Diagnostic, ...] = ()

    def span(self, path: Path) -> Span:
        """Return the place of `path`, or of the nearest path around it that has one."""
        for end in range(len(path), 0, -1):
            if path[:end] in self.spans:
                return self.spans[path[:end]]
        return Span(self.file, 1, 1)

    def sources(self) -> Sources:
        """Return the texts for the excerpts of diagnostics."""
        return Sources(dict(self.texts))
