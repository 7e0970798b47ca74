"""Declared q against the exact posterior: golden and silver arrows, and links that q does not need."""

from __future__ import annotations

from collections.abc import Iterable

from dvaec.derive.beyond import beyond, read_of_these
from dvaec.derive.factors import by_key, placed, serving
from dvaec.derive.model import Comparison, Posterior, served_by
from dvaec.derive.unseen import unseen
from dvaec.network.numbered import last_windows, numbered_windows
from dvaec.network.template import Template, template_of
from dvaec.network.unframed import unframed_windows
from dvaec.network.windows import NoFixpointError, stationary_windows
from dvaec.spec.model import LAST, Conditional, Parent, Spec
from dvaec.spec.offsets import NONE, NOW, Offsets, of


def compare(spec: Spec, posterior: Posterior, inference: Iterable[Conditional]) -> tuple[Comparison, ...]:
    """Return, per factor of the exact posterior, what only it reads (golden), only q reads (silver).

    And what q reads without need: a link is redundant if the target is D-separated from it given all else
    that q reads. With E all that q reads, these are the links outside the minimal set; each can be left out,
    and all together, since a minimal set is one. Where the exact posterior has a factor of frame 1 or T and
    q has none, what q's conditional of every frame lacks there is told, too.

    Where q is not swept, it has another order than the exact posterior, and they are not compared.
    Where q's networks see less at the ends than its windows say, that is told (`unseen`), and nothing is
    called redundant: the rest may not be seen there.
    """
    factors = by_key(inference)
    found, lost = [], unseen(spec, factors.values())
    for name, frame in posterior.keys:
        exact, q = posterior.of(name, frame), serving(factors, name, frame)
        if q.frame != frame:
            if not spec.swept:
                continue
            there = _there(spec, q, frame)
            golden = beyond(exact, there, spec.zero)
            found.append(Comparison(name, golden, (), frame, singles=read_of_these(golden, there)))
            continue
        less = lost.get((name, frame), ())
        idle = () if less or (q == exact and spec.swept) else redundant(spec, q, served_by(factors, name))
        if spec.swept:
            golden, silver = beyond(exact, q, spec.zero), beyond(q, exact, spec.zero)
            single = read_of_these(golden, q), read_of_these(silver, exact)
            found.append(Comparison(name, golden, silver, frame, idle, less, *single))
        elif idle or less:
            found.append(Comparison(name, (), (), frame, idle, less))
    return tuple(found)


def _there(spec: Spec, q: Conditional, frame: int | None) -> Conditional:
    """Return what q's conditional of every frame reads at frame 1 or T, as a line of that frame would."""
    return Conditional(q.target, placed(spec, q, frame), frame)


def redundant(spec: Spec, q: Conditional, served: tuple[int, int] = (1, 0)) -> tuple[Parent, ...]:
    """Return the links of one factor of q that tell the target nothing, given the rest of what it reads.

    What is named is redundant at every frame of every T, of a conditional of frame t at every t that is
    `served` (`model.served_by`). None is named where no windows are found for E, nor what a single frame, far
    from t, would alone make idle.
    """
    template = template_of(spec)
    given: dict[str, Offsets | None] = {v.name: NONE for v in spec.variables if v.framed}
    given |= {p.name: p.offsets for p in q.parents if p.frame is None}
    absolute = [p for p in q.parents if p.frame is not None]
    try:
        if q.target not in template.static and q.frame is None:
            single = tuple((p.name, p.frame) for p in absolute if p.frame is not None)
            windows = stationary_windows(template, q.target, given, served, single)
            needed = Conditional(q.target, windows.places)
            near = Conditional(q.target, tuple(p for p in q.parents if p.frame is None))
            idle = (*beyond(near, needed), *(p for p in absolute if (p.name, p.frame) not in windows.singles))
            place = {(p.name, p.frame): k for k, p in enumerate(q.parents)}
            return tuple(sorted(idle, key=lambda p: place[p.name, p.frame]))
        if q.frame == LAST:
            return _redundant_at_last(template, q, given, served[0] == 1)
        if q.frame is not None:
            return _redundant_at(template, q, given)
        found = unframed_windows(template, q.target, given, absolute).parents
    except NoFixpointError:
        return ()
    whole = {p.name for p in found if p.offsets is not None}
    there = {(p.name, p.frame) for p in found}
    some = {p.name for p in found}
    return tuple(
        p
        for p in q.parents
        if (p.name not in some if p.frame is None else (p.name, p.frame) not in there and p.name not in whole)
    )


def _redundant_at(template: Template, q: Conditional, given: dict[str, Offsets | None]) -> tuple[Parent, ...]:
    """Return what the line of frame 0 or 1 reads without need."""
    for parent in q.parents:
        if parent.frame in (0, 1):
            given[parent.name] = (given[parent.name] or NONE) | of(parent.frame - (q.frame or 0))
    single = tuple((p.name, LAST) for p in q.parents if p.frame == LAST)
    windows = numbered_windows(template, q.target, q.frame or 0, given, single)
    last = tuple(Parent(name, None, LAST) for name, _ in sorted(windows.singles))
    needed = Conditional(q.target, (*windows.parents, *last), q.frame)
    return beyond(q, needed, template.zero)


def _redundant_at_last(
    template: Template, q: Conditional, given: dict[str, Offsets | None], alone: bool
) -> tuple[Parent, ...]:
    """Return what the line of frame T reads without need; `alone` as `last_windows` has it."""
    for parent in q.parents:
        if parent.frame == LAST:
            given[parent.name] = (given[parent.name] or NONE) | NOW
    single = tuple((p.name, p.frame) for p in q.parents if p.frame in (0, 1))
    windows = last_windows(template, q.target, given, alone, single)
    near = tuple(Parent(name, None, frame) for name, frame in sorted(windows.singles))
    return beyond(q, Conditional(q.target, (*windows.parents, *near), LAST), template.zero)
