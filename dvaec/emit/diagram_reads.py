"""Who reads what in the developed form of p or of q: its heads, and the states and features under them."""

from __future__ import annotations

from dataclasses import dataclass

from dvaec.spec.model import Conditional, Direction, Feature, Parent, Side, Spec, State, reads_of
from dvaec.spec.notation import unicode_form
from dvaec.spec.offsets import NOW, of


@dataclass(frozen=True)
class Reader:
    """A node and what it reads; `label` and `instantaneous` speak of deterministic nodes only."""

    name: str
    reads: tuple[Parent, ...]
    label: str = ""
    instantaneous: bool = False


def readers_of(spec: Spec, side: Side, conditionals: tuple[Conditional, ...]) -> tuple[Reader, ...]:
    """The heads of one side, and every deterministic node under them, in the page's order.

    A state that runs both ways is two nodes, named with an arrow over the letter: one alone would be a cycle.
    """
    both = {s.name for s in spec.states if s.runs is Direction.BOTH}
    heads = []
    for conditional in conditionals:
        head = spec.head(side, conditional.target)
        block = None if head is None else head.block
        reads = conditional.parents if block is None else reads_of(block)
        heads.append(Reader(conditional.target, _split(reads, both)))
    inner: dict[str, tuple[Reader, ...]] = {}
    for state in spec.states:
        inner[state.name] = _nodes(state, both)
    for feature in spec.features:
        inner[feature.name] = _nodes(feature, both)
    needed = {p.name for r in heads for p in r.reads}
    while True:
        more = {p.name for rs in inner.values() for r in rs if r.name in needed for p in r.reads} - needed
        if not more:
            break
        needed |= more
    return (*(r for rs in inner.values() for r in rs if r.name in needed), *heads)


def _nodes(node: State | Feature, both: set[str]) -> tuple[Reader, ...]:
    label = unicode_form(node.name, NOW)
    if isinstance(node, Feature):
        return (Reader(node.name, _split(reads_of(node.block), both), label, True),)
    reads = _split(node.reads, both)
    forward = Parent(node.name, of(-node.lag))
    backward = Parent(node.name, of(node.lag))
    if node.runs is not Direction.BOTH:
        own = forward if node.runs is Direction.FORWARD else backward
        return (Reader(node.name, (own, *reads), label),)
    one, other = _ways(node.name)
    return (
        Reader(one, (Parent(one, forward.offsets), *reads), _over(label, node.name, "\u20d7")),
        Reader(other, (Parent(other, backward.offsets), *reads), _over(label, node.name, "\u20d6")),
    )


def _split(reads: tuple[Parent, ...], both: set[str]) -> tuple[Parent, ...]:
    out: list[Parent] = []
    for parent in reads:
        names = _ways(parent.name) if parent.name in both else (parent.name,)
        out += [Parent(name, parent.offsets) for name in names]
    return tuple(out)


def _ways(name: str) -> tuple[str, str]:
    return f"{name}>", f"{name}<"


def _over(label: str, name: str, mark: str) -> str:
    """Put a combining arrow over the name's first letter."""
    return label.replace(name[0], name[0] + mark, 1)
