"""What the developed form sees: features inlined, recurrent states substituted away.

Let X_n be the windows over variables that the deterministic node n sees. A node that reads m at the offsets
D sees D + X_m, so X = A X + B over the Kleene algebra of offset sets (union, sum, star); eliminating the
nodes one by one, a node's own loop L contributes star(L). A forward state has the loop {-lag}, a backward
one {+lag}.

A node that reads m at an absolute frame a (g_<T>, b_<1>, or where a state starts) sees the frames a + X_m at
every frame of its own, and so does all that reads it: these sets are kept beside the windows, counted from
frame 1 or from frame T.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import lcm

from dvaec.spec.frames import at_frames, united
from dvaec.spec.model import LAST, Direction, Parent, Spec, Variable, reads_of
from dvaec.spec.offsets import ALL, NONE, NOW, Offsets, of, plus, star, window

Row = dict[str, Offsets]
Anchored = dict[tuple[str, int], Offsets]  # (variable, 1 or LAST) -> its frames, counted from there


class UnfoldError(ValueError):
    """Deterministic nodes read one another in a cycle without a direction of time; `node` is one of them."""

    code = "DV202"

    def __init__(self, node: str) -> None:
        self.node = node
        name = f"{node.partition(' ')[0]}_t"
        super().__init__(f"{name} depends on itself through what it reads, in no one direction of time")


@dataclass(frozen=True)
class Deterministic:
    """A state that runs one way, or an instantaneous map; `loops` are the offsets of the recurrence."""

    name: str
    reads: tuple[Parent, ...]
    loops: tuple[int, ...] = ()
    start: tuple[Parent, ...] = ()


@dataclass(frozen=True)
class Unfolded:
    """What every deterministic node of a page sees of the variables.

    `frames` holds windows relative to t, `absolute` frames counted from 1 or T, `static` the names of
    sequence-level variables.
    """

    spec: Spec
    frames: Mapping[str, Row]
    absolute: Mapping[str, Anchored]
    static: Mapping[str, frozenset[str]]

    def seen(self, reads: Iterable[Parent], frame: int | None = None) -> tuple[Parent, ...]:
        """Return what reading these names comes to, in declaration order of the variables.

        What a numbered `frame` sees has one form (`dvaec.spec.frames.at_frames`, `at_last`).
        Frames of one variable that no reference can name (x_{1:T-1} at a sequence's level) count as x_{1:T};
        `dvaec.network.ends` finds what is not seen of them.
        """
        reads = tuple(reads)
        row, static = _row(self.spec, reads)
        anchored = _anchored(reads, self.frames)
        for name in dict.fromkeys(p.name for p in reads if p.name in self.frames):
            static |= self.static[name]
            _unite(anchored, self.absolute[name])
            offsets = row.pop(name, NONE)
            for seen, there in self.frames[name].items():
                row[seen] = row.get(seen, NONE) | plus(offsets, there)
        found: list[Parent] = []
        for variable in self.spec.variables:
            if variable.name in static:
                found.append(Parent(variable.name, None))
            else:
                found.extend(_parents(variable, row.get(variable.name, NONE), anchored, frame))
        return tuple(found)


def unfold(spec: Spec) -> Unfolded:
    """Solve for what each state and feature sees; UnfoldError for a cycle that keeps no direction of time."""
    nodes = tuple(nodes_of(spec))
    rows: dict[str, Row] = {}
    static: dict[str, set[str]] = {}
    for node in nodes:
        rows[node.name], static[node.name] = _row(spec, node.reads)
        static[node.name] |= _row(spec, node.start)[1]
        for loop in node.loops:
            rows[node.name][node.name] = rows[node.name].get(node.name, NONE) | of(loop)
    _eliminate(rows)
    needs = {node.name: {p.name for p in (*node.reads, *node.start)} & set(rows) for node in nodes}
    reached = {name: _reach(name, needs) for name in rows}
    absolute: dict[str, Anchored] = {}
    for node in nodes:
        fixed = [p.name for p in (*node.reads, *node.start) if p.frame is not None]
        if any(node.name in (name, *reached.get(name, ())) for name in fixed):
            raise UnfoldError(node.name)
        absolute[node.name] = _anchored((*node.reads, *node.start), rows)
    own = {name: dict(there) for name, there in absolute.items()}
    given = {name: frozenset(there) for name, there in static.items()}
    for name, others in reached.items():
        for other in others:
            _unite(absolute[name], own[other])
    for name, others in reached.items():
        static[name] = static[name].union(*(given[other] for other in others))
    return Unfolded(spec, rows, absolute, {name: frozenset(found) for name, found in static.items()})


def _eliminate(rows: dict[str, Row]) -> None:
    """Solve X = A X + B in place: substitute each node away, its own loop by the star."""
    names = tuple(rows)
    for node in names:
        itself = rows[node].pop(node, NONE)
        try:
            around = repeated(itself)
        except ValueError as error:
            raise UnfoldError(node) from error
        rows[node] = {name: plus(around, offsets) for name, offsets in rows[node].items()}
        for other in names:
            if other != node and (through := rows[other].pop(node, NONE)):
                for name, offsets in rows[node].items():
                    rows[other][name] = rows[other].get(name, NONE) | plus(through, offsets)


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


def nodes_of(spec: Spec) -> Iterator[Deterministic]:
    """List the nodes with their reads and loops; a state that runs both ways is two and their pair."""
    for feature in spec.features:
        yield Deterministic(feature.name, reads_of(feature.block))
    for state in spec.states:
        if state.runs is Direction.BOTH:
            ahead, back = f"{state.name} forward", f"{state.name} backward"
            yield Deterministic(ahead, state.reads, (-state.lag,), state.start_reads)
            yield Deterministic(back, state.reads, (state.lag,), state.start_reads)
            yield Deterministic(state.name, (Parent(ahead, NOW), Parent(back, NOW)))
        else:
            loop = -state.lag if state.runs is Direction.FORWARD else state.lag
            yield Deterministic(state.name, state.reads, (loop,), state.start_reads)


def _row(spec: Spec, reads: Iterable[Parent]) -> tuple[Row, set[str]]:
    """Split reads into windows relative to t and sequence-level names."""
    row: Row = {}
    static = {v.name for v in spec.variables if not v.framed}
    for parent in reads:
        if parent.offsets is not None:
            row[parent.name] = row.get(parent.name, NONE) | parent.offsets
    return row, {p.name for p in reads if p.name in static}


def _anchored(reads: Iterable[Parent], rows: Mapping[str, Row]) -> Anchored:
    """Return what the reads at absolute frames bring, through the windows that nodes see."""
    found: Anchored = {}
    for parent in reads:
        if parent.frame is None:
            continue
        anchor = LAST if parent.frame == LAST else 1
        at = of(0 if parent.frame == LAST else parent.frame - 1)
        for variable, there in rows.get(parent.name, {parent.name: NOW}).items():
            _unite(found, {(variable, anchor): plus(at, there)})
    return found


def _unite(found: Anchored, more: Anchored) -> None:
    for key, offsets in more.items():
        found[key] = found.get(key, NONE) | offsets


def _reach(name: str, needs: Mapping[str, set[str]]) -> tuple[str, ...]:
    """Return what a node reads, directly or not; itself only where it lies on a cycle."""
    found: dict[str, None] = {}
    waiting = sorted(needs[name])
    while waiting:
        node = waiting.pop()
        if node not in found:
            found[node] = None
            waiting.extend(sorted(needs[node]))
    return tuple(found)


def _parents(
    variable: Variable, relative: Offsets, anchored: Anchored, reader: int | None
) -> Iterator[Parent]:
    """Yield what is seen of one variable: its window, then the absolute frames that are not in it.

    A window of a numbered `reader` is relative to it, and may hold any frames that are counted from frame 1.
    """
    name = variable.name
    first = anchored.get((name, 1), NONE) & window(variable.first - 1, None)
    last = anchored.get((name, LAST), NONE) & window(None, 0)
    if reader in (0, 1):
        frames = (relative.shift(reader) | first.shift(1)) if last <= NOW else ALL
        yield from at_frames(name, frames, variable.first, reader) if frames else ()
        if last and not window(1, None) <= frames:
            yield Parent(name, None, LAST)
        return
    if reader == LAST:
        if not first <= of(-1, 0):
            relative = ALL
        some = [Parent(name, relative | last)] if relative | last else []
        some += [Parent(name, None, at) for at in (0, 1) if at - 1 in first]
        yield from united(some, (name,), (), LAST)
        return
    single = (
        (0, -1, first, window(None, -1)),
        (1, 0, first, window(None, 0)),
        (LAST, 0, last, window(0, None)),
    )
    if not first <= of(-1, 0) or not last <= NOW:
        relative = ALL
    if relative:
        yield Parent(name, relative)
    for frame, offset, there, holding in single:
        if offset in there and not holding <= relative:
            yield Parent(name, None, frame)
