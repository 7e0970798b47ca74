"""The template network: a spec's conditionals as families that every frame repeats.

A *family* is a child with its parents, the hyperedge that moralisation turns into a clique. Recurrent
states are not in it: the conditionals speak of random variables only, so the states are substituted away
from the start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dvaec.spec.model import Conditional, Parent, Spec
from dvaec.spec.offsets import ALL, NONE, Offsets, from_predicate, of, window


@dataclass(frozen=True)
class Template:
    """Names in declaration order, the generative families, and the latents' order within a frame."""

    names: tuple[str, ...]
    latents: tuple[str, ...]  # in the chain-rule order of q
    static: tuple[str, ...]  # sequence-level names, all of them inputs
    families: tuple[Conditional, ...]

    @property
    def lag(self) -> int:
        """The largest |offset| at which a window of some family ends."""
        return max(
            (end(p.offsets) for c in self.families for p in c.parents if p.offsets is not None), default=0
        )

    def family(self, child: str) -> Conditional | None:
        """Return the family of one child; inputs have none."""
        return next((f for f in self.families if f.target == child), None)

    def sort(self, parents: Mapping[str, Offsets | None]) -> tuple[Parent, ...]:
        """Return the non-empty windows as parents, in declaration order."""
        found = ((name, parents[name]) for name in self.names if name in parents)
        return tuple(Parent(name, offsets) for name, offsets in found if offsets is None or offsets)


def template_of(spec: Spec) -> Template:
    """Return the template network of a spec."""
    return Template(
        names=tuple(v.name for v in spec.variables),
        latents=spec.latents,
        static=tuple(v.name for v in spec.variables if not v.framed),
        families=spec.generation,
    )


def evidence(template: Template, target: str, delay: int | None = None) -> dict[str, Offsets | None]:
    """Return what comes before `target` in the chain rule, as windows relative to its frame t.

    All latents of the frames before t and those earlier in the order within frame t; the observed variables
    and the inputs of every frame, or of the frames up to t + `delay`. Sequence-level names have None.
    """
    seen = ALL if delay is None else window(None, delay)
    place = {name: k for k, name in enumerate(template.latents)}
    given: dict[str, Offsets | None] = {}
    for name in template.names:
        if name in template.static:
            given[name] = None
        elif name in place:
            given[name] = window(None, 0 if place[name] < place[target] else -1)
        else:
            given[name] = seen
    return given


def end(offsets: Offsets) -> int:
    """Return the largest |offset| at which the set stops following its periodic continuation."""
    if not offsets:
        return 0
    if offsets.finite:
        return max(abs(d) for d in offsets.members)
    return max(abs(offsets.low), abs(offsets.high)) + max(len(offsets.past), len(offsets.future)) - 1


def reflect(offsets: Offsets) -> Offsets:
    """Return {-d : d in offsets}: from a child's view of its parent to the parent's view of its child."""
    if not offsets:
        return NONE
    if offsets.finite:
        return of(*(-d for d in offsets.members))
    period = len(offsets.past) * len(offsets.future)
    return from_predicate(1 - offsets.high, 1 - offsets.low, period, lambda d: -d in offsets)
