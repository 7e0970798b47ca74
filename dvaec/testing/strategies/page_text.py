"""Specs written as the YAML pages that mean them, states, features and networks with them."""

from __future__ import annotations

from collections.abc import Iterator

from dvaec.spec.developed_text import developed_text
from dvaec.spec.model import (
    Causality,
    Conditional,
    Family,
    InferenceKind,
    Role,
    Spec,
    Sweep,
    Variable,
)
from dvaec.spec.notation import line


def page_of(spec: Spec) -> str:
    """Return the page that means `spec`."""
    return "\n".join([*_page(spec), developed_text(spec)]) + "\n"


def _page(spec: Spec) -> Iterator[str]:
    yield from ("dvaec: 1", f"model: {spec.name}", "variables:")
    for v in spec.variables:
        yield f"  {v.name}: {{{_variable(v)}}}"
    if spec.causality is not Causality.CAUSAL:
        yield f"causality: {spec.causality}"
    if spec.frames is not None and any(v.framed for v in spec.variables):
        yield f"T: {spec.frames}"
    yield "generation:"
    yield from (f"  - {written(spec, c)}" for c in (*spec.generation, *spec.numbered))
    yield from _inference(spec)
    if (
        spec.order and spec.swept and not spec.early and not any(sweep.shifts for sweep in spec.order)
    ):  # else it comes of q's lines
        yield f"order: [{', '.join(_sweep(sweep) for sweep in spec.order)}]"
    if spec.auxiliary:
        yield from ("auxiliary:", *(f"  - {written(spec, c)}" for c in spec.auxiliary))
    if spec.separate:
        yield "develop: separate"


def _variable(v: Variable) -> str:
    said = [f"role: {v.role}", f"dim: {list(v.axes) if len(v.axes) > 1 else v.dim}"]
    said += [] if v.role is Role.INPUT and v.family is Family.GAUSSIAN else [f"distribution: {v.family}"]
    said += [f"{name}: {_number(value)}" for name, value in v.options]
    return ", ".join([*said, *([] if v.framed else ["level: sequence"])])


def _number(value: float) -> str:
    """A family's number as the page says it; 0 for what the network gives."""
    return "learned" if value == 0 else str(int(value)) if value == int(value) else str(value)


def _inference(spec: Spec) -> Iterator[str]:
    inference = spec.inference
    word = str(inference.kind)
    if inference.kind is InferenceKind.LOOKAHEAD:
        word = f"{{lookahead: {inference.delay}}}"
    own = [written(spec, c) for c in (*inference.conditionals, *inference.numbered)]
    if own:
        first = [] if inference.kind is InferenceKind.CONDITIONALS else [word]
        yield from ("inference:", *(f"  - {item}" for item in (*first, *own)))
    elif inference.kind is not InferenceKind.NETWORKS:
        yield f"inference: {word}"


def _sweep(sweep: Sweep) -> str:
    names = sweep.latents[0] if len(sweep.latents) == 1 else f"[{', '.join(sweep.latents)}]"
    return f"{{backward: {names}}}" if sweep.backward else names


def written(spec: Spec, conditional: Conditional) -> str:
    """Return a conditional in quotes; windows of what has a frame 0 begin there."""
    states = {s.name for s in spec.states}
    framed = conditional.target in states or spec.variable(conditional.target).framed
    zeros = spec.zero
    return f'"{line(conditional, framed, zeros)}"'
