"""Legal values and noise of every family."""

from __future__ import annotations

import torch
from torch import Tensor

from dvaec.emit.families import family_text, noise_width
from dvaec.spec.model import Family, Variable


def legal(variable: Variable, lead: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Draw values that a variable may have, (*lead, dim), float64."""
    shape = (*lead, variable.dim)
    normal = torch.randn(*shape, generator=generator, dtype=torch.float64)
    if variable.family is Family.BERNOULLI:
        return (normal > 0).double()
    if variable.family is Family.GAMMA:
        return normal.square()
    if variable.family is Family.CATEGORICAL:
        return torch.nn.functional.one_hot(normal.argmax(-1), variable.dim).double()
    if variable.family is Family.POISSON:
        return normal.square().mul(2.0).floor()
    return torch.sigmoid(normal) if variable.family is Family.BETA else normal


def noise_for(variable: Variable, lead: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Draw the noise of one value, of the kind and width that the emitted module takes."""
    draw = torch.rand if family_text(variable).noise == "uniform_noise" else torch.randn
    return draw(*lead, noise_width(variable), generator=generator, dtype=torch.float64)
