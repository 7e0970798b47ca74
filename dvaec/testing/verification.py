"""The property list on one spec, line by line: what held, how closely, and the smallest failing example."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch

from dvaec.spec.model import Spec
from dvaec.testing.built import Built, build, forget, reseeded
from dvaec.testing.closeness import Gap, ViolationError
from dvaec.testing.derivation import DERIVED
from dvaec.testing.properties import Property, applicable


@dataclass(frozen=True)
class Outcome:
    """One property of one spec: what was checked, how, at which sizes; `failure` is empty where it holds.

    `compared` counts the numbers (or sets) that were compared, `error` is the largest deviation in `unit`; a
    property that speaks of nothing in this model has compared nothing.
    """

    name: str
    says: str
    how: str
    frames: tuple[int, ...]
    compared: int
    error: float
    unit: str
    failure: str = ""


def verify(spec: Spec, small: bool = True) -> Iterator[Outcome]:
    """Check every property of a spec, one after the other; `small` cuts the widths of its networks.

    Derivations are checked on the spec's conditionals alone, the rest on the compiled module in float64,
    first at one frame: the first size at which a property fails is the smallest example.
    """
    for derived in DERIVED:
        sizes = derived.sizes if spec.frames is None else (spec.frames,)
        yield _outcome(derived.name, derived.says, derived.how, sizes, derived.bind(spec))
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield from _module(spec, small)
    finally:
        torch.set_num_threads(before)


def _module(spec: Spec, small: bool) -> Iterator[Outcome]:
    built = build(spec, 0, small)
    built.module.eval()

    def again(seed: int) -> Built:
        return reseeded(built, seed)

    for one in applicable(built):

        def holds(frames: int, one: Property = one) -> Gap:
            return one.holds(built, frames, again)

        yield _outcome(one.name, one.says, one.how, one.sizes_for(built), holds)
    forget(built)


def _outcome(name: str, says: str, how: str, sizes: tuple[int, ...], holds: Callable[[int], Gap]) -> Outcome:
    compared, error, unit = 0, 0.0, ""
    tried: tuple[int, ...] = ()
    for size in sizes:
        tried = (*tried, size)
        try:
            gap = holds(size)
        except ViolationError as violation:
            return Outcome(name, says, how, tried, compared, error, unit, f"T = {size}: {violation}")
        compared, error, unit = compared + gap.compared, max(error, gap.error), gap.unit
    return Outcome(name, says, how, tried, compared, error, unit)
