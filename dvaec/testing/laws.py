"""Draws and densities of one conditional, by the emitted functions of its family."""

from __future__ import annotations

import math
import sys
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from dvaec.emit.families import family_text, noise_width
from dvaec.plan.model import HeadNode
from dvaec.spec.families import parameters_of
from dvaec.testing.built import Built


def draw(built: Built, head: HeadNode, parameters: dict[str, Tensor], noise: Tensor | None = None) -> Tensor:
    """Draw a value from noise, or from new noise: parameters (..., width) -> (..., dim)."""
    text = family_text(head.variable)
    if noise is None:
        lead = next(iter(parameters.values())).shape[:-1]
        new = torch.rand if text.noise == "uniform_noise" else torch.randn
        noise = new(*lead, noise_width(head.variable), dtype=torch.float64)
    names = {name: name for name in parameters}
    made: Tensor = _evaluated(built, text.draw.format(noise="noise", **names), {**parameters, "noise": noise})
    return made


def mean(built: Built, head: HeadNode, parameters: dict[str, Tensor]) -> Tensor:
    """Return the mean: parameters (..., width) -> (..., dim)."""
    text = family_text(head.variable).mean.format(**{name: name for name in parameters})
    made: Tensor = _evaluated(built, text, parameters)
    return made


def divergence(built: Built, p: HeadNode, of_q: dict[str, Tensor], of_p: dict[str, Tensor]) -> Tensor:
    """Return the closed form of KL(q || p) of one variable: (..., width) -> (...)."""
    text = family_text(p.variable)
    names = {f"q_{name}": value for name, value in of_q.items()}
    if not p.standard:
        names |= {f"p_{name}": value for name, value in of_p.items()}
    function = text.standard_kl if p.standard else text.kl
    made: Tensor = _evaluated(built, f"{function}({', '.join(names)})", names)
    return made


def density(built: Built, head: HeadNode, value: Tensor, parameters: dict[str, Tensor]) -> Tensor:
    """Return the log-density of a value: (..., dim) -> (...)."""
    function = family_text(head.variable).density
    arguments = ", ".join(p.name for p in parameters_of(head.variable))
    made: Tensor = _evaluated(built, f"{function}(value, {arguments})", {**parameters, "value": value})
    return made


def _evaluated(built: Built, text: str, names: dict[str, Tensor]) -> Any:
    helpers: dict[str, Any] = vars(sys.modules[type(built.module).__module__])
    return eval(text, {**helpers, "self": built.module, "torch": torch, "F": F, "math": math, **names})
