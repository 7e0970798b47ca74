"""What stands in the nodes of a diagram, how large, and what they are called in DOT."""

from __future__ import annotations

import unicodedata

from dvaec.emit.diagram import (
    AFTER,
    EARLIER,
    ELLIPSES,
    FINAL,
    FIRST,
    FUTURE,
    PAST,
    PLATES,
    ZERO,
    Diagram,
    Place,
)
from dvaec.emit.diagram_curves import Shape
from dvaec.spec.notation import lowered, page
from dvaec.spec.offsets import of

SIZE = 16
_PLATE_SIZE = 13
_LOW = frozenset("ₜ₊₋₀₁₂₃₄₅₆₇₈₉:")


def label_of(diagram: Diagram, place: Place) -> str:
    """Move a label's subscript t to the column's own frame: zₜ₋₁, z₃, zᴛ; on a plate x₁:ₜ₋₂."""
    row = diagram.row(place.name)
    if place.frame is None:
        return row.label
    label = row.label.removesuffix("ₜ")
    if place.frame in PLATES:
        part = "⊆" if place in diagram.partial else ""
        return part + label + lowered(_plate(diagram, place))
    last = diagram.slices[-1] if diagram.unrolled else None
    single = {ZERO: "0", FIRST: "1", FINAL: "T", AFTER: "T+1" if last is None else f"{last + 1}"}
    if place.frame in single:
        return label + lowered(single[place.frame])
    if diagram.unrolled:
        return label + lowered(f"{place.frame}")
    return row.label + (lowered(f"{place.frame:+d}") if place.frame else "")


def _plate(diagram: Diagram, place: Place) -> str:
    """The frames of a plate: those of the window that are not drawn by themselves."""
    if place.frame == EARLIER:
        apart = [2 if p == FIRST else 1 for p in (FIRST, ZERO) if _apart(diagram, place, p)]
        start = apart[0] if apart else diagram.row(place.name).first
        return f"{start}:t{diagram.slices[0] - 1:+d}"
    return f"t{diagram.slices[-1] + 1:+d}:{'T-1' if _apart(diagram, place, FINAL) else 'T'}"


def _apart(diagram: Diagram, plate: Place, single: int) -> bool:
    """Whether a plate begins or ends beside a single frame, which is read by itself or reads the plate."""
    one = Place(plate.name, single)
    if one not in diagram.singles:
        return False
    reads = {a.target for a in diagram.arrows if a.source == plate}
    apart = any(a.source == one and (a.target == plate or a.target in reads) for a in diagram.arrows)
    return apart or any(target.frame == single for target in reads)


def font_size(diagram: Diagram, place: Place, shape: Shape) -> float:
    """The size at which a row's widest label stays within its outline, at least half the usual one."""
    plate = place.frame in PLATES
    row = [p for p in diagram.places if p.name == place.name and p.frame not in ELLIPSES]
    same = [p for p in row if (p.frame in PLATES) is plate]
    needed = max(_width(label_of(diagram, p)) for p in same)
    room = shape.across * (1.5 if shape.outline in ("diamond", "wide") else 1.85 if plate else 1.75)
    return max(SIZE / 2, min(_PLATE_SIZE if plate else SIZE, int(2 * room / needed) / 2))


def _width(label: str) -> float:
    """In units of the font's size."""
    low = sum(1 for c in label if c in _LOW)
    wide = sum(1 for c in label if c not in _LOW and not unicodedata.combining(c))
    return 0.62 * wide + 0.42 * low


def identity(diagram: Diagram, place: Place) -> str:
    """A node's name in DOT, as on the page, `x_<t-1>`; an ellipsis `x_<...t-2>`, a plate `x_<1..t-2>`."""
    name, frame = place.name, place.frame
    if frame is None:
        return name
    if frame in PLATES:
        return f"{name}_<{_plate(diagram, place)}>".replace(":", "..")  # a colon would be a port in DOT
    if frame == AFTER and diagram.unrolled:
        return f"{name}_{diagram.slices[-1] + 1}"
    before, after = diagram.slices[0] - 1, diagram.slices[-1] + 1
    apart = {
        PAST: f"<...t{before:+d}>",
        FUTURE: f"<t{after:+d}...>",
        ZERO: "0",
        FIRST: "1",
        FINAL: "<T>",
        AFTER: "<T+1>",
    }
    if frame in apart:
        return f"{name}_{apart[frame]}"
    return f"{name}_{frame}" if diagram.unrolled else page(name, of(frame))
