"""From a spec and its derivation to the diagrams' values.

A reader's links enter the slices by the rule of `dvaec.emit.diagram`: a link z_{t+d} -> x_t with offsets D
becomes, for each slice f, an arrow from every visible frame f + d, d in D, and one from the ellipsis of
either end if D reaches past it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from dvaec.derive.model import Derivation
from dvaec.emit.diagram import FUTURE, PAST, SLICES, Arrow, Diagram, Form, Kind, Place, Row, Tone
from dvaec.emit.diagram_reads import Reader, readers_of
from dvaec.emit.diagram_silver import silver_links
from dvaec.emit.diagram_title import legend, title
from dvaec.spec.model import Role, Side, Spec
from dvaec.spec.notation import unicode_form
from dvaec.spec.offsets import NOW, Offsets

_KINDS = {Role.LATENT: Kind.LATENT, Role.OBSERVED: Kind.OBSERVED, Role.INPUT: Kind.INPUT}


def diagram(spec: Spec, derivation: Derivation, form: Form) -> Diagram:
    """Build one picture. For forms that show states the spec must be developed: every head has its reads."""
    conditionals = derivation.inference if form.of_q else spec.generation
    side = Side.Q if form.of_q else Side.P
    if form.shows_states:
        readers = readers_of(spec, side, conditionals)
    else:
        readers = tuple(Reader(c.target, c.parents) for c in conditionals)
    links = [link for reader in readers for link in _links(reader)]
    if form.of_q:
        links = _toned(spec, derivation, readers, links)
    arrows = tuple(dict.fromkeys(arrow for link in links for arrow in _arrows(link, spec)))
    return Diagram(
        name=spec.name,
        form=form,
        title=title(spec, form, conditionals),
        rows=_rows(spec, side, readers, arrows),
        arrows=arrows,
        legend=legend(form, arrows),
    )


@dataclass(frozen=True)
class Link:
    """All arrows of one template link: `source` read by `target` at `offsets` (None: a whole sequence)."""

    source: str
    target: str
    offsets: Offsets | None
    tone: Tone = Tone.PLAIN


def _links(reader: Reader) -> list[Link]:
    return [Link(p.name, reader.name, p.offsets) for p in reader.reads]


def _toned(spec: Spec, derivation: Derivation, readers: tuple[Reader, ...], links: list[Link]) -> list[Link]:
    """Split off what is silver, and add what is golden.

    A silver link that hides in a state beside plain ones has no arrow of its own; it is then drawn as golden
    ones are, from the variable straight to the latent.
    """
    silver = silver_links(spec, readers, derivation.comparisons)
    out: list[Link] = []
    for link in links:
        there = silver.get((link.source, link.target))
        if there is None:
            out.append(link)
        elif link.offsets is None or there.offsets is None:
            out.append(replace(link, tone=Tone.SILVER))
        else:
            out += [
                replace(link, offsets=part, tone=tone)
                for part, tone in ((link.offsets - there.offsets, Tone.PLAIN), (there.offsets, Tone.SILVER))
                if part
            ]
    shown = {link.source for link in out if link.tone is Tone.SILVER}
    for comparison in derivation.comparisons:
        hidden = [p for p in comparison.silver if p.name not in shown]
        out += [Link(p.name, comparison.target, p.offsets, Tone.SILVER) for p in hidden]
        out += [Link(p.name, comparison.target, p.offsets, Tone.GOLDEN) for p in comparison.golden]
    return out


def _arrows(link: Link, spec: Spec) -> Iterable[Arrow]:
    framed = all(v.framed for v in spec.variables if v.name == link.target)
    for frame in SLICES if framed else (None,):
        target = Place(link.target, frame)
        if link.offsets is None:
            yield Arrow(Place(link.source, None), target, link.tone)
            continue
        here = frame or 0
        for source in _sources(link.offsets, here):
            yield Arrow(Place(link.source, source), target, link.tone)


def _sources(offsets: Offsets, here: int) -> list[int]:
    """The picture's frames that a reader at `here` reads: PAST and FUTURE where the offsets reach past it."""
    reach = offsets.reach + 2 * FUTURE
    read = offsets.within(-reach, reach)
    out = [s for s in SLICES if s - here in offsets]
    if any(here + d < SLICES[0] for d in read):
        out.insert(0, PAST)
    if any(here + d > SLICES[-1] for d in read):
        out.append(FUTURE)
    return out


def _rows(spec: Spec, side: Side, readers: tuple[Reader, ...], arrows: tuple[Arrow, ...]) -> tuple[Row, ...]:
    """Inputs on top, then latents (generative order), deterministic nodes, and observed variables below."""
    used = {p.name for a in arrows for p in (a.source, a.target)}
    targets = [c.target for c in spec.generation]
    drawn = [v for v in spec.variables if v.name in used or v.role is not Role.INPUT]
    drawn.sort(key=lambda v: targets.index(v.name) if v.name in targets else -1)
    rows = {
        role: [
            Row(v.name, unicode_form(v.name, NOW if v.framed else None), _KINDS[role], v.framed)
            for v in drawn
            if v.role is role
        ]
        for role in Role
    }
    middle = _deterministic_rows(spec, side, readers)
    return (*rows[Role.INPUT], *rows[Role.LATENT], *middle, *rows[Role.OBSERVED])


def _deterministic_rows(spec: Spec, side: Side, readers: tuple[Reader, ...]) -> list[Row]:
    """States between the features of latents (above) and the features of observed variables (below).

    Among the states of q the deepest (those that read others) stand nearest the latents; p's nearest what
    they feed.
    """
    roles = {v.name: v.role for v in spec.variables}
    by_name = {r.name: r for r in readers}
    inner = [r for r in readers if r.name not in roles]
    sources = {r.name: _kinds_read(r, by_name, roles) for r in inner}
    depth = {r.name: _depth(r, by_name, roles, ()) for r in inner}

    def band(reader: Reader) -> int:
        if not reader.instantaneous:
            return 1
        if sources[reader.name] == {Role.LATENT}:
            return 0
        return 2 if Role.LATENT not in sources[reader.name] else 1

    towards = -1 if side is Side.Q else 1
    ordered = sorted(inner, key=lambda r: (band(r), towards * depth[r.name]))
    return [Row(r.name, r.label, Kind.DETERMINISTIC, aside=r.instantaneous and band(r) != 1) for r in ordered]


def _kinds_read(reader: Reader, by_name: dict[str, Reader], roles: dict[str, Role]) -> set[Role]:
    """The roles of the variables that a deterministic node reads, through others too."""
    seen = {reader.name}
    stack = [reader]
    out = set()
    while stack:
        for parent in stack.pop().reads:
            if parent.name in roles:
                out.add(roles[parent.name])
            elif parent.name not in seen and parent.name in by_name:
                seen.add(parent.name)
                stack.append(by_name[parent.name])
    return out


def _depth(reader: Reader, by_name: dict[str, Reader], roles: dict[str, Role], above: tuple[str, ...]) -> int:
    """The longest chain of deterministic nodes under this one, recurrences not counted."""
    inner = [p.name for p in reader.reads if p.name not in roles and p.name not in (*above, reader.name)]
    return max((1 + _depth(by_name[n], by_name, roles, (*above, reader.name)) for n in inner), default=0)
