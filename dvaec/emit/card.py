"""What the runtime must know of a model beside its module: names, sizes and families, as plain values."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from dvaec.derive.model import Elbo
from dvaec.emit.preparing import noises
from dvaec.plan.entries import parts, sampled
from dvaec.plan.model import Plan
from dvaec.spec.model import Family, Role, Spec


def card_of(spec: Spec, elbo: Elbo, planned: Plan) -> dict[str, Any]:
    """Return what is kept with a trained model of its variables, its draws and its bound."""
    inputs = spec.having(Role.INPUT)
    return {
        "observed": {v.name: v.dim for v in spec.having(Role.OBSERVED)},
        "families": {
            v.name: str(v.family)
            for v in spec.variables
            if v.role is Role.OBSERVED or (v.role is Role.INPUT and v.family is Family.CATEGORICAL)
        },
        "inputs": {v.name: v.dim for v in inputs},
        "axes": {v.name: list(v.axes) for v in spec.variables if v.axes and v.role is not Role.LATENT},
        "static_inputs": [v.name for v in inputs if not v.framed],
        "latents": {v.name: v.dim for v in spec.having(Role.LATENT)},
        "static_observed": [v.name for v in spec.having(Role.OBSERVED) if not v.framed],
        "parts": [part.field for part in parts(elbo)],
        "predictions": [f"aux_{line.target}" for line in spec.auxiliary],
        "length": spec.frames,
        "sampled": sampled(elbo),
        "noises": _noises(planned),
        "divergences": _divergences(elbo, planned),
        "objective": _objective(spec),
    }


def _noises(planned: Plan) -> dict[str, dict[str, Any]]:
    """The draws that `elbo` takes."""
    drawn = noises(planned.network, planned.entry("elbo"))
    names = ("law", "width", "framed")
    return {argument: dict(zip(names, said, strict=True)) for argument, said in drawn.items()}


def _objective(spec: Spec) -> dict[str, Any]:
    """What the page says of training; nothing where it is silent."""
    said = spec.objective
    return {} if said is None else {**asdict(said), "factors": dict(said.factors)}


def _divergences(elbo: Elbo, planned: Plan) -> dict[str, str]:
    """The latent of each part of the bound that is a divergence."""
    variables = {value.name: value.variable.name for value in planned.network.values}
    return {part.field: variables[part.value] for part in parts(elbo) if part.divergence}
