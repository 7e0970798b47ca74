"""The linear maps and raw values that feed each kind of block."""

from __future__ import annotations

from typing import Protocol

from dvaec.plan.model import Port
from dvaec.spec.geometry import image, shrunken
from dvaec.spec.model import (
    Attention,
    Block,
    Combiner,
    Dense,
    GatedTransition,
    ImageDecoder,
    LinearMixture,
    Parent,
    Variable,
    reads_of,
)


class Ports(Protocol):
    """What makes ports: linear maps with weights, and raw values."""

    def port(self, weights: str, parents: tuple[Parent, ...], units: int) -> Port:
        """Return the linear map of a concatenation."""

    def raw(self, parents: tuple[Parent, ...]) -> Port:
        """Return the concatenation itself."""


def block_ports(
    make: Ports, name: str, block: Block, width: int, target: Variable | None
) -> tuple[Port, ...]:
    """Return the ports of a block called `name` that makes `width` numbers, in a head those of `target`.

    A block's method takes one argument for each: the pre-activation of its first layer, or the values.
    """
    match block:
        case Dense(reads, layers):
            return (make.port(f"{name}_1", reads, layers[0].units if layers else width),)
        case GatedTransition(of=of, reads=reads, units=units):
            return (make.port(f"{name}_1", (of, *reads), 2 * units + width),)
        case Combiner(of=of, other=other, units=units):
            beside = make.raw((other,)) if units is None else make.port(f"{name}_with", (other,), width)
            return make.port(f"{name}_1", (of,), width), beside
        case LinearMixture(weights=weights, of=several):
            mixing = make.raw((weights,))
            return mixing, make.port(f"{name}_1", several, mixing.width * width)
        case ImageDecoder(reads=reads, channels=channels, kernel=kernel, stride=stride):
            its = image(target.axes) if target is not None else None
            assert its is not None  # checked with the page
            height, wide = shrunken(its[1], len(channels), kernel, stride)[-1]
            return (make.port(f"{name}_1", reads, channels[0] * height * wide),)
        case _:
            return (make.raw(reads_of(block)),)


def arity(block: Block | None) -> int:
    """Return how many ports a block has."""
    if block is None:
        return 0
    return 2 if isinstance(block, Combiner | LinearMixture | Attention) else 1
