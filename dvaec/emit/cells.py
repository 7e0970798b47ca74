"""One step of a recurrent state as statements inside a loop over time."""

from __future__ import annotations

from dvaec.emit.loop_maps import earlier
from dvaec.emit.writer import Body
from dvaec.plan.model import HeadNode, HoldNode, Node, StateNode
from dvaec.spec.model import LAST


def recurrent(body: Body, node: Node) -> None:
    """Name a state's recurrent weights."""
    if isinstance(node, StateNode) and not isinstance(node, HoldNode) and node.state.cell != "sum":
        for local, weights in (("recurrent", "weight_hh_l0"), ("bias", "bias_hh_l0")):
            body.add(f"{node.name}_{local} = {body.call('weights', f'self.{node.name}_rnn.{weights}')}")


def cell(body: Body, node: StateNode, inputs: str) -> None:
    """Write one step of a state from the text of its input products."""
    name, kind, lag = node.name, node.state.cell, node.state.lag
    before = earlier(name, lag)
    product = f"F.linear({before}, {name}_recurrent, {name}_bias)"
    if kind == "gru":
        body.add(f"{name}_input = {inputs}")
        body.add(f"{name}_t = {body.call('gru_cell', f'{name}_input', product, before)}", name)
        return
    if kind != "sum":
        body.add(f"{name}_gates = {inputs}")
        body.add(f"{name}_gates = {name}_gates + {product}")
    if kind == "lstm":
        step = body.call("lstm_cell", f"{name}_gates", earlier(f"{name}_cell", lag))
        body.add(f"{name}_t, {name}_cell_t = {step}", name)
    elif kind == "rnn":
        body.add(f"{name}_t = torch.tanh({name}_gates)", name)
    else:
        body.add(f"{name}_t = {before} + {inputs}", name)


def hold(body: Body, node: HoldNode, made: str, frame: str) -> None:
    """Write one step of a held frame: what is `made` now where that is the frame, else what is held."""
    name = node.name
    if node.frame == LAST:
        at = f"{_ends(node)}[{frame}]"
        body.add(f"{name}_t = torch.where({at}, {made}, {earlier(name, 1)})", name)
    else:
        body.add(f"{name}_t = {made} if {frame} == {int(node.past)} else {earlier(name, 1)}", name)


def _ends(node: HoldNode) -> str:
    """Name where T is (T - 1, for what reads it one frame before), frame by frame, before the loop."""
    return "next_ends_at" if node.past else "ends_at"


def name_ends(body: Body, node: Node) -> None:
    """Name, before the loop, where the frames are at which a last frame is taken up, or made on its own."""
    if isinstance(node, HeadNode) and (node.ends or node.head.frame == LAST):
        body.once("ends_at", f"{body.call('last_frames', 'mask', '0')}.unbind(1)")
    if isinstance(node, HoldNode) and node.frame == LAST:
        made = body.call("last_frames", "mask", str(int(node.past)))
        body.once(_ends(node), f"{made}.unbind(1)")
