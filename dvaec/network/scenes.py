"""The template network as cliques: on T frames, on the endless line around t, and without a frame t.

On T frames everything is at its place. On the endless line, cut to -H..H around t, a `Case` says at which
offsets from t frames 1 and T can be: at one, or at any of many. A numbered family stands at every offset that
its frame can have, a family of the whole sequence reads frame T at all of its offsets. Where frames 1 and T
of a T-frame network are at offsets of the case, that network's families are among those of the line, and so
are what is relevant, K and the minimal set: what is found is sound for all of these t and T.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dvaec.network.bits import ANY, FINAL, ONE, OTHER, ZERO, Line, Marks, stencil
from dvaec.network.cliques import Clique, Link, Scene
from dvaec.network.template import Template
from dvaec.spec.model import LAST, Conditional, Parent
from dvaec.spec.offsets import ALL, Offsets, of, window


@dataclass(frozen=True)
class Case:
    """Where frames 1 and T can be, relative to frame t."""

    first: Offsets
    last: Offsets

    def places(self, frame: int) -> Offsets:
        """Return the offsets that frame 0, 1 or T can have."""
        return self.last if frame == LAST else self.first.shift(frame - 1)

    def knows(self, frame: int | None) -> bool:
        """Whether frame 0, 1 or T is at one offset: it then has its own lines, and no others."""
        there = self.last if frame == LAST else self.first
        return there.finite and len(there.members) == 1

    def there(self, line: Line, first: int) -> int:
        """Return the frames of a name that there may be: none before a known `first` one, none after T."""
        low, high = line.low, line.high
        if self.first and self.first.finite:
            low = max(low, min(self.first.members) + first - 1)
        if self.last and self.last.finite:
            high = min(high, max(self.last.members))
        return ((1 << max(0, high - low + 1)) - 1) << (low - line.low)


def frames_scene(template: Template, frames: int, target: str, frame: int | None) -> Scene:
    """Return the network of `frames` frames, which are bits 0..T."""
    line = Line(0, frames)

    def fixed(parent: Parent, at: int) -> Link:
        """A parent of what stands at one frame, or of a sequence-level child."""
        here = exists(template, parent.name, line.full)
        if parent.frame is not None:
            places = 1 << (frames if parent.frame == LAST else parent.frame)
        elif parent.offsets is None:
            places = 1
        else:
            places = line.window(parent.offsets, at)
        return Link(parent.name, fixed=places & here)

    cliques = []
    for family in template.families:
        child = family.target
        if child in template.static:
            cliques.append(Clique(child, 1, tuple(fixed(p, 1) for p in family.parents)))
            continue
        own = {
            t: family
            for family in template.numbered
            if family.target == child
            for t in (frames if family.frame == LAST else family.frame or 0,)
            if template.family(child, t, frames) == family
        }
        cliques += [Clique(child, 1 << t, tuple(fixed(p, t) for p in f.parents)) for t, f in own.items()]
        at = exists(template, child, line.full) & ~sum(1 << t for t in own)
        cliques.append(Clique(child, at, tuple(_usual(p) or fixed(p, 0) for p in family.parents)))
    return Scene(line, tuple(cliques), target, 1 << (frame or 0))


def exists(template: Template, name: str, full: int) -> int:
    """Return the places of a name among the frames 0..T, or marks, in `full`."""
    if name in template.static:
        return 1
    return full if name in template.zero else full & ~1


def line_scene(template: Template, target: str, half: int, case: Case) -> Scene:
    """Return the line -half..half around the target's frame t, with frames 1 and T where the case says."""
    line = Line(-half, half)
    now = 1 << half
    placed = _placed(template, case)
    lines = (*placed, *(f for f in own_lines(template) if not case.knows(f.frame)))
    cliques = [_family(template, line, case, family, placed) for family in template.families]
    cliques += [_numbered(line, case, family) for family in lines]
    return Scene(line, tuple(cliques), target, now)


def own_lines(template: Template) -> tuple[Conditional, ...]:
    """Return the numbered families that read what the template's own families would not read there."""
    return tuple(family for family in template.numbered if not _within(template, family))


def _placed(template: Template, case: Case) -> tuple[Conditional, ...]:
    """Return the numbered families that speak at one known offset; where T = 1, that of frame 1 does."""
    known = [family for family in template.numbered if case.knows(family.frame)]
    begun = {family.target for family in known if family.frame == 1 and case.first == case.last}
    return tuple(family for family in known if family.frame != LAST or family.target not in begun)


def _family(
    template: Template, line: Line, case: Case, family: Conditional, placed: Iterable[Conditional]
) -> Clique:
    if family.target in template.static:
        return Clique(family.target, 1, tuple(_far(line, case, p) for p in family.parents))
    links = tuple(_usual(p) or _far(line, case, p) for p in family.parents)
    at = case.there(line, template.first(family.target))
    for own in (one for one in placed if one.target == family.target):
        at &= ~line.window(case.places(own.frame or 0), 0)
    return Clique(family.target, at, links)


def _usual(parent: Parent) -> Link | None:
    """A parent relative to its child's frame, or of sequence level; None for one frame by its number."""
    if parent.frame is not None:
        return None
    if parent.offsets is None:
        return Link(parent.name, fixed=1)
    return Link(parent.name, stencil(parent.offsets))


def _far(line: Line, case: Case, parent: Parent) -> Link:
    """A parent that is at no fixed distance from its child."""
    if parent.frame is None:
        return Link(parent.name, fixed=1 if parent.offsets is None else line.full)
    return Link(parent.name, fixed=line.window(case.places(parent.frame), 0), said=parent.frame)


def _numbered(line: Line, case: Case, family: Conditional) -> Clique:
    """A numbered family at all the offsets that its frame may have from t."""
    frame = family.frame or 0

    def link(parent: Parent) -> Link:
        if parent.frame is not None and (parent.frame == LAST) == (frame == LAST):
            return Link(parent.name, stencil(of(parent.frame - frame)), said=parent.frame)
        if parent.offsets is not None and parent.offsets != ALL:
            return Link(parent.name, stencil(parent.offsets))
        return _far(line, case, parent)

    links = tuple(link(parent) for parent in family.parents)
    return Clique(family.target, line.window(case.places(frame), 0), links, said=frame)


def _within(template: Template, family: Conditional) -> bool:
    """Whether a numbered family reads nothing that the template's own family would not read at its frame."""
    generic = template.family(family.target)
    if generic is None or family.frame is None:
        return False
    last = family.frame == LAST
    for parent in family.parents:
        usual = generic.of(parent.name)
        if usual is None or (parent.frame is not None and (parent.frame == LAST) != last):
            return False
        if parent.frame is not None and (
            usual.offsets is None or parent.frame - family.frame not in usual.offsets
        ):
            return False
        if (
            parent.frame is None
            and parent.offsets is not None
            and not parent.offsets & (window(None, 0) if last else _from(family.frame))
            <= (usual.offsets or of())
        ):
            return False
    return True


def _from(frame: int) -> Offsets:
    """All frames, relative to the first or the one before."""
    return window(-frame, None)


def marks_scene(template: Template, target: str) -> Scene:
    """Return the network without a frame t, for a target of the sequence level."""
    cliques = []
    for family in template.families:
        child = family.target
        links = tuple(
            _marked(template, p) if child in template.static else _usual(p) or _marked(template, p)
            for p in family.parents
        )
        own = [f for f in template.numbered if f.target == child]
        at = exists(template, child, ANY)
        for numbered in own:
            mark = _MARK[numbered.frame or 0]
            read = (_relative(p) or _marked(template, p) for p in numbered.parents)
            cliques.append(Clique(child, mark, tuple(read)))
            at &= ~mark
        cliques.append(Clique(child, at, links))
    return Scene(Marks(), tuple(cliques), target, ZERO)


_MARK = {0: ZERO, 1: ONE, LAST: FINAL}


def _relative(parent: Parent) -> Link | None:
    """A window that counts from a numbered child's frame, if it is one."""
    if parent.offsets is None or parent.offsets == ALL:
        return None
    return Link(parent.name, stencil(parent.offsets))


def _marked(template: Template, parent: Parent) -> Link:
    """A parent of what has no frame t; at T = 1 frames 1 and T are the same."""
    if parent.frame is None:
        return Link(parent.name, fixed=1 if parent.offsets is None else exists(template, parent.name, ANY))
    if parent.frame == 0:
        return Link(parent.name, fixed=ZERO)
    mark = FINAL if parent.frame == LAST else ONE
    return Link(parent.name, fixed=mark, meets=ONE | FINAL | OTHER * (parent.frame == LAST))
