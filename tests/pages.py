"""Specs written as the YAML pages that mean them, states, features and networks with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dvaec.spec.model import (
    Combiner,
    Dense,
    Family,
    Feature,
    GatedTransition,
    Head,
    InferenceKind,
    Layer,
    Output,
    Parent,
    Role,
    SharedVariance,
    Spec,
    State,
)
from dvaec.spec.notation import line, parents


def developed_page(spec: Spec) -> str:
    """Return the page that means `spec`."""
    return "\n".join(_page(spec)) + "\n"


def _page(spec: Spec) -> Iterator[str]:
    yield from ("dvaec: 1", f"model: {spec.name}", "variables:")
    for v in spec.variables:
        family = "" if v.role is Role.INPUT else f", distribution: {v.family}"
        family += ", shape: 1" if v.family is Family.GAMMA else ""
        level = "" if v.framed else ", level: sequence"
        yield f"  {v.name}: {{role: {v.role}, dim: {v.dim}{family}{level}}}"
    yield "generation:"
    yield from (f'  - "{line(c)}"' for c in spec.generation)
    yield from _inference(spec)
    if len(spec.latents) > 1:
        yield f"order: [[{', '.join(spec.latents)}]]"
    if spec.states:
        yield from ("states:", *(f"  {s.name}_t: {{{_state(s)}}}" for s in spec.states))
    if spec.features:
        yield from ("features:", *(f"  {f.name}_t: {{{_feature(f)}}}" for f in spec.features))
    if spec.heads:
        yield from ("networks:", *(f"  {h.side}({h.target}_t): {{{_head(h)}}}" for h in spec.heads))


def _inference(spec: Spec) -> Iterator[str]:
    kind = spec.inference.kind
    if kind is InferenceKind.CONDITIONALS:
        yield from ("inference:", *(f'  - "{line(c)}"' for c in spec.inference.conditionals))
    elif kind is InferenceKind.LOOKAHEAD:
        yield f"inference: {{lookahead: {spec.inference.delay}}}"
    elif kind is not InferenceKind.NETWORKS:
        yield f"inference: {kind}"


def _state(state: State) -> str:
    said = [f"rnn: {state.cell}, units: {state.units}", _reads("reads", state.reads), f"runs: {state.runs}"]
    said += [f"through: {_layers(state.through)}"] if state.through else []
    said += [f"lag: {state.lag}"] if state.lag > 1 else []
    said += ["starts: learned"] if state.learned_start else []
    return ", ".join(said)


def _feature(feature: Feature) -> str:
    block = feature.block
    if isinstance(block, Dense):
        return _dense(block)
    assert isinstance(block, Combiner)
    said = ["block: combiner", _reads("of", (block.of,)), _reads("with", (block.other,))]
    return ", ".join([*said, *([f"units: {block.units}"] if block.units is not None else [])])


def _head(head: Head) -> str:
    said: list[str] = []
    if isinstance(head.block, Dense):
        said.append(_dense(head.block))
    elif isinstance(head.block, GatedTransition):
        said += ["block: gated_transition", _reads("of", (head.block.of,)), f"units: {head.block.units}"]
        said += [_reads("reads", head.block.reads)] if head.block.reads else []
    if head.mean is not None:
        said.append(f"mean: {{layers: {_layers(head.mean.layers)}}}")
    if isinstance(head.variance, Output):
        said.append(f"variance: {{layers: {_layers(head.variance.layers)}, link: {head.variance.link}}}")
    elif head.variance is not None:
        said.append(f"variance: {'shared' if isinstance(head.variance, SharedVariance) else head.variance}")
    said += ["learned: true"] if head.learned else []
    return ", ".join(said)


def _dense(block: Dense) -> str:
    return f"{_reads('reads', block.reads)}, layers: {_layers(block.layers)}"


def _reads(key: str, reads: tuple[Parent, ...]) -> str:
    return f'{key}: "{parents(reads)}"'


def _layers(layers: Iterable[Layer]) -> str:
    return f"[{', '.join(f'{layer.units} {layer.activation}' for layer in layers)}]"
