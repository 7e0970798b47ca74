"""What training maximises: the ELBO, or a surrogate of it that is said to be one.

With the parts of the bound in nats, summed over the frames of a batch and its S samples of the latents,

    J = sum log p(x_t | ...) - beta_e sum_l w_l sum max(KL(l_t), f) + sum aux,

divided by the frames. w_l = beta times the weight of the latent l; f are the free bits, in nats for
each latent and frame, without an average over the batch (Kingma et al. 2016 average); beta_e rises from near
0 to 1, update by update: linearly (Bowman et al. 2016), or in cycles (Fu et al. 2019). Where w_l = 1, f = 0,
beta_e = 1 and the page has no auxiliary predictions (8.4), J is the ELBO. Validation is by the ELBO, always.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import torch
from torch import Tensor

from dvaec.runtime.faults import TrainFault


@dataclass(frozen=True)
class Objective:
    """`warmup` epochs, of which KL's weight rises over the share `rise`; `cycles` times, then 1 for good.

    `factors` are those of single latents, on top of `beta`. `samples` draws of the latents an update.
    """

    beta: float = 1.0
    warmup: int = 0
    cycles: int = 1
    rise: float = 1.0
    free_bits: float = 0.0
    factors: Mapping[str, float] = field(default_factory=dict)
    samples: int = 1

    @property
    def settled(self) -> int:
        """The epoch from whose end the weight of the KL stays as it is."""
        return self.warmup * self.cycles

    def weight(self, update: int, epoch_updates: int) -> float:
        """Return the factor of the KL, before beta, in an update (from 1 on) of epochs of so many updates."""
        length = self.warmup * epoch_updates
        if not length or update > length * self.cycles:
            return 1.0
        return min(1.0, ((update - 1) % length + 1) / (self.rise * length))

    def factor(self, latent: str) -> float:
        """Return the factor of one latent's KL once the warm-up is over."""
        return self.beta * self.factors.get(latent, 1.0)

    def value(self, parts: Mapping[str, Tensor], latents: Mapping[str, str], weight: float) -> Tensor:
        """Return J of a batch, not yet divided: parts (batch, time) or (batch,) -> ().

        `latents` names the latent of each part that is a divergence; other parts count in full.
        """
        terms = []
        for name, part in parts.items():
            if name in latents:
                kept = part
                if self.free_bits:  # padding is 0 and stays so: a KL of exactly 0 has no bits to free
                    kept = torch.where(part == 0, part, part.clamp(min=self.free_bits))
                terms.append(-weight * self.factor(latents[name]) * kept.sum())
            else:
                terms.append(part.sum())
        return torch.stack(terms).sum()


def check_objective(objective: Objective, latents: Mapping[str, int], name: str) -> None:
    """Raise TrainFault for numbers that make no objective, and for factors of what is no latent."""
    unknown = [one for one in objective.factors if one not in latents]
    if unknown:
        known = ", ".join(latents) or "none"
        raise TrainFault(f"the objective weighs '{unknown[0]}': no latent of {name}", f"its latents: {known}")
    numbers = {one: getattr(objective, one) for one in ("beta", "free_bits", "warmup")}
    numbers |= {f"factor of {one}": value for one, value in objective.factors.items()}
    for one, value in numbers.items():
        if not 0 <= value < math.inf:
            said = f"the objective's {one.replace('_', ' ')} is {value:g}"
            raise TrainFault(f"{said}: it must be finite and not negative")
    if objective.cycles < 1 or objective.samples < 1 or not 0 < objective.rise <= 1:
        raise TrainFault(
            "the objective's cycles and samples are at least 1, and its rise a share in (0, 1]",
        )


def objective_of(said: Mapping[str, Any]) -> Objective:
    """Build an objective from plain values, of a page or of a stored run; what it leaves out is as it is."""
    known = {one.name for one in fields(Objective)}
    return Objective(**{name: value for name, value in said.items() if name in known})


def objective_to_plain(objective: Objective) -> dict[str, Any]:
    """Return the objective as plain values."""
    return {**asdict(objective), "factors": dict(objective.factors)}


def _counted(epochs: int) -> str:
    return "an epoch" if epochs == 1 else f"{epochs} epochs"


def departures(objective: Objective, latents: Collection[str]) -> tuple[str, ...]:
    """Say in which respects the objective is not the ELBO; several samples estimate the same bound."""
    found: list[str] = []
    if not latents:  # no divergence to weigh
        return ()
    if objective.warmup:
        rise = "" if objective.rise == 1 else f" of which the first {objective.rise:g} rises"
        if objective.cycles > 1:
            found.append(
                f"KL's weight from 0 to 1 in {objective.cycles} cycles of {_counted(objective.warmup)}{rise}"
            )
        else:
            found.append(f"KL's weight from 0 to 1 over {_counted(objective.warmup)}{rise}")
    if objective.beta != 1:
        found.append(f"beta {objective.beta:g}")
    found += [f"KL of {name} times {value:g}" for name, value in objective.factors.items() if value != 1]
    if objective.free_bits:
        found.append(f"{objective.free_bits:g} free nats per latent and frame")
    return tuple(found)
