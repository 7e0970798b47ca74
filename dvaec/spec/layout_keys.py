"""The order of keys in the canonical layout; keys that are not named here keep theirs, behind the others."""

from __future__ import annotations

from collections.abc import Iterable

from dvaec.spec.layout_entries import Entry, Group

SECTIONS = (
    ("dvaec",), ("model",), ("about",), ("cites",), ("T",), ("variables",), ("causality",), ("generation",),
    ("order",), ("inference",), ("states", "features"), ("networks",), ("develop",), ("auxiliary",),
    ("objective",), ("sizes",),
)  # fmt: skip
"""States and features stand as the author has them: whichever reads the other comes second."""

VARIABLE = ("role", "level", "dim", "distribution", "shape", "degrees", "components", "temperature")
RECURRENT = ("over", "rnn", "units", "layers", "runs", "lag", "reads", "through", "starts")
NETWORK = (
    "block", "python", "weights", "of", "with", "query", "by", "reads", "layers", "channels", "kernel",
    "dilation", "stride", "activation", "units", "heads", "link",
)  # fmt: skip
PARAMETERS = ("mean", "variance", "learned")

REFERENCES = (
    "generation", "inference", "auxiliary", "reads", "of", "with", "query", "weights", "by", "layers",
    "through", "channels",
)  # fmt: skip
"""Where conditionals, lists of reads and layers stand, in which the number of spaces means nothing."""


def sorted_sections(entries: Iterable[Entry]) -> list[Entry]:
    """Return the page's sections in their order."""
    rank = {name: place for place, names in enumerate(SECTIONS) for name in names}
    return sorted(entries, key=lambda e: rank.get(e.key.text if e.key else "", len(SECTIONS)))


def sorted_entries(group: Group, path: tuple[str, ...]) -> list[Entry]:
    """Return the entries of a list or mapping in order: keys of the language by rank, all else as it is."""
    if not group.mapping or len(path) < 2 or path[0] not in ("variables", "states", "features", "networks"):
        return list(group.entries)
    names = [e.key.text for e in group.entries if e.key is not None]
    keys = VARIABLE if path[0] == "variables" else RECURRENT if "rnn" in names else NETWORK
    rank = {name: place for place, name in enumerate((*keys, *PARAMETERS))}
    return sorted(group.entries, key=lambda e: rank.get(e.key.text if e.key else "", len(rank)))
