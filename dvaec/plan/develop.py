"""The default development: states and heads for a page that leaves them out.

Every open window of a conditional becomes a recurrent state that runs in the window's direction (both ways
for x_{1:T}), every finite window is read directly. States whose windows agree are one state, for p and q
alike, as in VRNN. What the page gives is never touched.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from dvaec.spec import offsets
from dvaec.spec.model import Conditional, Dense, Direction, Head, Layer, Parent, Side, Spec, State
from dvaec.spec.notation import Window, windows
from dvaec.spec.offsets import Offsets

STATE_CELL = "lstm"
STATE_UNITS = 128
HEAD_LAYERS = (Layer(128, "tanh"),)


@dataclass
class _Growing:
    """The states made so far, by what they sum up."""

    taken: set[str]
    made: dict[tuple[str, Window], State] = field(default_factory=dict)

    def state_for(self, name: str, window: Window) -> State:
        """Return the state that sums up one open window of one variable, making it at first need."""
        key = (name, window)
        if key not in self.made:
            self.made[key] = _state(self._fresh(name, window), name, window)
        return self.made[key]

    def _fresh(self, name: str, window: Window) -> str:
        side = "past" if window.stop is not None else "future" if window.start is not None else "all"
        for number in range(1, len(self.taken) + 2):
            candidate = f"{name}{side}{'' if number == 1 else number}"
            if candidate not in self.taken:
                self.taken.add(candidate)
                return candidate
        raise AssertionError("more candidates than taken names")


def develop(spec: Spec, inference: tuple[Conditional, ...]) -> Spec:
    """Return the spec with a head for every conditional that has parents, and the states these heads need.

    A conditional without parents keeps the head that the page gives, if any: its parameters are constant.
    """
    growing = _Growing({v.name for v in spec.variables} | {s.name for s in spec.states + spec.features})
    heads = tuple(_head(spec, side, conditional, growing) for side, conditional in _factors(spec, inference))
    return replace(spec, heads=heads, states=spec.states + tuple(growing.made.values()))


def _factors(spec: Spec, inference: tuple[Conditional, ...]) -> Iterator[tuple[Side, Conditional]]:
    for conditional in spec.generation:
        yield Side.P, conditional
    for conditional in inference:
        yield Side.Q, conditional


def _head(spec: Spec, side: Side, conditional: Conditional, growing: _Growing) -> Head:
    given = spec.head(side, conditional.target)
    head = given if given is not None else Head(side, conditional.target, None)
    if head.block is not None or not conditional.parents:
        return head
    reads = tuple(read for parent in conditional.parents for read in _reads(parent, growing))
    return replace(head, block=Dense(reads, HEAD_LAYERS))


def _reads(parent: Parent, growing: _Growing) -> Iterator[Parent]:
    if parent.offsets is None:
        yield parent
        return
    for window in windows(parent.offsets):
        summed, beside = _split(window)
        if summed is not None:
            yield Parent(growing.state_for(parent.name, summed).name, offsets.NOW)
        if beside:
            yield Parent(parent.name, beside)


def _split(window: Window) -> tuple[Window | None, Offsets]:
    """Part a window into what a state can sum up and what is read beside it.

    A forward state that read ahead of t would never see the first frames, since it starts at frame 1; a
    backward one that read behind t would never see the last ones. So a state stops at t, and the few frames
    on the other side of t are read directly.
    """
    if (window.start is None) == (window.stop is None):
        return (None, window.offsets) if window.start is not None else (window, offsets.NONE)
    if window.start is None:
        assert window.stop is not None
        excess = max(0, -(-window.stop // window.stride)) * window.stride
        kept = Window(None, window.stop - excess, window.stride)
    else:
        excess = max(0, -(window.start // window.stride)) * window.stride
        kept = Window(window.start + excess, None, window.stride)
    return kept, window.offsets - kept.offsets


def _state(name: str, variable: str, window: Window) -> State:
    if window.start is None and window.stop is None:
        runs, at = Direction.BOTH, 0
    elif window.start is None:
        assert window.stop is not None
        runs, at = Direction.FORWARD, window.stop
    else:
        runs, at = Direction.BACKWARD, window.start
    reads = (Parent(variable, offsets.of(at)),)
    return State(name, STATE_CELL, STATE_UNITS, reads, runs=runs, lag=window.stride)
