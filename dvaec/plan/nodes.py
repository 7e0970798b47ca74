"""The developed data flow: one node per tensor, with the linear maps that feed it."""

from __future__ import annotations

from dataclasses import dataclass

from dvaec.spec.model import LAST, Block, Direction, Head, Side, State, Variable
from dvaec.spec.offsets import Offsets


@dataclass(frozen=True)
class Read:
    """One frame of one node, `offset` frames from t; or its absolute `frame` (1, LAST); or a static value.

    What the head of frame T reads of that frame has both: there T is t, and T-1 has the offset -1.
    """

    node: str
    offset: int | None
    frame: int | None = None


@dataclass(frozen=True)
class Port:
    """One linear map into a node: the concatenation of `reads`, of `width` columns, onto `units` outputs.

    `weights` names the linear layer; it is empty where the values pass unchanged. With a `window`, what is
    read at t is the node's values at all frames of the window.
    """

    weights: str
    reads: tuple[Read, ...]
    widths: tuple[int, ...]  # one per read
    units: int
    window: Offsets | None = None

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
class HoldNode(StateNode):
    """An absolute frame of what the same run over time makes, held from there on; 0 before.

    It has no weights. Its port reads the source at t, or at the frame made just before; `frame` is 1 or LAST.
    Behind frame T it is there at T, too, where T is 1 and q draws that frame `ahead` of all others.
    """

    frame: int = 1
    ahead: bool = False

    @property
    def source(self) -> str:
        """The node whose frame is held."""
        return self.ports[0].reads[0].node

    @property
    def past(self) -> bool:
        """Whether the value is there only behind its own frame."""
        return self.ports[0].reads[0].offset != 0


@dataclass(frozen=True)
class DrawNode:
    """Frame T of a value, by its own line and noise: there before the value itself.

    Either `ahead` of the other frames, or in the step of a loop that comes to frame T, in another order.
    Where T is 1 it is that of the line of frame 1, if that `begins` as early. What that line itself reads of
    frame T is 0 there: the value is of the `past` alone.
    """

    name: str
    variable: Variable
    ahead: bool = True
    begins: bool = True
    past: bool = False

    @property
    def value(self) -> str:
        """The value node of which this is frame T."""
        return self.variable.name

    @property
    def dim(self) -> int:
        """Width of the tensor."""
        return self.variable.dim

    @property
    def ports(self) -> tuple[Port, ...]:
        """It is drawn, or is there already: it has no linear map of its own."""
        return ()


@dataclass(frozen=True)
class HeadNode:
    """The parameters of one conditional; no port where they are constant.

    `begins` names the head that speaks for frame 1 in place of this one (p_z_first), `ends` that of frame T
    (p_z_last), which gives way to it where T = 1.
    """

    name: str  # p_z, q_z, p_x; p_z_0, p_z_first and p_z_last for numbered frames
    head: Head
    variable: Variable
    dim: int
    ports: tuple[Port, ...]
    begins: str = ""
    ends: str = ""
    auxiliary: bool = False  # a prediction of a state (8.4), no factor of p

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
    def fixed(self) -> bool:
        """Whether this is the fixed N(0, I) of a latent without parents, frames 1 and T with lines aside."""
        return self.block is None and self.head.side is Side.P and not self.head.learned and self._plain

    @property
    def standard(self) -> bool:
        """Whether the parameters are those of N(0, I) at every frame."""
        return self.fixed and not self.begins and not self.ends

    @property
    def _plain(self) -> bool:
        return self.variable.role == "latent" and self.head.mean is None and self.head.variance is None


Node = ValueNode | FeatureNode | StateNode | HeadNode | DrawNode


def value_name(variable: str, frame: int | None) -> str:
    """Return the name of the value node of a conditional: z, or z_0 for frame 0, a latent of its own."""
    return f"{variable}_0" if frame == 0 else variable


def head_name(side: Side, target: str, frame: int | None) -> str:
    """Return the name of a head's node."""
    return f"{side}_{target}" + {None: "", 0: "_0", 1: "_first", LAST: "_last"}[frame]


def is_frame_zero(node: ValueNode) -> bool:
    """Whether a value is a frame-level variable's own frame 0."""
    return node.variable.framed and not node.framed


def is_last(node: Node) -> bool:
    """Whether a node is the line of frame T of a conditional, or its draw in the step that comes to T."""
    return not node.ahead if isinstance(node, DrawNode) else _is_line(node, LAST)


def _is_line(node: Node, frame: int) -> bool:
    return isinstance(node, HeadNode) and node.head.frame == frame


def framed(node: Node) -> bool:
    """Whether a node has one value a frame; (batch, dim) otherwise."""
    return node.framed if isinstance(node, ValueNode | HeadNode) else not isinstance(node, DrawNode)


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
