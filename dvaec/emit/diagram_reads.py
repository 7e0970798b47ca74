"""Who reads what in the developed form of p or of q: its heads, and the states and features under them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from dvaec.emit.diagram import AFTER, ZERO
from dvaec.emit.diagram_arrows import COLUMN_OF
from dvaec.spec.model import (
    Conditional,
    Direction,
    Feature,
    Parent,
    Side,
    Spec,
    State,
    reads_of,
    reads_of_head,
)
from dvaec.spec.notation import unicode_form
from dvaec.spec.offsets import NOW, of


@dataclass(frozen=True)
class Reader:
    """A node and what it reads, at every frame or in one `column` of the picture alone.

    `label` and `instantaneous` speak of deterministic nodes only.
    """

    name: str
    reads: tuple[Parent, ...]
    label: str = ""
    instantaneous: bool = False
    column: int | None = None


def column_of(conditional: Conditional) -> int | None:
    """Return where a numbered conditional's target stands; None for one of every frame, or of a sequence."""
    return None if conditional.frame is None else COLUMN_OF[conditional.frame]


def readers_of(spec: Spec, side: Side, conditionals: tuple[Conditional, ...]) -> tuple[Reader, ...]:
    """The heads of one side, and every deterministic node under them, in the page's order.

    A state that runs both ways is two nodes, named with an arrow over the letter: one alone would be a cycle.
    """
    both = {s.name for s in spec.states if s.runs is Direction.BOTH}
    heads = []
    for conditional in conditionals:
        head = spec.head(side, conditional.target, conditional.frame)
        reads = (reads_of_head(head) if head is not None else ()) or conditional.parents
        heads.append(
            Reader(conditional.target, _split(dict.fromkeys(reads), both), column=column_of(conditional))
        )
    inner: dict[str, tuple[Reader, ...]] = {}
    for state in spec.states:
        inner[state.name] = _nodes(state, both)
    for feature in spec.features:
        inner[feature.name] = _nodes(feature, both)
    needed = {p.name for r in heads for p in r.reads}
    while True:
        met = [(name, r) for name, rs in inner.items() for r in rs if r.name in needed]
        more = {p.name for name, r in met for p in (*r.reads, *predictions(spec, name))} - needed
        if not more:
            break
        needed |= more
    return (*(r for rs in inner.values() for r in rs if r.name in needed), *heads)


def predictions(spec: Spec, target: str) -> tuple[Parent, ...]:
    """Return what an auxiliary network predicts a state, or an observed variable, from (8.4)."""
    both = {s.name for s in spec.states if s.runs is Direction.BOTH}
    return _split((p for c in spec.auxiliary if c.target == target for p in c.parents), both)


def _nodes(node: State | Feature, both: set[str]) -> tuple[Reader, ...]:
    label = unicode_form(node.name, NOW)
    if isinstance(node, Feature):
        return (Reader(node.name, _split(reads_of(node.block), both), label, True),)
    reads = _split(node.reads, both)
    start = _split(node.start_reads, both)
    one, other = _ways(node.name) if node.runs is Direction.BOTH else (node.name, node.name)
    there: tuple[Reader, ...] = ()
    if node.runs is not Direction.BACKWARD:
        shown = _over(label, node.name, "\u20d7") if one != node.name else label
        there += (Reader(one, (Parent(one, of(-node.lag)), *reads), shown),)
        there += (Reader(one, start, shown, column=ZERO),) if start else ()
    if node.runs is not Direction.FORWARD:
        shown = _over(label, node.name, "\u20d6") if one != node.name else label
        there += (Reader(other, (Parent(other, of(node.lag)), *reads), shown),)
        there += (Reader(other, start, shown, column=AFTER),) if start else ()
    return there


def _split(reads: Iterable[Parent], both: set[str]) -> tuple[Parent, ...]:
    out: list[Parent] = []
    for parent in reads:
        names = _ways(parent.name) if parent.name in both else (parent.name,)
        out += [replace(parent, name=name) for name in names]
    return tuple(out)


def _ways(name: str) -> tuple[str, str]:
    return f"{name}>", f"{name}<"


def _over(label: str, name: str, mark: str) -> str:
    """Put a combining arrow over the name's first letter."""
    return label.replace(name[0], name[0] + mark, 1)
