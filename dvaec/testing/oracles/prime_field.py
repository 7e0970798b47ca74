"""The minimal conditioning set by numbers: a linear-Gaussian network with random weights over a prime field.

Each conditional is a linear equation with random weights and unit noise, the precision matrix of all nodes
is J = (I - W)^T D (I - W). Nodes that come later or are not given are marginalised by Schur complements;
what remains of the target's row is non-zero exactly at its minimal set, but for chances of the order of
2^-61 per entry. All arithmetic is modulo the prime 2^61 - 1, so there is no rounding and no tolerance.
"""

from __future__ import annotations

import random

from dvaec.spec.model import Spec
from dvaec.testing.oracles.nodes import Dot, chain, given_to, parents_of

PRIME = 2**61 - 1


def minimal_set(
    spec: Spec,
    frames: int,
    target: Dot,
    upto: int | None = None,
    latents: bool = True,
    seed: int = 0,
) -> set[Dot]:
    """Return the given nodes at which the target's row of the marginal precision is not zero."""
    return dependences(spec, frames, target, given_to(spec, frames, target, upto, latents), seed)


def minimal_sets(spec: Spec, frames: int, seed: int = 0) -> dict[Dot, set[Dot]]:
    """Return the minimal set of every latent node: the last of the chain is marginalised first, and so on."""
    precision = _precision(spec, frames, seed)
    found = {}
    for target in reversed(chain(spec, frames)):
        found[target] = _pattern(precision, target)
        _marginalise(precision, target)
    return found


def dependences(spec: Spec, frames: int, target: Dot, given: set[Dot], seed: int = 0) -> set[Dot]:
    """Return what the target depends on among `given`, all other nodes marginalised."""
    precision = _precision(spec, frames, seed)
    for gone in list(precision):
        if gone not in given and gone != target:
            _marginalise(precision, gone)
    return _pattern(precision, target)


def _precision(spec: Spec, frames: int, seed: int) -> dict[Dot, dict[Dot, int]]:
    """Return J = (I - W)^T D (I - W) with weights at random, row by row."""
    network = parents_of(spec, frames)
    draw = random.Random(seed)
    precision: dict[Dot, dict[Dot, int]] = {node: {} for node in network}
    for node, parents in network.items():
        row = {parent: draw.randrange(1, PRIME) for parent in parents} | {node: PRIME - 1}
        scale = draw.randrange(1, PRIME)
        for one, weight in row.items():
            for other, factor in row.items():
                entry = precision[one].get(other, 0) + scale * weight * factor
                precision[one][other] = entry % PRIME
    return precision


def _pattern(precision: dict[Dot, dict[Dot, int]], target: Dot) -> set[Dot]:
    return {one for one, value in precision[target].items() if value and one != target}


def _marginalise(precision: dict[Dot, dict[Dot, int]], gone: Dot) -> None:
    """Take one node out by a Schur complement."""
    row = precision.pop(gone)
    inverse = pow(row.pop(gone), -1, PRIME)
    for one, left in row.items():
        del precision[one][gone]
        for other, right in row.items():
            entry = precision[one].get(other, 0) - left * inverse % PRIME * right
            precision[one][other] = entry % PRIME
