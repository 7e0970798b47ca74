"""One part of a data set: ragged sequences, one after the other in flat arrays, in memory or on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dvaec.runtime.checks import Rule

Array = NDArray[Any]
SPLITS = ("train", "valid", "test")


@dataclass(frozen=True)
class Scale:
    """An affine map of a variable, y = (x - shift) / scale by dimension; both (dim,), scale positive."""

    shift: NDArray[np.float64]
    scale: NDArray[np.float64]

    def apply(self, x: Array) -> Array:
        """Return y of data x, (..., dim)."""
        return np.asarray((x - self.shift) / self.scale)

    def undo(self, y: Array) -> Array:
        """Return x of normalised y, (..., dim)."""
        return np.asarray(y * self.scale + self.shift)


@dataclass(frozen=True)
class Split:
    """One part of a data set: `framed` arrays (frames, dim), `static` ones (sequences, dim), lengths int64.

    `order` names the variables in the order of the module's arguments: observed, then inputs. `missing` has,
    for an observed variable that lacks some, which of its rows are not there: bool (frames,) or (sequences,).
    `starts` is the row at which each sequence begins, one after the other if None; pieces may overlap.
    `rules` has the variables whose arrays lie on disk: their rows are read, checked and searched for what is
    missing when asked for. `scales` maps the rows of a variable as they are read. `crop`, if not 0, asks for
    a random piece of so many frames of each sequence in every epoch (`dvaec.runtime.crops.at_epoch`).
    """

    name: str
    order: tuple[str, ...]
    framed: Mapping[str, Array]
    static: Mapping[str, Array]
    lengths: NDArray[np.int64]
    missing: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    starts: NDArray[np.int64] | None = None
    rules: Mapping[str, Rule] = field(default_factory=dict)
    scales: Mapping[str, Scale] = field(default_factory=dict)
    crop: int = 0

    @property
    def sequences(self) -> int:
        """How many sequences there are."""
        return len(self.lengths)

    @property
    def frames(self) -> int:
        """How many frames all sequences have together."""
        return int(self.lengths.sum())

    @cached_property
    def firsts(self) -> NDArray[np.int64]:
        """The row at which each sequence begins, (sequences,)."""
        return np.cumsum(self.lengths) - self.lengths if self.starts is None else self.starts

    def rows(self, name: str, sequence: int) -> tuple[Array, NDArray[np.bool_] | None]:
        """Return one sequence of a framed variable as the module sees it, (length, dim), and what is missing.

        Reads these rows alone. Missing rows are 0, normalised or not.
        """
        first = int(self.firsts[sequence])
        last = first + int(self.lengths[sequence])
        array = self.framed[name][first:last]
        gone = self.missing[name][first:last] if name in self.missing else None
        if name in self.rules:
            array, gone = self.rules[name].read(np.asarray(array), first)
        return self.scaled(name, array, gone), gone

    def scaled(self, name: str, array: Array, gone: NDArray[np.bool_] | None) -> Array:
        """Return rows of a variable normalised, those that are `gone` left at 0."""
        if name not in self.scales:
            return array
        mapped = self.scales[name].apply(array)
        return mapped if gone is None else np.where(gone[:, None], np.zeros_like(mapped), mapped)
