"""How far a picture reaches: its nodes and arrows, and the columns behind what has frames."""

from __future__ import annotations

from dvaec.emit.diagram import Arrow, Place
from dvaec.emit.diagram_curves import Curve, Shape, at

RADIUS = 21.0  # of a variable's circle


def framed_extent(
    inside: list[float], shapes: dict[Place, Shape], own: dict[Place, Shape]
) -> tuple[float, float]:
    """The top and bottom of what has frames, with its arrows, as far as whole sequences' nodes leave room."""
    top, bottom = max(inside), min(inside)
    middle = sum(shape.centre[1] for shape in own.values()) / max(1, len(own))
    beside = [shape.centre[1] for place, shape in shapes.items() if place not in own] if own else []
    above, below = [y for y in beside if y > middle], [y for y in beside if y < middle]
    return min([top, *(y - RADIUS - 22 for y in above)]), max([bottom, *(y + RADIUS + 22 for y in below)])


def heights(shapes: dict[Place, Shape], paths: dict[Arrow, Curve]) -> list[float]:
    """Return heights that nodes and arrows reach."""
    ys = [point[1] for curve in paths.values() for point in (at(curve, k / 8) for k in range(9))]
    return (
        ys
        + [y for shape in shapes.values() for y in (shape.centre[1] - RADIUS, shape.centre[1] + RADIUS)]
        + [0.0] * (not shapes)
    )
