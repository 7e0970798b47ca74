"""The minimal conditioning set of what has no frame t: a sequence-level latent.

Here only frame 0, frame 1, frame T and whole windows have a name (`dvaec.network.bits.Marks`). R and K are
found as the least fixpoints over these marks. Each step returns a superset of what it would on the frames
1..T, so what is found is sound for every T > 1. For T = 1, where a line of frame T speaks of frame 1, the set
is found by itself, and what it holds beside the other is added. A set that needs any other frame is written
as the whole window, which means all frames in E.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dvaec.network.bits import ANY, FINAL, ONE, OTHER, ZERO
from dvaec.network.cliques import Scene, Sets
from dvaec.network.finite import Finite
from dvaec.network.scenes import exists, marks_scene
from dvaec.network.template import Template
from dvaec.network.unrolled import Node
from dvaec.network.windows import NoFixpointError, Windows
from dvaec.spec.model import LAST, Parent
from dvaec.spec.offsets import ALL, NONE, Offsets

MARKS = ((0, ZERO), (1, ONE), (LAST, FINAL))


def unframed_windows(
    template: Template,
    target: str,
    given: Mapping[str, Offsets | None],
    absolute: Iterable[Parent] = (),
    alone: tuple[Mapping[str, Offsets | None], tuple[Parent, ...]] | None = None,
) -> Windows:
    """Return the minimal conditioning set of a sequence-level `target`.

    E is `given`, as whole windows, and the single frames `absolute`; where T is 1, it is `alone`, if that is
    another.
    """
    absolute = tuple(absolute)
    scene = marks_scene(template, target)
    inside, outside = _evidence(template, given)
    for parent in absolute:
        inside[parent.name] |= next(mark for at, mark in MARKS if at == parent.frame)
    for name in inside:
        outside[name] &= ~inside[name] | OTHER
    outside[target] |= scene.place
    inside[target] &= ~scene.place
    relevant = scene.relevant(inside)
    component = scene.component(relevant, outside)
    found = _boundary(template, scene, (relevant, component, inside))
    for name, places in found.items():
        if name not in template.static and places & OTHER & outside[name]:
            raise NoFixpointError(
                f"the windows of {target} would end at a frame of {name} between 1 and T, "
                f"which has no name there; give {target} a conditional of its own"
            )
    _of_one_frame(template, found, inside, target, alone or (given, absolute))
    return Windows(target, _parents(template, found), _parents(template, component), 0)


def _boundary(template: Template, scene: Scene, sets: tuple[Sets, Sets, Sets]) -> Sets:
    """Return what R and K (the first two of `sets`) need of E; of T = 1, where E ends at frame 1, too.

    There a read of frame T is one of frame 1, which is in E though frame T of longer sequences is not.
    """
    relevant, component, inside = sets
    families = (*template.families, *template.numbered)
    last = {p.name for family in families for p in family.parents if p.frame == LAST}
    only = {name for name in last if inside[name] & (ONE | FINAL) == ONE}
    within = {name: places | FINAL * (name in only) for name, places in inside.items()}
    found = scene.boundary(relevant, component, within)
    return {
        name: places & ~FINAL | ONE if name in only and places & FINAL else places
        for name, places in found.items()
    }


def _of_one_frame(
    template: Template,
    found: Sets,
    inside: Sets,
    target: str,
    evidence: tuple[Mapping[str, Offsets | None], tuple[Parent, ...]],
) -> None:
    """Add to what was found what the target needs where T = 1."""
    needed = Finite(template, 1).minimal(Node(target, None), *evidence)
    for other, places in needed.items():
        if other in template.static:
            found[other] |= places
            continue
        found[other] |= ZERO if places & 1 else 0
        missing = places & 2 and not found[other] & (ONE | FINAL)
        found[other] |= (FINAL if inside[other] & (ONE | FINAL) == FINAL else ONE) if missing else 0


def _evidence(template: Template, given: Mapping[str, Offsets | None]) -> tuple[Sets, Sets]:
    """Return whole windows as marks, and what is outside."""
    inside = {n: 0 if given.get(n, NONE) == NONE else exists(template, n, ANY) for n in template.names}
    return inside, {name: exists(template, name, ANY) & ~places for name, places in inside.items()}


def _parents(template: Template, found: Mapping[str, int]) -> tuple[Parent, ...]:
    """Write marks as parents, in declaration order."""
    parents = []
    for name in template.names:
        places = found[name]
        if name in template.static:
            parents += [Parent(name, None)] if places else []
        elif places & OTHER:
            parents.append(Parent(name, ALL))
        else:
            parents += [Parent(name, None, at) for at, mark in MARKS if places & mark]
    return tuple(parents)
