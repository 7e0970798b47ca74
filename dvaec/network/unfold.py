"""What the developed form sees: features inlined, recurrent states substituted away.

Let X_n be the windows over variables that the deterministic node n sees. A node that reads m at the offsets
D sees D + X_m, so X = A X + B over the Kleene algebra of offset sets (union, sum, star); eliminating the
nodes one by one, a node's own loop L contributes star(L). A forward state has the loop {-lag}, a backward
one {+lag}.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import lcm

from dvaec.spec.model import Direction, Parent, Spec, reads_of
from dvaec.spec.offsets import NONE, NOW, Offsets, of, plus, star

Row = dict[str, Offsets]


class UnfoldError(ValueError):
    """Deterministic nodes read one another in a cycle without a direction of time; `node` is one of them."""

    code = "DV202"

    def __init__(self, node: str) -> None:
        self.node = node
        name = f"{node.partition(' ')[0]}_t"
        super().__init__(f"{name} depends on itself through what it reads, in no one direction of time")


@dataclass(frozen=True)
class Unfolded:
    """What every deterministic node of a page sees of the variables, sequence-level ones with None."""

    spec: Spec
    frames: dict[str, Row]
    static: dict[str, frozenset[str]]

    def seen(self, reads: Iterable[Parent]) -> tuple[Parent, ...]:
        """Return what reading these names comes to, in declaration order of the variables."""
        row, static = _row(self.spec, reads)
        for name, offsets in tuple(row.items()):
            if name in self.frames:
                del row[name]
                static |= self.static[name]
                for variable, there in self.frames[name].items():
                    row[variable] = row.get(variable, NONE) | plus(offsets, there)
        found: dict[str, Offsets | None] = {**row, **dict.fromkeys(static)}
        return tuple(Parent(v.name, found[v.name]) for v in self.spec.variables if v.name in found)


def unfold(spec: Spec) -> Unfolded:
    """Solve for what each state and feature sees; UnfoldError for a cycle that keeps no direction of time."""
    rows: dict[str, Row] = {}
    static: dict[str, set[str]] = {}
    for node, reads, loops in nodes_of(spec):
        rows[node], static[node] = _row(spec, reads)
        for loop in loops:
            rows[node][node] = rows[node].get(node, NONE) | of(loop)
    names = tuple(rows)
    for node in names:
        row = rows[node]
        itself = row.pop(node, NONE)
        try:
            around = repeated(itself)
        except ValueError as error:
            raise UnfoldError(node) from error
        rows[node] = {name: plus(around, offsets) for name, offsets in row.items()}
        for other in names:
            if other != node and (through := rows[other].pop(node, NONE)):
                for name, offsets in rows[node].items():
                    rows[other][name] = rows[other].get(name, NONE) | plus(through, offsets)
                static[other] |= static[node]
    return Unfolded(spec, rows, {name: frozenset(found) for name, found in static.items()})


def repeated(steps: Offsets) -> Offsets:
    """Return the sums of any number of members of `steps`; ValueError if they point both ways.

    The smallest step m and, per residue modulo m, the smallest step of that residue generate all sums; they
    lie below the steps' aperiodic part plus lcm(m, period).
    """
    if steps.finite:
        return star(steps)
    if steps.reaches_past and steps.reaches_future:
        raise ValueError("a recurrence must keep one direction of time")
    period = len(steps.past) if steps.reaches_past else len(steps.future)
    near = steps.within(-steps.reach - period, steps.reach + period)
    smallest = min(abs(d) for d in near)
    edge = steps.reach + lcm(max(1, smallest), period)
    return star(of(*steps.within(-edge, edge)))


def nodes_of(spec: Spec) -> Iterable[tuple[str, tuple[Parent, ...], tuple[int, ...]]]:
    """List the nodes with their reads and loops; a state that runs both ways is two and their pair."""
    for feature in spec.features:
        yield feature.name, reads_of(feature.block), ()
    for state in spec.states:
        if state.runs is Direction.BOTH:
            ahead, back = f"{state.name} forward", f"{state.name} backward"
            yield ahead, state.reads, (-state.lag,)
            yield back, state.reads, (state.lag,)
            yield state.name, (Parent(ahead, NOW), Parent(back, NOW)), ()
        else:
            yield state.name, state.reads, (-state.lag if state.runs is Direction.FORWARD else state.lag,)


def _row(spec: Spec, reads: Iterable[Parent]) -> tuple[Row, set[str]]:
    row: Row = {}
    for parent in reads:
        if parent.offsets is not None:
            row[parent.name] = row.get(parent.name, NONE) | parent.offsets
    framed = {v.name for v in spec.variables if v.framed}
    return row, {p.name for p in reads if p.offsets is None and p.name not in framed}
