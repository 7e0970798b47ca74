"""Small models with one variable of each family, for tests."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Distribution, Independent, StudentT

from dvaec.spec.model import Dense, Head, Layer, Parent, Role, Side, Variable
from dvaec.spec.offsets import NOW, of
from dvaec.testing.built import Built, build
from tests.family_laws import CASES
from tests.models import line, page

BATCH, FRAMES = 3, 4
LAYERS = (Layer(5, "tanh"),)


@cache
def observing(case: str) -> Built:
    """Build z_t | z_<t-1> and x_t | z_t with x of that family."""
    own = Head(Side.P, "x", Dense((Parent("z", of(0)),), LAYERS))
    spec = page(
        line("z", z=of(-1)),
        line("x", z=NOW),
        variables=(CASES[case].variable(), Variable("z", Role.LATENT, 2)),
    )
    return build(replace(spec, heads=(own,)), small=False)


@cache
def latent(case: str, parentless: bool = False, learned: bool = False) -> Built:
    """Build z_t | z_<t-1>, or a z_t without parents, and x_t | z_t with z of that family."""
    z = CASES[case].variable("z", Role.LATENT)
    prior = line("z") if parentless else line("z", z=of(-1))
    spec = page(prior, line("x", z=NOW), variables=(Variable("x", Role.OBSERVED, 2), z))
    heads = (Head(Side.P, "z", None, learned=True),) if learned else ()
    return build(replace(spec, heads=heads), small=False)


def same(a: Tensor, b: Tensor, rtol: float = 1e-9) -> None:
    torch.testing.assert_close(a, b, rtol=rtol, atol=1e-11)


def flat(fields: Any) -> list[Tensor]:
    return [getattr(fields, name) for name in fields._fields]


def centre(law: Distribution) -> Tensor:
    """The mean; of Student's t, which may have none, the location."""
    if isinstance(law, Independent) and isinstance(law.base_dist, StudentT):
        return law.base_dist.loc
    return law.mean
