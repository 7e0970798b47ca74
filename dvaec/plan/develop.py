"""The default development: states, features and heads for a page that leaves them out.

Every open window of a conditional is summed up by a recurrent state that runs in the window's direction
(both ways for x_{1:T}); the open windows of one conditional that run the same way have one state together. A
finite window is read directly, a long one by a convolution. What has no frame t reads a forward state at T
and a backward one at 1 (many to one); a numbered frame reads at 1 what its windows are summed up by, frame T
at T.

Shared, conditionals whose windows agree read one state, for p and q alike, as in VRNN and in Figure 4.1,
middle; separate, each conditional has states of its own (Figure 4.1, right). What the page gives is never
touched.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from dvaec.plan.summaries import Demand, Names, Owner, Summaries, ends_of, opened, summarise
from dvaec.spec.frames import at_frames, at_last
from dvaec.spec.model import (
    LAST,
    Conditional,
    Convolution,
    Dense,
    Direction,
    Feature,
    Head,
    Layer,
    Parent,
    Side,
    Spec,
)
from dvaec.spec.notation import Window, windows
from dvaec.spec.offsets import NONE, NOW, Offsets, window
from dvaec.spec.trunk import needs_trunk

HEAD_LAYERS = (Layer(128, "tanh"),)
LONGEST_DIRECT = 8  # frames of a finite window that a head concatenates
MOST_BESIDE = 2  # frames (strides) that a head reads beside a state that it shares
LONGEST_RUN = 100  # frames of one convolution
LARGEST_KERNEL = 16
CHANNELS = Layer(64, "tanh")


@dataclass(frozen=True)
class _Open:
    """One open window of one variable of a conditional, and the demand that it is a part of."""

    name: str
    demand: Demand
    whole: Offsets


@dataclass
class _Reading:
    """What one conditional reads: its demands, and the finite windows beside them."""

    spec: Spec
    owner: Owner
    demands: list[Demand] = field(default_factory=list)
    opened: list[_Open] = field(default_factory=list)

    @property
    def framed(self) -> bool:
        """Whether the conditional has a frame t to which windows are relative."""
        return self.owner[2] is None and not self.whole

    @property
    def whole(self) -> bool:
        """Whether it is of the sequence, and so are its windows."""
        return not self.spec.variable(self.owner[1]).framed

    def window(self, parent: Parent) -> Offsets:
        """The window of a parent relative to t, or, of a numbered frame, to frame 1 (T); frame 0 is apart."""
        if parent.offsets is None or self.whole:
            return NONE
        frame = self.owner[2]
        if frame == LAST:
            return parent.offsets & window(None, 0)
        return parent.offsets if frame is None else parent.offsets.shift(frame - 1) & window(0, None)

    def at(self, state: str) -> Parent:
        """A state or a feature of t, where the conditional reads it."""
        return (
            Parent(state, NOW) if self.framed else Parent(state, None, LAST if self.owner[2] == LAST else 1)
        )


def develop(spec: Spec, inference: tuple[Conditional, ...]) -> Spec:
    """Return the spec with a head for every conditional that has parents, and the nodes these heads need.

    `inference` is q as declared. A conditional without parents keeps the head that the page gives, if any:
    its parameters are constant. `spec.separate` says which of the two forms of Figure 4.1 is made.
    """
    taken = [v.name for v in spec.variables] + [s.name for s in spec.states] + [f.name for f in spec.features]
    names = Names(taken)
    factors = [(side, one, _given(spec, side, one)) for side, one in _factors(spec, inference)]
    readings = {
        (side, one): _reading(spec, side, one) for side, one, head in factors if _is_open(spec, one, head)
    }
    summaries = summarise((d for r in readings.values() for d in r.demands), names, spec.separate)
    features = _Features(names, spec.separate)
    heads = []
    for side, one, head in factors:
        reading = readings.get((side, one))
        if reading is not None:
            reads = tuple(dict.fromkeys(_reads(reading, one, summaries, features)))
            head = replace(head, block=Dense(reads, HEAD_LAYERS))
        heads.append(head)
    return replace(
        spec,
        heads=tuple(heads),
        states=(*spec.states, *summaries.states),
        features=(*spec.features, *features.made.values()),
    )


def _factors(spec: Spec, inference: tuple[Conditional, ...]) -> Iterator[tuple[Side, Conditional]]:
    for conditional in (*spec.generation, *spec.numbered):
        yield Side.P, conditional
    for conditional in inference:
        yield Side.Q, conditional


def _given(spec: Spec, side: Side, one: Conditional) -> Head:
    head = spec.head(side, one.target, one.frame)
    return head if head is not None else Head(side, one.target, None, frame=one.frame)


def _is_open(spec: Spec, one: Conditional, head: Head) -> bool:
    """Whether a head is left to the default development."""
    left = head.block is None and needs_trunk(head, spec.variable(head.target))
    return left and bool(one.parents)


def _reading(spec: Spec, side: Side, one: Conditional) -> _Reading:
    """Group the open windows of a conditional into demands, one variable once in each."""
    reading = _Reading(spec, (side, one.target, one.frame))
    groups: dict[tuple[Direction, int, int], list[tuple[str, int, Offsets]]] = {}
    for parent in one.parents:
        if parent.offsets is None:
            continue
        variable = spec.variable(parent.name)
        there = ends_of(variable) if reading.whole else opened(variable, reading.window(parent))
        for runs, stride, edge, whole in there:
            turn = 0
            while any(n == parent.name for n, _, _ in groups.get((runs, stride, turn), ())):
                turn += 1
            groups.setdefault((runs, stride, turn), []).append((parent.name, edge, whole))
    for (runs, stride, _), members in groups.items():
        names, edges = tuple(n for n, _, _ in members), tuple(edge for _, edge, _ in members)
        forward = reading.whole and runs is Direction.FORWARD
        if forward and any(spec.variable(name).first == 0 for name in names):
            slack = 0  # frame T alone is read beside the state, which must see frame 0 where T is 1
        else:
            slack = MOST_BESIDE if reading.framed else 1
        demand = Demand(reading.owner, names, runs, stride, edges, slack)
        reading.demands.append(demand)
        reading.opened.extend(_Open(name, demand, whole) for name, _, whole in members)
    return reading


def _reads(
    reading: _Reading, one: Conditional, summaries: Summaries, features: _Features
) -> Iterator[Parent]:
    for parent in one.parents:
        if parent.offsets is None:
            yield parent
            continue
        direct = reading.window(parent)
        for part in reading.opened:
            if part.name != parent.name:
                continue
            seen = summaries.seen(part.demand, part.name)
            name = summaries.meeting[part.demand].name
            if reading.whole:
                yield from _at_an_end(name, part.name, seen)
            else:
                yield reading.at(name)
                direct = direct - seen.offsets
        if one.frame in (0, 1) and reading.spec.variable(parent.name).first == 0:
            beside = parent.name != one.target and -(one.frame or 0) in parent.offsets
            yield from (Parent(parent.name, None, 0),) * beside
        yield from features.finite(parent.name, direct, reading)


def _at_an_end(state: str, name: str, seen: Window) -> Iterator[Parent]:
    """Yield a state at the sequence's end, and the frame there that it does not see."""
    frame = 1 if seen.stop is None else LAST
    yield Parent(state, None, frame)
    if (seen.start, seen.stop)[frame == LAST] != 0:
        yield Parent(name, None, frame)


@dataclass
class _Features:
    """The convolutions made so far, by what they read."""

    names: Names
    separate: bool
    made: dict[tuple[object, ...], Feature] = field(default_factory=dict)

    def finite(self, name: str, read: Offsets, reading: _Reading) -> Iterator[Parent]:
        """Yield a finite window of one variable: long runs by convolutions, the rest as it is."""
        owner, frame = reading.owner, reading.owner[2]
        direct = read
        for one in windows(read):
            start, stop = one.start or 0, one.stop or 0
            while one.stride == 1 and 1 + stop - start > LONGEST_DIRECT:
                taken, kernel, depth = _receptive(min(1 + stop - start, LONGEST_RUN))
                run = window(stop + 1 - taken, stop)
                yield reading.at(self._feature(name, run, kernel, depth, owner))
                direct = direct - run
                stop -= taken
        for one in windows(direct):  # each as the page would write it
            if frame is None:
                yield Parent(name, one.offsets)
            elif frame == LAST:
                yield from at_last(name, one.offsets)
            else:
                yield from at_frames(name, one.offsets.shift(1), 1, frame)

    def _feature(self, name: str, run: Offsets, kernel: int, depth: int, owner: Owner) -> str:
        key = (name, run, owner if self.separate else None)
        if key not in self.made:
            block = Convolution((Parent(name, run),), (CHANNELS,) * depth, kernel, (1,) * depth)
            self.made[key] = Feature(self.names.fresh(f"{name}near"), block)
        return self.made[key].name


def _receptive(length: int) -> tuple[int, int, int]:
    """Return how many frames of a run a convolution takes in (all, or a few less), its kernel and its depth.

    `depth` layers with kernels of `kernel` frames take in 1 + depth (kernel - 1) of them.
    """
    for taken in range(length, 1, -1):
        for depth in range(2, 9):
            if (taken - 1) % depth == 0 and (taken - 1) // depth < LARGEST_KERNEL:
                return taken, 1 + (taken - 1) // depth, depth
    raise AssertionError("a run of three frames is two layers")
