"""Checked page -> `Spec`: the frozen values that everything after this room works on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from math import prod

from dvaec.spec.assemble_blocks import block_of, mean_of, parents_of, variance_of
from dvaec.spec.build import Parsed
from dvaec.spec.conditionals import Line
from dvaec.spec.families import OPTIONS, option_values
from dvaec.spec.first_lines import with_first_lines
from dvaec.spec.frames import FRAMES, conditional_of
from dvaec.spec.model import (
    Causality,
    Conditional,
    Direction,
    Family,
    Feature,
    Head,
    Inference,
    InferenceKind,
    Objective,
    Parent,
    Role,
    Side,
    Spec,
    State,
    Variable,
)
from dvaec.spec.schema import ObjectiveShape
from dvaec.spec.schema_heads import HeadShape
from dvaec.spec.schema_order import KEYWORDS, LookaheadShape
from dvaec.spec.source import Path
from dvaec.spec.unswept import ChainRule


def assemble(
    parsed: Parsed,
    framed: Mapping[str, bool],
    chain: ChainRule,
    without: frozenset[Path] = frozenset(),
) -> Spec:
    """Build the spec of a page without faults, or `without` its faulty states, features and networks.

    `framed` gives each variable's level.
    """
    order = chain.order
    shape = parsed.shape
    numbered = {(line.target.name, line.target.frame) for line in parsed.generation}
    variables = tuple(
        Variable(
            name,
            Role(v.role),
            prod(axes_of(v.dim)),
            Family(v.distribution or "gaussian"),
            framed[name],
            axes_of(v.dim) if isinstance(v.dim, list) and len(v.dim) > 1 else (),
            option_values({name: getattr(v, name) for name in OPTIONS}),
            0 if (name, "0") in numbered else 1,
        )
        for name, v in shape.variables.items()
    )
    names = [v.name for v in variables]
    zero = [v.name for v in variables if v.first == 0]
    every = [*names, *parsed.states.values(), *parsed.features.values()]
    generation, single = _parted(conditional_of(line, names, zero) for line in parsed.generation)
    return Spec(
        name=shape.model,
        about=_one_line(shape.about),
        cites=tuple(_one_line(cite) for cite in shape.cites),
        variables=variables,
        generation=generation,
        inference=with_first_lines(_inference(parsed, names, zero), order, names, zero),
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
        numbered=single,
        causality=Causality(shape.causality),
        frames=shape.T if any(v.framed for v in variables) else 1,
        auxiliary=tuple(
            conditional_of(line, every, zero) for line in parsed.auxiliary if _known(line, every)
        ),
        separate=shape.develop == "separate",
        objective=_objective(shape.objective),
        unswept=chain.unswept,
    )


def _objective(shape: ObjectiveShape | None) -> Objective | None:
    if shape is None:
        return None
    said = shape.model_dump()
    return Objective(**said | {"factors": tuple(said["factors"].items())})


def axes_of(dim: int | list[int]) -> tuple[int, ...]:
    """Return the axes of a variable: one, unless the page gives several."""
    return tuple(dim) if isinstance(dim, list) else (dim,)


def _known(line: Line, names: Collection[str]) -> bool:
    """Whether all that a line names is there: of a faulty page some states are not."""
    return {one.name for one in (line.target, *line.parents)} <= set(names)


def _one_line(text: str) -> str:
    """Return running text on one line, without what a terminal would obey or hide."""
    return " ".join("".join(c for c in text if c.isprintable() or c.isspace()).split())


def inference_kind(parsed: Parsed) -> InferenceKind:
    """Return how the page declares q."""
    said = _keyword(parsed)
    if isinstance(said, LookaheadShape):
        return InferenceKind.LOOKAHEAD
    if said is not None:
        return InferenceKind(said)
    if isinstance(parsed.shape.inference, list):
        return InferenceKind.CONDITIONALS
    reading = any(side is Side.Q and parsed.reads_of_head(key) for key, (side, _) in parsed.heads.items())
    return InferenceKind.NETWORKS if reading else InferenceKind.EXACT


def _keyword(parsed: Parsed) -> LookaheadShape | str | None:
    """Return what stands under `inference` beside conditionals: alone, or before them in the list."""
    said = parsed.shape.inference
    first = said[0] if isinstance(said, list) else said
    if not isinstance(first, str):
        return first
    return first.strip() if first.strip() in KEYWORDS else None


def _inference(parsed: Parsed, names: list[str], zero: Collection[str]) -> Inference:
    said = _keyword(parsed)
    delay = said.lookahead if isinstance(said, LookaheadShape) else 0
    own = [conditional_of(line, names, zero) for line in parsed.inference]
    generic, single = _parted(own)
    return Inference(inference_kind(parsed), delay, generic, single)


def _parted(
    conditionals: Iterable[Conditional],
) -> tuple[tuple[Conditional, ...], tuple[Conditional, ...]]:
    """Part the conditionals of every frame or of the sequence from those of single frames."""
    listed = tuple(conditionals)
    return tuple(c for c in listed if c.frame is None), tuple(c for c in listed if c.frame is not None)


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
        start_reads=_reads(parsed, ("states", key, "starts", "reads")),
        layers=shape.layers,
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
        frame=FRAMES.get(parsed.targets[key].frame or ""),
    )
