"""How wide everything is that can be read."""

from __future__ import annotations

from dvaec.spec.model import (
    Block,
    Combiner,
    Convolution,
    Dense,
    Direction,
    Identity,
    LinearMixture,
    Parent,
    Spec,
)


def widths(spec: Spec) -> dict[str, int]:
    """Return the width of every variable, state and feature at one frame, by name.

    A feature whose width rests on itself, which other checks refuse, has width 0.
    """
    found = {v.name: v.dim for v in spec.variables}
    found |= {s.name: s.units * (2 if s.runs is Direction.BOTH else 1) for s in spec.states}
    blocks = {feature.name: feature.block for feature in spec.features}

    def width(name: str, above: tuple[str, ...]) -> int:
        if name not in found and name not in above:
            found[name] = of_block(blocks[name], (*above, name))
        return found.get(name, 0)

    def read(parents: tuple[Parent, ...], above: tuple[str, ...]) -> int:
        return sum(width(p.name, above) * (len(p.offsets.members) if p.offsets else 1) for p in parents)

    def of_block(block: Block, above: tuple[str, ...]) -> int:
        match block:
            case Dense(reads, layers):
                return layers[-1].units if layers else read(reads, above)
            case Combiner(units=units, other=other):
                return units if units is not None else read((other,), above)
            case LinearMixture(units=units):
                return units or 0
            case Identity(of=of):
                return read((of,), above)
            case Convolution(channels=channels):
                return channels[-1].units
            case _:
                return int(getattr(block, "units", 0))

    for name in blocks:
        width(name, ())
    return found
