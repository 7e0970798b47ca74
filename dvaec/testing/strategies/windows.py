"""Random windows of every kind, and the blocks of variables that they link."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from dvaec.spec.offsets import ALL, Offsets, of
from dvaec.spec.offsets import window as span

FRAMED_LATENTS = ("z", "a", "s")
STATIC_LATENTS = ("v", "m")
Key = tuple[str, int | None]  # a parent: its name, and its absolute frame if it is read at one
Parents = dict[Key, Offsets | None]


@dataclass(frozen=True)
class Block:
    """Frame-level names with one direction of time, or one sequence-level name."""

    names: tuple[str, ...]
    framed: bool
    backward: bool = False


@st.composite
def windows(
    draw: st.DrawFn, *, past: bool, future: bool, now: bool, longest: int = 3, opened: bool = True
) -> Offsets:
    """Draw a non-empty window that keeps to the past, to the future, or goes both ways."""
    low = -longest if past else 0 if now else 1
    high = longest if future else 0 if now else -1
    inside = st.integers(low, high).filter(lambda d: now or d != 0)
    kinds = ["single", "single", "single", "several"]
    if opened:
        kinds += ["before"] * past + ["after"] * future + (["all"] if past and future and now else [])
    kind = draw(st.sampled_from(kinds))
    stride = draw(st.sampled_from((1, 1, 1, 2, 3)))
    if kind == "single":
        return of(draw(inside))
    if kind == "several":
        return of(*draw(st.sets(inside, min_size=1, max_size=3)))
    if kind == "before":
        return span(None, draw(st.integers(low, min(high, 0 if now else -1))), stride)
    if kind == "after":
        return span(draw(st.integers(max(low, 0 if now else 1), high)), None, stride)
    return ALL
