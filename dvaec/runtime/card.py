"""The card: all that the runtime knows about a model. The compiler fills it, a run folder keeps it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from typing import Any

from dvaec.runtime.faults import LabFault, StoreFault
from dvaec.runtime.noise import Noise


@dataclass(frozen=True)
class Card:
    """A model's name, its page (`spec` and `overrides` give the module again), its variables' sizes.

    Mappings keep the order of declaration, which is the order of the module's tensor arguments: `observed`,
    then `inputs`. `families` names each observed variable's family, and that of categorical inputs.
    `static_inputs` and `static_observed` list what has no time axis. `hash` is that of the spec's layout.
    `parts` names the ELBO's parts where there are others than one a variable (kl_z_0), `predictions` the
    auxiliary terms that training adds (8.4), `length` is T where the page fixes it. `noises` are the draws
    that the module's `elbo` takes, `divergences` names the latent of each part that is a KL, `objective` is
    what the page says of it, `canonical` the hash of the page's meaning, whatever the order of its lines.
    `sampled` names the parts that have no closed form: they are log q - log p of what was drawn. `axes` has
    the sizes of data whose frames have several axes, an image's or a segment's.
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
    static_observed: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    predictions: tuple[str, ...] = ()
    length: int | None = None
    noises: Mapping[str, Noise] = field(default_factory=dict)
    divergences: Mapping[str, str] = field(default_factory=dict)
    objective: Mapping[str, Any] = field(default_factory=dict)
    canonical: str = ""
    sampled: tuple[str, ...] = ()
    axes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        made = {name: one if isinstance(one, Noise) else Noise(**one) for name, one in self.noises.items()}
        object.__setattr__(self, "noises", made)
        if not self.divergences:  # a card by hand has one KL a latent
            kls = {f"kl_{name}": name for name in self.latents if f"kl_{name}" in self.terms}
            object.__setattr__(self, "divergences", kls)
        for name in ("static_observed", "parts", "predictions", "sampled"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        object.__setattr__(self, "axes", {name: tuple(sizes) for name, sizes in self.axes.items()})
        object.__setattr__(self, "overrides", tuple(self.overrides))
        object.__setattr__(self, "static_inputs", tuple(self.static_inputs))

    @property
    def dims(self) -> dict[str, int]:
        """The sizes of everything that data must bring, in the order of the module's arguments."""
        return {**self.observed, **self.inputs}

    @property
    def static(self) -> tuple[str, ...]:
        """The data that have one value a sequence."""
        return (*self.static_observed, *self.static_inputs)

    @property
    def latent_values(self) -> tuple[str, ...]:
        """The latents that are drawn, frame 0 apart: z, z_0, v."""
        return tuple(name.removeprefix("kl_") for name in self.terms if name.startswith("kl_"))

    @property
    def terms(self) -> tuple[str, ...]:
        """The names of the ELBO's parts as the module returns them: log_p_x ..., kl_z ..."""
        if self.parts:
            return self.parts
        return (*(f"log_p_{name}" for name in self.observed), *(f"kl_{name}" for name in self.latents))


def observed_in(card: Card, wanted: str | None) -> str:
    """Return the observed variable that is asked for, or the first one that has frames; LabFault if none."""
    names = [name for name in card.observed if name not in card.static_observed] or list(card.observed)
    if wanted is None:
        return names[0]
    if wanted not in card.observed:
        raise LabFault(f"{card.name} observes no '{wanted}'", f"it observes {', '.join(card.observed)}")
    return wanted


def card_to_json(card: Card, run: Mapping[str, Any] | None = None) -> str:
    """Lay out a card as JSON, keys in the order of the class; `run` says how the weights came about."""
    said = asdict(card) | ({"run": run} if run else {})
    return json.dumps(said, indent=2, ensure_ascii=False) + "\n"


def card_from_json(text: str | bytes, where: str) -> Card:
    """Read a card; StoreFault, naming `where`, if the text is no card."""
    try:
        found: Any = json.loads(text)
    except ValueError as error:
        raise StoreFault(f"{where}: not JSON: {error}") from error
    known = [one.name for one in fields(Card)]
    # Cards of earlier versions lack what has a default.
    later = [f.name for f in fields(Card) if f.default is not MISSING or f.default_factory is not MISSING]
    missing = [n for n in known if n not in later and (not isinstance(found, dict) or n not in found)]
    if missing:
        raise StoreFault(f"{where}: not a model's card: it lacks {', '.join(missing)}")
    for name in ("observed", "families", "inputs", "latents"):
        if not isinstance(found[name], dict):
            raise StoreFault(f"{where}: not a model's card: '{name}' is no mapping by variable")
    return Card(**{name: found[name] for name in known if name in found})
