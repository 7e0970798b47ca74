"""Blocks as text: the layers that they own, and the statements from their ports' values to their result."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from dvaec.emit.chains import chain, chain_layers, linear
from dvaec.emit.convolving import convolution_text
from dvaec.emit.families import activate
from dvaec.emit.writer import joined
from dvaec.plan.model import Network, Port, ValueNode
from dvaec.spec.geometry import Size, image, left_over, padding, rows, shrunken
from dvaec.spec.model import (
    Block,
    Combiner,
    Convolution,
    Custom,
    Dense,
    GatedTransition,
    Identity,
    ImageDecoder,
    ImageEncoder,
    LinearMixture,
    Scan,
    Variable,
)

CELLS = {"lstm": "nn.LSTM", "gru": "nn.GRU", "rnn": "nn.RNN"}


@dataclass(frozen=True)
class Place:
    """Where a block stands: what it is called (fx, p_z_mean), and the variable that it speaks for in a head.

    `value` is the name of its argument and of its result; `width` is how many numbers it gives to the
    parameters directly, where it does so.
    """

    name: str
    value: str
    network: Network
    ports: tuple[Port, ...]
    width: int
    target: Variable | None = None

    def axes(self, node: str) -> tuple[int, ...]:
        """Return the axes of a value that is read."""
        found = self.network.node(node)
        return found.variable.axes or (found.dim,) if isinstance(found, ValueNode) else ()


@dataclass(frozen=True)
class BlockText:
    """One block: its arguments, one a port; its layers; its statements; and the width of its result."""

    arguments: tuple[str, ...]
    layers: list[str]
    body: list[str]
    width: int


def block_text(block: Block, place: Place) -> BlockText:
    """Return the text of a block; behind its statements `place.value` is the result."""
    match block:
        case Dense(layers=layers):
            made = layers[-1].units if layers else place.width
            return _text(
                place, chain_layers(place.name, layers), chain(place.name, place.value, layers), made
            )
        case GatedTransition():
            raise ValueError("a gated transition makes parameters, not one value")
        case Combiner():
            half = f"{place.value} = 0.5 * (torch.tanh({place.value}) + other)"
            return BlockText((place.value, "other"), [], [half], place.width)
        case LinearMixture():
            return _mixture(place)
        case Identity():
            return _text(place, [], [], place.ports[0].width)
        case Convolution():
            convs, body = convolution_text(place.name, block, place.ports[0], place.value)
            return _text(place, convs, body, block.channels[-1].units)
        case ImageEncoder():
            return _encoder(block, place)
        case ImageDecoder():
            return _decoder(block, place)
        case Scan():
            return _scan(block, place)
        case Custom():
            return _custom(block, place)
        case _:
            raise ValueError(f"no text for {type(block).__name__}")


def makes_parameters(block: Block | None, target: Variable) -> bool:
    """Whether a head's block makes the parameters themselves, with nothing but their links behind it."""
    return isinstance(block, ImageDecoder) or (isinstance(block, Scan) and bool(target.axes))


def _text(place: Place, layers: list[str], body: list[str], width: int) -> BlockText:
    return BlockText((place.value,), layers, body, width)


def _custom(block: Custom, place: Place) -> BlockText:
    made = f"self.{place.name}_own = {own_class(block.path)}({place.ports[0].width}, {block.units})"
    called = f"{place.value} = self.{place.name}_own({place.value})"
    return _text(place, [made], [called], block.units)


def own_class(path: str) -> str:
    """Return the name under which a class of the user's own is imported; nothing else is called so."""
    return f"Own_{path.replace('.', '_').replace(':', '_')}"


def _mixture(place: Place) -> BlockText:
    weights, value = f"{place.value}_weights", place.value
    components = place.ports[0].width
    mixed = f"{value} = ({weights}.unsqueeze(-1) * parted({value}, {components})).sum(-2)"
    return BlockText((weights, value), [], [mixed], place.width)


def _encoder(block: ImageEncoder, place: Place) -> BlockText:
    name, value, port = place.name, place.value, place.ports[0]
    found = [image(place.axes(read.node)) for read in port.reads]
    channels = sum(its[0] for its in found if its is not None)
    size = next(its[1] for its in found if its is not None)
    layers, body = [], [f"shape = {value}.shape[:-1]"]
    body.append(f"{value} = {value}.reshape(-1, {channels}, {size[0]}, {size[1]})")
    for number, units in enumerate(block.channels, 1):
        layers.append(f"self.{name}_{number} = nn.Conv2d({channels}, {units}, {_geometry(block)})")
        body.append(f"{value} = {activate(block.activation, f'self.{name}_{number}({value})')}")
        channels = units
    height, width = shrunken(size, len(block.channels), block.kernel, block.stride)[-1]
    # The linear map of a conditional onto its parameters is called _out, too.
    last = f"{name}_out" if place.target is None else f"{name}_flat"
    layers.append(linear(last, channels * height * width, block.units))
    flat = f"{value}.reshape(list(shape) + [{channels * height * width}])"
    body.append(f"{value} = {activate(block.activation, f'self.{last}({flat})')}")
    return _text(place, layers, body, block.units)


def _geometry(block: ImageEncoder | ImageDecoder) -> str:
    return f"{block.kernel}, stride={block.stride}, padding={padding(block.kernel, block.stride)}"


def _decoder(block: ImageDecoder, place: Place) -> BlockText:
    name, value = place.name, place.value
    assert place.target is not None
    its = image(place.target.axes)
    assert its is not None
    sizes = shrunken(its[1], len(block.channels), block.kernel, block.stride)
    channels, (height, width) = block.channels[0], sizes[-1]
    body = [
        f"shape = {value}.shape[:-1]",
        f"{value} = {activate(block.activation, value)}.reshape(-1, {channels}, {height}, {width})",
    ]
    layers: list[str] = []
    last = place.width // prod(its[1])
    for number, units in enumerate((*block.channels[1:], last), 2):
        extra = _extra(block, sizes[len(block.channels) + 1 - number])
        layers.append(
            f"self.{name}_{number} = nn.ConvTranspose2d({channels}, {units}, {_geometry(block)}{extra})"
        )
        inner = f"self.{name}_{number}({value})"
        activation = block.activation if number <= len(block.channels) else "linear"
        body.append(f"{value} = {activate(activation, inner)}")
        channels = units
    body.append(f"{value} = {value}.reshape(list(shape) + [{place.width}])")
    return _text(place, layers, body, place.width)


def _extra(block: ImageDecoder, size: Size) -> str:
    over = tuple(left_over(side, block.kernel, block.stride) for side in size)
    return f", output_padding={over}" if any(over) else ""


def _scan(block: Scan, place: Place) -> BlockText:
    """A recurrence over the rows of a frame: what has rows is read row by row, all else at every row."""
    name, value, port = place.name, place.value, place.ports[0]
    made = place.target.axes if place.target and makes_parameters(block, place.target) else ()
    body, parts, several = [f"shape = {value}.shape[:-1]"], [], len(port.reads) > 1
    inputs = f"{value}.split_with_sizes([{', '.join(map(str, port.widths))}], -1)"
    if several:
        body.append(f"parts = {inputs}")
    read = [rows(place.axes(one.node), block.axis) for one in port.reads]
    count = next(its[0] for its in (rows(made, block.axis), *read) if its is not None)
    columns = 0
    for number, one in enumerate(port.reads):
        part, its = f"parts[{number}]" if several else value, read[number]
        axes = place.axes(one.node)
        if its is None:
            wide = port.widths[number]
            parts.append(f"{part}.reshape(-1, 1, {wide}).expand(-1, {count}, -1)")
            columns += wide
        else:
            moved = f".movedim({block.axis + 1}, 1)" if block.axis else ""
            flat = ".flatten(2)" if len(axes) > 2 else ""
            parts.append(f"{part}.reshape(-1, {', '.join(map(str, axes))}){moved}{flat}")
            columns += its[1]
    body.append(f"{value} = {joined(parts)}")
    body.append(f"{value} = self.{name}_rnn({value})[0]")
    layers = [f"self.{name}_rnn = {CELLS[block.cell]}({columns}, {block.units}, batch_first=True)"]
    if not made:
        body.append(f"{value} = {value}[:, -1].reshape(list(shape) + [{block.units}])")
        return _text(place, layers, body, block.units)
    each = place.width // count
    layers.append(linear(f"{name}_row", block.units, each))
    body += _rows_made(place, block.axis, made, f"self.{name}_row({value})")
    return _text(place, layers, body, place.width)


def _rows_made(place: Place, axis: int, axes: tuple[int, ...], result: str) -> list[str]:
    """One row of every parameter a step, (-1, rows, parameters x row), becomes parameter after parameter."""
    parameters = place.width // prod(axes)
    rest = (*axes[:axis], *axes[axis + 1 :])
    sides = ", ".join(map(str, (axes[axis], parameters, *rest)))
    return [
        f"{place.value} = {result}.reshape(-1, {sides}).movedim(1, {axis + 2})",
        f"{place.value} = {place.value}.reshape(list(shape) + [{place.width}])",
    ]
