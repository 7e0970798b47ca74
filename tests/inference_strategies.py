"""Random conditionals of q for any spec: whatever its chain-rule order allows, golden and silver links at once."""

from __future__ import annotations

from hypothesis import strategies as st

from dvaec.derive.order import earlier, inference_blocks
from dvaec.spec.model import LAST, Conditional, Parent, Role, Spec
from dvaec.spec.offsets import ALL, Offsets, of, window


@st.composite
def inferences(draw: st.DrawFn, spec: Spec) -> tuple[Conditional, ...]:
    """Draw q's conditionals in chain-rule order: one for each latent, for each z_0, and for some z_1."""
    found = []
    for name in spec.latents:
        variable = spec.variable(name)
        frames: list[int | None] = [None]
        if variable.framed and draw(st.integers(0, 4)) == 0:
            frames.insert(0, 1)
        if variable.first == 0:
            frames.insert(0, 0)
        found += [_conditional(draw, spec, name, frame) for frame in frames]
    return tuple(found)


def _conditional(draw: st.DrawFn, spec: Spec, name: str, frame: int | None) -> Conditional:
    before = earlier(spec, inference_blocks(spec), name)
    seen = [Parent(v.name, ALL if v.framed else None) for v in spec.variables if v.role is not Role.LATENT]
    parents: list[Parent] = []
    for allowed in (*seen, *before):
        if draw(st.booleans()):
            continue
        if allowed.offsets is None:
            parents.append(allowed)
        elif frame is None and spec.variable(name).framed:
            offsets = draw(_windows()) & allowed.offsets
            parents += [Parent(allowed.name, offsets)] if offsets else []
        else:
            parents += _absolute(draw, spec, allowed, frame)
    names = [v.name for v in spec.variables]
    parents.sort(key=lambda p: (names.index(p.name), p.offsets is None, p.frame == LAST, p.frame or 0))
    return Conditional(name, tuple(parents), frame)


@st.composite
def _windows(draw: st.DrawFn) -> Offsets:
    kind = draw(st.sampled_from(("single", "single", "several", "past", "future", "all")))
    if kind == "single":
        return of(draw(st.integers(-3, 3)))
    if kind == "several":
        return of(*draw(st.sets(st.integers(-3, 3), min_size=1, max_size=3)))
    if kind == "all":
        return ALL
    edge, stride = draw(st.integers(-2, 2)), draw(st.integers(1, 2))
    return window(None, edge, stride) if kind == "past" else window(edge, None, stride)


def _absolute(draw: st.DrawFn, spec: Spec, allowed: Parent, frame: int | None) -> list[Parent]:
    """All frames where they come first, or single ones."""
    assert allowed.offsets is not None
    if allowed.offsets == ALL:
        if draw(st.booleans()):
            return [Parent(allowed.name, ALL)]
        frames = [0, 1, LAST] if spec.variable(allowed.name).first == 0 else [1, LAST]
    else:
        assert frame is not None
        near = [f for f in (0, 1) if f - frame in allowed.offsets]
        frames = [f for f in near if f >= spec.variable(allowed.name).first]
    return [Parent(allowed.name, None, f) for f in frames if draw(st.booleans())]
