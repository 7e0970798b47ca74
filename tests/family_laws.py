"""What each family should be, by torch.distributions: one case a family and a choice of its options."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from types import ModuleType
from typing import Any

import torch
from jinja2 import Environment, PackageLoader
from torch import Tensor
from torch.distributions import (
    Bernoulli,
    Beta,
    Categorical,
    Distribution,
    Gamma,
    Independent,
    Laplace,
    MixtureSameFamily,
    MultivariateNormal,
    Normal,
    OneHotCategorical,
    Poisson,
    StudentT,
    kl_divergence,
)

from dvaec.emit.helpers import HELPERS
from dvaec.spec.families import parameters_of
from dvaec.spec.model import Family, Role, Variable

COMPONENTS = 4


@dataclass(frozen=True)
class Case:
    """A family with its options, and its law as a distribution over the last axis."""

    family: Family
    law: Callable[..., Distribution]  # of the parameters, in order
    options: tuple[tuple[str, float], ...] = ()
    dim: int = 3

    def variable(self, name: str = "x", role: Role = Role.OBSERVED) -> Variable:
        return Variable(name, role, self.dim, self.family, options=self.options)

    @property
    def parameters(self) -> tuple[str, ...]:
        return tuple(p.name for p in parameters_of(self.variable()))

    def of(self, result: Any, prefix: str) -> Distribution:
        """The law with the parameters that an entry point handed out."""
        return self.law(*(getattr(result, f"{prefix}_{name}") for name in self.parameters))


def lower(factor: Tensor, dim: int) -> Tensor:
    """The Cholesky factor, entry by entry: log-diagonal, then the rows below it times the root of dim."""
    out = torch.zeros(*factor.shape[:-1], dim, dim, dtype=factor.dtype)
    position = dim
    for row in range(dim):
        out[..., row, row] = torch.exp(factor[..., row])
        for column in range(row):
            out[..., row, column] = factor[..., position] / math.sqrt(dim)
            position += 1
    return out


def each(law: Distribution) -> Distribution:
    return Independent(law, 1)


def full(mean: Tensor, factor: Tensor) -> Distribution:
    return MultivariateNormal(mean, scale_tril=lower(factor, mean.size(-1)))


def circular(logvar: Tensor) -> Distribution:
    deviation = torch.sqrt(torch.exp(logvar) / 2.0)
    both = torch.cat([deviation, deviation], -1)
    return each(Normal(torch.zeros_like(both), both))


def mixture(mean: Tensor, logvar: Tensor, logits: Tensor) -> Distribution:
    shape = (*logits.shape, mean.size(-1) // logits.size(-1))
    normal = Normal(mean.reshape(shape), torch.exp(0.5 * logvar).reshape(shape))
    return MixtureSameFamily(Categorical(logits=logits), Independent(normal, 1))


def exponential(logscale: Tensor) -> Distribution:
    return each(Gamma(torch.ones_like(logscale), torch.exp(-logscale), validate_args=False))


def diagonal(mean: Tensor, logvar: Tensor) -> Distribution:
    return each(Normal(mean, torch.exp(0.5 * logvar)))


def laplace(mean: Tensor, logscale: Tensor) -> Distribution:
    return each(Laplace(mean, torch.exp(logscale)))


def one_hot(logits: Tensor) -> Distribution:
    return OneHotCategorical(logits=logits, validate_args=False)


LATENT_LAWS: dict[Family, Callable[..., Distribution]] = {
    Family.GAUSSIAN: diagonal,
    Family.FULL_GAUSSIAN: full,
    Family.LAPLACE: laplace,
    Family.CATEGORICAL: one_hot,
}
"""The laws of latent variables, of their parameters in order."""


def divergence(q: Distribution, p: Distribution) -> Tensor:
    """KL(q || p) by torch."""
    if isinstance(q, Independent) and isinstance(p, Independent):
        return kl_divergence(q.base_dist, p.base_dist).sum(-1)
    return kl_divergence(q, p)


def latent_draw(variable: Variable, parameters: tuple[Tensor, ...], noise: Tensor) -> Tensor:
    """What a latent variable is, in training, for that noise: by quantiles, factors, Gumbel's trick."""
    if variable.family is Family.LAPLACE:
        drawn: Tensor = Laplace(parameters[0], torch.exp(parameters[1])).icdf(noise)
        return drawn
    if variable.family is Family.CATEGORICAL:
        temperature = dict(variable.options).get("temperature", 0.5)
        return torch.softmax((parameters[0] - torch.log(-torch.log(noise))) / temperature, -1)
    if variable.family is Family.FULL_GAUSSIAN:
        return parameters[0] + torch.einsum("...ij,...j->...i", lower(parameters[1], variable.dim), noise)
    return parameters[0] + torch.exp(0.5 * parameters[1]) * noise


CASES = {
    "gaussian": Case(Family.GAUSSIAN, diagonal),
    "full gaussian": Case(Family.FULL_GAUSSIAN, full),
    "full gaussian of one": Case(Family.FULL_GAUSSIAN, full, dim=1),
    "complex gaussian": Case(Family.COMPLEX_GAUSSIAN, circular, dim=4),
    "bernoulli": Case(Family.BERNOULLI, lambda a: each(Bernoulli(logits=a))),
    "categorical": Case(Family.CATEGORICAL, one_hot),
    "poisson": Case(Family.POISSON, lambda a: each(Poisson(torch.exp(a)))),
    "gamma of shape 1": Case(Family.GAMMA, exponential),
    "gamma of shape 2.5": Case(
        Family.GAMMA, lambda s, a: each(Gamma(torch.exp(a), torch.exp(-s))), (("shape", 2.5),)
    ),
    "gamma": Case(Family.GAMMA, lambda s, a: each(Gamma(torch.exp(a), torch.exp(-s))), (("shape", 0.0),)),
    "laplace": Case(Family.LAPLACE, laplace),
    "student of 4.5 degrees": Case(
        Family.STUDENT, lambda m, s, n: each(StudentT(torch.exp(n), m, torch.exp(s))), (("degrees", 4.5),)
    ),
    "student": Case(Family.STUDENT, lambda m, s, n: each(StudentT(torch.exp(n), m, torch.exp(s)))),
    "beta": Case(Family.BETA, lambda a, b: each(Beta(torch.exp(a), torch.exp(b)))),
    "mixture": Case(Family.MIXTURE, mixture, (("components", float(COMPONENTS)),)),
}
LATENT = ("gaussian", "full gaussian", "laplace", "categorical")


@cache
def helpers() -> ModuleType:
    """All helper functions that a module may have, in a module of their own."""
    environment = Environment(
        loader=PackageLoader("dvaec.emit"), trim_blocks=True, lstrip_blocks=True, autoescape=False
    )

    class Everything:
        def __contains__(self, name: object) -> bool:
            return True

    rendered = [
        environment.get_template(name).render(functions=Everything(), bound="30.0") for name in HELPERS
    ]
    head = (
        "import math\nfrom typing import Any, List, Optional, Tuple\nimport torch\n"
        "from torch import Tensor, nn\nfrom torch.nn import functional as F\n"
    )
    path = Path(mkdtemp()) / "helpers_of_all_families.py"
    path.write_text(head + "\n".join(rendered), encoding="utf-8")
    module = ModuleType("helpers_of_all_families")
    module.__file__ = str(path)
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), module.__dict__)
    return module


def function(name: str) -> Callable[..., Tensor]:
    found: Callable[..., Tensor] = getattr(helpers(), name)
    return found
