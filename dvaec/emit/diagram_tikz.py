"""A laid-out diagram as a LaTeX document of its own, in TikZ: for papers, in their own fonts.

Lengths are those of the layout at three fifths, or at less if the picture then fits a column of 252 points;
one that is much wider is left for the width of a page. Labels are as large as a paper's small print. The
styles stand on top, for a paper to change.
"""

from __future__ import annotations

import re
from dataclasses import asdict
from math import hypot

from dvaec.emit.diagram import ELLIPSES, PLATES, Diagram, Form, Kind, Mark, Place, Tone
from dvaec.emit.diagram_curves import PLATE, Curve, Point, Shape, at, pieces
from dvaec.emit.diagram_labels import SIZE, font_size, identity, label_of
from dvaec.emit.diagram_layout import Layout, layout
from dvaec.emit.diagram_palette import LIGHT, LINES, TONES, colour_name
from dvaec.emit.diagram_tex import math, text

_SCALE, _LEAST = 0.6, 0.4
_COLUMN = 240.0  # points: a column of a paper with two, less the border
_LABEL = 9.2  # points of a label of the usual size
_HEAD = 2.8  # half the width of an arrow's head, in the layout's points
_TITLE, _LEGEND = r"\footnotesize", r"\scriptsize"
_COLOURS = {name: colour for name, colour in asdict(LIGHT).items() if name != "paper"}
_OUTLINES = {
    Kind.LATENT: "circle, fill=white",
    Kind.OBSERVED: "circle, fill=observed",
    Kind.INPUT: "rectangle, rounded corners=3bp, fill=given",
    Kind.DETERMINISTIC: "diamond, fill=white",
    Kind.BEYOND: "rectangle, rounded corners=2.5bp",
}
_MARKS = {Mark.ASKED: "draw=active, line width=1.8bp", Mark.BLOCKS: "draw=blocked, double, line width=.9bp"}


def tikz_source(diagram: Diagram) -> str:
    """Return a LaTeX document (class `standalone`) with the picture; the same value gives the same bytes."""
    drawn = layout(diagram)
    scale = _scale(drawn)
    lines = [
        f"% {diagram.name}, {diagram.form}",
        r"\documentclass[border=2bp]{standalone}",
        r"\usepackage{fix-cm}",
        r"\usepackage{amsmath}",
        r"\usepackage{tikz}",
        r"\usetikzlibrary{shapes.geometric}",
        *(rf"\definecolor{{{name}}}{{HTML}}{{{colour[1:]}}}" for name, colour in _COLOURS.items()),
        r"\begin{document}",
        *_styles(diagram.form, scale),
        *_bands(drawn),
        *(_node(diagram, place, drawn.shapes[place], scale) for place in diagram.places),
        *(_arrow(arrow.tone, curve, tip) for arrow, curve, tip in drawn.curves),
        "  % the title",
        *_title(diagram, drawn),
        "  % the legend",
        *_legend(diagram, drawn),
        r"\end{tikzpicture}",
        r"\end{document}",
    ]
    return "\n".join(lines) + "\n"


def _scale(drawn: Layout) -> float:
    """The scale at which the picture fits a column, if that is not too small."""
    across = [at(curve, k / 16)[0] for _, curve, _ in drawn.curves for k in range(17)]
    fits = _COLUMN / (max(drawn.right, *across) - min(drawn.left, *across))
    return min(_SCALE, fits) if fits >= _LEAST else _SCALE


def _styles(form: Form, scale: float) -> list[str]:
    nodes = "draw=ink, line width=.6bp, inner sep=0pt"
    unit = _number(scale / _SCALE, 4)
    out = [rf"\begin{{tikzpicture}}[x={unit}bp, y={unit}bp,"]
    out += [f"  {kind}/.style={{{outline}, {nodes}}}," for kind, outline in _OUTLINES.items()]
    out += [f"  {mark}/.style={{{style}}}," for mark, style in _MARKS.items()]
    for tone in TONES:
        line, of_q = LINES[tone], form.draws_q(tone)
        colour, width = colour_name(tone, of_q), f"line width={_number(line.width * scale)}bp"
        style = "" if line.style == "solid" else f", {line.style}"
        out.append(f"  {tone}/.style={{draw={colour}, {width}{style}}},")
        head = f"draw={colour}, {width}, fill=white" if of_q else f"fill={colour}"  # q's are open
        out.append(f"  {tone} head/.style={{{head}}},")
    return [*out, "  words/.style={anchor=base west, inner sep=0pt}]"]


def _bands(drawn: Layout) -> list[str]:
    top, bottom = drawn.framed
    out = []
    for columns, style in ((drawn.columns, "fill=band"), (drawn.singles, "draw=frame, dashed")):
        for left, right in columns:
            corners = f"{_point((left, bottom - 10))} rectangle {_point((right, top + 10))}"
            out.append(rf"  \path[{style}, rounded corners=5bp] {corners};")
    return out


def _node(diagram: Diagram, place: Place, shape: Shape, scale: float) -> str:
    known, way = identity(diagram, place), {">": " forward", "<": " backward"}.get(place.name[-1], "")
    name = re.sub(r"[^A-Za-z0-9+-]+", " ", place.name + way + known[len(place.name) :]).strip()
    where = f"({name}) at {_point(shape.centre)}"
    if place.frame in ELLIPSES:
        return rf"  \node {where} {{$\cdots$}};"
    row, width = diagram.row(place.name), 2 * shape.radius * scale
    kind = row.kind
    plate = place.frame in PLATES
    style = f"{kind}, minimum size={_number(width)}bp"
    if plate:
        fill = {Kind.OBSERVED: "observed", Kind.INPUT: "given"}.get(kind, "white")
        height = _number(width * PLATE)
        style = f"{Kind.BEYOND}, fill={fill}, minimum width={_number(width)}bp, minimum height={height}bp"
    if shape.outline == "wide":
        style = (
            f"{kind}, minimum width={_number(2 * shape.across * scale)}bp, minimum height={_number(width)}bp"
        )
    if row.tone is not Tone.PLAIN:  # a node of one of two compared models: outline and label in its tone
        style += f", {row.tone}, text={TONES[row.tone]}"
    style += "".join(f", {mark}" for marked, mark in diagram.marks if marked == place)
    size = font_size(diagram, place, shape) * _LABEL / SIZE * scale / _SCALE
    font = rf"\fontsize{{{_number(size)}}}{{{_number(1.2 * size)}}}\selectfont"
    return rf"  \node[{style}] {where} {{{font}${math(label_of(diagram, place))}$}};"


def _arrow(tone: Tone, curve: Curve, tip: Point) -> str:
    """A curve, and its head as a triangle from where the curve ends to the tip."""
    start, end = curve[0], curve[3]
    dx, dy = tip[0] - end[0], tip[1] - end[1]
    length = hypot(dx, dy) or 1.0
    ox, oy = -dy / length * _HEAD, dx / length * _HEAD
    bends = [f"controls {_point(a)} and {_point(b)} .. {_point(c)}" for _, a, b, c in pieces(curve)]
    line = " .. ".join([_point(start), *bends])
    sides = f"{_point((end[0] + ox, end[1] + oy))} -- {_point((end[0] - ox, end[1] - oy))}"
    return rf"  \path[{tone}] {line}; \fill[{tone} head] {_point(tip)} -- {sides} -- cycle;"


def _title(diagram: Diagram, drawn: Layout) -> list[str]:
    middle, names = (drawn.left + drawn.right) / 2, frozenset(row.name for row in diagram.rows)
    out = []
    for k, line in enumerate(diagram.title):
        where = _point((middle, drawn.top + 34 + 22 * (len(diagram.title) - 1 - k)))
        out.append(rf"  \node[font={_TITLE}] at {where} {{{text(line, names if k else frozenset())}}};")
    return out


def _legend(diagram: Diagram, drawn: Layout) -> list[str]:
    out = []
    for k, remark in enumerate(diagram.legend):
        x, y = drawn.left, drawn.bottom - 32 - 20 * k
        if isinstance(remark.mark, Tone):
            out.append(_arrow(remark.mark, ((x, y), (x + 10, y), (x + 20, y), (x + 32, y)), (x + 40, y)))
        elif isinstance(remark.mark, Mark):
            out.append(
                rf"  \node[{Kind.LATENT}, {remark.mark}, minimum size=6bp] at {_point((x + 20, y))} {{}};"
            )
        elif remark.mark is Kind.BEYOND:
            size = "fill=white, minimum width=13bp, minimum height=6bp"
            out.append(rf"  \node[{Kind.BEYOND}, {size}] at {_point((x + 20, y))} {{}};")
        elif remark.mark:
            out.append(rf"  \node[font={_LEGEND}] at {_point((x + 20, y))} {{${math(remark.mark)}$}};")
        words = text(remark.text, frozenset())
        out.append(rf"  \node[words, font={_LEGEND}] at {_point((x + 50, y - 4))} {{{words}}};")
    return out


def _point(point: Point) -> str:
    return f"({_number(point[0] * _SCALE)},{_number(point[1] * _SCALE)})"


def _number(value: float, digits: int = 2) -> str:
    return f"{value:.{digits}f}".rstrip("0").rstrip(".") if abs(value) >= 0.005 else "0"
