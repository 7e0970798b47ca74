"""The developed data flow and its schedule, as frozen values.

A *node* is one tensor per frame: a variable's value, a feature, a recurrent state, the parameters of a
conditional. A *binding* says where each variable's value comes from. A *schedule* is the order in which
nodes are computed, whole sequence at once where the dependences allow it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dvaec.spec.model import Block, Direction, Head, Side, State, Variable


@dataclass(frozen=True)
class Read:
    """One frame of one node, `offset` frames from t; or its absolute `frame` (1, LAST); or a static value."""

    node: str
    offset: int | None
    frame: int | None = None


@dataclass(frozen=True)
class Port:
    """One linear map into a node: the concatenation of `reads`, of `width` columns, onto `units` outputs.

    `weights` names the linear layer; it is empty where the values pass unchanged.
    """

    weights: str
    reads: tuple[Read, ...]
    widths: tuple[int, ...]  # one per read
    units: int

    @property
    def width(self) -> int:
        """Columns of the concatenation."""
        return sum(self.widths)


@dataclass(frozen=True)
class ValueNode:
    """A variable at every frame; at sequence level, or at its own frame 0 (`z_0`), a static value."""

    name: str
    variable: Variable
    framed: bool = True

    @property
    def dim(self) -> int:
        """Width of the tensor."""
        return self.variable.dim

    @property
    def ports(self) -> tuple[Port, ...]:
        """A variable's value is given or drawn: it has no linear map of its own."""
        return ()


@dataclass(frozen=True)
class FeatureNode:
    """An instantaneous map; `block` is None for a plain concatenation (a state that runs both ways)."""

    name: str
    block: Block | None
    dim: int
    ports: tuple[Port, ...]


@dataclass(frozen=True)
class StateNode:
    """A recurrent state that runs one way."""

    name: str
    state: State
    dim: int
    ports: tuple[Port, ...]  # the cell's input; then what the state starts at, if it reads that

    @property
    def step(self) -> int:
        """Offset of the recurrence: negative for a forward state."""
        return -self.state.lag if self.state.runs is Direction.FORWARD else self.state.lag


@dataclass(frozen=True)
class HeadNode:
    """The parameters of one conditional; no port where they are constant.

    `begins` names the head that speaks for frame 1 in place of this one (p_z_first).
    """

    name: str  # p_z, q_z, p_x; p_z_0 and p_z_first for numbered frames
    head: Head
    variable: Variable
    dim: int
    ports: tuple[Port, ...]
    begins: str = ""

    @property
    def framed(self) -> bool:
        """Whether there is one set of parameters a frame."""
        return self.variable.framed and self.head.frame is None

    @property
    def value(self) -> str:
        """The value node that this conditional is of."""
        return value_name(self.variable.name, self.head.frame)

    @property
    def block(self) -> Block | None:
        """What computes the parameters."""
        return self.head.block

    @property
    def standard(self) -> bool:
        """Whether this is the fixed N(0, I) of a latent without parents."""
        constant = self.block is None and self.head.side is Side.P and not self.head.learned
        return constant and self._plain and not self.begins

    @property
    def _plain(self) -> bool:
        return self.variable.role == "latent" and self.head.mean is None and self.head.variance is None


Node = ValueNode | FeatureNode | StateNode | HeadNode


def value_name(variable: str, frame: int | None) -> str:
    """Return the name of the value node of a conditional: z, or z_0 for frame 0, a latent of its own."""
    return f"{variable}_0" if frame == 0 else variable


def head_name(side: Side, target: str, frame: int | None) -> str:
    """Return the name of a head's node."""
    return f"{side}_{target}" + {None: "", 0: "_0"}.get(frame, "_first")


def is_frame_zero(node: ValueNode) -> bool:
    """Whether a value is a frame-level variable's own frame 0."""
    return node.variable.framed and not node.framed


def framed(node: Node) -> bool:
    """Whether a node has one value a frame; (batch, dim) otherwise."""
    return node.framed if isinstance(node, ValueNode | HeadNode) else True


@dataclass(frozen=True)
class Network:
    """All nodes of the developed form, in a fixed order."""

    nodes: tuple[Node, ...]

    def node(self, name: str) -> Node:
        """Return the node of that name; KeyError if there is none."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)

    @property
    def values(self) -> tuple[ValueNode, ...]:
        """The variables."""
        return tuple(n for n in self.nodes if isinstance(n, ValueNode))

    @property
    def heads(self) -> tuple[HeadNode, ...]:
        """The conditionals."""
        return tuple(n for n in self.nodes if isinstance(n, HeadNode))


class Origin(StrEnum):
    """Where a variable's value comes from."""

    GIVEN = "given"
    Q = "drawn from q"
    P = "drawn from p"
    MIXED = "known in the context, drawn from p behind it"


@dataclass(frozen=True)
class Dependence:
    """`reader` at t needs `source` at t + offset; None: a static value, or all of the source's frames."""

    reader: str
    source: str
    offset: int | None


@dataclass(frozen=True)
class Batched:
    """One operation over (batch, time)."""

    node: str
    reason: str


@dataclass(frozen=True)
class WholeSequence:
    """One recurrent state whose inputs are all there: one library call for the whole sequence."""

    node: str
    direction: Direction
    reason: str


@dataclass(frozen=True)
class Loop:
    """A loop over time that holds exactly the nodes of one cycle, in the order within a step.

    In step t a node computes the frame t + `ahead` (t - `ahead` in a backward loop). All are 0 unless some
    node is read at a later frame than its reader's, against the loop's direction.
    """

    nodes: tuple[str, ...]
    direction: Direction
    reason: str
    ahead: tuple[int, ...]  # one per node

    def frame_of(self, node: str) -> int:
        """Return the frame that a node computes in step t, counted from t."""
        ahead = self.ahead[self.nodes.index(node)]
        return ahead if self.direction is Direction.FORWARD else -ahead

    def distance(self, reader: str, source: str, offset: int) -> int:
        """Return how many steps before it is read, `offset` frames from the reader's, a source is made."""
        behind = self.frame_of(source) - self.frame_of(reader) - offset
        return behind if self.direction is Direction.FORWARD else -behind


Step = Batched | WholeSequence | Loop


@dataclass(frozen=True)
class Entry:
    """One entry point of the module: its binding, its steps in order, and what it hands out."""

    name: str
    binding: tuple[tuple[str, Origin], ...]
    steps: tuple[Step, ...]
    outputs: tuple[str, ...]

    def origin(self, variable: str) -> Origin:
        """Where that variable's value comes from in this entry point."""
        return dict(self.binding)[variable]


@dataclass(frozen=True)
class Stream:
    """Frame by frame: the entries `begin`, and `step` and `imagine`, each one loop that is left after a step.

    `carried` says for how many steps each node's value is kept. `delay` is by how many frames what `step`
    draws is behind the frame that it is given: as far as q looks ahead.
    """

    entries: tuple[Entry, ...]
    carried: tuple[tuple[str, int], ...]
    static: tuple[str, ...]  # values of the whole sequence, drawn or given once
    delay: int


@dataclass(frozen=True)
class Plan:
    """The developed network and the schedule of every entry point."""

    network: Network
    entries: tuple[Entry, ...]
    frames: int | None = None  # T, where the page fixes it
    refused: tuple[tuple[str, str], ...] = ()  # entry points that the model cannot have, with the reason
    stream: Stream | None = None

    def entry(self, name: str) -> Entry:
        """Return the entry point of that name."""
        return next(e for e in self.entries if e.name == name)
