"""Linear maps inside a loop over time: what does not wait for the loop is computed before it, for all frames.

A map of [a, b] onto W [a, b] + bias, where only b waits for the loop, is split into (W_a a + bias), computed
once over (batch, time), and W_b b inside.
"""

from __future__ import annotations

from dataclasses import dataclass

from dvaec.emit.reading import single, whole
from dvaec.emit.writer import Body, joined
from dvaec.plan.dependences import gathered_by
from dvaec.plan.first_frame import of_frame_1
from dvaec.plan.model import Loop, Node, Port, Read, StateNode


@dataclass
class Writing:
    """One loop being written."""

    body: Body
    step: Loop
    held: tuple[str, ...] = ()  # of what frame 1 is kept by a stream, though made before its step

    @property
    def endless(self) -> bool:
        """Whether the last frame is not known."""
        return False

    def gathers(self, node: Node) -> bool:
        """Whether a node's frames are gathered, for what attends to them."""
        return node.name in gathered_by(self.body.network, self.step)

    def noise(self, node: str, value: str = "") -> str:
        """The noise of a draw in this step; `value` is what a node draws that is none."""
        return f"noise_{value or node}_at[{self.frame(node)}]"

    def inside(self, node: Node, read: Read) -> bool:
        """Whether a read of a node's waits for the loop."""
        return (read.node in self.step.nodes and read.offset is not None) or self._ahead(node, read)

    def at(self, node: Node, read: Read) -> str:
        """The text of what a node reads inside the loop, (batch, dim): of this step or of an earlier one."""
        if self._ahead(node, read):
            return f"{read.node}_first"
        assert read.offset is not None
        return earlier(read.node, self.step.distance(node.name, read.node, read.offset))

    def _ahead(self, node: Node, read: Read) -> bool:
        """Whether the line of frame 1 reads there what is made ahead of the other frames."""
        first = of_frame_1(node) and read.offset == 0 and read.node in self.body.entry.begun
        return first and self.begun(node, read.node)

    def begun(self, node: Node, source: str, offset: int = 0) -> bool:
        """Whether a node finds frame 1 of a source, made apart, by that name: held, or not in its place."""
        if not self.body.entry.streamed or source in self.held:
            return True
        return self.step.distance(node.name, source, offset) <= 0

    def frame(self, node: str) -> str:
        """The index of the frame that `node` computes in step t."""
        ahead = self.step.frame_of(node)
        return "t" if ahead == 0 else f"t {'+' if ahead > 0 else '-'} {abs(ahead)}"


def earlier(name: str, steps: int) -> str:
    """Name a node's value of this step of the loop, z_t, or of earlier ones: z_prev, z_prev2, ..."""
    return f"{name}_t" if steps == 0 else f"{name}_prev{steps if steps > 1 else ''}"


def mapped(writing: Writing, node: Node, port: Port) -> str:
    """Return the text of a port inside a step that has all it reads at hand."""
    parts = [writing.at(node, r) if writing.inside(node, r) else single(writing.body, r) for r in port.reads]
    inputs = joined(parts)
    plain = not port.weights
    return inputs if plain else linear_map(writing.body, node, port).format(inputs)


def prepared(writing: Writing, node: Node, port: Port) -> str:
    """Write what a port needs before the loop; return its text inside the loop."""
    body, frame = writing.body, writing.frame(node.name)
    outer = [read for read in port.reads if not writing.inside(node, read)]
    inner = [read for read in port.reads if writing.inside(node, read)]
    if not port.weights:
        return _unmapped(writing, node, port)
    map_of = linear_map(body, node, port)
    if not outer:
        return map_of.format(joined([writing.at(node, read) for read in inner]))
    inputs = joined([whole(body, read) for read in outer])
    name = f"{port.weights}_pre"
    weight, bias = _weights(body, node, port) if inner else ("", "")
    chosen = (
        f"F.linear({inputs}, {_columns(port, outer, weight)}, {bias})" if inner else map_of.format(inputs)
    )
    body.add(f"{name} = {chosen}")
    body.add(f"{name}_at = {name}.unbind(1)")
    if not inner:
        return f"{name}_at[{frame}]"
    body.add(f"{port.weights}_weight = {_columns(port, inner, weight)}")
    waiting = joined([writing.at(node, read) for read in inner])
    return f"{name}_at[{frame}] + F.linear({waiting}, {port.weights}_weight)"


def _unmapped(writing: Writing, node: Node, port: Port) -> str:
    """A port whose values pass unchanged."""
    parts, body = [], writing.body
    for read in port.reads:
        if writing.inside(node, read):
            parts.append(writing.at(node, read))
        else:
            values = whole(body, read)
            at = body.once(f"{values}_at", f"{values}.unbind(1)")
            parts.append(f"{at}[{writing.frame(node.name)}]")
    return joined(parts)


def _columns(port: Port, reads: list[Read], weight: str) -> str:
    """The columns of a weight that some of a port's reads are multiplied with; neighbours are one slice."""
    spans: list[tuple[int, int]] = []
    begun = 0
    for read, width in zip(port.reads, port.widths, strict=True):
        if read in reads and spans and spans[-1][1] == begun:
            spans[-1] = (spans[-1][0], begun + width)
        elif read in reads:
            spans.append((begun, begun + width))
        begun += width
    return joined([f"{weight}[:, {first}:{last}]" for first, last in spans])


def _recurrent_inputs(node: Node) -> bool:
    """Whether a node's linear map is the input map of one of torch's recurrent layers."""
    return isinstance(node, StateNode) and node.state.cell != "sum"


def linear_map(body: Body, node: Node, port: Port) -> str:
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
