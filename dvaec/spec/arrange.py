"""Specs with their lines in a common order, so that two spellings of one model are one value.

Without meaning is the order of variables, conditionals, states, features and networks, and of what a layer
reads (each input has weights of its own). With meaning are the order of q's chain rule, which is a value by
itself, and the order of what a class of the user's own reads.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from dvaec.spec.blocks import (
    Attention,
    Block,
    Combiner,
    Custom,
    Feature,
    GatedTransition,
    Head,
    Identity,
    LinearMixture,
    Output,
    State,
)
from dvaec.spec.model import LAST, Spec
from dvaec.spec.notation import parent as text_of
from dvaec.spec.variables import Conditional, Parent, Side

_Name = TypeVar("_Name", bound=Hashable)
_PLACES = {None: 0, 0: 1, 1: 2, LAST: 3}


def arranged(spec: Spec, *like: Spec) -> Spec:
    """Return the spec with its lines in the order of the first of `like`, by name if there is none.

    What the first lacks stands where the next one has it. Specs that differ in nothing but the order of lines
    and of reads become equal.
    """
    order = _Order(like)
    inference = replace(
        spec.inference,
        conditionals=order.lines(spec.inference.conditionals),
        numbered=order.lines(spec.inference.numbered),
    )
    return replace(
        spec,
        variables=tuple(sorted(spec.variables, key=lambda v: order.name(v.name))),
        generation=order.lines(spec.generation),
        inference=inference,
        states=tuple(order.state(s) for s in sorted(spec.states, key=lambda s: order.name(s.name))),
        features=tuple(order.feature(f) for f in sorted(spec.features, key=lambda f: order.name(f.name))),
        heads=tuple(order.head(h) for h in sorted(spec.heads, key=order.place_of_head)),
        numbered=order.lines(spec.numbered),
        auxiliary=order.lines(spec.auxiliary),
    )


class _Order:
    """The places of names and of lines, as some specs have them; without any, names by the alphabet."""

    def __init__(self, like: tuple[Spec, ...]) -> None:
        self.names = _places([[v.name for v in s.variables] for s in like])
        nodes = [[one.name for one in s.states] + [one.name for one in s.features] for s in like]
        self.names |= {name: len(self.names) + at for name, at in _places(nodes).items()}
        self.targets = _places([[(c.target, c.frame) for c in (*s.generation, *s.numbered)] for s in like])
        self.heads = _places([[(h.side, h.target, h.frame) for h in s.heads] for s in like])

    def name(self, name: str) -> tuple[int, str]:
        """Return the place of a variable, state or feature."""
        return self.names.get(name, len(self.names)), name

    def place_of_head(self, head: Head) -> tuple[int, Side, str, int]:
        """Return the place of a head among all heads."""
        place = self.heads.get((head.side, head.target, head.frame), len(self.heads))
        return place, head.side, head.target, _PLACES[head.frame]

    def _place_of_line(self, line: Conditional) -> tuple[int, tuple[int, str], int]:
        place = self.targets.get((line.target, line.frame), len(self.targets))
        return place, self.name(line.target), _PLACES[line.frame]

    def lines(self, lines: Iterable[Conditional]) -> tuple[Conditional, ...]:
        """Arrange conditionals, and the parents of each as a spec has them."""

        def place(parent: Parent) -> tuple[tuple[int, str], int]:
            return self.name(parent.name), _PLACES[parent.frame]

        found = (replace(one, parents=tuple(sorted(one.parents, key=place))) for one in lines)
        return tuple(sorted(found, key=self._place_of_line))

    def reads(self, reads: Iterable[Parent]) -> tuple[Parent, ...]:
        """Arrange what a network reads."""
        return tuple(sorted(reads, key=lambda p: (self.name(p.name), text_of(p))))

    def state(self, state: State) -> State:
        """Arrange what a state reads."""
        return replace(state, reads=self.reads(state.reads), start_reads=self.reads(state.start_reads))

    def feature(self, feature: Feature) -> Feature:
        """Arrange what a feature reads."""
        return replace(feature, block=self.block(feature.block))

    def head(self, head: Head) -> Head:
        """Arrange what a head and its parameters read."""
        block = None if head.block is None else self.block(head.block)
        mean = None if head.mean is None else self.output(head.mean)
        variance = self.output(head.variance) if isinstance(head.variance, Output) else head.variance
        return replace(head, block=block, mean=mean, variance=variance)

    def output(self, output: Output) -> Output:
        """Arrange what one parameter reads."""
        return output if output.block is None else replace(output, block=self.block(output.block))

    def block(self, block: Block) -> Block:
        """Arrange what a block reads."""
        match block:
            case Combiner() | Identity() | Custom():
                return block
            case LinearMixture(of=several):
                return replace(block, of=self.reads(several))
            case Attention(of=several, query=query):
                return replace(block, of=self.reads(several), query=self.reads(query))
            case GatedTransition(reads=reads):
                return replace(block, reads=self.reads(reads))
            case _:
                return replace(block, reads=self.reads(block.reads))


def _places(lists: Iterable[Sequence[_Name]]) -> dict[_Name, int]:
    """Merge lists: the first as it is, what is new of a later one before what follows it there."""
    merged: list[_Name] = []
    for one in lists:
        for position in reversed(range(len(one))):
            if one[position] not in merged:
                follows = one[position + 1] if position + 1 < len(one) else None
                merged.insert(len(merged) if follows is None else merged.index(follows), one[position])
    return {name: place for place, name in enumerate(merged)}
