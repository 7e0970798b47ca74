"""Checked page -> `Spec`: the frozen values that everything after this room works on."""

from __future__ import annotations

from collections.abc import Mapping

from dvaec.spec.build import Parsed
from dvaec.spec.conditionals import Line, ReadList
from dvaec.spec.model import (
    Combiner,
    Conditional,
    Dense,
    Direction,
    Family,
    Feature,
    GatedTransition,
    Head,
    Inference,
    InferenceKind,
    Link,
    Output,
    Parent,
    Role,
    SharedVariance,
    Side,
    Spec,
    State,
    Sweep,
    Variable,
)
from dvaec.spec.schema import (
    CombinerShape,
    GatedHeadShape,
    HeadShape,
    LookaheadShape,
    OutputShape,
    VarianceShape,
)
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
        Variable(name, Role(v.role), v.dim, Family(v.distribution or "gaussian"), framed[name])
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
    reading = any(
        side is Side.Q
        and (("networks", key, "reads") in parsed.reads or ("networks", key, "of") in parsed.reads)
        for key, (side, _) in parsed.heads.items()
    )
    return InferenceKind.NETWORKS if reading else InferenceKind.EXACT


def _inference(parsed: Parsed, names: list[str]) -> Inference:
    said = parsed.shape.inference
    delay = said.lookahead if isinstance(said, LookaheadShape) else 0
    own = tuple(conditional(line, names) for line in parsed.inference)
    return Inference(inference_kind(parsed), delay, own)


def _parents(read: ReadList | None) -> tuple[Parent, ...]:
    return tuple(Parent(r.name, r.offsets) for r in read.references) if read else ()


def _reads(parsed: Parsed, path: Path) -> tuple[Parent, ...]:
    return _parents(parsed.reads.get(path))


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
    shape = parsed.shape.features[key]
    at: Path = ("features", key)
    if isinstance(shape, CombinerShape):
        of, other = _reads(parsed, (*at, "of")), _reads(parsed, (*at, "with"))
        return Feature(name, Combiner(of[0], other[0], shape.units))
    return Feature(name, Dense(_reads(parsed, (*at, "reads")), parsed.layers[(*at, "layers")]))


def _head(parsed: Parsed, key: str, side: Side, target: str) -> Head:
    shape: HeadShape = parsed.shape.networks[key]
    at: Path = ("networks", key)
    block: Dense | GatedTransition | None
    if isinstance(shape, GatedHeadShape):
        of, reads = _reads(parsed, (*at, "of")), _reads(parsed, (*at, "reads"))
        block = GatedTransition(of[0], reads, shape.units)
    else:
        reads = _reads(parsed, (*at, "reads"))
        block = Dense(reads, parsed.layers[(*at, "layers")]) if reads else None
    return Head(
        side=side,
        target=target,
        block=block,
        mean=_output(parsed, (*at, "mean"), shape.mean),
        variance=_variance(parsed, (*at, "variance"), shape.variance),
        learned=shape.learned,
    )


def _output(parsed: Parsed, at: Path, shape: OutputShape | None) -> Output | None:
    if shape is None:
        return None
    link = Link(shape.link) if isinstance(shape, VarianceShape) else Link.EXP
    return Output(parsed.layers[(*at, "layers")], link)


def _variance(
    parsed: Parsed, at: Path, shape: VarianceShape | str | float | None
) -> Output | SharedVariance | float | None:
    if isinstance(shape, VarianceShape):
        return _output(parsed, at, shape)
    if isinstance(shape, str):
        return SharedVariance()
    return None if shape is None else float(shape)
