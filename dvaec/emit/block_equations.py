"""Blocks as the right sides of equations in plain text."""

from __future__ import annotations

from itertools import groupby

from dvaec.plan.blocks import arity
from dvaec.plan.branches import branches
from dvaec.plan.model import HeadNode, Port, Read
from dvaec.spec.families import FORMS
from dvaec.spec.model import (
    LAST,
    Attention,
    Block,
    Combiner,
    Convolution,
    Custom,
    Dense,
    GatedTransition,
    ImageDecoder,
    ImageEncoder,
    Layer,
    LinearMixture,
    Parent,
    Scan,
    SharedVariance,
)
from dvaec.spec.notation import parent_braces
from dvaec.spec.offsets import of


def block_equation(block: Block, ports: tuple[Port, ...]) -> str:
    """Return what a block makes of what feeds it: MLP(z_{t-1}, h_t; 64 tanh)."""
    first = port_text(ports[0])
    match block:
        case Dense(layers=layers):
            return f"MLP({first}; {layers_text(layers)})" if layers else f"W {_bracketed(ports[0])} + b"
        case Combiner():
            other = f"P {_bracketed(ports[1])}" if ports[1].weights else port_text(ports[1])
            return f"1/2 (tanh(W {_bracketed(ports[0])} + b) + {other})"
        case LinearMixture():
            return f"sum_k {first}[k] (A_k {_bracketed(ports[1])} + b_k)"
        case Convolution(channels=channels, kernel=kernel, dilations=dilations):
            spaced = f", dilation {', '.join(map(str, dilations))}" if max(dilations) > 1 else ""
            return f"CONV({first}; {layers_text(channels)}; kernel {kernel}{spaced})"
        case Attention(heads=heads):
            asked = f"{port_text(ports[1])} to " if len(ports) > 1 else ""
            many = f"{heads} heads" if heads > 1 else "1 head"
            return f"ATTENTION({asked}{first}; {many})"
        case ImageEncoder(units=units):
            return f"CNN({first}; {_image(block)}; {units})"
        case ImageDecoder():
            return f"transposed CNN({first}; {_image(block)})"
        case Scan(cell=cell, axis=axis):
            return f"{cell.upper()} over axis {axis} of [{first}]"
        case Custom(path=path):
            return f"{path}({first})"
        case GatedTransition():
            return f"gated transition of {first}"
        case _:
            return first


def _image(block: ImageEncoder | ImageDecoder) -> str:
    channels = ", ".join(map(str, block.channels))
    return f"{channels} {block.activation}, kernel {block.kernel}, stride {block.stride}"


def parameters_equation(node: HeadNode) -> str:
    """Return where parameters come from that read on their own, or are shared; empty if none is."""
    said, rest = [], node.ports[arity(node.block) :]
    form = FORMS[node.variable.family]
    for branch in branches(node.head, node.variable):
        own = branch.output.block
        if own is not None:
            ports, rest = rest[: arity(own)], rest[arity(own) :]
            said.append(f"{branch.parameter} from {block_equation(own, ports)}")
    if isinstance(node.head.variance, SharedVariance):
        said.append(f"{form.variance} shared by all frames")
    elif isinstance(node.head.variance, float):
        said.append(f"variance {node.head.variance!r}")
    return ", ".join(said)


def layers_text(layers: tuple[Layer, ...]) -> str:
    """Return layers as the page writes them."""
    texts = []
    for layer in layers:
        norm, dropout = " norm" if layer.norm else "", f" dropout {layer.dropout!r}" if layer.dropout else ""
        texts.append(f"{layer.units} {layer.activation}{norm}{dropout}")
    return ", ".join(texts)


def port_text(port: Port) -> str:
    """Return what a port reads, the frames of a window as one."""
    if port.window is not None:
        return ", ".join(parent_braces(Parent(read.node, port.window)) for read in port.reads)
    found = []
    for (name, counts), reads in groupby(port.reads, key=lambda read: (read.node, _counts(read))):
        if counts is None:
            found += [parent_braces(Parent(name, None, read.frame)) for read in reads]
        else:
            at = (read.frame if read.offset is None else read.offset for read in reads)
            offsets = of(*(one for one in at if one is not None))
            found.append(parent_braces(Parent(name, offsets), frame=0 if counts else None))
    return ", ".join(found)


def _counts(read: Read) -> bool | None:
    """Whether a read is of a frame by its number, or relative to t; None for frame T and static ones."""
    if read.offset is not None:
        return False
    return None if read.frame in (None, LAST) else True


def _bracketed(port: Port) -> str:
    text = port_text(port)
    return f"[{text}]" if len(port.reads) > 1 else text
