"""Checked page -> `Spec`: the frozen values that everything after this room works on."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from dvaec.spec.assemble_blocks import block_of, mean_of, parents_of, variance_of
from dvaec.spec.build import Parsed
from dvaec.spec.conditionals import Line
from dvaec.spec.families import OPTIONS, option_values
from dvaec.spec.model import (
    Conditional,
    Direction,
    Family,
    Feature,
    Head,
    Inference,
    InferenceKind,
    Parent,
    Role,
    Side,
    Spec,
    State,
    Sweep,
    Variable,
)
from dvaec.spec.schema_heads import HeadShape
from dvaec.spec.schema_order import LookaheadShape
from dvaec.spec.source import Path


def assemble(
    parsed: Parsed,
    framed: Mapping[str, bool],
    order: tuple[Sweep, ...],
    without: frozenset[Path] = frozenset(),
) -> Spec:
    """Build the spec of a page without faults, or `without` its faulty states, features and networks.

    `framed` gives each variable's level.
    """
    shape = parsed.shape
    variables = tuple(
        Variable(
            name,
            Role(v.role),
            prod(axes_of(v.dim)),
            Family(v.distribution or "gaussian"),
            framed[name],
            axes_of(v.dim) if isinstance(v.dim, list) else (),
            option_values({name: getattr(v, name) for name in OPTIONS}),
        )
        for name, v in shape.variables.items()
    )
    names = [v.name for v in variables]
    return Spec(
        name=shape.model,
        about=_one_line(shape.about),
        cites=tuple(_one_line(cite) for cite in shape.cites),
        variables=variables,
        generation=tuple(conditional(line, names) for line in parsed.generation),
        inference=_inference(parsed, names),
        order=order,
        states=tuple(
            _state(parsed, key, name) for key, name in parsed.states.items() if ("states", key) not in without
        ),
        features=tuple(
            _feature(parsed, key, name)
            for key, name in parsed.features.items()
            if ("features", key) not in without
        ),
        heads=tuple(
            _head(parsed, key, side, name)
            for key, (side, name) in parsed.heads.items()
            if ("networks", key) not in without
        ),
    )


def axes_of(dim: int | list[int]) -> tuple[int, ...]:
    """Return the axes of a variable: one, unless the page gives several."""
    return tuple(dim) if isinstance(dim, list) else (dim,)


def _one_line(text: str) -> str:
    """Return running text on one line, without what a terminal would obey or hide."""
    return " ".join("".join(c for c in text if c.isprintable() or c.isspace()).split())


def conditional(line: Line, names: list[str]) -> Conditional:
    """Unite the windows of each parent; parents in declaration order."""
    united: dict[str, Parent] = {}
    for reference in line.parents:
        before = united.get(reference.name)
        if before is None or before.offsets is None or reference.offsets is None:
            united[reference.name] = Parent(reference.name, reference.offsets)
        else:
            united[reference.name] = Parent(reference.name, before.offsets | reference.offsets)
    return Conditional(line.target.name, tuple(sorted(united.values(), key=lambda p: names.index(p.name))))


def inference_kind(parsed: Parsed) -> InferenceKind:
    """Return how the page declares q."""
    said = parsed.shape.inference
    if isinstance(said, list):
        return InferenceKind.CONDITIONALS
    if isinstance(said, LookaheadShape):
        return InferenceKind.LOOKAHEAD
    if isinstance(said, str):
        return InferenceKind(said)
    reading = any(side is Side.Q and parsed.reads_of_head(key) for key, (side, _) in parsed.heads.items())
    return InferenceKind.NETWORKS if reading else InferenceKind.EXACT


def _inference(parsed: Parsed, names: list[str]) -> Inference:
    said = parsed.shape.inference
    delay = said.lookahead if isinstance(said, LookaheadShape) else 0
    own = tuple(conditional(line, names) for line in parsed.inference)
    return Inference(inference_kind(parsed), delay, own)


def _reads(parsed: Parsed, path: Path) -> tuple[Parent, ...]:
    return parents_of(parsed.reads.get(path))


def _state(parsed: Parsed, key: str, name: str) -> State:
    shape = parsed.shape.states[key]
    return State(
        name=name,
        cell=shape.rnn,
        units=shape.units,
        reads=_reads(parsed, ("states", key, "reads")),
        through=parsed.layers[("states", key, "through")],
        runs=Direction(shape.runs),
        lag=shape.lag,
        learned_start=shape.starts == "learned",
    )


def _feature(parsed: Parsed, key: str, name: str) -> Feature:
    block = block_of(parsed, ("features", key), parsed.shape.features[key])
    assert block is not None  # the shape of a feature has it read something
    return Feature(name, block)


def _head(parsed: Parsed, key: str, side: Side, target: str) -> Head:
    shape: HeadShape = parsed.shape.networks[key]
    at: Path = ("networks", key)
    return Head(
        side=side,
        target=target,
        block=block_of(parsed, at, shape),
        mean=mean_of(parsed, at, shape),
        variance=variance_of(parsed, at, shape),
        learned=shape.learned,
    )
