"""The minimal conditioning set of a latent as windows relative to its frame t, proven for every T.

Let N be the network of infinitely many frames to both sides of t. The T-frame networks are induced
subgraphs of it, and growing a network only adds moral edges; so the sets derived in N, clipped to 1..T,
hold for every T, and they are the union of the sets of all T. In N take E, what the target is given; R, the
ancestors of E and of the target; K, the moral component of the target among R outside E. The minimal set is
E's part of the families that meet K.

K is found exactly, as eventually periodic sets, by growing it through the families and by one rule of
repetition:

    Let the network outside E, seen from the target's frame on, contain its own shift to the right. If some
    variable is in K at the frames s < s', then K contains its own shift by s' - s.

    Proof. Shift the path from the target to s to the right by s' - s: it links the target's variable at t +
    s' - s to the variable at s', which is linked to the target. So the target's variable at t + s' - s is
    in K, and every path from the target, shifted likewise, starts there.

So each variable of K is at one frame only, or at {first, first + g, first + 2 g, ...} with one common g; g
only shrinks (by divisors) and the firsts only come down, hence the growth stops. Where it stops, K is
closed under the families of N: nothing outside can be reached at any horizon. Every member was reached:
nothing in it is too much. Evidence that ends (filtering, look-ahead) leaves finitely many nodes outside E,
and the plain growth stops.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import gcd

from dvaec.network.template import Template, reflect
from dvaec.spec.model import Parent
from dvaec.spec.offsets import NONE, NOW, Offsets, plus, union, window

LONGEST_GROWTH = 10_000
LONGEST_PERIOD = 1_000

Sets = dict[str, Offsets]


class NoFixpointError(ValueError):
    """The growth did not come to rest, or would not soon: the windows are not known to hold for every T."""

    code = "DV201"


@dataclass(frozen=True)
class Windows:
    """The windows of one target; the component K repeats from `first` on with `period`."""

    target: str
    parents: tuple[Parent, ...]
    component: tuple[Parent, ...]
    first: int
    period: int


def stationary_windows(template: Template, target: str, given: Mapping[str, Offsets | None]) -> Windows:
    """Return the minimal conditioning set of `target` as windows, given E as windows (`template.evidence`).

    Raises NoFixpointError if the growth is not known to stop.
    """
    _bound_periods(template)
    framed: Sets = {name: offsets for name, offsets in given.items() if offsets is not None}
    relevant = _relevant(template, target, framed)
    outside: Sets = {name: relevant[name] - framed[name] for name in framed}
    component = _component(template, target, relevant, outside)
    frames = _meeting(template, relevant, component)
    found: dict[str, Offsets | None] = dict(_members(template, frames, framed))
    for family in template.families:
        if frames[family.target]:
            found.update((p.name, None) for p in family.parents if p.offsets is None)
    starts = [_bounds(offsets) for offsets in component.values() if offsets]
    return Windows(
        target=target,
        parents=template.sort(found),
        component=template.sort(component),
        first=max(first for first, _ in starts),
        period=max(1, gcd(*(step for _, step in starts))),
    )


def _bound_periods(template: Template) -> None:
    """Refuse windows whose strides together repeat too seldom to be written down."""
    for family in template.families:
        for parent in family.parents:
            offsets = parent.offsets
            period = 1 if offsets is None else max(len(offsets.past), len(offsets.future))
            if period > LONGEST_PERIOD:
                reads = f"{family.target} reads {parent.name} in a pattern that repeats every {period} frames"
                raise NoFixpointError(f"{reads}; at most {LONGEST_PERIOD} are supported")


def _relevant(template: Template, target: str, given: Sets) -> Sets:
    """Return R, the ancestors of what is given and of the target: barren descendants are pruned."""
    found = {name: offsets | (NOW if name == target else NONE) for name, offsets in given.items()}
    for _ in range(LONGEST_GROWTH):
        before = dict(found)
        for family in reversed(template.families):
            for parent in family.parents:
                if parent.offsets is not None:
                    found[parent.name] |= plus(found[family.target], parent.offsets)
        if found == before:
            return found
    raise NoFixpointError(f"the ancestors of what {target} is given do not come to rest")


def _component(template: Template, target: str, relevant: Sets, outside: Sets) -> Sets:
    """Return K by growth through the families, with the rule of repetition where it holds."""
    everything = {f.target: _frames(f.parents, outside) | outside[f.target] for f in template.families}
    repeats = all(
        (relevant[child] & frames).shift(1) <= relevant[child] for child, frames in everything.items()
    ) and all(offsets.shift(1) <= offsets for offsets in outside.values())
    found = dict.fromkeys(outside, NONE) | {target: NOW}
    for _ in range(LONGEST_GROWTH):
        before = dict(found)
        grown = _members(template, _meeting(template, relevant, found), outside)
        found = {name: found[name] | grown[name] for name in found}
        if repeats:
            found = _repeat(found)
        if found == before:
            return found
    raise NoFixpointError(f"the component of {target} does not come to rest")


def _repeat(found: Sets) -> Sets:
    """Apply the rule of repetition: every variable goes on from its first frame by the common step."""
    bounds = {name: _bounds(offsets) for name, offsets in found.items() if offsets}
    step = gcd(*(step for _, step in bounds.values()))
    if step == 0:
        return found
    return {n: window(bounds[n][0], None, step) if n in bounds else NONE for n in found}


def _bounds(offsets: Offsets) -> tuple[int, int]:
    """Return the smallest member and the greatest common divisor of all distances (0 for a single member)."""
    if offsets.reaches_past:
        raise NoFixpointError("a component that reaches back without end is not supported")
    members = offsets.within(offsets.low, offsets.high + 2 * len(offsets.future))
    return members[0], gcd(*(m - members[0] for m in members))


def _frames(parents: tuple[Parent, ...], sets: Sets) -> Offsets:
    """Return the frames of a child whose parents meet the sets."""
    return union(plus(sets[p.name], reflect(p.offsets)) for p in parents if p.offsets is not None)


def _meeting(template: Template, relevant: Sets, sets: Sets) -> Sets:
    """Return, per child, the frames of its relevant families that meet the sets."""
    return {
        f.target: relevant[f.target] & (sets[f.target] | _frames(f.parents, sets)) for f in template.families
    }


def _members(template: Template, frames: Sets, within: Sets) -> Sets:
    """Return the members of the families at these frames, as far as they lie within the given sets."""
    found = dict.fromkeys(within, NONE)
    for family in template.families:
        at = frames[family.target]
        found[family.target] |= at
        for parent in family.parents:
            if parent.offsets is not None:
                found[parent.name] |= plus(at, parent.offsets)
    return {name: found[name] & within[name] for name in within}
