"""The unrolled network and q's chain-rule order, written out node by node from the spec alone."""

from __future__ import annotations

from collections.abc import Iterable

from dvaec.spec.model import LAST, Conditional, Parent, Role, Spec, Sweep

Dot = tuple[str, int]
"""A variable at a frame; a sequence-level variable has the single place 0."""


def places(spec: Spec, name: str, frames: int) -> range:
    """Return the frames that a variable has; 0 stands for the sequence level."""
    variable = spec.variable(name)
    return range(variable.first, frames + 1) if variable.framed else range(1)


def dots(spec: Spec, parents: Iterable[Parent], frame: int | None, frames: int) -> list[Dot]:
    """Return the parents of one frame as nodes, those that do not exist left out."""
    found: dict[Dot, None] = {}
    for parent in parents:
        there = places(spec, parent.name, frames)
        if parent.frame is not None:
            wanted = [frames if parent.frame == LAST else parent.frame]
        elif parent.offsets is None:
            wanted = [0]
        elif frame is None:
            wanted = list(there)
        else:
            wanted = [s for s in there if s - frame in parent.offsets]
        found.update({(parent.name, s): None for s in wanted if s in there})
    return list(found)


def serving(conditionals: Iterable[Conditional], target: str, frame: int | None, frames: int) -> Conditional:
    """Return the conditional of one frame: its own if there is one, that of frame 1 before that of T."""
    mine = {c.frame: c for c in conditionals if c.target == target}
    if frame is not None and frame in mine:
        return mine[frame]
    return mine[LAST if frame == frames and LAST in mine else None]


def parents_of(spec: Spec, frames: int) -> dict[Dot, list[Dot]]:
    """Return every node of the unrolled network with its parents under p; inputs have none."""
    found: dict[Dot, list[Dot]] = {}
    made = {c.target for c in spec.generation}
    for variable in spec.variables:
        for place in places(spec, variable.name, frames):
            frame, parents = place if variable.framed else None, []
            if variable.name in made:
                line = serving((*spec.generation, *spec.numbered), variable.name, frame, frames)
                parents = dots(spec, line.parents, frame, frames)
            found[variable.name, place] = parents
    return found


def chain(spec: Spec, frames: int) -> list[Dot]:
    """Return all latents in the chain-rule order: sweep by sweep, frame by frame."""
    if frames == 1 and spec.alone:
        return list(spec.alone)
    found: list[Dot] = []
    early = [dot for sweep in spec.order if not sweep.latents for dot in ahead(spec, sweep, frames)]
    for sweep in spec.order:
        if not sweep.latents:
            found += ahead(spec, sweep, frames)
            continue
        if sweep.shifts:
            found += shifted(spec, sweep, frames)
            continue
        later: list[Dot] = []
        near: list[Dot] = []
        turned = sweep.last and not (frames == 1 and any(spec.tells(name, 1) for name in sweep.last))
        for frame in range(frames, -1, -1) if sweep.backward else range(frames + 1):
            names = sweep.last if turned and frame == frames else sweep.latents
            dots_there = [(name, frame) for name in names if frame in places(spec, name, frames)]
            (later if frame > 1 else near).extend(dot for dot in dots_there if dot not in early)
        near = [dot for dot in sweep.first if dot not in early] or near
        found += (*later, *near) if sweep.backward else (*near, *later)
    return found


def shifted(spec: Spec, sweep: Sweep, frames: int) -> list[Dot]:
    """Return the latents of a sweep some of which run behind others: each step draws frames of its own."""
    way = -1 if sweep.backward else 1
    behind = list(zip(sweep.latents, sweep.shifts, strict=True))
    dots = [
        (step, place, (name, frame))
        for place, (name, shift) in enumerate(behind)
        for frame in places(spec, name, frames)
        for step in (way * frame + shift,)
    ]
    return [dot for _, _, dot in sorted(dots)]


def ahead(spec: Spec, sweep: Sweep, frames: int) -> list[Dot]:
    """Return the single frames of a sweep without latents, by their numbers; frame 1 has a line before T."""
    found: list[Dot] = []
    for name, frame in sweep.first:
        at = frames if frame == LAST else frame
        if (name, at) not in found and (frame == at or at > 1 or not spec.tells(name, 1)):
            found.append((name, at))
    return found


def always_given(spec: Spec, frames: int, upto: int | None = None) -> set[Dot]:
    """Return the observed variables and the inputs, those after frame `upto` left out."""
    last = frames if upto is None else min(upto, frames)
    return {
        (v.name, place)
        for v in spec.variables
        if v.role is not Role.LATENT
        for place in places(spec, v.name, frames)
        if not v.framed or place <= last
    }


def given_to(spec: Spec, frames: int, target: Dot, upto: int | None = None, latents: bool = True) -> set[Dot]:
    """Return E: what is observed or given, and the latents that come before the target."""
    before = chain(spec, frames)
    return always_given(spec, frames, upto) | set(before[: before.index(target)] if latents else ())
