"""The minimal conditioning set of a sequence-level latent, which has no frame t.

Here only frame 0, frame 1, frame T and whole windows have a name (`dvaec.network.bits.Marks`). R and K are
found as the least fixpoints over these marks. Each step returns a superset of what it would on the frames
1..T, so what is found is sound for every T; a set that needs any other frame is written as the whole window.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dvaec.network.bits import ANY, FINAL, ONE, OTHER, ZERO
from dvaec.network.cliques import Scene, Sets
from dvaec.network.scenes import exists, marks_scene
from dvaec.network.template import Template
from dvaec.network.windows import Windows
from dvaec.spec.model import LAST, Parent
from dvaec.spec.offsets import ALL, NONE, Offsets

MARKS = ((0, ZERO), (1, ONE), (LAST, FINAL))


def unframed_windows(
    template: Template, target: str, given: Mapping[str, Offsets | None], absolute: Iterable[Parent] = ()
) -> Windows:
    """Return the minimal conditioning set of a sequence-level `target`.

    E is `given`, as whole windows or none, and the single frames `absolute`.
    """
    scene = marks_scene(template, target)
    inside = {n: 0 if given.get(n, NONE) == NONE else exists(template, n, ANY) for n in template.names}
    outside = {name: exists(template, name, ANY) & ~places for name, places in inside.items()}
    for parent in absolute:
        inside[parent.name] |= next(mark for at, mark in MARKS if at == parent.frame)
        outside[parent.name] &= ~inside[parent.name] | OTHER
    outside[target], inside[target] = 1, 0
    relevant = scene.relevant(inside)
    component = scene.component(relevant, outside)
    found = _boundary(template, scene, (relevant, component, inside))
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
            parents += [Parent(name, None, frame) for frame, mark in MARKS if places & mark]
    return tuple(parents)
