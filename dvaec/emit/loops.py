"""A loop over time as statements: what does not wait for the loop is computed before it, for all frames at
once.

Results go into lists and one `stack`; reads go through one `unbind`. (Slices of a buffer would make the
backward pass quadratic in T.) `z_list[-k]` is z_{t-k} in a forward loop, z_{t+k} in a backward one.
"""

from __future__ import annotations

from dataclasses import dataclass

from dvaec.emit.families import FAMILIES
from dvaec.emit.writer import Body, drawn_from, head_text, joined, parameters, start, whole
from dvaec.plan.model import FeatureNode, HeadNode, Loop, Node, Port, Read, StateNode, ValueNode
from dvaec.plan.schedule import dependences
from dvaec.spec.model import Direction, Role


@dataclass
class _Loop:
    """One loop being written."""

    body: Body
    step: Loop

    def inside(self, read: Read) -> bool:
        """Whether a read waits for the loop."""
        return read.node in self.step.nodes and read.offset is not None

    def at(self, read: Read) -> str:
        """The text of a read inside the loop, (batch, dim)."""
        assert read.offset is not None
        return f"{read.node}_t" if read.offset == 0 else f"{read.node}_list[-{abs(read.offset)}]"


def loop(body: Body, step: Loop) -> None:
    """Write one time loop with its preparation and the stacking of its results."""
    writing = _Loop(body, step)
    nodes = [body.network.node(name) for name in step.nodes]
    kept, lags = _kept(body, step), _lags(body, step)
    ports = {node.name: [_prepare(writing, node, port) for port in node.ports] for node in nodes}
    for node in nodes:
        _prepare_lists(writing, node, kept, lags.get(node.name, 0))
    backward = step.direction is Direction.BACKWARD
    body.note(f"Loop over time, {step.direction}: {', '.join(step.nodes)}; {step.reason}.")
    body.add("for t in range(frames - 1, -1, -1):" if backward else "for t in range(frames):")
    body.depth += 1
    for node in nodes:
        _node(writing, node, ports[node.name])
        if backward and node.name in lags:
            _restart(body, node)
    for name in _listed(nodes, kept, lags):
        body.add(f"{name}_list.append({name}_t)")
    body.depth -= 1
    for node in nodes:
        _stack(writing, node, kept, lags.get(node.name, 0))


def _restart(body: Body, node: Node) -> None:
    """Hold a node at its start until the loop reaches each sequence's own last frame."""
    body.add(f"{node.name}_t = torch.where(mask_at[t], {node.name}_t, {start(body, node.name)})")
    if isinstance(node, StateNode) and node.state.cell == "lstm":
        body.add(
            f"{node.name}_cell_t = torch.where(mask_at[t], {node.name}_cell_t, {_cell_start(body, node)})"
        )


def _cell_start(body: Body, node: StateNode) -> str:
    if node.state.learned_start:
        return f"self.{node.name}_cell_start.expand(batch, {node.dim})"
    return start(body, node.name)


def _kept(body: Body, step: Loop) -> tuple[str, ...]:
    """The nodes of the loop that something outside it needs."""
    edges = dependences(body.network, dict(body.entry.binding))
    computed = {name for s in body.entry.steps for name in (s.nodes if isinstance(s, Loop) else (s.node,))}
    outside = {e.source for e in edges if e.reader in computed and e.reader not in step.nodes}
    return tuple(n for n in step.nodes if n in outside or n in body.entry.outputs)


def _lags(body: Body, step: Loop) -> dict[str, int]:
    """The longest distance at which each node is read inside the loop."""
    longest: dict[str, int] = {}
    for edge in dependences(body.network, dict(body.entry.binding)):
        if edge.reader in step.nodes and edge.source in step.nodes and edge.offset:
            longest[edge.source] = max(longest.get(edge.source, 0), abs(edge.offset))
    return longest


def _prepare(writing: _Loop, node: Node, port: Port) -> str:
    """Write what a port needs before the loop; return its text inside the loop."""
    body = writing.body
    outer = [read for read in port.reads if not writing.inside(read)]
    inner = [read for read in port.reads if writing.inside(read)]
    if not port.weights:
        return _identity(writing, node, port)
    map_of = _linear_map(body, node, port)
    if not outer:
        return map_of.format(joined([writing.at(read) for read in inner]))
    inputs = joined([whole(body, read) for read in outer])
    name = f"{port.weights}_pre"
    if not inner:
        body.add(f"{name}_at = {map_of.format(inputs)}.unbind(1)")
        return f"{name}_at[t]"
    weight, bias = _weights(body, node, port)
    columns = _columns(port)
    chosen = joined([f"{weight}[:, {a}:{b}]" for read, (a, b) in columns if read in outer])
    body.add(f"{name}_at = F.linear({inputs}, {chosen}, {bias}).unbind(1)")
    terms = [f"{name}_at[t]"]
    for number, (read, (a, b)) in enumerate(columns):
        if read in inner:
            own = f"{port.weights}_weight{number or ''}"
            body.add(f"{own} = {weight}[:, {a}:{b}]")
            terms.append(f"F.linear({writing.at(read)}, {own})")
    return " + ".join(terms)


def _identity(writing: _Loop, node: Node, port: Port) -> str:
    parts = []
    for number, read in enumerate(port.reads):
        if writing.inside(read):
            parts.append(writing.at(read))
        else:
            name = f"{node.name}_outer{number or ''}_at"
            writing.body.add(f"{name} = {whole(writing.body, read)}.unbind(1)")
            parts.append(f"{name}[t]")
    return joined(parts)


def _columns(port: Port) -> list[tuple[Read, tuple[int, int]]]:
    edges = [0]
    for width in port.widths:
        edges.append(edges[-1] + width)
    return [(read, (edges[k], edges[k + 1])) for k, read in enumerate(port.reads)]


def _recurrent_inputs(node: Node) -> bool:
    """Whether a node's linear map is the input map of one of torch's recurrent layers."""
    return isinstance(node, StateNode) and node.state.cell != "sum"


def _linear_map(body: Body, node: Node, port: Port) -> str:
    """The whole linear map of a port, with {} where its input goes."""
    if _recurrent_inputs(node):
        weight, bias = _weights(body, node, port)
        return f"F.linear({{}}, {weight}, {bias})"
    return f"self.{port.weights if not isinstance(node, StateNode) else f'{node.name}_1'}({{}})"


def _weights(body: Body, node: Node, port: Port) -> tuple[str, str]:
    """Weight and bias of a port."""
    if not _recurrent_inputs(node):
        module = f"{node.name}_1" if isinstance(node, StateNode) else port.weights
        return f"self.{module}.weight", f"self.{module}.bias"
    rnn = f"self.{node.name}_rnn"
    weight = body.once(f"{node.name}_input_weight", body.call("weights", f"{rnn}.weight_ih_l0"))
    return weight, body.once(f"{node.name}_input_bias", body.call("weights", f"{rnn}.bias_ih_l0"))


def _listed(nodes: list[Node], kept: tuple[str, ...], lags: dict[str, int]) -> list[str]:
    names: list[str] = []
    for node in nodes:
        if isinstance(node, HeadNode):
            names += parameters(node) if node.name in kept else ()
        elif node.name in kept or node.name in lags:
            names.append(node.name)
        if isinstance(node, StateNode) and node.state.cell == "lstm":
            names.append(f"{node.name}_cell")
    return names


def _prepare_lists(writing: _Loop, node: Node, kept: tuple[str, ...], lag: int) -> None:
    body = writing.body
    if writing.step.direction is Direction.BACKWARD:
        body.once("mask_at", "mask.unbind(1)")
    if isinstance(node, HeadNode):
        if node.name in kept:
            for name in parameters(node):
                body.add(f"{name}_list: List[Tensor] = []")
        return
    if lag:
        body.add(f"{node.name}_list: List[Tensor] = {_repeated(start(body, node.name), lag)}")
    elif node.name in kept:
        body.add(f"{node.name}_list: List[Tensor] = []")
    if isinstance(node, StateNode) and node.state.cell == "lstm":
        body.add(
            f"{node.name}_cell_list: List[Tensor] = {_repeated(_cell_start(body, node), node.state.lag)}"
        )
    if isinstance(node, StateNode) and node.state.cell != "sum":
        for local, weights in (
            (f"{node.name}_recurrent", "weight_hh_l0"),
            (f"{node.name}_bias", "bias_hh_l0"),
        ):
            body.add(f"{local} = {body.call('weights', f'self.{node.name}_rnn.{weights}')}")
    if isinstance(node, ValueNode):
        body.add(f"noise_{node.name}_at = noise_{node.name}.unbind(1)")


def _repeated(item: str, count: int) -> str:
    return f"[{item}]" if count == 1 else f"[{item} for _ in range({count})]"


def _node(writing: _Loop, node: Node, ports: list[str]) -> None:
    body = writing.body
    if isinstance(node, ValueNode):
        _draw(body, node)
    elif isinstance(node, HeadNode):
        body.add(f"{', '.join(f'{p}_t' for p in parameters(node))} = self.{node.name}({ports[0]})", node.name)
    elif isinstance(node, FeatureNode):
        text = ports[0] if node.block is None else f"self.{node.name}_net({', '.join(ports)})"
        body.add(f"{node.name}_t = {text}", node.name)
    else:
        _cell(body, node, ports[0])


def _draw(body: Body, node: ValueNode) -> None:
    head = drawn_from(body, node)
    text = FAMILIES[node.variable.family]
    names = tuple(f"{p}_t" for p in parameters(head))
    drawn = head_text(head, text.draw, names, noise=f"noise_{node.name}_at[t]")
    if node.variable.role is Role.OBSERVED:
        body.add(f"{node.name}_t = {head_text(head, text.mean, names)}")
        body.add("if sample:")
        body.add(f"    {node.name}_t = {drawn}")
    else:
        body.add(f"{node.name}_t = {drawn}")


def _cell(body: Body, node: StateNode, inputs: str) -> None:
    name, cell, lag = node.name, node.state.cell, node.state.lag
    before = f"{name}_list[-{lag}]"
    recurrent = f"F.linear({before}, {name}_recurrent, {name}_bias)"
    if cell == "gru":
        body.add(f"{name}_input = {inputs}")
        body.add(f"{name}_t = {body.call('gru_cell', f'{name}_input', recurrent, before)}", name)
        return
    if cell != "sum":
        body.add(f"{name}_gates = {inputs}")
        body.add(f"{name}_gates = {name}_gates + {recurrent}")
    if cell == "lstm":
        step = body.call("lstm_cell", f"{name}_gates", f"{name}_cell_list[-{lag}]")
        body.add(f"{name}_t, {name}_cell_t = {step}", name)
    elif cell == "rnn":
        body.add(f"{name}_t = torch.tanh({name}_gates)", name)
    else:
        body.add(f"{name}_t = {before} + {inputs}", name)


def _stack(writing: _Loop, node: Node, kept: tuple[str, ...], lag: int) -> None:
    if node.name not in kept:
        return
    body = writing.body
    turn = ".flip(1)" if writing.step.direction is Direction.BACKWARD else ""
    names = parameters(node) if isinstance(node, HeadNode) else (node.name,)
    for name in names:
        since = "" if isinstance(node, HeadNode) or not lag else f"[{lag}:]"
        body.add(f"{name} = torch.stack({name}_list{since}, 1){turn}")
