"""What a picture's geometry says: how often its arrows cross, and which boxes Graphviz gives to what it draws."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations, pairwise
from math import hypot

from dvaec.derive.derivation import derive
from dvaec.emit import render
from dvaec.emit.diagram import Diagram, Form
from dvaec.emit.diagram_curves import Point, at
from dvaec.emit.diagram_dot import dot_source
from dvaec.emit.diagram_layout import Layout, layout
from dvaec.emit.diagram_set import picture_of
from tests.shipped import ROOT, SHIPPED, shipped

CROSSINGS = ROOT / "tests" / "diagram_crossings.golden"
_STEPS = 20
_AT_A_NODE = 4.0  # points round a node that two arrows share, where they may touch


@cache
def pictures() -> dict[str, Diagram]:
    """Every form of every shipped page, by name."""
    found = {}
    for name in SHIPPED:
        spec = shipped(name)
        for form in Form:
            if spec.latents or not form.of_q:
                found[f"{name} {form.value}"] = picture_of(spec, derive(spec), form)
    return found


@cache
def laid_out(name: str) -> Layout:
    """The layout of one of the pictures."""
    return layout(pictures()[name])


def crossings_text() -> str:
    """One line a picture: how many arrows, and how often they cross."""
    lines = ["# picture: arrows, crossings; made by python -m tests.regenerate"]
    lines += [f"{name}: {len(laid_out(name).curves)}, {crossings(laid_out(name))}" for name in pictures()]
    return "\n".join(lines) + "\n"


def crossings(drawn: Layout) -> int:
    """Count the points at which two arrows cross, what touches at a common node aside."""
    lines = []
    for arrow, curve, tip in drawn.curves:
        points = [*(at(curve, k / _STEPS) for k in range(_STEPS + 1)), tip]
        xs, ys = [p[0] for p in points], [p[1] for p in points]
        lines.append((arrow, points, (min(xs), max(xs), min(ys), max(ys))))
    count = 0
    for (one, first, box), (other, second, around) in combinations(lines, 2):
        if box[0] > around[1] or around[0] > box[1] or box[2] > around[3] or around[2] > box[3]:
            continue
        shared = {one.source, one.target} & {other.source, other.target}
        near = [drawn.shapes[place] for place in sorted(shared)]
        met = [p for p in _meetings(first, second) if not any(s.covers(p, _AT_A_NODE) for s in near)]
        count += len([p for k, p in enumerate(met) if all(_distance(p, q) > 1e-6 for q in met[:k])])
    return count


def _meetings(first: list[Point], second: list[Point]) -> Iterator[Point]:
    for a, b in pairwise(first):
        low, high = min(a[1], b[1]), max(a[1], b[1])
        left, right = min(a[0], b[0]), max(a[0], b[0])
        for c, d in pairwise(second):
            if max(c[1], d[1]) < low or min(c[1], d[1]) > high:
                continue
            if max(c[0], d[0]) < left or min(c[0], d[0]) > right:
                continue
            point = _intersection(a, b, c, d)
            if point is not None:
                yield point


def _intersection(a: Point, b: Point, c: Point, d: Point) -> Point | None:
    ux, uy, vx, vy = b[0] - a[0], b[1] - a[1], d[0] - c[0], d[1] - c[1]
    across = ux * vy - uy * vx
    if across == 0:
        return None
    s = ((c[0] - a[0]) * vy - (c[1] - a[1]) * vx) / across
    t = ((c[0] - a[0]) * uy - (c[1] - a[1]) * ux) / across
    return (a[0] + s * ux, a[1] + s * uy) if 0 <= s < 1 and 0 <= t < 1 else None


def _distance(p: Point, q: Point) -> float:
    return hypot(p[0] - q[0], p[1] - q[1])


@dataclass(frozen=True)
class Box:
    """A rectangle in points, y upwards."""

    name: str
    left: float
    bottom: float
    right: float
    top: float
    shape: str = ""

    def overlaps(self, other: Box) -> bool:
        """Whether the two have an inner point in common."""
        apart = self.right <= other.left or other.right <= self.left
        return not (apart or self.top <= other.bottom or other.top <= self.bottom)

    def within(self, other: Box, margin: float = 0.0) -> bool:
        """Whether this lies in the other, grown by `margin`."""
        return (
            self.left >= other.left - margin
            and self.right <= other.right + margin
            and self.bottom >= other.bottom - margin
            and self.top <= other.top + margin
        )


def boxes(picture: Diagram) -> tuple[dict[str, Box], dict[str, Box], Box]:
    """The outlines of nodes, their labels as Graphviz measures them, and the page; bands aside."""
    known = json.loads(render.picture(dot_source(picture), "json"))
    outlines, labels = {}, {}
    for one in known["objects"]:
        name, (x, y) = one["name"], map(float, one["pos"].split(","))
        if one.get("class") in ("band", "single") or one.get("style") == "invis":
            continue
        half, tall = float(one["width"]) * 36, float(one["height"]) * 36
        outlines[name] = Box(name, x - half, y - tall, x + half, y + tall, one.get("shape", ""))
        size = 0.0
        for step in one.get("_ldraw_", ()):
            size = step["size"] if step["op"] == "F" else size
            if step["op"] == "T" and step["text"]:
                wide, (at_x, at_y) = float(step["width"]), step["pt"]
                left = {"c": at_x - wide / 2, "l": at_x, "r": at_x - wide}[step["align"]]
                labels[name] = Box(name, left, at_y - 0.2 * size, left + wide, at_y + 0.75 * size)
    left, bottom, right, top = map(float, known["bb"].split(","))
    return outlines, labels, Box("page", left, bottom, right, top)
