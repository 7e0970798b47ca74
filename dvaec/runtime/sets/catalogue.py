"""The built-in data sets by name: what they hold, and how they are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dvaec.diagnostics import did_you_mean
from dvaec.runtime import pendulum
from dvaec.runtime.faults import DataFault
from dvaec.runtime.files import replacing
from dvaec.runtime.sets import growth, motions, sines
from dvaec.runtime.sets.chorales import chorales
from dvaec.runtime.sets.linear import LinearGaussian
from dvaec.runtime.sets.ragged import Simulate, splits_of
from dvaec.runtime.sources.cache import cache_folder
from dvaec.runtime.sources.options import Address


@dataclass(frozen=True)
class BuiltIn:
    """A set's variables, in words, and what is known of its truth."""

    name: str
    variables: str
    truth: str


CATALOGUE = (
    BuiltIn("pendulum", "x gaussian 2, u input 1", "a pushed pendulum's tip; theta, log p(x | theta)"),
    BuiltIn("pendulum-ring", "x bernoulli 88, u input 1", "the same by 88 switches; theta, log p(x | theta)"),
    BuiltIn(
        "pendulum-frames", "x gaussian 256, u input 1", "the same on film, 16 x 16; theta, log p(x | theta)"
    ),
    BuiltIn("linear-gaussian", "x gaussian 3", "a linear-Gaussian state space model; z, log p(x) by Kalman"),
    BuiltIn(
        "growth", "x gaussian 1, u input 1", "a nonlinear state in one dimension; z, log p(x) by quadrature"
    ),
    BuiltIn("lorenz", "x gaussian 3", "a chaotic attractor seen through noise; state"),
    BuiltIn("ball", "x bernoulli 1024", "a ball between four walls, 32 x 32; state, which gives x exactly"),
    BuiltIn("sines", "x gaussian 1", "harmonics of one frequency a sequence; f, a, log p(x) by quadrature"),
    BuiltIn("chorales", "x bernoulli 88", "Bach's chorales as piano rolls, real music; needs dvaec[music]"),
)
BUILT_IN = tuple(one.name for one in CATALOGUE)
"""Names that are never read as those of files or folders; ./pendulum is one."""


def generate(address: Address) -> dict[str, NDArray[Any]]:
    """Return `<split>_<variable>` and `<split>_lengths` of a built-in set, as its options ask.

    Options: `sequences` for training (a quarter as many for valid and test), `frames` of the longest, `seed`;
    of chorales `grid` (quarter notes a frame), `limit` and `cache`. DataFault for a name that is none.
    """
    name = address.place
    if name not in BUILT_IN:
        raise DataFault(
            f"{name}: no such built-in data set",
            did_you_mean(name, BUILT_IN) or f"one of {', '.join(BUILT_IN)}",
        )
    if name == "chorales":
        address.only(("grid", "limit", "cache", "seed"))
        grid = address.number("grid", 1.0)
        if not grid:
            raise DataFault(f"{address.text}: a frame must last longer than 0")
        return chorales(grid, cache_folder(address), address.count("limit", 0))
    address.only(("sequences", "frames", "seed"))
    sequences, frames = address.count("sequences", 200), address.count("frames", 50)
    seed = address.count("seed", 0)
    if name in pendulum.BUILT_IN:
        return pendulum.built_in(name, sequences=sequences, frames=frames, seed=seed)
    simulators: dict[str, Simulate] = {
        "linear-gaussian": LinearGaussian().simulate,
        "growth": growth.simulate,
        "lorenz": motions.lorenz,
        "ball": motions.ball,
        "sines": sines.simulate,
    }
    return splits_of(name, simulators[name], sequences, frames, seed)


def write_set(address: Address, path: Path, more: Mapping[str, int]) -> None:
    """Generate a built-in set and write it as a compressed .npz, whole or not at all.

    `more` holds options that the address may have itself; those of simulation mean nothing to real data.
    """
    if path.suffix != ".npz":
        raise DataFault(f"{path}: arrays are written as .npz")
    options = {} if address.place == "chorales" else {name: str(value) for name, value in more.items()}
    arrays = generate(replace(address, options={**options, **address.options}))
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
