"""The geometry of one arrow: a cubic Bezier curve, bent, cut at its nodes' outlines, with room for its head.

Points are (x, y) in points (1/72 inch), y upwards, as in DOT.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import hypot

Point = tuple[float, float]
Curve = tuple[Point, Point, Point, Point]
PLATE = 0.45  # a plate's height over its width
_FAR_OUT = 25.0
WIDE = 1.75  # a wide diamond's width over its height


@dataclass(frozen=True)
class Shape:
    """A node's outline: `outline` is "circle", "diamond", "square", "plate" (lower) or "wide" (a diamond)."""

    centre: Point
    radius: float
    outline: str

    @property
    def across(self) -> float:
        """Half the width."""
        return self.radius * WIDE if self.outline == "wide" else self.radius

    def covers(self, point: Point, margin: float = 0.0) -> bool:
        """Whether the point lies inside the outline, grown by `margin`."""
        dx, dy = abs(point[0] - self.centre[0]), abs(point[1] - self.centre[1])
        radius = self.radius + margin
        if self.outline == "diamond":
            return dx + dy < radius
        if self.outline == "wide":
            return dx / WIDE + dy < radius
        if self.outline == "plate":
            return dx < radius and dy < self.radius * PLATE + margin
        if self.outline == "square":
            return max(dx, dy) < radius
        return hypot(dx, dy) < radius


def bent(start: Point, end: Point, bend: float, skew: tuple[float, float] = (1.0, 1.0)) -> Curve:
    """The curve from `start` to `end` that swings `bend` times their distance to the left of straight.

    `skew` scales the swing of its first and of its second half.
    """
    dx, dy = end[0] - start[0], end[1] - start[1]
    # A cubic with both inner points moved by k passes its middle at 3/4 k.
    ox, oy = -dy * bend * 4 / 3, dx * bend * 4 / 3
    first, second = skew
    return (
        start,
        (start[0] + dx / 4 + first * ox, start[1] + dy / 4 + first * oy),
        (start[0] + 3 * dx / 4 + second * ox, start[1] + 3 * dy / 4 + second * oy),
        end,
    )


def elbow(start: Point, end: Point, corner: tuple[float, float, float, float]) -> Curve:
    """The curve whose inner points stand at these parts of the way across and of the way up, one by one.

    (0.7, 0, 1, 0.3) sets out level and comes in upright; it stays within the corners of its ends.
    """
    dx, dy = end[0] - start[0], end[1] - start[1]
    a, b, c, d = corner
    return (start, (start[0] + a * dx, start[1] + b * dy), (start[0] + c * dx, start[1] + d * dy), end)


Weights = tuple[float, float, float, float]


def weights(t: float) -> Weights:
    """Bernstein's polynomials of degree 3 at t in [0, 1]: what the four points of a curve count there."""
    s = 1 - t
    return s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t


def along(curve: Curve, places: Iterable[Weights]) -> list[Point]:
    """The curve's points at parameters whose weights are given."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = curve
    return [(a * ax + b * bx + c * cx + d * dx, a * ay + b * by + c * cy + d * dy) for a, b, c, d in places]


def at(curve: Curve, t: float) -> Point:
    """The curve's point at parameter t in [0, 1]."""
    return along(curve, (weights(t),))[0]


def part(curve: Curve, low: float, high: float) -> Curve:
    """The piece of the curve between two parameters, by de Casteljau's subdivision."""
    right = _left(tuple(reversed(_left(curve, high))), 1 - low / high)  # type: ignore[arg-type]
    return right[3], right[2], right[1], right[0]


def pieces(curve: Curve) -> tuple[Curve, ...]:
    """The curve, in four pieces if its inner points stand far out.

    Graphviz and TikZ leave room for inner points too, which of the pieces lie close to the curve.
    """
    ends, inner = (curve[0], curve[3]), (curve[1], curve[2])
    far = max(max(p[axis] for p in inner) - max(p[axis] for p in ends) for axis in (0, 1))
    back = max(min(p[axis] for p in ends) - min(p[axis] for p in inner) for axis in (0, 1))
    if max(far, back) < _FAR_OUT:
        return (curve,)
    return tuple(part(curve, k / 4, (k + 1) / 4) for k in range(4))


def _left(curve: Curve, t: float) -> Curve:
    def mix(a: Point, b: Point) -> Point:
        return (a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t)

    a, b, c, d = curve
    ab, bc, cd = mix(a, b), mix(b, c), mix(c, d)
    abc, bcd = mix(ab, bc), mix(bc, cd)
    return a, ab, abc, mix(abc, bcd)


def cut(curve: Curve, source: Shape, target: Shape, head: float) -> tuple[Curve, Point]:
    """Cut the curve at both outlines; return what is left before a head of that length, and its tip."""
    start = _leaves(lambda t: source.covers(at(curve, t), 1.0), 0.0, 0.5)
    tip_at = _leaves(lambda t: target.covers(at(curve, t), 1.0), 1.0, 0.5)
    tip = at(curve, tip_at)

    def near(t: float) -> bool:
        point = at(curve, t)
        return hypot(point[0] - tip[0], point[1] - tip[1]) < head

    base = _leaves(near, tip_at, (start + tip_at) / 2)
    return part(curve, start, base), tip


def _leaves(inside: Callable[[float], bool], low: float, high: float) -> float:
    """Bisect for the parameter between an inside `low` and an outside `high` where the outline is crossed."""
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if inside(middle) else (low, middle)
    return high
