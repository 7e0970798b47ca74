"""Where nodes stand and how arrows run: columns are time slices, rows are variables, arrows bend round nodes.

The layout is computed here, not by a layout engine: a time slice must be a column and a variable a row, and
the same model must give the same bytes on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass

from dvaec.emit.diagram import (
    AFTER,
    EARLIER,
    ELLIPSES,
    FINAL,
    FIRST,
    FUTURE,
    LATER,
    PAST,
    PLATES,
    SINGLES,
    ZERO,
    Arrow,
    Diagram,
    Kind,
    Place,
)
from dvaec.emit.diagram_curves import Curve, Point, Shape, cut
from dvaec.emit.diagram_extent import RADIUS, framed_extent, heights
from dvaec.emit.diagram_labels import font_size
from dvaec.emit.diagram_route import DIAMOND, route

HEAD = 8.0
_SQUARE = 18.0
_DOTS = 12.0
_SMALLEST = 11.0  # of a label in a diamond; below, the diamond is a wide one
_PLATE = 27.0
_BESIDE = 0.55  # columns from an ellipsis to a plate of the same row
_ROW = 84.0
_COLUMN = 116.0
_COLUMN_WITH_ASIDE = 146.0
_COMPACT = (116.0, 122.0)  # rows and columns where the arrows are many and the nodes few
_COMPACT_OF_MORE = (96.0, 122.0)
_ASIDE = 50.0


@dataclass(frozen=True)
class Layout:
    """Nodes' outlines, arrows' curves with their tips, and the columns that the slices fill (left, right).

    `singles` are the columns of single frames; `framed` is (top, bottom) of all that has frames.
    """

    shapes: dict[Place, Shape]
    curves: tuple[tuple[Arrow, Curve, Point], ...]
    columns: tuple[tuple[float, float], ...]
    singles: tuple[tuple[float, float], ...]
    framed: tuple[float, float]
    top: float
    bottom: float
    left: float
    right: float


def layout(diagram: Diagram) -> Layout:
    """Place the nodes, then run the arrows, short ones first, each keeping clear of those before."""
    has_aside = any(row.aside for row in diagram.rows)
    wide = any(_is_wide(diagram, place) for place in diagram.places)
    row, width = _ROW, _COLUMN_WITH_ASIDE if has_aside or wide else _COLUMN
    if not diagram.form.shows_states:
        row, width = _COMPACT if len(diagram.rows) < 3 else _COMPACT_OF_MORE
    grid = _grid(diagram, row, width)
    shapes = {place: _shape(diagram, place, grid) for place in diagram.places}
    paths = route(diagram.arrows, shapes, diagram.slices)
    inner = [s.across for p, s in shapes.items() if not diagram.row(p.name).aside and p.frame not in PLATES]
    aside = [s.across + _ASIDE for p, s in shapes.items() if diagram.row(p.name).aside]
    edge = (-max(inner, default=RADIUS) - 8, max([*inner, *aside], default=RADIUS) + 8)
    xs = [x for s in shapes.values() for x in (s.centre[0] - s.across - 6, s.centre[0] + s.across + 6)]
    ys = heights(shapes, paths)
    columns = tuple((grid.across[f] + edge[0], grid.across[f] + edge[1]) for f in diagram.slices)
    single = dict.fromkeys(p.frame for p in shapes if p.frame in SINGLES)
    own = {p: s for p, s in shapes.items() if p.frame is not None}
    inside = heights(own, {a: c for a, c in paths.items() if a.source in own and a.target in own})
    singles = tuple((grid.across[f] + edge[0], grid.across[f] + edge[1]) for f in single if f is not None)
    return Layout(
        shapes=shapes,
        curves=tuple((a, *cut(paths[a], shapes[a.source], shapes[a.target], HEAD)) for a in diagram.arrows),
        columns=columns,
        singles=singles,
        framed=framed_extent(inside, shapes, own),
        top=max(ys),
        bottom=min(ys),
        left=min(*xs, *(left for left, _ in (*columns, *singles))),
        right=max(*xs, *(right for _, right in (*columns, *singles))),
    )


@dataclass(frozen=True)
class _Grid:
    """Where rows and columns stand: y by row name, x by column, and x of each whole sequence's node."""

    down: dict[str, float]
    across: dict[int, float]
    static: dict[str, float]


def _grid(diagram: Diagram, height: float, width: float) -> _Grid:
    """Rows of frames one below the other; whole sequences side by side above and below them."""
    framed = [k for k, row in enumerate(diagram.rows) if row.framed]
    first, last = (framed[0], framed[-1]) if framed else (len(diagram.rows), -1)
    above = [row.name for row in diagram.rows[:first]]
    below = [row.name for row in diagram.rows[last + 1 :] if framed]
    start = 1 if above else 0
    down = dict.fromkeys(above, 0.0)
    down |= {row.name: -height * (start + k) for k, row in enumerate(diagram.rows[first : last + 1])}
    down |= dict.fromkeys(below, -height * (start + last + 1 - first))
    middle = (diagram.slices[0] + diagram.slices[-1]) / 2
    static = {
        n: (middle + k - (len(some) - 1) / 2) * width for some in (above, below) for k, n in enumerate(some)
    }
    return _Grid(down, _across(diagram, width), static)


def _across(diagram: Diagram, width: float) -> dict[int, float]:
    """Where columns stand. What is beyond the slices stands closer than a slice would: it is not one."""
    across = {f: f * width for f in diagram.slices}
    places = diagram.places
    ends = (
        (-1, diagram.slices[0], PAST, EARLIER, (FIRST, ZERO)),
        (1, diagram.slices[-1], FUTURE, LATER, (FINAL, AFTER)),
    )
    for side, end, ellipsis, plate, singles in ends:
        both = any(Place(p.name, ellipsis) in places for p in places if p.frame == plate)
        further = _BESIDE if both else 0.0
        across |= {ellipsis: (end + side * 0.76) * width, plate: (end + side * (0.76 + further)) * width}
        there = [f for f in singles if any(p.frame == f for p in places)]
        start = 1.0 if diagram.unrolled else 1.6 + further
        across |= {f: (end + side * (start + 0.8 * k)) * width for k, f in enumerate(there)}
    return across


def _is_wide(diagram: Diagram, place: Place) -> bool:
    """Whether a state's name is too long for a diamond."""
    row = diagram.row(place.name)
    if row.kind is not Kind.DETERMINISTIC or place.frame in (*ELLIPSES, *PLATES):
        return False
    return font_size(diagram, place, Shape((0.0, 0.0), DIAMOND, "diamond")) < _SMALLEST


def _shape(diagram: Diagram, place: Place, grid: _Grid) -> Shape:
    row = diagram.row(place.name)
    y = grid.down[place.name]
    aside = _ASIDE if row.aside else 0.0
    if place.frame in ELLIPSES:
        return Shape((grid.across[place.frame] + aside, y), _DOTS, "circle")
    if place.frame in PLATES:
        return Shape((grid.across[place.frame] + aside, y), _PLATE, "plate")
    x = grid.static[place.name] if place.frame is None else grid.across[place.frame] + aside
    match row.kind:
        case Kind.DETERMINISTIC:
            return Shape((x, y), DIAMOND, "wide" if _is_wide(diagram, place) else "diamond")
        case Kind.INPUT:
            return Shape((x, y), _SQUARE, "square")
        case _:
            return Shape((x, y), RADIUS, "circle")
