"""Where nodes stand and how arrows run: columns are time slices, rows are variables, arrows bend round nodes.

The layout is computed here, not by a layout engine: a time slice must be a column and a variable a row, and
the same model must give the same bytes on every machine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from math import atan2, hypot, pi

from dvaec.emit.diagram import (
    AFTER,
    FINAL,
    FIRST,
    FUTURE,
    PAST,
    SLICES,
    ZERO,
    Arrow,
    Diagram,
    Kind,
    Place,
)
from dvaec.emit.diagram_curves import Curve, Point, Shape, at, bent, cut
from dvaec.emit.diagram_extent import RADIUS, framed_extent, heights

HEAD = 8.0
_DIAMOND = 27.0
_SQUARE = 18.0
_DOTS = 12.0
_ROW = 84.0
_COLUMN = 128.0
_COLUMN_WITH_ASIDE = 158.0
_COMPACT = (124.0, 150.0)  # rows and columns where the arrows are many and the nodes few
_COMPACT_OF_MORE = (100.0, 150.0)
_ASIDE = 50.0
_BENDS = (0.0, 0.06, 0.1, 0.15, 0.2, 0.26, 0.33, 0.42)
_FAR_BENDS = (0.52, 0.63, 0.75, 0.9)
_EVEN = (1.0, 1.0)
_SKEWS = ((1.7, 0.2), (0.2, 1.7), (1.3, -0.9), (-0.9, 1.3))
_TRIALS = (
    tuple((b, _EVEN) for size in _BENDS for b in ((size, -size) if size else (size,))),
    tuple((b, skew) for size in _BENDS[1:] for b in (size, -size) for skew in _SKEWS),
    tuple((b, skew) for size in _FAR_BENDS for b in (size, -size) for skew in (_EVEN, *_SKEWS)),
)
"""Bends and skews of an arrow; the later ones are tried where all before run through a node."""
_HIT = 30.0
_MARGIN = 7.0  # that an arrow keeps from nodes
_NEAR = _DIAMOND + _MARGIN
_SAMPLES = 24
_CELL = 7.0
_APART = 0.22  # radians between two arrows at one node


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
    row, width = _ROW, _COLUMN_WITH_ASIDE if has_aside else _COLUMN
    if not diagram.form.shows_states:
        row, width = _COMPACT if len(diagram.rows) < 3 else _COMPACT_OF_MORE
    grid = _grid(diagram, row, width)
    shapes = {place: _shape(diagram, place, grid) for place in diagram.places}
    paths = _route(diagram.arrows, shapes)
    edge = (-RADIUS - 12, (_ASIDE + _DIAMOND if has_aside else RADIUS) + 12)
    xs = [x for shape in shapes.values() for x in (shape.centre[0] - RADIUS, shape.centre[0] + RADIUS)]
    ys = heights(shapes, paths)
    columns = tuple((f * width + edge[0], f * width + edge[1]) for f in SLICES)
    single = dict.fromkeys(p.frame for p in shapes if p.frame in (ZERO, FIRST, FINAL, AFTER))
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
    static = {n: (k - (len(some) - 1) / 2) * width for some in (above, below) for k, n in enumerate(some)}
    # The ellipsis stands closer than a slice would: it is not one. Single frames stand beyond it.
    across = {PAST: PAST * 0.88 * width, FUTURE: FUTURE * 0.88 * width} | {f: f * width for f in SLICES}
    for side, frames in ((-1, (FIRST, ZERO)), (1, (FINAL, AFTER))):
        there = [f for f in frames if any(p.frame == f for p in diagram.places)]
        across |= {f: side * (2.6 + 0.8 * k) * width for k, f in enumerate(there)}
    return _Grid(down, across, static)


def _shape(diagram: Diagram, place: Place, grid: _Grid) -> Shape:
    row = diagram.row(place.name)
    y = grid.down[place.name]
    aside = _ASIDE if row.aside else 0.0
    if place.frame in (PAST, FUTURE):
        return Shape((grid.across[place.frame] + aside, y), _DOTS, "circle")
    x = grid.static[place.name] if place.frame is None else grid.across[place.frame] + aside
    match row.kind:
        case Kind.DETERMINISTIC:
            return Shape((x, y), _DIAMOND, "diamond")
        case Kind.INPUT:
            return Shape((x, y), _SQUARE, "square")
        case _:
            return Shape((x, y), RADIUS, "circle")


def _route(arrows: Iterable[Arrow], shapes: dict[Place, Shape]) -> dict[Arrow, Curve]:
    """Give arrows the bend of least cost: through no node, along no other arrow, as straight as can be.

    The same link in another slice bends the same way: arrows that are shifts of each other go together.
    """
    taken: Counter[tuple[int, int]] = Counter()
    angles: dict[Place, list[tuple[float, bool]]] = {}
    paths: dict[Arrow, Curve] = {}
    middle = sum(shape.centre[1] for shape in shapes.values()) / max(1, len(shapes))
    groups: dict[tuple[object, ...], list[Arrow]] = {}
    for arrow in sorted(arrows, key=lambda a: _length(shapes[a.source], shapes[a.target])):
        groups.setdefault(_link(arrow), []).append(arrow)
    waiting = list(groups.values())
    while waiting:
        group = waiting.pop(0)
        best: tuple[float, list[Curve]] | None = None
        for trial in _TRIALS:
            if best is not None and best[0] < _HIT:
                break
            for bend, skew in trial:
                curves = [bent(shapes[a.source].centre, shapes[a.target].centre, bend, skew) for a in group]
                cost = 0.0
                for arrow, curve in zip(group, curves, strict=True):
                    cost += _crowding(arrow, curve, angles)
                    cost += _cost(curve, abs(bend), _others(arrow, shapes), taken, middle)
                    if best is not None and cost > best[0] + 1.0:  # no term is below -0.1: it is lost
                        break
                if best is None or cost < best[0] - 1e-6:
                    best = (cost, curves)
        assert best is not None
        if best[0] >= _HIT and len(group) > 1:  # no one bend suits them all
            waiting[:0] = [[arrow] for arrow in group]
            continue
        for arrow, curve in zip(group, best[1], strict=True):
            paths[arrow] = curve
            taken.update(list(_cells(curve)))
            for place, angle, enters in _ends(arrow, curve):
                angles.setdefault(place, []).append((angle, enters))
    return paths


def _ends(arrow: Arrow, curve: Curve) -> tuple[tuple[Place, float, bool], tuple[Place, float, bool]]:
    """The nodes of an arrow, the directions in radians in which it touches them, whether it enters."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = curve
    return (arrow.source, atan2(by - ay, bx - ax), False), (arrow.target, atan2(cy - dy, cx - dx), True)


def _crowding(arrow: Arrow, curve: Curve, angles: dict[Place, list[tuple[float, bool]]]) -> float:
    """What it costs to touch a node where another arrow does: leaving under a head it looks two-headed."""
    cost = 0.0
    for place, angle, enters in _ends(arrow, curve):
        for other, other_enters in angles.get(place, ()):
            apart = abs(angle - other) % (2 * pi)
            near = max(0.0, _APART - min(apart, 2 * pi - apart)) / _APART
            cost += (1.5 if enters is other_enters else 6.0) * near
    return cost


def _link(arrow: Arrow) -> tuple[object, ...]:
    """What the shifts of one arrow in time have in common; arrows from an ellipsis have no shifts."""
    source, target = arrow.source, arrow.target
    if source.frame not in SLICES or target.frame not in SLICES:
        return (arrow,)
    assert source.frame is not None
    assert target.frame is not None
    return (source.name, target.name, target.frame - source.frame, arrow.tone)


def _others(arrow: Arrow, shapes: dict[Place, Shape]) -> list[Shape]:
    return [shape for place, shape in shapes.items() if place not in (arrow.source, arrow.target)]


def _length(source: Shape, target: Shape) -> float:
    return abs(source.centre[0] - target.centre[0]) + abs(source.centre[1] - target.centre[1])


def _cost(
    curve: Curve, size: float, others: list[Shape], taken: Counter[tuple[int, int]], middle: float
) -> float:
    points = [at(curve, k / _SAMPLES) for k in range(1, _SAMPLES)]
    left, right = min(x for x, _ in points) - _NEAR, max(x for x, _ in points) + _NEAR
    low, high = min(y for _, y in points) - _NEAR, max(y for _, y in points) + _NEAR
    near = [o for o in others if left < o.centre[0] < right and low < o.centre[1] < high]
    finer = [at(curve, k / 40) for k in range(1, 40)] if near else []
    close = [(point, other) for point in finer for other in near if other.covers(point, _MARGIN)]
    hits = len(close) + 4 * sum(1 for point, other in close if other.covers(point, 1.0))  # to graze is better
    along = sum(taken[cell] for cell in _cells(curve))
    # Of two equal bends take the outer one: away from the picture's middle, where there is room.
    inward = (
        -0.02
        if abs(points[_SAMPLES // 2][1] - middle) > abs((curve[0][1] + curve[3][1]) / 2 - middle)
        else 0.0
    )
    sag = size * hypot(curve[3][0] - curve[0][0], curve[3][1] - curve[0][1])
    return _HIT * hits + along + sag / 9.0 + inward


def _cells(curve: Curve) -> dict[tuple[int, int], None]:
    """The cells of a coarse grid that the curve's middle part runs through, each once."""
    points = (at(curve, k / (2 * _SAMPLES)) for k in range(9, 2 * _SAMPLES - 8))
    return dict.fromkeys((round(x / _CELL), round(y / _CELL)) for x, y in points)
