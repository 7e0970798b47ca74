"""Diagrams as values: which nodes stand in some time slices, and which arrows enter them.

The drawing rule is that of the review's figures (7.1 to 9.2), made exact: *every* arrow that enters the
slices, t-1, t and t+1 unless said otherwise, is there, and none that only leaves them. What an arrow reads
beyond the slices is a node of its own: the ellipsis for a window with an end there (z_{t-1} of the first
slice), a plate that names its frames for an open one, so that x_{1:t-1} cannot be taken for x_{t-1}.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

SLICES = (-1, 0, 1)
# Columns that are no slice are numbered from beyond all slices, in their order from left to right.
_LEFT, _RIGHT = -1000, 1000
ZERO, FIRST = _LEFT - 3, _LEFT - 2  # the frames 0 and 1, where they are drawn apart
EARLIER, PAST = _LEFT - 1, _LEFT  # before the slices: the plate of an open window, and the ellipsis
FUTURE, LATER = _RIGHT, _RIGHT + 1  # after them: the ellipsis, and the plate
FINAL, AFTER = _RIGHT + 2, _RIGHT + 3  # the frames T and T+1
SINGLES = (ZERO, FIRST, FINAL, AFTER)
PLATES = (EARLIER, LATER)
ELLIPSES = (PAST, FUTURE)


def slices_of(count: int) -> tuple[int, ...]:
    """Return that many frames round t, of an even number one more before it than after."""
    return tuple(range(-(count // 2), count - count // 2))


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

    def draws_q(self, tone: Tone) -> bool:
        """Whether an arrow of that tone is a link of q: golden ones are the posterior's, of p."""
        return self.of_q and tone not in (Tone.GOLDEN, Tone.AUXILIARY)

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
    Painted links: on an ACTIVE trail, on the way down that OPENS it, on one that is BLOCKED.
    """

    PLAIN = "plain"
    AUXILIARY = "auxiliary"
    SILVER = "silver"
    GOLDEN = "golden"
    ADDED = "added"
    REMOVED = "removed"
    ACTIVE = "active"
    OPENS = "opens"
    BLOCKED = "blocked"


class Mark(StrEnum):
    """A painted node: one that a question is ASKED about, one that BLOCKS the trails."""

    ASKED = "asked"
    BLOCKS = "blocks"


@dataclass(frozen=True, order=True)
class Place:
    """A name at a column: a slice, or one of the columns above; None for a whole sequence.

    Slices are numbered relative to t, where all frames are drawn from 1 to T.
    """

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
    first: int = 1  # the frame at which the variable begins


@dataclass(frozen=True)
class Arrow:
    """One arrow. Into an ellipsis it only leads on, from a single frame to the slices or back."""

    source: Place
    target: Place
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True)
class Remark:
    """One line of the legend: an arrow, a plate (BEYOND), a painted node or a text, and what it means.

    An empty mark goes on with the line above.
    """

    mark: Tone | Kind | Mark | str
    text: str


@dataclass(frozen=True)
class Diagram:
    """A picture before its layout: rows from top to bottom, arrows in a fixed order, title and legend.

    Rows of whole sequences come first (above the slices) or last (below). `singles` are the places at single
    frames that are drawn whether or not an arrow touches them; `partial` are the plates of which some arrow
    reads a part only. Where `unrolled`, the slices are all frames, 1 to T.
    """

    name: str
    form: Form
    title: tuple[str, ...]
    rows: tuple[Row, ...]
    arrows: tuple[Arrow, ...]
    legend: tuple[Remark, ...] = ()
    singles: tuple[Place, ...] = ()
    partial: tuple[Place, ...] = ()
    slices: tuple[int, ...] = SLICES
    unrolled: bool = False
    marks: tuple[tuple[Place, Mark], ...] = ()

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
            columns = (ZERO, FIRST, EARLIER, PAST, *self.slices, FUTURE, LATER, FINAL, AFTER)
            out += [p for p in (Place(row.name, f) for f in columns) if p.frame in self.slices or p in used]
        return tuple(out)
