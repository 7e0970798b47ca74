"""KL(q || p) and log q - log p of latents, dimension by dimension; a full covariance has neither."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def divergence(family: str, q: dict[str, Tensor], p: dict[str, Tensor]) -> Tensor | None:
    """KL(q || p) by dimension, in closed form: (..., dim), of classes (..., 1)."""
    if family == "gaussian":
        ratio = torch.exp(q["logvar"] - p["logvar"])
        square = (q["mean"] - p["mean"]).square() * torch.exp(-p["logvar"])
        return 0.5 * (ratio + square + p["logvar"] - q["logvar"] - 1.0)
    if family == "laplace":
        gap = (q["mean"] - p["mean"]).abs()
        ratio = torch.exp(q["logscale"] - p["logscale"])
        near = ratio * torch.exp(-gap * torch.exp(-q["logscale"]))
        return p["logscale"] - q["logscale"] + gap * torch.exp(-p["logscale"]) + near - 1.0
    if family == "categorical":
        own, other = torch.log_softmax(q["logits"], -1), torch.log_softmax(p["logits"], -1)
        return (own.exp() * (own - other)).sum(-1, keepdim=True)
    return None


def log_ratio(family: str, value: Tensor, q: dict[str, Tensor], p: dict[str, Tensor]) -> Tensor | None:
    """log q - log p of a drawn value by dimension: (..., dim), of classes (..., 1)."""
    if family not in ("gaussian", "laplace", "categorical"):
        return None
    return _log_density(family, value, q) - _log_density(family, value, p)


def _log_density(family: str, value: Tensor, of: dict[str, Tensor]) -> Tensor:
    if family == "gaussian":
        square = (value - of["mean"]).square() * torch.exp(-of["logvar"])
        return -0.5 * (square + of["logvar"] + math.log(2.0 * math.pi))
    if family == "laplace":
        return -(value - of["mean"]).abs() * torch.exp(-of["logscale"]) - of["logscale"] - math.log(2.0)
    return (value * torch.log_softmax(of["logits"], -1)).sum(-1, keepdim=True)


def deviation(family: str, q: dict[str, Tensor]) -> Tensor | None:
    """The standard deviation of every dimension, where the family has one that is its own: (..., dim)."""
    if family == "gaussian":
        return torch.exp(0.5 * q["logvar"])
    return math.sqrt(2.0) * torch.exp(q["logscale"]) if family == "laplace" else None
