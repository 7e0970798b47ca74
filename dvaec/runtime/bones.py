"""How joints hang together, and where those stand that never move: what a skeleton is drawn by."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dvaec.runtime.arrays import has_parents, parents_of
from dvaec.runtime.card import Card
from dvaec.runtime.sources.archive import open_archive
from dvaec.runtime.sources.flat import at_rest
from dvaec.runtime.sources.options import read_address
from dvaec.runtime.split import Array


@dataclass(frozen=True)
class Bones:
    """Each joint's parent, -1 for the root. `rest` (3 joints,) is nan where a model's dimensions go."""

    parents: tuple[int, ...] = ()
    rest: Array | None = None


def bones_of(file: Path | None, data: str | None, name: str, card: Card) -> Bones:
    """Read the bones of a variable from a `file`, or from the data; none if they say nothing of them.

    Where the data leave out what never moves (`drop=constant`), those joints stand where they stood.
    """
    dim = card.observed[name]
    if file is not None:
        return Bones(parents_of(file, dim // 3))
    address = None if data is None else read_address(data)
    if address is None or not has_parents(address.path):
        return Bones()
    with address.path.open("rb") as opened:
        rest = at_rest(address, open_archive(address.path, opened), name, card)
    return Bones(parents_of(address.path, (dim if rest is None else len(rest)) // 3), rest)
