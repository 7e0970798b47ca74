"""The card: all that the runtime knows about a model. The compiler fills it, a run folder keeps it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from dvaec.runtime.faults import StoreFault


@dataclass(frozen=True)
class Card:
    """A model's name, its page (`spec` and `overrides` give the module again), its variables' sizes.

    Mappings keep the order of declaration, which is the order of the module's tensor arguments: `observed`,
    then `inputs`. `families` names each observed variable's family, and that of categorical inputs.
    `static_inputs` lists the inputs without a time axis. `hash` is the canonical hash of the spec.
    """

    name: str
    spec: str
    overrides: tuple[str, ...]
    hash: str
    observed: Mapping[str, int]
    families: Mapping[str, str]
    inputs: Mapping[str, int]
    static_inputs: tuple[str, ...]
    latents: Mapping[str, int]

    def __post_init__(self) -> None:
        object.__setattr__(self, "overrides", tuple(self.overrides))
        object.__setattr__(self, "static_inputs", tuple(self.static_inputs))

    @property
    def dims(self) -> dict[str, int]:
        """The sizes of everything that data must bring, in the order of the module's arguments."""
        return {**self.observed, **self.inputs}

    @property
    def terms(self) -> tuple[str, ...]:
        """The names of the ELBO's parts as the module returns them: log_p_x ..., kl_z ..."""
        return (*(f"log_p_{name}" for name in self.observed), *(f"kl_{name}" for name in self.latents))


def card_to_json(card: Card) -> str:
    """Lay out a card as JSON, keys in the order of the class."""
    return json.dumps(asdict(card), indent=2, ensure_ascii=False) + "\n"


def card_from_json(text: str | bytes, where: str) -> Card:
    """Read a card; StoreFault, naming `where`, if the text is no card."""
    try:
        found: Any = json.loads(text)
    except ValueError as error:
        raise StoreFault(f"{where}: not JSON: {error}") from error
    names = [field.name for field in fields(Card)]
    missing = [name for name in names if not isinstance(found, dict) or name not in found]
    if missing:
        raise StoreFault(f"{where}: not a model's card: it lacks {', '.join(missing)}")
    return Card(**{name: found[name] for name in names})
