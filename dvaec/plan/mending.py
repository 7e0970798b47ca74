"""Where the page asks for what has no schedule, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from dvaec.plan.schedule import UnschedulableError
from dvaec.spec import notation
from dvaec.spec.model import Conditional, InferenceKind, Spec
from dvaec.spec.source import READS, Path, Source


def place_of(developed: Spec, error: UnschedulableError, source: Source) -> Path:
    """Return where the page speaks of nodes that have no schedule."""
    return next(place for place in _places(developed, error, source) if place in source.spans)


def _places(developed: Spec, error: UnschedulableError, source: Source) -> Iterator[Path]:
    """Yield the single frame that is read, then states, networks and conditionals, then whole blocks."""
    if error.frame is not None:
        name = f"{error.frame[0]}_{notation.frame_word(error.frame[1])}"
        plain = (
            place
            for place in source.spans
            if place[0] == "networks" and place[2:4] == (READS, error.frame[0])
        )
        yield from (place for place in plain if str(place[-1]).translate(_PLAIN) == name)
    blocks = {f.name: "features" for f in developed.features} | {s.name: "states" for s in developed.states}
    yield from ((blocks[n], f"{n}_t") for n in error.nodes if n in blocks)
    heads = [node.split("_", 1) for node in error.nodes if node.startswith(("p_", "q_"))]
    yield from (("networks", f"{side}({target}_t)") for side, target in heads)
    yield from (("inference" if side == "q" else "generation", target) for side, target in heads)
    q = ("inference",) in source.spans and any(side == "q" for side, _ in heads)
    yield ("inference",) if q else ("generation",)


_PLAIN = str.maketrans("", "", "<>{} ")


def hint_for(developed: Spec, q: Sequence[Conditional], error: UnschedulableError) -> str | None:
    """Say what to write instead; `q` is what q reads as the page declares it.

    A derived q that reads a single frame of its own run is written out without it.
    """
    derived = developed.inference.kind not in (InferenceKind.CONDITIONALS, InferenceKind.NETWORKS)
    drawn = [name for name in developed.latents if f"q_{name}" in error.nodes]
    if not (derived and drawn):
        return None if error.frame is None else _relative(error.frame[0])
    without = [_without(c, drawn) for c in q if c.target in drawn and c.frame is None]
    if error.frame is None or without == [c for c in q if c.target in drawn and c.frame is None]:
        return "a conditional of its own under 'inference' can leave it out"
    own = (*developed.inference.conditionals, *developed.inference.numbered)
    kept = [c for c in own if (c.target, c.frame) not in {(d.target, d.frame) for d in without}]
    zeros = [v.name for v in developed.variables if v.framed and v.first == 0]
    framed = {v.name: v.framed for v in developed.variables}
    lines = [f'"{notation.line(c, framed[c.target], zeros)}"' for c in (*kept, *without)]
    others = set(developed.latents) - {c.target for c in (*kept, *without)}
    return f"leave it out: inference: [{', '.join([*_keyword(developed, bool(others)), *lines])}]"


def _relative(name: str) -> str:
    return f"read a frame relative to t: {name}_t or {name}_<t-1>"


def _keyword(developed: Spec, needed: bool) -> list[str]:
    kind = developed.inference.kind
    if not needed:
        return []
    return [f"{{lookahead: {developed.inference.delay}}}" if kind is InferenceKind.LOOKAHEAD else kind.value]


def _without(conditional: Conditional, drawn: Sequence[str]) -> Conditional:
    """Return a conditional without single frames of what is drawn in the same run."""
    kept = (p for p in conditional.parents if p.frame is None or p.name not in drawn)
    return replace(conditional, parents=tuple(kept))
