"""Which conditional serves which frame, on either side, and what it reads there.

A factor's key is (target, frame): frame None for a sequence-level target and for the conditional of every
frame without one of its own, 0, 1 or LAST for a numbered line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from dvaec.derive.model import Lengths
from dvaec.spec.model import LAST, Conditional, Parent, Role, Spec
from dvaec.spec.offsets import ALL, NONE, NOW, Offsets, of, window

Key: TypeAlias = tuple[str, int | None]
Factors: TypeAlias = Mapping[Key, Conditional]


def generative(spec: Spec) -> dict[Key, Conditional]:
    """Return p's conditionals by key."""
    return by_key((*spec.generation, *spec.numbered))


def by_key(conditionals: Iterable[Conditional]) -> dict[Key, Conditional]:
    """Return conditionals by key."""
    return {(c.target, c.frame): c for c in conditionals}


def serving(factors: Factors, target: str, frame: int | None) -> Conditional:
    """Return the conditional of one frame: its own, else the generic one; KeyError where there is none."""
    return factors[target, frame] if (target, frame) in factors else factors[target, None]


def serving_at(factors: Factors, target: str, frame: int | None, frames: int) -> Conditional:
    """Return the conditional of one frame of a sequence of some `frames`."""
    last = frame == frames and (target, frame) not in factors and (target, LAST) in factors
    return serving(factors, target, LAST if last else frame)


def term_frames(spec: Spec, target: str, *sides: Factors) -> tuple[int | None, ...]:
    """Return the frames that a target has terms of: those with a factor of their own (0, 1, LAST), and None.

    Frames 1 and T have one as soon as either side's conditional there is a numbered one.
    """
    variable = spec.variable(target)
    own = [frame for frame in (0, 1, LAST) if any((target, frame) in side for side in sides)]
    return (*(own if variable.framed else ()), None)


def summed_over(frames: tuple[int | None, ...]) -> tuple[int, int]:
    """Return where the sum over t begins, beside the terms of `frames`, and how many it leaves at the end."""
    return 2 if 1 in frames else 1, int(LAST in frames)


def speaking(factors: Factors, target: str) -> int:
    """Return whose line is that of the only frame where T is 1: frame 1's, or T's if that alone has one."""
    return LAST if (target, LAST) in factors and (target, 1) not in factors else 1


def there(target: str, frame: int | None, frames: tuple[int | None, ...], *sides: Factors) -> Lengths:
    """Return for which T there is a term of one of the `frames` that a target has terms of.

    With one side: a factor of that. Where T is 1, frames 1 and T are one, of which one line speaks.
    """
    apart = frame in (1, LAST) and {1, LAST} <= set(frames)
    silent = any(speaking(side, target) != frame for side in sides)
    return Lengths.LONGER if apart and silent else Lengths.ANY


def meet(target: str, *sides: Factors) -> bool:
    """Whether, where T is 1, the line of frame T speaks on one side and that of frame 1 on another."""
    speak = {speaking(side, target) for side in sides}
    return len(speak) > 1 and any((target, 1) in side for side in sides)


def alone(spec: Spec, parents: Iterable[Parent]) -> tuple[Parent, ...]:
    """Return what a line of frame 1 or T reads where T is 1, counted from there."""
    found = []
    for parent in parents:
        there = parent.offsets
        if parent.frame is not None:
            there = of(-1) if parent.frame == 0 else NOW if parent.frame in (1, LAST) else NONE
        if there is not None:
            there = there & window(spec.variable(parent.name).first - 1, 0)
        found.append(Parent(parent.name, there))
    return united(found)


def placed(spec: Spec, conditional: Conditional, frame: int | None) -> tuple[Parent, ...]:
    """Return what a conditional reads where it serves one frame, each name once.

    For frame 0 or 1 the offsets count from that frame, and frames before a variable's first are left out;
    absolute frames other than T become offsets. For frame T no frame behind it is left, and T becomes an
    offset. For frame None the parents are as they stand.
    """
    if frame is None:
        return conditional.parents
    return united(_at(spec, parent, frame) for parent in conditional.parents)


def united(parents: Iterable[Parent]) -> tuple[Parent, ...]:
    """Return parents with the windows of each name united, in order of first appearance.

    Absolute frames stay apart, but go where all frames are read anyway; empty windows go.
    """
    windows: dict[str, Offsets] = {}
    found: dict[tuple[str, int | None, bool], None] = {}
    for parent in parents:
        if parent.offsets is not None:
            windows[parent.name] = windows.get(parent.name, NONE) | parent.offsets
        found[parent.name, parent.frame, parent.offsets is not None] = None
    out = []
    for name, frame, relative in found:
        if relative:
            if windows[name]:
                out.append(Parent(name, windows[name]))
        elif frame is None or windows.get(name) != ALL:
            out.append(Parent(name, None, frame))
    return tuple(out)


def latent_windows(spec: Spec, parents: Iterable[Parent]) -> tuple[Parent, ...]:
    """Return the latents among `parents`, the windows of each united, in q's order."""
    latents = spec.latents
    mine = united(parent for parent in parents if parent.name in latents)
    return tuple(sorted(mine, key=lambda p: (latents.index(p.name), p.offsets is None, p.frame or 0)))


def given_names(spec: Spec) -> tuple[str, ...]:
    """Return what q's marginals are conditioned on: observed variables, then inputs."""
    return tuple(v.name for role in (Role.OBSERVED, Role.INPUT) for v in spec.having(role))


def _at(spec: Spec, parent: Parent, frame: int) -> Parent:
    if frame == LAST:
        if parent.offsets is not None and parent.offsets != ALL:
            return Parent(parent.name, parent.offsets & window(None, 0))
        return Parent(parent.name, NOW) if parent.frame == LAST else parent
    if parent.frame is not None:
        return parent if parent.frame == LAST else Parent(parent.name, of(parent.frame - frame))
    if parent.offsets is None:
        return parent
    first = spec.variable(parent.name).first
    return Parent(parent.name, parent.offsets & window(first - frame, None))
