"""The text of one entry point, as the module's template takes it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class EntryText:
    """One entry point as text."""

    name: str
    arguments: tuple[str, ...]
    returns: str
    fields: tuple[tuple[str, str], ...]
    body: tuple[str, ...]
    functions: frozenset[str]
    explained: str = ""  # what its docstring goes on to say
