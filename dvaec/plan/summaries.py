"""What recurrent states have to sum up for the default development, and which states do it.

A *demand* is one direction of time in one conditional: the variables whose windows are open that way, each
with the edge at which its window ends (x_<1:t-1> has the edge -1, x_<t:T> the edge 0). A state that reads
every variable at its edge sees just that. Demands of the same variables, direction and stride are met by one
state that keeps to the farthest of their edges, if few frames are left for the others to read directly: in
VRNN z_<<t>, x_<<t> and z_<<=t>, x_<<t> and z_<<t>, x_<<=t> are one h_t beside z_t and x_t.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from dvaec.spec import offsets
from dvaec.spec.model import Direction, Parent, Side, State, Variable
from dvaec.spec.notation import Window, windows
from dvaec.spec.offsets import ALL, Offsets, window

CELL = "lstm"
UNITS = 128
LONGEST_NAME = 24

Owner = tuple[Side, str, int | None]  # the conditional: side, target, frame


@dataclass(frozen=True)
class Demand:
    """Open windows of one conditional, of `names`, that run the same way and end at `edges`.

    Up to `slack` strides of the frames at the edge may be read directly instead.
    """

    owner: Owner
    names: tuple[str, ...]
    runs: Direction
    stride: int
    edges: tuple[int, ...]
    slack: int

    def allows(self, edges: tuple[int, ...]) -> bool:
        """Whether a state that keeps to these edges leaves little enough to be read directly."""
        gaps = [abs(mine - edge) for mine, edge in zip(self.edges, edges, strict=True)]
        return all(gap % self.stride == 0 and gap // self.stride <= self.slack for gap in gaps)


@dataclass
class _Cluster:
    """Demands that one state meets."""

    members: list[Demand]
    edges: tuple[int, ...]

    def joined(self, demand: Demand) -> tuple[int, ...] | None:
        """Return the edges with one more demand, None if that leaves too much to some member."""
        farther = max if demand.runs is Direction.BACKWARD else min
        edges = tuple(farther(a, b) for a, b in zip(self.edges, demand.edges, strict=True))
        return edges if all(one.allows(edges) for one in (*self.members, demand)) else None


class Names:
    """The names in use, and new ones beside them."""

    def __init__(self, taken: Iterable[str]) -> None:
        self.taken = set(taken)

    def fresh(self, stem: str) -> str:
        """Return the stem, numbered if it is in use."""
        for number in range(1, len(self.taken) + 2):
            candidate = f"{stem}{'' if number == 1 else number}"
            if candidate not in self.taken:
                self.taken.add(candidate)
                return candidate
        raise AssertionError("more candidates than taken names")


@dataclass(frozen=True)
class Summaries:
    """The states that meet all demands, and which of them meets which."""

    states: tuple[State, ...]
    meeting: Mapping[Demand, State]

    def seen(self, demand: Demand, name: str) -> Window:
        """Return the window of one variable that the state of a demand sees at its own frame."""
        state = self.meeting[demand]
        (edge,) = next(p.offsets for p in state.reads if p.name == name and p.offsets).members
        match demand.runs:
            case Direction.FORWARD:
                return Window(None, edge, demand.stride)
            case Direction.BACKWARD:
                return Window(edge, None, demand.stride)
        return Window(None, None)


def summarise(demands: Iterable[Demand], names: Names, separate: bool) -> Summaries:
    """Return the states of all demands; `separate`: each conditional has its own (Figure 4.1, right)."""
    clusters: dict[tuple[object, ...], list[_Cluster]] = {}
    for demand in demands:
        key = (demand.names, demand.runs, demand.stride, demand.owner if separate else None)
        near = clusters.setdefault(key, [])
        for cluster in near:
            if (edges := cluster.joined(demand)) is not None:
                cluster.members.append(demand)
                cluster.edges = edges
                break
        else:
            near.append(_Cluster([demand], demand.edges))
    meeting: dict[Demand, State] = {}
    for near in clusters.values():
        for cluster in near:
            meeting |= dict.fromkeys(cluster.members, _state(cluster, names))
    return Summaries(tuple(dict.fromkeys(meeting.values())), meeting)


def _state(cluster: _Cluster, names: Names) -> State:
    first = cluster.members[0]
    side = {Direction.FORWARD: "past", Direction.BACKWARD: "future", Direction.BOTH: "all"}[first.runs]
    stem = "".join(first.names) + side
    name = names.fresh(stem if len(stem) <= LONGEST_NAME else side)
    reads = tuple(Parent(n, offsets.of(edge)) for n, edge in zip(first.names, cluster.edges, strict=True))
    return State(name, CELL, UNITS, reads, runs=first.runs, lag=first.stride)


def opened(variable: Variable, read: Offsets) -> Iterator[tuple[Direction, int, int, Offsets]]:
    """Yield direction, stride and edge of each open window, and the window as a whole.

    A forward state that read ahead of t would never see the first frames, since it starts at frame 1; a
    backward one that read behind t, the last ones. So a state stops at t, and the few frames on the other
    side of t are read directly; and it reads z_<t-1> where it has to see z_0.
    """
    for one in windows(read):
        stop, start = one.stop, one.start
        if stop is None and start is None and variable.first == 1:
            yield Direction.BOTH, 1, 0, ALL
        elif stop is None and start is None:
            yield Direction.FORWARD, 1, -1, window(None, -1)
            yield Direction.BACKWARD, 1, 0, window(0, None)
        elif start is None and stop is not None:
            farthest = variable.first - 1
            excess = max(0, -(-(stop - farthest) // one.stride)) * one.stride
            yield Direction.FORWARD, one.stride, stop - excess, one.offsets
        elif start is not None and stop is None:
            excess = max(0, -(start // one.stride)) * one.stride
            yield Direction.BACKWARD, one.stride, start + excess, one.offsets


def ends_of(variable: Variable) -> Iterator[tuple[Direction, int, int, Offsets]]:
    """Yield what sums up all frames for the whole sequence: read at T, and at 1."""
    yield Direction.FORWARD, 1, variable.first - 1, ALL
    yield Direction.BACKWARD, 1, 0, ALL
