"""A laid-out diagram as DOT source, with every position in it (`layout=nop2`: Graphviz only draws).

No HTML-like labels (some builds of Graphviz have no expat): subscripts are Unicode.
"""

from __future__ import annotations

import graphviz

from dvaec.emit.diagram import ELLIPSES, PLATES, Diagram, Form, Kind, Mark, Place, Tone
from dvaec.emit.diagram_curves import PLATE, Curve, Point, Shape, pieces
from dvaec.emit.diagram_labels import SIZE, font_size, identity, label_of
from dvaec.emit.diagram_layout import Layout, layout
from dvaec.emit.diagram_palette import LIGHT, LINES
from dvaec.emit.diagram_svg import OPEN, ROOT

_FONT = "DejaVu Sans,Arial Unicode MS,Segoe UI,sans-serif"
_INCH = 72.0
_MARKS = {Mark.ASKED: {"penwidth": "3"}, Mark.BLOCKS: {"penwidth": "1.8", "peripheries": "2"}}
_SHAPES = {
    Kind.LATENT: {"shape": "circle"},
    Kind.OBSERVED: {"shape": "circle"},
    Kind.INPUT: {"shape": "square", "style": "filled,rounded"},
    Kind.DETERMINISTIC: {"shape": "diamond"},
    Kind.BEYOND: {"shape": "box", "style": "filled,rounded"},
}


def _arrow_style(tone: Tone, form: Form) -> dict[str, str]:
    """A link of p has a filled head, one of q an open one."""
    of_q = form.draws_q(tone)
    line, style = LINES[tone], {"color": LIGHT.tone(tone, of_q), "class": tone.value}
    if of_q:
        style |= {"fillcolor": LIGHT.paper, "class": f"{tone.value} {OPEN}"}
    if line.width != LINES[Tone.PLAIN].width:
        style["penwidth"] = f"{line.width:g}"
    if line.style != "solid":
        style["style"] = line.style
    return style


def _node_style(
    kind: Kind, shape: Kind | None = None, mark: Mark | None = None, tone: Tone = Tone.PLAIN
) -> dict[str, str]:
    """A node filled as its kind is; of another `shape` if it is a plate; outlined in a tone."""
    style = _SHAPES[shape or kind] | {"fillcolor": LIGHT.fill(kind), "color": LIGHT.ink, "class": kind.value}
    if tone is not Tone.PLAIN:
        line, colour = LINES[tone], LIGHT.tone(tone)
        style |= {"color": colour, "fontcolor": colour, "class": f"{kind.value} {tone.value}-node"}
        style |= {"penwidth": f"{line.width:g}"} if line.style == "solid" else {"style": "filled,dashed"}
    if mark is not None:
        style |= _MARKS[mark] | {"color": LIGHT.mark(mark), "class": f"{kind.value} {mark.value}"}
    return style


def dot_source(diagram: Diagram) -> str:
    """Return the DOT text of a diagram; the same value gives the same bytes."""
    drawn = layout(diagram)
    graph = graphviz.Digraph(
        name=f"{diagram.name} {diagram.form}",
        comment=f"{diagram.name}, {diagram.form}",
        graph_attr={
            "layout": "nop2",
            "outputorder": "nodesfirst",
            "pad": "0.15",
            "bgcolor": LIGHT.paper,
            "class": ROOT,
        },
        node_attr={"fontname": _FONT, "fontsize": f"{SIZE}", "fixedsize": "true", "style": "filled"},
        edge_attr={"arrowsize": "0.8", "penwidth": f"{LINES[Tone.PLAIN].width:g}"},
    )
    _bands(graph, drawn)
    for place in diagram.places:
        _node(graph, diagram, place, drawn.shapes[place])
    for arrow, curve, tip in drawn.curves:
        graph.edge(
            identity(diagram, arrow.source),
            identity(diagram, arrow.target),
            pos=_spline(curve, tip),
            **_arrow_style(arrow.tone, diagram.form),
        )
    _title(graph, diagram, drawn)
    _legend(graph, diagram, drawn)
    return str(graph.source)


def _node(graph: graphviz.Digraph, diagram: Diagram, place: Place, shape: Shape) -> None:
    row = diagram.row(place.name)
    width, height = f"{2 * shape.across / _INCH:.4f}", f"{2 * shape.radius / _INCH:.4f}"
    where = {"pos": _point(shape.centre), "width": width, "height": height}
    name = identity(diagram, place)
    if place.frame in ELLIPSES:
        graph.node(name, label="⋯", shape="plaintext", style="", **where)
        return
    plate = place.frame in PLATES
    if plate:
        where["height"] = f"{2 * shape.radius * PLATE / _INCH:.4f}"
    mark = next((mark for marked, mark in diagram.marks if marked == place), None)
    style = _node_style(row.kind, Kind.BEYOND if plate else None, mark, row.tone)
    size = font_size(diagram, place, shape)
    if size != SIZE:
        where["fontsize"] = f"{size:g}"
    graph.node(name, label=label_of(diagram, place), **where, **style)


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
            color=LIGHT.band if "filled" in style else LIGHT.frame,
            **{"class": "band" if "filled" in style else "single"},
            pos=_point(((left + right) / 2, middle)),
            width=f"{(right - left) / _INCH:.4f}",
            height=f"{height / _INCH:.4f}",
        )


def _title(graph: graphviz.Digraph, diagram: Diagram, drawn: Layout) -> None:
    middle = (drawn.left + drawn.right) / 2
    for k, line in enumerate(diagram.title):
        above = 22 * (len(diagram.title) - 1 - k)
        _text(graph, f"title {k + 1}", line, (middle, drawn.top + 34 + above), 15 if k == 0 else 13)


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
    width = 7.8 * max((len(remark.text) for remark in diagram.legend), default=0)
    for k, (mark, text) in enumerate((remark.mark, remark.text) for remark in diagram.legend):
        y = drawn.bottom - 32 - 20 * k
        start = drawn.left
        sample, words = f"legend {k + 1}", f"legend {k + 1} text"
        graph.node(
            words,
            label=f"{text}\\l",
            shape="plaintext",
            style="",
            fontsize="13",
            pos=_point((start + 50 + width / 2, y)),
            width=f"{width / _INCH:.4f}",
            height="0.2",
        )
        if not isinstance(mark, Tone):
            style = {"shape": "plaintext", "style": "", "width": "0.3", "height": "0.2", "label": mark}
            if mark is Kind.BEYOND:
                style = _node_style(Kind.BEYOND) | {"width": "0.3", "height": "0.14", "label": ""}
            if isinstance(mark, Mark):
                style = _node_style(Kind.LATENT, mark=mark) | {"width": "0.14", "height": "0.14", "label": ""}
            graph.node(sample, pos=_point((start + 20, y)), **style)
            continue
        for end, x in (("from", start), ("to", start + 42)):
            graph.node(
                f"{sample} {end}", label="", shape="point", style="invis", width="0.01", pos=_point((x, y))
            )
        tip = (start + 40, y)
        line = ((start, y), (start + 10, y), (start + 20, y), (start + 32, y))
        graph.edge(
            f"{sample} from", f"{sample} to", pos=_spline(line, tip), **_arrow_style(mark, diagram.form)
        )


def _point(point: Point) -> str:
    return f"{_number(point[0])},{_number(point[1])}"


def _number(value: float) -> str:
    return f"{value + 0.0:.2f}".replace("-0.00", "0.00")


def _spline(curve: Curve, tip: Point) -> str:
    rest = (p for piece in pieces(curve) for p in piece[1:])
    return f"e,{_point(tip)} " + " ".join(_point(p) for p in (curve[0], *rest))
