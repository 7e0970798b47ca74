"""How arrows run: of many bends, one that meets no node and no other arrow and is as straight as can be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise, product
from math import atan2, dist, hypot, inf, pi

from dvaec.emit.diagram import Arrow, Place
from dvaec.emit.diagram_curves import WIDE, Curve, Point, Shape, along, bent, elbow, weights

DIAMOND = 27.0  # from the middle of the largest node to its outline
_BENDS = (0.0, 0.06, 0.1, 0.15, 0.2, 0.26, 0.33, 0.42)
_FAR_BENDS = (0.52, 0.63, 0.75, 0.9)
_EVEN = (1.0, 1.0)
_SKEWS = ((1.7, 0.2), (0.2, 1.7), (1.3, -0.9), (-0.9, 1.3))
_LEANING = ((2.6, 0.0), (0.0, 2.6), (2.2, -1.8), (-1.8, 2.2), (1.6, 0.9), (0.9, 1.6))
_ELBOWS = tuple(
    corner
    for k in (0.3, 0.5, 0.7, 0.9)
    for m in (0.1, 0.3, 0.5, 0.8)
    for corner in ((k, 0.0, 1.0, m), (0.0, k, m, 1.0), (k, 0.0, 1 - k, 1.0), (0.0, k, 1.0, 1 - k))
)
_ACROSS, _UP = (0.1, 0.5, 0.9), (-0.6, -0.3, 0.0, 0.5, 1.0, 1.3, 1.6)
_CROWD = 100  # arrows, among which no way is searched as long as for a few
_THRONG = 300  # arrows, of which each takes the best of the plain bends
_CORNER = 0.2  # what an elbow counts as a bend
_TRIALS: tuple[tuple[tuple[float, tuple[float, ...]], ...], ...] = (
    tuple((b, _EVEN) for size in _BENDS for b in ((size, -size) if size else (size,))),
    tuple((b, skew) for size in _BENDS[1:] for b in (size, -size) for skew in _SKEWS),
    tuple((_CORNER, corner) for corner in dict.fromkeys(_ELBOWS)),
    tuple((b, skew) for size in _BENDS[3:] for b in (size, -size) for skew in _LEANING),
    tuple((b, skew) for size in _FAR_BENDS for b in (size, -size) for skew in (_EVEN, *_SKEWS)),
    tuple((_CORNER, corner) for corner in product(_ACROSS, _UP, _ACROSS, _UP)),
)
"""Bends and skews of an arrow, or corners; the later ones are tried where all before run through a node."""
_HIT = 30.0
_DETOUR = 8.0  # points of a way round that cost as much as one beside another arrow
_MARGIN = 7.0  # that an arrow keeps from nodes
_NEAR = WIDE * (DIAMOND + _MARGIN)
_SAMPLES = 24
_CELL = 7.0
_COARSE = tuple(weights(k / _SAMPLES) for k in range(1, _SAMPLES))
_FINE = tuple(weights(k / 40) for k in range(1, 40))
_INNER = tuple(weights(k / (2 * _SAMPLES)) for k in range(9, 2 * _SAMPLES - 8))
_ROOM = 60.0  # round the nodes
_WIDE = 2.0
_APART = 0.22  # radians between two arrows at one node
_TURN = 2 * pi
_EASY = 2.3  # radians: what a half circle makes a curve's inner points turn
_CURL = 30.0  # what a radian more costs
_LEAST = 0.1  # no other part of a cost is below minus this

Box = tuple[float, float, float, float]
"""Left, bottom, right, top."""


def route(arrows: Iterable[Arrow], shapes: dict[Place, Shape], slices: tuple[int, ...]) -> dict[Arrow, Curve]:
    """Give arrows the bend of least cost: through no node, along no other arrow, as straight as can be.

    The same link in another slice bends the same way: arrows that are shifts of each other go together.
    """
    taken: Counter[tuple[int, int]] = Counter()
    angles: dict[Place, list[tuple[float, bool]]] = {}
    paths: dict[Arrow, Curve] = {}
    frame = _frame(shapes)
    groups: dict[tuple[object, ...], list[Arrow]] = {}
    for arrow in sorted(arrows, key=lambda a: _length(shapes[a.source], shapes[a.target])):
        groups.setdefault(_link(arrow, slices), []).append(arrow)
    waiting = list(groups.values())
    trials = _trials(sum(map(len, waiting)))
    while waiting:
        group = waiting.pop(0)
        others = {a: [s for place, s in shapes.items() if place not in (a.source, a.target)] for a in group}
        best: tuple[float, list[Curve]] | None = None
        for trial in trials:
            if best is not None and best[0] < _HIT:
                break
            for bend, skew in trial:
                curves = [_curve(shapes[a.source], shapes[a.target], bend, skew) for a in group]
                cost = 0.0
                for arrow, curve in zip(group, curves, strict=True):
                    cost += _crowding(arrow, curve, angles)
                    most = inf if best is None else best[0] - cost
                    if most < -_LEAST:  # it is lost
                        break
                    cost += _cost(curve, abs(bend), others[arrow], taken, frame, most)
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


def _trials(arrows: int) -> tuple[tuple[tuple[float, tuple[float, ...]], ...], ...]:
    """What is tried among so many arrows: the search takes as long as their number times that of trials."""
    if arrows > _THRONG:
        return _TRIALS[:1]
    return _TRIALS if arrows <= _CROWD else _TRIALS[:-1]


def _curve(source: Shape, target: Shape, bend: float, way: tuple[float, ...]) -> Curve:
    """The curve of one trial: a bend with its skew, or, of four numbers, an elbow."""
    if len(way) == 4:
        return elbow(source.centre, target.centre, way)
    first, second = way
    return bent(source.centre, target.centre, bend, (first, second))


def _frame(shapes: dict[Place, Shape]) -> Box:
    """The nodes' extent, with room round it for arrows."""
    xs = [shape.centre[0] for shape in shapes.values()]
    ys = [shape.centre[1] for shape in shapes.values()]
    return min(xs) - _ROOM, min(ys) - _ROOM, max(xs) + _ROOM, max(ys) + _ROOM


def _ends(arrow: Arrow, curve: Curve) -> tuple[tuple[Place, float, bool], tuple[Place, float, bool]]:
    """The nodes of an arrow, the directions in radians in which it touches them, whether it enters."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = curve
    return (arrow.source, atan2(by - ay, bx - ax), False), (arrow.target, atan2(cy - dy, cx - dx), True)


def _crowding(arrow: Arrow, curve: Curve, angles: dict[Place, list[tuple[float, bool]]]) -> float:
    """What it costs to touch a node where another arrow does: leaving under a head it looks two-headed."""
    cost = 0.0
    for place, angle, enters in _ends(arrow, curve):
        for other, other_enters in angles.get(place, ()):
            apart = abs(angle - other) % _TURN
            if _APART <= apart <= _TURN - _APART:
                continue
            near = max(0.0, _APART - min(apart, _TURN - apart)) / _APART
            cost += (1.5 if enters is other_enters else 6.0) * near
    return cost


def _link(arrow: Arrow, slices: tuple[int, ...]) -> tuple[object, ...]:
    """What the shifts of one arrow in time have in common; arrows from an ellipsis have no shifts."""
    source, target = arrow.source, arrow.target
    if source.frame not in slices or target.frame not in slices:
        return (arrow,)
    assert source.frame is not None
    assert target.frame is not None
    return (source.name, target.name, target.frame - source.frame, arrow.tone)


def _length(source: Shape, target: Shape) -> float:
    return abs(source.centre[0] - target.centre[0]) + abs(source.centre[1] - target.centre[1])


def _cost(
    curve: Curve,
    size: float,
    others: list[Shape],
    taken: Counter[tuple[int, int]],
    frame: Box,
    most: float = inf,
) -> float:
    """What a curve costs; where that is more than `most`, any number above it that is not too high."""
    straight = hypot(curve[3][0] - curve[0][0], curve[3][1] - curve[0][1])
    curl = _CURL * max(0.0, _turning(curve) - _EASY)
    if size * straight / 9.0 + curl > most + _LEAST:
        return size * straight / 9.0 + curl
    points = along(curve, _COARSE)
    whole = (curve[0], *points, curve[3])
    detour = sum(map(dist, whole, whole[1:])) - straight
    swing = max(size * straight / 9.0, detour / _DETOUR) + curl
    if swing > most + _LEAST:
        return swing
    hits = _hits(curve, points, others, (most - swing) / _HIT)
    if _HIT * hits + swing > most + _LEAST:
        return _HIT * hits + swing
    beside = sum(taken[cell] for cell in _cells(curve))
    middle = (frame[1] + frame[3]) / 2
    # Of two equal bends take the outer one: away from the picture's middle, where there is room.
    inward = (
        -0.02
        if abs(points[_SAMPLES // 2][1] - middle) > abs((curve[0][1] + curve[3][1]) / 2 - middle)
        else 0.0
    )
    return _HIT * hits + beside + swing + _beyond(points, frame) / _WIDE + inward


def _turning(curve: Curve) -> float:
    """By how much, in radians, the curve's inner points make it turn, one way and back."""
    ways = [atan2(b[1] - a[1], b[0] - a[0]) for a, b in pairwise(curve)]
    return sum(min(abs(b - a), _TURN - abs(b - a)) for a, b in pairwise(ways))


def _beyond(points: list[Point], frame: Box) -> float:
    """How far a curve swings beyond the nodes' own extent, the room that there always is left out."""
    left, bottom, right, top = frame
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return max(0.0, left - min(xs), max(xs) - right, bottom - min(ys), max(ys) - top)


def _hits(curve: Curve, points: list[Point], others: list[Shape], most: float) -> int:
    """How often a curve runs through nodes, or grazes them; not counted on beyond `most`."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    left, right, low, high = min(xs) - _NEAR, max(xs) + _NEAR, min(ys) - _NEAR, max(ys) + _NEAR
    near = [o for o in others if left < o.centre[0] < right and low < o.centre[1] < high]
    if not near:
        return 0
    finer, hits = along(curve, _FINE), 0
    for other in near:
        (x, y), reach = other.centre, other.across + _MARGIN + 0.1  # no outline reaches beyond this square
        left, right, low, high = x - reach, x + reach, y - reach, y + reach
        around = [p for p in finer if left < p[0] < right and low < p[1] < high]
        close = [p for p in around if other.covers(p, _MARGIN)]
        hits += len(close) + 4 * sum(1 for p in close if other.covers(p, 1.0))  # to graze is better
        if hits > most + _LEAST:
            break
    return hits


def _cells(curve: Curve) -> dict[tuple[int, int], None]:
    """The cells of a coarse grid that the curve's middle part runs through, each once."""
    return dict.fromkeys((round(x / _CELL), round(y / _CELL)) for x, y in along(curve, _INNER))
