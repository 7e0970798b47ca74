"""The parameters of every family once more, for the slow oracles: names, widths, bounds, fixed numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from dvaec.spec.model import Family, Head, Output, SharedVariance, Variable


@dataclass(frozen=True)
class Made:
    """One parameter: its values stay within +-`bound` (the first `first` of them; None for all)."""

    name: str
    width: int
    bound: float = math.inf
    first: int | None = None
    number: float | None = None  # it is the logarithm of this number

    def bounded(self, value: Tensor) -> Tensor:
        if self.bound == math.inf:
            return value
        first = value.size(-1) if self.first is None else self.first
        near = self.bound * torch.tanh(value[..., :first] / self.bound)
        return torch.cat([near, value[..., first:]], -1)


def parameters(variable: Variable, head: Head) -> tuple[Made, ...]:
    """Return the parameters of a variable's conditionals in order."""
    d, said = variable.dim, dict(variable.options)
    variance = head.variance if isinstance(head.variance, float) else None
    mean, scale = Made("mean", d), Made("logscale", d, 30.0)
    match variable.family:
        case Family.GAUSSIAN:
            return mean, Made("logvar", d, 30.0, number=variance)
        case Family.FULL_GAUSSIAN:
            return mean, Made("factor", d + d * (d - 1) // 2, 30.0, first=d)
        case Family.COMPLEX_GAUSSIAN:
            return (Made("logvar", d // 2, 30.0),)
        case Family.POISSON:
            return (Made("lograte", d, 30.0),)
        case Family.LAPLACE:
            return mean, scale
        case Family.STUDENT:
            return mean, scale, Made("logdegrees", d, 5.0, number=said.get("degrees"))
        case Family.BETA:
            return Made("logalpha", d, 8.0), Made("logbeta", d, 8.0)
        case Family.MIXTURE:
            k = int(said["components"])
            return Made("mean", k * d), Made("logvar", k * d, 30.0), Made("logits", k)
        case Family.GAMMA:
            shape = said.get("shape", 1.0)
            return (scale,) if shape == 1.0 else (scale, Made("logshape", d, 8.0, number=shape or None))
        case Family.BERNOULLI | Family.CATEGORICAL:
            return (Made("logits", d),)


def own_output(head: Head, made: Made) -> Output | SharedVariance | float | None:
    """Return what a head says of one parameter."""
    return {"mean": head.mean, "logvar": head.variance}.get(made.name)
