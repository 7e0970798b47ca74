"""From a developed spec to its data flow: one node per tensor, with the linear maps that feed it.

Two forms of the page are taken apart here: a state's `through` becomes a feature that the state reads at t,
and a state that runs both ways becomes two states and their concatenation.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace

from dvaec.plan.attention import attending_nodes, with_blocks_apart
from dvaec.plan.blocks import block_ports
from dvaec.plan.branches import branches, fan_units
from dvaec.plan.constants import at_their_own_frame
from dvaec.plan.develop import HEAD_LAYERS
from dvaec.plan.model import (
    FeatureNode,
    HeadNode,
    Network,
    Node,
    Port,
    Read,
    StateNode,
    ValueNode,
    head_name,
    value_name,
)
from dvaec.plan.starts import check_starts
from dvaec.spec import offsets
from dvaec.spec.model import (
    LAST,
    Attention,
    Conditional,
    Dense,
    Direction,
    Feature,
    GatedTransition,
    Head,
    Parent,
    Role,
    Side,
    Spec,
    State,
    Variable,
)
from dvaec.spec.widths import widths


@dataclass
class _Builder:
    """Widths of everything that can be read, and the nodes made so far."""

    widths: dict[str, int] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)

    def port(self, weights: str, parents: tuple[Parent, ...], units: int) -> Port:
        """The linear map that reads these parents, a finite window frame by frame in time order."""
        reads: list[Read] = []
        for parent in parents:
            if parent.offsets is not None:
                reads.extend(Read(parent.name, offset) for offset in parent.offsets.members)
            elif parent.frame == 0:
                reads.append(Read(value_name(parent.name, 0), None))
            else:
                reads.append(Read(parent.name, None, parent.frame))
        return Port(weights, tuple(reads), tuple(self.widths[r.node] for r in reads), units)

    def raw(self, parents: tuple[Parent, ...]) -> Port:
        """The concatenation of these parents itself."""
        port = self.port("", parents, 0)
        return replace(port, units=port.width)


def build_network(spec: Spec) -> Network:
    """Return the data flow of a spec whose heads are all there (see `develop`).

    Raises UnschedulableError where features need each other in a cycle without a state.
    """
    check_starts(spec)
    spec = with_blocks_apart(spec)
    builder = _Builder()
    states = [one for state in spec.states for one in _single_states(state)]
    _declare_widths(spec, states, builder)
    for variable in spec.variables:
        builder.nodes.append(ValueNode(variable.name, variable, variable.framed))
        if variable.first == 0:
            builder.nodes.append(ValueNode(value_name(variable.name, 0), variable, False))
    for feature in spec.features:
        if isinstance(feature.block, Attention):
            builder.nodes += attending_nodes(builder, feature.name, feature.block)
        else:
            builder.nodes.append(_feature(feature, builder))
    for state in states:
        _add_state(state, builder)
    for state in spec.states:
        if state.runs is Direction.BOTH:
            builder.nodes.append(_join(state, builder))
    for head in spec.heads:
        builder.nodes.append(_head(spec, head, builder))
    for line in spec.auxiliary:
        builder.nodes.append(_prediction(spec, line, builder))
    return at_their_own_frame(Network(tuple(builder.nodes)))


def _directions(state: State) -> tuple[State, ...]:
    if state.runs is not Direction.BOTH:
        return (state,)
    forward = replace(state, name=f"{state.name}_forward", runs=Direction.FORWARD)
    return forward, replace(state, name=f"{state.name}_backward", runs=Direction.BACKWARD)


def _single_states(state: State) -> Iterator[State]:
    """Yield the states of one direction and one layer that a state stands for.

    The layers below the last are h_layer1, h_layer2, ...; each reads the one below it, both directions of it.
    """
    reads, through = state.reads, state.through
    for number in range(1, state.layers + 1):
        name = state.name if number == state.layers else f"{state.name}_layer{number}"
        layer = replace(state, name=name, reads=reads, through=through, layers=1)
        ways = _directions(layer)
        yield from ways
        reads, through = tuple(Parent(way.name, offsets.NOW) for way in ways), ()


def _declare_widths(spec: Spec, states: list[State], builder: _Builder) -> None:
    builder.widths.update({v.name: v.dim for v in spec.variables})
    builder.widths.update({value_name(name, 0): spec.variable(name).dim for name in spec.zero})
    builder.widths.update({s.name: s.units for s in states})
    builder.widths.update(widths(spec))


def _feature(feature: Feature, builder: _Builder) -> FeatureNode:
    name, block, width = feature.name, feature.block, builder.widths[feature.name]
    if isinstance(block, Dense) and not block.layers:
        return FeatureNode(name, None, width, (builder.raw(block.reads),))
    return FeatureNode(name, block, width, block_ports(builder, name, block, width, None))


def _add_state(state: State, builder: _Builder) -> None:
    reads = state.reads
    if state.through:
        through = f"{state.name}_in"
        units = state.through[-1].units
        builder.widths[through] = units
        port = builder.port(f"{through}_1", reads, state.through[0].units)
        builder.nodes.append(FeatureNode(through, Dense(reads, state.through), units, (port,)))
        reads = (Parent(through, offsets.NOW),)
    ports = [builder.port(state.name, reads, state.units)]
    if state.start_reads:
        # An LSTM starts with a hidden vector and a cell.
        units = 2 * state.units if state.cell == "lstm" else state.units
        ports.append(builder.port(f"{state.name}_start", state.start_reads, units))
    builder.nodes.append(StateNode(state.name, state, state.units, tuple(ports)))


def _join(state: State, builder: _Builder) -> FeatureNode:
    both = tuple(Parent(f"{state.name}_{way}", offsets.NOW) for way in ("forward", "backward"))
    return FeatureNode(state.name, None, 2 * state.units, (builder.port("", both, 2 * state.units),))


def _head(spec: Spec, head: Head, builder: _Builder) -> HeadNode:
    variable = spec.variable(head.target)
    name = head_name(head.side, head.target, head.frame)
    begins, ends = (
        head_name(head.side, head.target, at)
        if head.frame is None and spec.head(head.side, head.target, at) is not None
        else ""
        for at in (1, LAST)
    )
    ports: tuple[Port, ...] = ()
    if head.block is not None:
        width = variable.dim if isinstance(head.block, GatedTransition) else sum(fan_units(head, variable))
        ports = block_ports(builder, name, head.block, width, variable)
    for branch in branches(head, variable):
        if branch.output.block is not None:
            own = f"{name}_{branch.parameter}"
            ports += block_ports(builder, own, branch.output.block, branch.width, variable)
    if head.frame in (0, 1):
        ports = tuple(_numbered(port, head.frame, spec.zero) for port in ports)
    if head.frame == LAST:
        ports = tuple(_at_last(port) for port in ports)
    return HeadNode(name, head, variable, variable.dim, ports, begins, ends)


def _prediction(spec: Spec, line: Conditional, builder: _Builder) -> HeadNode:
    """The network of an auxiliary conditional (8.4): a diagonal Gaussian over a state, or x's family."""
    width = builder.widths[line.target]
    observed = next((v for v in spec.variables if v.name == line.target), None)
    variable = observed or Variable(line.target, Role.OBSERVED, width)
    name, block = f"aux_{line.target}", Dense(line.parents, HEAD_LAYERS)
    head = Head(Side.P, line.target, block)
    ports = block_ports(builder, name, block, sum(fan_units(head, variable)), variable)
    return HeadNode(name, head, variable, width, ports, auxiliary=True)


def _numbered(port: Port, frame: int, zero: Collection[str]) -> Port:
    """Count what the head of frame 1 reads from there, as frame t, and what that of frame 0 reads as frames.

    Frame 0 is a value of its own; where a name has none, it is not read.
    """
    reads, wide = [], []
    for read, width in zip(port.reads, port.widths, strict=True):
        at = read.frame if read.offset is None else read.offset + frame
        if at is None or at == LAST:
            reads.append(read)
        elif at == 0 and read.node in zero:
            reads.append(Read(value_name(read.node, 0), None))
        else:
            reads.append(Read(read.node, at - 1) if frame == 1 else Read(read.node, None, at))
        wide.append(width)
    return replace(port, reads=tuple(reads), widths=tuple(wide))


def _at_last(port: Port) -> Port:
    """For the head of frame T, frame T is frame t, and what it reads before T stands before t."""
    here = (r.frame == LAST or r.offset == 0 for r in port.reads)
    reads = (Read(r.node, 0, LAST) if at else r for r, at in zip(port.reads, here, strict=True))
    return replace(port, reads=tuple(reads))
