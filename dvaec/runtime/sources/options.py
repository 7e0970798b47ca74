"""The text behind --data: a place, and after a colon its options: runs.csv:x=a+b,sequence=run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dvaec.diagnostics import did_you_mean
from dvaec.runtime.faults import DataFault


@dataclass(frozen=True)
class Address:
    """A file, folder or built-in name, with options by name."""

    text: str
    place: str
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """The place as a path."""
        return Path(self.place)

    def only(self, known: Sequence[str], variables: Sequence[str] = ()) -> None:
        """DataFault for an option that is neither among `known` nor the name of a variable."""
        for name in self.options:
            if name not in known and name not in variables:
                names = [*known, *variables]
                raise DataFault(
                    f"{self.text}: no option '{name}' here",
                    did_you_mean(name, names) or f"it has {', '.join(names) or 'no options'}",
                )

    def number(self, name: str, default: float, least: float = 0.0) -> float:
        """Return an option as a number of at least `least`; DataFault for anything else."""
        text = self.options.get(name)
        if text is None:
            return default
        try:
            found = float(text)
        except ValueError:
            found = float("nan")
        if not least <= found < float("inf"):
            raise DataFault(f"{self.text}: {name}={text}: must be a number of at least {least:g}")
        return found

    def count(self, name: str, default: int, least: int = 0) -> int:
        """Return an option as a whole number of at least `least`; DataFault for anything else."""
        found = self.number(name, default, least)
        if found != int(found):
            raise DataFault(f"{self.text}: {name}={self.options[name]}: must be a whole number")
        return int(found)

    def words(self, name: str, default: str = "") -> list[str]:
        """Return an option as a list of words joined by `+`."""
        return [word for word in self.options.get(name, default).split("+") if word]


def read_address(text: str) -> Address:
    """Split `PLACE:name=value,name=value`; a path that exists as it stands has no options."""
    place, colon, tail = text.rpartition(":")
    if not colon or "=" not in tail or Path(text).exists():
        return Address(text, text)
    options: dict[str, str] = {}
    for part in tail.split(","):
        name, equals, value = (word.strip() for word in part.partition("="))
        if not equals or not name or not value:
            raise DataFault(f"{text}: '{part}' is no option", "options are name=value, with commas between")
        if name in options:
            raise DataFault(f"{text}: {name} is said twice")
        options[name] = value
    return Address(text, place, options)
