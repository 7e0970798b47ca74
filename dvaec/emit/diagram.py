"""Diagrams as values: which nodes stand in three time slices, and which arrows enter them.

The drawing rule is that of the review's figures (7.1 to 9.2), made exact: *every* arrow that enters the
slices t-1, t and t+1 is there, and none that only leaves them. What an arrow reads beyond the three slices is
one node per variable and end, the ellipsis, so that an open window x_{1:t-1} (arrows from every earlier slice
and from the ellipsis) cannot be taken for x_{t-1} (one arrow).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

SLICES = (-1, 0, 1)
PAST = -2  # the frame of the ellipsis of everything before t-1
FUTURE = 2  # and of everything after t+1
ZERO, FIRST, FINAL, AFTER = -4, -3, 3, 4  # the frames 0, 1, T and T+1, where they are drawn
COLUMNS = (ZERO, FIRST, PAST, *SLICES, FUTURE, FINAL, AFTER)  # from left to right


class Form(StrEnum):
    """Which picture of a model it is."""

    COMPACT = "compact"
    DEVELOPED = "developed"
    INFERENCE = "inference"
    INFERENCE_COMPACT = "inference-compact"

    @property
    def of_q(self) -> bool:
        """Whether the inference model is drawn, and not the generative one."""
        return self in (Form.INFERENCE, Form.INFERENCE_COMPACT)

    @property
    def shows_states(self) -> bool:
        """Whether deterministic nodes are drawn."""
        return self in (Form.DEVELOPED, Form.INFERENCE)


class Kind(StrEnum):
    """What a node stands for; each has its own shape."""

    LATENT = "latent"
    OBSERVED = "observed"
    INPUT = "input"
    DETERMINISTIC = "deterministic"
    BEYOND = "beyond"


class Tone(StrEnum):
    """PLAIN: a link of the model drawn. GOLDEN: in the exact posterior, not in q. SILVER: in q, not in it.

    AUXILIARY: a state that is predicted, in training alone, from what the arrow comes from (8.4).
    ADDED, REMOVED: of two models compared, what the second or the first alone has.
    """

    PLAIN = "plain"
    AUXILIARY = "auxiliary"
    SILVER = "silver"
    GOLDEN = "golden"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True, order=True)
class Place:
    """A name at a frame: one of COLUMNS (-1, 0, 1 for the slices), or None for a whole sequence."""

    name: str
    frame: int | None


@dataclass(frozen=True)
class Row:
    """One line of the picture. `aside` moves a feature out of the column, clear of passing arrows.

    `tone` is ADDED or REMOVED where two models are compared and one alone has the row.
    """

    name: str
    label: str
    kind: Kind
    framed: bool = True
    aside: bool = False
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True)
class Arrow:
    """One arrow. Into an ellipsis it only leads on, from a single frame to the slices or back."""

    source: Place
    target: Place
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True)
class Remark:
    """One line of the legend: an arrow of that tone, or a text in its place, then what it means."""

    mark: Tone | str
    text: str


@dataclass(frozen=True)
class Diagram:
    """A picture before its layout: rows from top to bottom, arrows in a fixed order, title and legend.

    Rows of whole sequences come first (above the slices) or last (below). `singles` are the places at single
    frames that are drawn whether or not an arrow touches them.
    """

    name: str
    form: Form
    title: tuple[str, ...]
    rows: tuple[Row, ...]
    arrows: tuple[Arrow, ...]
    legend: tuple[Remark, ...] = ()
    singles: tuple[Place, ...] = ()

    def row(self, name: str) -> Row:
        """Return the row of one name; KeyError if there is none."""
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(name)

    @property
    def places(self) -> tuple[Place, ...]:
        """Every node of the picture: rows from top to bottom, frames from left to right."""
        used = {place for arrow in self.arrows for place in (arrow.source, arrow.target)} | {*self.singles}
        out = []
        for row in self.rows:
            if not row.framed:
                out.append(Place(row.name, None))
                continue
            out += [p for p in (Place(row.name, f) for f in COLUMNS) if p.frame in SLICES or p in used]
        return tuple(out)
