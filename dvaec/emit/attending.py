"""Attention as text: over all frames at once, and frame by frame over what a loop has made so far.

In a loop the keys and values grow by one frame a step. What a node at frame t sees is a mask over the offsets
s - t of the frames s, made from its window; the padding is never read. A frame 0 (z_0) comes first.
"""

from __future__ import annotations

from collections.abc import Callable

from dvaec.emit.reading import at_zero, has_zero
from dvaec.emit.writer import Body
from dvaec.plan.attention import looks_back
from dvaec.plan.dependences import gathered_by
from dvaec.plan.model import FeatureNode, Loop, Node, Port, Read
from dvaec.plan.stream_first import reads_at_first
from dvaec.spec.model import Attention, Direction
from dvaec.spec.notation import windows
from dvaec.spec.offsets import ALL, Offsets


def attends(node: Node) -> bool:
    """Whether a node attends to frames of another."""
    return isinstance(node, FeatureNode) and isinstance(node.block, Attention)


def attention_layers(node: FeatureNode, block: Attention) -> tuple[str, ...]:
    """Return the layers of a node that attends: the query, and one slope for each head."""
    query = f"self.{node.name}_query = nn.Parameter(torch.randn({block.units}))"
    if len(node.ports) > 1:
        query = f"self.{node.name}_query = nn.Linear({node.ports[1].width}, {block.units})"
    return query, f"self.{node.name}_slope = nn.Parameter(torch.linspace(-2.0, 1.0, {block.heads}))"


def attention_method(node: FeatureNode) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the arguments and the body of the method that attends."""
    shared = ("distance", "seen")
    given = f"attended(frames, query, self.{node.name}_slope, distance, seen)"
    if len(node.ports) > 1:
        return ("frames", "query", *shared), (f"return {given}",)
    expanded = f"query = self.{node.name}_query.expand(frames.size(0), distance.size(0), -1)"
    return ("frames", *shared), (expanded, f"return {given}")


def at_all_frames(body: Body, node: FeatureNode, queries: list[str]) -> str:
    """Return the text of a node that attends from every frame at once."""
    distances(body)
    frames, distance, mask = _all_frames(body, node)
    seen = f"{window_text(node.ports[0], distance)} & {mask}.transpose(1, 2)"
    return f"self.{node.name}_net({', '.join([frames, *queries, distance, seen])})"


def distances(body: Body) -> None:
    """Name the matrix of s - t, from frame t to frame s."""
    instants = body.once("instants", f"torch.arange(frames, device={body.like}.device)")
    body.once("distance", f"{instants}.unsqueeze(0) - {instants}.unsqueeze(1)")


def _all_frames(body: Body, node: FeatureNode) -> tuple[str, str, str]:
    """Name what a node attends to at all frames, from z_0 on, their distances, and which there are."""
    source = node.ports[0].reads[0].node
    if not from_zero(body, node):
        return source, "distance", "mask"
    zero = at_zero(body, source)
    distance = body.once("distance_from_0", "torch.cat([-1 - instants.unsqueeze(1), distance], 1)")
    mask = body.once("mask_from_0", "torch.cat([torch.ones_like(mask[:, :1]), mask], 1)")
    return f"torch.cat([{zero}.unsqueeze(1), {source}], 1)", distance, mask


def from_zero(body: Body, node: FeatureNode) -> bool:
    """Whether a node that attends sees a frame 0."""
    port = node.ports[0]
    return port.window is not None and looks_back(port.window) and has_zero(body, port.reads[0].node)


def gathered(body: Body, node: Node, direction: Direction) -> None:
    """Write that a node's frame of this step joins those before it."""
    parts = [f"{node.name}_so_far", f"{node.name}_t.unsqueeze(1)"]
    parts = parts if direction is Direction.FORWARD else parts[::-1]
    body.add(f"{node.name}_so_far = torch.cat([{', '.join(parts)}], 1)")


def prepare(body: Body, node: Node, loop: Loop) -> None:
    """Name, before a loop, what a node of it attends to, and the frame 0 that gathered frames begin with."""
    if not isinstance(node, FeatureNode):
        return
    if node.name in gathered_by(body.network, loop):
        body.add(f"{node.name}_so_far = {so_far(body, node.name)}")
    if attends(node):
        frames, _, _ = _all_frames(body, node)
        if from_zero(body, node) and node.ports[0].reads[0].node not in loop.nodes:
            body.once(f"{node.name}_frames_from_0", frames)


def in_a_step(body: Body, node: FeatureNode, loop: Loop, frame: str, queries: list[str]) -> None:
    """Write a node that attends from one frame, to all frames or to those that the loop has made so far."""
    port, name = node.ports[0], node.name
    source = port.reads[0].node
    frames, distance, mask = _all_frames(body, node)
    frames = f"{name}_frames_from_0" if from_zero(body, node) else frames
    row, columns = f"{frame} : {frame} + 1", ""
    if source in loop.nodes:
        frames = f"{source}_so_far"
        many = f"{frames}.size(1)"
        columns = f": {many}" if loop.direction is Direction.FORWARD else f"frames - {many} :"
        mask = f"{mask}[:, {columns}]"
    body.add(f"{name}_distance = {distance}[{row}{f', {columns}' if columns else ''}]")
    body.add(f"{name}_seen = {window_text(port, f'{name}_distance')} & {mask}.transpose(1, 2)")
    _attend(body, node, frames, queries)


def in_a_stream(body: Body, node: FeatureNode, _: Loop, frame: str, queries: list[str]) -> None:
    """Write a node that attends from the frame of a stream's step to those that have been kept."""
    port, name = node.ports[0], node.name
    frames = f"{port.reads[0].node}_so_far"
    now = f"({frame} + 1)" if from_zero(body, node) else f"({frame})" if " " in frame else frame
    body.add(f"{name}_distance = torch.arange({frames}.size(1), device={body.like}.device)")
    body.add(f"{name}_distance = ({name}_distance - {now}).unsqueeze(0)")
    body.add(f"{name}_seen = {window_text(port, f'{name}_distance')}")
    _attend(body, node, frames, queries, ".unsqueeze(0)")


def at_frame_1(body: Body, node: FeatureNode, read: Callable[[Body, Read], str], queries: list[str]) -> None:
    """Write a node that attends from frame 1 of a stream, to what is named of the frames there are."""
    port, name = node.ports[0], node.name
    assert port.window is not None
    back = from_zero(body, node) and -1 in port.window
    there = [(-1, at_zero(body, port.reads[0].node))] if back else []
    there += [(one.offset or 0, read(body, one)) for one in reads_at_first(port)]
    if not there:
        body.add(f"{name}_first = {body.like}.new_zeros(batch, {node.dim})", name)
        return
    places, values = [place for place, _ in there], ", ".join(value for _, value in there)
    frames = f"torch.stack([{values}], 1)"
    body.add(f"{name}_distance = torch.tensor([{places}], device={body.like}.device)")
    end = "frames" if body.entry.name == "finish" else f"{name}_distance + 1"
    body.add(f"{name}_seen = {name}_distance < {end}")
    _attend(body, node, frames, queries, ".unsqueeze(0)")
    body.add(f"{name}_first = {name}_t")


def _attend(body: Body, node: FeatureNode, frames: str, queries: list[str], wider: str = "") -> None:
    name = node.name
    asked = [f"({query}).unsqueeze(1)" if " " in query else f"{query}.unsqueeze(1)" for query in queries]
    arguments = ", ".join([frames, *asked, f"{name}_distance", f"{name}_seen{wider}"])
    body.add(f"{name}_t = self.{name}_net({arguments})", name)
    body.add(f"{name}_t = {name}_t.squeeze(1)")


def so_far(body: Body, name: str) -> str:
    """Return what the gathered frames of a node begin with: nothing, or its frame 0."""
    nodes = (n for n in body.network.nodes if isinstance(n, FeatureNode) and attends(n))
    zero = any(n.ports[0].reads[0].node == name and from_zero(body, n) for n in nodes)
    none = f"{body.like}.new_zeros(batch, 0, {body.network.node(name).dim})"
    return f"{at_zero(body, name)}.unsqueeze(1)" if zero else none


def window_text(port: Port, distance: str) -> str:
    """Return the condition on offsets that a window is."""
    assert port.window is not None
    return _union(port.window, distance)


def _union(window: Offsets, d: str) -> str:
    if window == ALL:
        return f"({d} == {d})"
    parts = []
    for one in windows(window):
        limits = [f"({d} >= {one.start})"] if one.start is not None else []
        limits += [f"({d} <= {one.stop})"] if one.stop is not None else []
        limits = [f"({d} == {one.start})"] if one.single else limits
        if one.stride > 1:
            end = one.start if one.start is not None else one.stop
            limits.append(f"(({d} - {end}) % {one.stride} == 0)".replace("- -", "+ "))
        parts.append(" & ".join(limits) if limits else f"({d} == {d})")
    return parts[0] if len(parts) == 1 else "(" + " | ".join(f"({part})" for part in parts) + ")"
