"""Convolutions in time as text: over the frames of one window, and over a whole sequence at once.

Both are the same layers without padding. On a window they leave one frame; on a sequence that is stretched by
what the windows reach beyond it, one frame for each of its own, and no frame is computed twice.
"""

from __future__ import annotations

from dvaec.emit.chains import activated
from dvaec.emit.reading import has_zero, outside_of
from dvaec.emit.writer import Body, joined
from dvaec.plan.model import FeatureNode, Port
from dvaec.spec.geometry import receptive
from dvaec.spec.model import Convolution


def convolution_text(name: str, block: Convolution, port: Port, value: str) -> tuple[list[str], list[str]]:
    """Return the layers, and the statements from the frames of the windows side by side to one frame."""
    frames, columns = receptive(block), port.width // receptive(block)
    widths = [sum(port.widths[n : n + frames]) for n in range(0, len(port.widths), frames)]
    body = [f"shape = {value}.shape[:-1]"]
    if len(widths) == 1:
        body.append(f"{value} = {value}.reshape(-1, {frames}, {columns})")
    else:
        split = f"{value}.split_with_sizes([{', '.join(map(str, widths))}], -1)"
        parts = f"part.reshape(-1, {frames}, part.size(-1) // {frames})"
        body.append(f"{value} = torch.cat([{parts} for part in {split}], -1)")
    layers = []
    for number, (layer, dilation) in enumerate(zip(block.channels, block.dilations, strict=True), 1):
        spaced = f", dilation={dilation}" if dilation > 1 else ""
        layers.append(f"self.{name}_{number} = nn.Conv1d({columns}, {layer.units}, {block.kernel}{spaced})")
        if layer.norm:
            layers.append(f"self.{name}_norm_{number} = nn.LayerNorm({layer.units})")
        columns = layer.units
    body.append(f"{value} = self.{name}_frames({value}).reshape(list(shape) + [{columns}])")
    return layers, body


def frames_body(name: str, block: Convolution) -> list[str]:
    """Return the statements from frames (batch, n, dim) to as many less as the layers take in, less one."""
    body = []
    for number, layer in enumerate(block.channels, 1):
        inner = f"self.{name}_{number}(a.transpose(1, 2)).transpose(1, 2)"
        body += activated(f"{name}_norm_{number}", "a", inner, layer)
    return [*body, "return a"]


def over_all_frames(body: Body, node: FeatureNode) -> str | None:
    """Return the text of a convolution over the whole sequence; None where its windows have gaps."""
    assert isinstance(node.block, Convolution)
    port, frames, parts = node.ports[0], receptive(node.block), []
    for begun in range(0, len(port.reads), frames):
        reads = port.reads[begun : begun + frames]
        first, name = reads[0].offset, reads[0].node
        if first is None or [r.offset for r in reads] != list(range(first, first + frames)):
            return None
        if has_zero(body, name):
            return None
        start = outside_of(body, name)
        limits = (str(first), str(first + frames - 1))
        parts.append(body.call("stretched", name, *limits, "mask", *start))
    return f"self.{node.name}_frames({joined(parts)})"
