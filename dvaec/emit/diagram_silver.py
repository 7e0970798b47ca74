"""Which links of a developed q carry what the exact posterior does not have: they are silver.

A link of the developed form carries to each latent the variables, at their offsets, that the latent sees
through it. It is silver if it carries something silver, and if q without it, and without the others chosen,
sees all else that it saw. Where the exact posterior reads x_{t:T}, of a forward and a backward state that is
the whole forward one (Figure 5.1); where x_t comes through the forward state alone, its recurrence only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from dvaec.derive.model import Comparison, Derivation
from dvaec.emit.diagram import Tone
from dvaec.emit.diagram_arrows import COLUMN_OF, Link
from dvaec.emit.diagram_reads import Reader
from dvaec.emit.diagram_sight import HORIZON, Edge, Key, Seen, at_frame, key_of, seen, seen_through
from dvaec.spec.model import Parent, Spec


def toned(spec: Spec, derivation: Derivation, readers: tuple[Reader, ...], links: list[Link]) -> list[Link]:
    """Split off what is silver, and add what is golden.

    Silver that hides in a link which carries plain things too has no arrow of its own; it is then drawn as
    golden ones are, from the variable straight to the latent.
    """
    comparisons = derivation.comparisons
    variables = frozenset(v.name for v in spec.variables)
    silver = _silver_links(readers, variables, comparisons)
    out: list[Link] = []
    for link in links:
        there = silver.get((link.parent, (link.target, link.column)))
        if there is None:
            out.append(link)
        elif link.parent.offsets is None or there.offsets is None:
            out.append(replace(link, tone=Tone.SILVER))
        else:
            offsets = link.parent.offsets
            out += [
                replace(link, parent=replace(link.parent, offsets=part), tone=tone)
                for part, tone in ((offsets - there.offsets, Tone.PLAIN), (there.offsets, Tone.SILVER))
                if part
            ]
    left = seen(tuple(_without(reader, silver) for reader in readers), variables)
    for comparison in comparisons:
        target, column = key = _target(comparison)
        hidden = [p for p in comparison.silver if _is_seen(p, left.get(key, frozenset()))]
        out += [Link(p, target, column, Tone.SILVER) for p in hidden]
        out += [Link(p, target, column, Tone.GOLDEN) for p in comparison.golden]
    return out


def _target(comparison: Comparison) -> Key:
    return comparison.target, None if comparison.frame is None else COLUMN_OF[comparison.frame]


def _tokens(parent: Parent) -> Seen:
    """What a silver parent of a latent is, frame by frame, within the horizon."""
    return frozenset((parent.name, place) for place in at_frame(0, parent))


def _is_seen(parent: Parent, sight: Seen) -> bool:
    """Whether something of a silver parent is seen; what is seen from an absolute frame may be it."""
    of_name = {where for name, where in sight if name == parent.name}
    return bool(of_name & set(at_frame(0, parent))) or any(isinstance(where, tuple) for where in of_name)


def _silver_links(
    readers: tuple[Reader, ...], variables: frozenset[str], comparisons: Iterable[Comparison]
) -> dict[Edge, Parent]:
    """Map links to the part of each which is silver: the whole, or, of a head that reads it, some offsets."""
    parts = {(_target(c), (p.name, p.frame)): p for c in comparisons for p in c.silver}
    if not parts:
        return {}
    out: dict[Edge, Parent] = {}
    for reader in readers:
        for parent in reader.reads if reader.name in variables else ():
            part = parts.get((key_of(reader), (parent.name, parent.frame)))
            if part is not None:
                common = _common(parent, part)
                if common.offsets is None or common.offsets:
                    out[parent, key_of(reader)] = common
    silver: dict[Key, Seen] = {}
    for (key, _), part in parts.items():
        silver[key] = silver.get(key, frozenset()) | _tokens(part)
    for edge in _chosen(readers, variables, silver):
        out[edge] = edge[0]
    return out


def _chosen(readers: tuple[Reader, ...], variables: frozenset[str], silver: dict[Key, Seen]) -> list[Edge]:
    """The links from or to deterministic nodes that q can do without, but for what is silver."""
    before = seen(readers, variables)
    begun = {r.name for r in readers if r.column is not None and r.name not in variables}
    chosen: list[Edge] = []
    for reader in readers:
        for parent in reader.reads:
            inner = reader.name not in variables or parent.name not in variables
            # What a start reads is seen through the recurrence: from how far is not counted here.
            if not inner or reader.column is not None or parent.offsets is None or parent.name in begun:
                continue
            edge = (parent, key_of(reader))
            carried = seen_through(readers, variables, edge)
            if not any(carried.get(key, frozenset()) & some for key, some in silver.items()):
                continue
            trial = {one: one[0] for one in (*chosen, edge)}
            after = seen(tuple(_without(r, trial) for r in readers), variables)
            if all(before[key] - after[key] <= silver.get(key, frozenset()) for key in before):
                chosen.append(edge)
    return chosen


def _common(parent: Parent, part: Parent) -> Parent:
    if parent.offsets is None or part.offsets is None:
        return parent
    return replace(parent, offsets=parent.offsets & part.offsets)


def _without(reader: Reader, silver: dict[Edge, Parent]) -> Reader:
    """Return the reader without what is silver of its reads."""
    reads = []
    for parent in reader.reads:
        there = silver.get((parent, key_of(reader)))
        if there is None:
            reads.append(parent)
        elif parent.offsets is not None and there.offsets is not None and parent.offsets - there.offsets:
            reads.append(replace(parent, offsets=parent.offsets - there.offsets))
    return replace(reader, reads=tuple(reads))


__all__ = ["HORIZON", "toned"]
