"""The networks of the module as text: the layers that `__init__` makes and one method per feature and head.

Every method starts from the *pre-activation of the first layer*, so that a loop over time can compute the
part of it that does not wait for the loop once for all frames.
"""

from __future__ import annotations

from dataclasses import dataclass

from dvaec.emit.attending import attention_layers, attention_method
from dvaec.emit.blocks import CELLS, BlockText, Place, block_text
from dvaec.emit.chains import linear, port_layers
from dvaec.emit.convolving import frames_body
from dvaec.emit.head_nets import Method, head_layers, head_method, own_convolutions
from dvaec.plan.model import FeatureNode, HeadNode, HoldNode, Network, StateNode
from dvaec.spec.model import (
    Attention,
    Convolution,
)


@dataclass(frozen=True)
class Nets:
    """All layers, by the node that owns them, and all methods."""

    layers: tuple[tuple[str, tuple[str, ...]], ...]
    methods: tuple[Method, ...]


def nets_of(network: Network) -> Nets:
    """Return the layers and methods of a network, in its order."""
    layers: list[tuple[str, tuple[str, ...]]] = []
    methods: list[Method] = []
    for node in network.nodes:
        if isinstance(node, HoldNode):
            continue
        if isinstance(node, StateNode):
            layers.append((node.name, _state_layers(node)))
        elif isinstance(node, FeatureNode) and isinstance(node.block, Attention):
            layers.append((node.name, attention_layers(node, node.block)))
            arguments, body = attention_method(node)
            methods.append(Method(f"{node.name}_net", arguments, (), body))
        elif isinstance(node, FeatureNode) and node.block is not None:
            text = _feature_place(node, network)
            layers.append((node.name, (*port_layers(node.ports), *text.layers)))
            methods.append(_feature_method(node, text))
            if isinstance(node.block, Convolution):
                body = tuple(frames_body(node.name, node.block))
                methods.append(Method(f"{node.name}_frames", ("a",), (), body))
        elif isinstance(node, HeadNode) and not node.fixed:
            layers.append((node.name, head_layers(node, network)))
            if node.ports:
                methods.append(head_method(node, network))
            for name, block in own_convolutions(node):
                body, width = tuple(frames_body(name, block)), block.channels[-1].units
                methods.append(Method(f"{name}_frames", ("a",), (), body, node=node.name, width=width))
    made = [line.partition(" = ")[0] for _, lines in layers for line in lines]
    assert len(set(made)) == len(made), f"a layer is made twice: {made}"
    return Nets(tuple(layers), tuple(methods))


def _state_layers(node: StateNode) -> tuple[str, ...]:
    state, port = node.state, node.ports[0]
    if state.cell == "sum":
        lines = [linear(f"{node.name}_1", port.width, node.dim)]
    else:
        make = CELLS[state.cell]
        lines = [f"self.{node.name}_rnn = {make}({port.width}, {node.dim}, batch_first=True)"]
    if len(node.ports) > 1:
        lines += port_layers(node.ports[1:])
    if state.learned_start:
        lines.append(f"self.{node.name}_start = nn.Parameter(torch.zeros({node.dim}))")
        if state.cell == "lstm":
            lines.append(f"self.{node.name}_cell_start = nn.Parameter(torch.zeros({node.dim}))")
    return tuple(lines)


def _feature_place(node: FeatureNode, network: Network) -> BlockText:
    assert node.block is not None
    return block_text(node.block, Place(node.name, "a", network, node.ports, node.dim))


def _feature_method(node: FeatureNode, text: BlockText) -> Method:
    return Method(f"{node.name}_net", text.arguments, (), (*text.body, "return a"))
