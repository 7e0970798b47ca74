"""A laid-out diagram as DOT source, with every position in it (`layout=nop2`: Graphviz only draws).

No HTML-like labels (some builds of Graphviz have no expat): subscripts are Unicode.
"""

from __future__ import annotations

import unicodedata

import graphviz

from dvaec.emit.diagram import AFTER, FINAL, FIRST, FUTURE, PAST, ZERO, Diagram, Kind, Place, Tone
from dvaec.emit.diagram_curves import Curve, Point, Shape
from dvaec.emit.diagram_layout import Layout, layout
from dvaec.spec.notation import page
from dvaec.spec.offsets import of

GOLD = "#C98A00"
SILVER = "#8E99A4"
ADDED = "#009E73"  # this green and the red are apart for colour-blind eyes; dashes tell them apart in print
REMOVED = "#D55E00"
_FONT = "DejaVu Sans,Arial Unicode MS,Segoe UI,sans-serif"
_INCH = 72.0
_SIZE = "15"
_LOW = frozenset("ₜ₊₋₀₁₂₃₄₅₆₇₈₉")
_TONES = {
    Tone.PLAIN: {"color": "#222222"},
    Tone.AUXILIARY: {"color": "#222222", "style": "dotted"},
    Tone.GOLDEN: {"color": GOLD, "penwidth": "1.8"},
    Tone.SILVER: {"color": SILVER, "penwidth": "1.8", "style": "dashed"},
    Tone.ADDED: {"color": ADDED, "penwidth": "2.2"},
    Tone.REMOVED: {"color": REMOVED, "penwidth": "1.6", "style": "dashed"},
}
_OUTLINES: dict[Tone, dict[str, str]] = {
    Tone.ADDED: {"color": ADDED, "fontcolor": ADDED, "penwidth": "2.2"},
    Tone.REMOVED: {"color": REMOVED, "fontcolor": REMOVED, "style": "filled,dashed"},
}
_STYLES = {
    Kind.LATENT: {"shape": "circle", "fillcolor": "white"},
    Kind.OBSERVED: {"shape": "circle", "fillcolor": "#CFD4DA"},
    Kind.INPUT: {"shape": "square", "style": "filled,rounded", "fillcolor": "#E4E7EA"},
    Kind.DETERMINISTIC: {"shape": "diamond", "fillcolor": "white"},
}


def dot_source(diagram: Diagram) -> str:
    """Return the DOT text of a diagram; the same value gives the same bytes."""
    drawn = layout(diagram)
    graph = graphviz.Digraph(
        name=f"{diagram.name} {diagram.form}",
        comment=f"{diagram.name}, {diagram.form}",
        graph_attr={"layout": "nop2", "outputorder": "nodesfirst", "pad": "0.15", "bgcolor": "white"},
        node_attr={"fontname": _FONT, "fontsize": _SIZE, "fixedsize": "true", "style": "filled"},
        edge_attr={"arrowsize": "0.8", "penwidth": "1.1"},
    )
    _bands(graph, drawn)
    for place in diagram.places:
        _node(graph, diagram, place, drawn.shapes[place])
    for arrow, curve, tip in drawn.curves:
        graph.edge(
            _identity(arrow.source),
            _identity(arrow.target),
            pos=_spline(curve, tip),
            **_TONES[arrow.tone],
        )
    _title(graph, diagram, drawn)
    _legend(graph, diagram, drawn)
    return str(graph.source)


def _node(graph: graphviz.Digraph, diagram: Diagram, place: Place, shape: Shape) -> None:
    row = diagram.row(place.name)
    across = f"{2 * shape.radius / _INCH:.4f}"
    where = {"pos": _point(shape.centre), "width": across, "height": across}
    name = _identity(place)
    if place.frame in (PAST, FUTURE):
        graph.node(name, label="⋯", shape="plaintext", style="", **where)
        return
    label = _label(row.label, place.frame)
    size = _font_size(_label(row.label, -1 if row.framed else None), shape)
    own = {"fontsize": size} if size != _SIZE else {}
    graph.node(name, label=label, **own, **where, **_STYLES[row.kind] | _OUTLINES.get(row.tone, {}))


def _font_size(label: str, shape: Shape) -> str:
    """The size at which a row's widest label stays within its outline, at least half the usual one."""
    low = sum(1 for c in label if c in _LOW)
    wide = sum(1 for c in label if c not in _LOW and not unicodedata.combining(c))
    room = shape.radius * (1.5 if shape.outline == "diamond" else 1.75)
    needed = 0.62 * wide + 0.42 * low  # in units of the font's size
    return f"{max(int(_SIZE) / 2, min(int(_SIZE), int(2 * room / needed) / 2)):g}"


def _label(label: str, frame: int | None) -> str:
    """Move a label's subscript t to the column's own frame."""
    single = {ZERO: "₀", FIRST: "₁", FINAL: "ᴛ", AFTER: "ᴛ₊₁"}
    if frame in single:
        return label.removesuffix("ₜ") + single[frame]
    return {-1: label + "₋₁", 1: label + "₊₁"}.get(frame or 0, label)


def _identity(place: Place) -> str:
    """A node's name in DOT: the page's own notation, `x_<t-1>`; beyond the slices `x_<...t-2>`."""
    if place.frame is None:
        return place.name
    if place.frame == PAST:
        return f"{place.name}_<...t-2>"
    single = {FUTURE: "<t+2...>", ZERO: "0", FIRST: "1", FINAL: "<T>", AFTER: "<T+1>"}
    if place.frame in single:
        return f"{place.name}_{single[place.frame]}"
    return page(place.name, of(place.frame))


def _bands(graph: graphviz.Digraph, drawn: Layout) -> None:
    """A pale column behind each time slice, a dashed one round each single frame."""
    top, bottom = drawn.framed
    height, middle = top - bottom + 20, (top + bottom) / 2
    columns = [(f"slice {k}", column, "filled,rounded") for k, column in enumerate(drawn.columns, 1)]
    columns += [(f"single {k}", column, "dashed,rounded") for k, column in enumerate(drawn.singles, 1)]
    for name, (left, right), style in columns:
        graph.node(
            name,
            label="",
            shape="box",
            style=style,
            color="#F4F6F8" if "filled" in style else "#C3CAD1",
            pos=_point(((left + right) / 2, middle)),
            width=f"{(right - left) / _INCH:.4f}",
            height=f"{height / _INCH:.4f}",
        )


def _title(graph: graphviz.Digraph, diagram: Diagram, drawn: Layout) -> None:
    middle = (drawn.left + drawn.right) / 2
    for k, line in enumerate(diagram.title):
        above = 20 * (len(diagram.title) - 1 - k)
        _text(graph, f"title {k + 1}", line, (middle, drawn.top + 32 + above), 14 if k == 0 else 12)


def _text(graph: graphviz.Digraph, name: str, text: str, centre: Point, size: int) -> None:
    graph.node(
        name,
        label=text,
        shape="plaintext",
        style="",
        fixedsize="false",
        fontsize=str(size),
        pos=_point(centre),
    )


def _legend(graph: graphviz.Digraph, diagram: Diagram, drawn: Layout) -> None:
    """Lines under the picture: a sample of the arrow, then what it means."""
    width = 6.9 * max((len(remark.text) for remark in diagram.legend), default=0)
    for k, (mark, text) in enumerate((remark.mark, remark.text) for remark in diagram.legend):
        y = drawn.bottom - 30 - 18 * k
        start = drawn.left
        sample, words = f"legend {k + 1}", f"legend {k + 1} text"
        graph.node(
            words,
            label=f"{text}\\l",
            shape="plaintext",
            style="",
            fontsize="11",
            pos=_point((start + 50 + width / 2, y)),
            width=f"{width / _INCH:.4f}",
            height="0.2",
        )
        if not isinstance(mark, Tone):
            graph.node(
                sample,
                label=mark,
                shape="plaintext",
                style="",
                pos=_point((start + 20, y)),
                width="0.3",
                height="0.2",
            )
            continue
        for end, x in (("from", start), ("to", start + 42)):
            graph.node(
                f"{sample} {end}", label="", shape="point", style="invis", width="0.01", pos=_point((x, y))
            )
        tip = (start + 40, y)
        line = ((start, y), (start + 10, y), (start + 20, y), (start + 32, y))
        graph.edge(f"{sample} from", f"{sample} to", pos=_spline(line, tip), **_TONES[mark])


def _point(point: Point) -> str:
    return f"{_number(point[0])},{_number(point[1])}"


def _number(value: float) -> str:
    return f"{value + 0.0:.2f}".replace("-0.00", "0.00")


def _spline(curve: Curve, tip: Point) -> str:
    return f"e,{_point(tip)} " + " ".join(_point(p) for p in curve)
