"""The colours of diagrams, on white and on dark pages.

No meaning hangs on a colour alone: golden links are solid and thick, silver ones dashed, auxiliary ones
dotted, the heads of q's links are open and those of p's filled, and kinds of nodes have shapes of their own.
Lines stand out from every ground with a contrast of at least 3 to 1 (WCAG 2.1, 1.4.11), labels with at least
4.5 to 1; golden differs from plain in greyscale too.
"""

from __future__ import annotations

from dataclasses import dataclass

from dvaec.emit.diagram import Kind, Mark, Tone

TONES = {
    Tone.PLAIN: "ink",
    Tone.AUXILIARY: "ink",
    Tone.GOLDEN: "golden",
    Tone.SILVER: "silver",
    Tone.ACTIVE: "active",
    Tone.OPENS: "active",
    Tone.BLOCKED: "blocked",
    Tone.ADDED: "added",
    Tone.REMOVED: "removed",
}
"""By which name of a palette an arrow is coloured."""


def colour_name(tone: Tone, of_q: bool) -> str:
    """By which name of a palette an arrow is coloured; what is plain is so in q's own colour there."""
    return "inference" if of_q and tone is Tone.PLAIN else TONES[tone]


@dataclass(frozen=True)
class Palette:
    """Colours as #RRGGBB: the page, slices' columns, lines and labels, fills, and the tones of arrows."""

    paper: str
    band: str
    frame: str  # round single frames: decoration
    ink: str
    inference: str  # the arrows of q
    observed: str
    given: str
    golden: str
    silver: str
    active: str
    blocked: str
    added: str
    removed: str

    def tone(self, tone: Tone, of_q: bool = False) -> str:
        """The colour of an arrow; of p's unless it is a link of q."""
        colour: str = getattr(self, colour_name(tone, of_q))
        return colour

    def mark(self, mark: Mark) -> str:
        """The colour of a painted node's outline."""
        return {Mark.ASKED: self.active, Mark.BLOCKS: self.blocked}[mark]

    def fill(self, kind: Kind) -> str:
        """What fills a node."""
        return {Kind.OBSERVED: self.observed, Kind.INPUT: self.given}.get(kind, self.paper)


LIGHT = Palette(
    paper="#FFFFFF",
    band="#F4F6F8",
    frame="#C3CAD1",
    ink="#222222",
    inference="#153C74",
    observed="#CFD4DA",
    given="#E4E7EA",
    golden="#A87400",
    silver="#6B7682",
    active="#0B62A4",
    blocked="#B93222",
    added="#00795A",  # apart from the red for colour-blind eyes; dashes tell them apart in print
    removed="#C24E00",
)
DARK = Palette(
    paper="#16181C",
    band="#22262C",
    frame="#4A525C",
    ink="#E6E6E6",
    inference="#D6ECFF",
    observed="#4A525C",
    given="#343A42",
    golden="#CC940E",
    silver="#98A4B0",
    active="#6CB6FF",
    blocked="#FF8A7A",
    added="#35C79C",
    removed="#FF8A3D",
)


@dataclass(frozen=True)
class Line:
    """How an arrow is drawn: its width in points, and "solid", "dashed" or "dotted"."""

    width: float
    style: str = "solid"


LINES = {
    Tone.PLAIN: Line(1.1),
    Tone.AUXILIARY: Line(1.1, "dotted"),
    Tone.GOLDEN: Line(1.8),
    Tone.SILVER: Line(1.8, "dashed"),
    Tone.ACTIVE: Line(3.1),
    Tone.OPENS: Line(2.4, "dotted"),
    Tone.BLOCKED: Line(2.4, "dashed"),
    Tone.ADDED: Line(2.35),
    Tone.REMOVED: Line(1.3, "dashed"),
}
