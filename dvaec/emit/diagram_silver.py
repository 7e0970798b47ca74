"""Which links of a developed q carry nothing but silver: dependences that the exact posterior does not have.

A link v_{t+l} -> h_t carries, to each latent z, the offsets l + r of v, r running over the offsets at which z
reads h directly or through other deterministic nodes. It is silver if all of these are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import replace

from dvaec.derive.model import Comparison, Derivation
from dvaec.emit.diagram import Tone
from dvaec.emit.diagram_arrows import COLUMN_OF, Link
from dvaec.emit.diagram_reads import Reader
from dvaec.spec.model import Parent, Spec
from dvaec.spec.offsets import Offsets

_HORIZON = 12  # frames either way: more than the three slices of a picture can show


def toned(spec: Spec, derivation: Derivation, readers: tuple[Reader, ...], links: list[Link]) -> list[Link]:
    """Split off what is silver, and add what is golden.

    A silver link that hides in a state beside plain ones has no arrow of its own; it is then drawn as golden
    ones are, from the variable straight to the latent.
    """
    comparisons = derivation.comparisons
    silver = _silver_links(spec, readers, comparisons)
    out: list[Link] = []
    for link in links:
        there = silver.get((_key(link.parent), (link.target, link.column)))
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
    shown = {link.parent.name for link in out if link.tone is Tone.SILVER}
    for comparison in comparisons:
        target, column = _target(comparison)
        hidden = [p for p in comparison.silver if p.name not in shown]
        out += [Link(p, target, column, Tone.SILVER) for p in hidden]
        out += [Link(p, target, column, Tone.GOLDEN) for p in comparison.golden]
    return out


_Key = tuple[str, int | None]
"""A parent's name and absolute frame, or a target's name and column."""


def _key(parent: Parent) -> _Key:
    return parent.name, parent.frame


def _target(comparison: Comparison) -> _Key:
    return comparison.target, None if comparison.frame is None else COLUMN_OF[comparison.frame]


def _silver_links(
    spec: Spec, readers: tuple[Reader, ...], comparisons: Iterable[Comparison]
) -> dict[tuple[_Key, _Key], Parent]:
    """Map (source, reader) to the part of that link which is silver, whole or at some offsets."""
    silver = {(_target(c), _key(p)): p for c in comparisons for p in c.silver}
    if not silver:
        return {}
    variables = {v.name for v in spec.variables}
    reached = {r.name: _reach(r.name, readers, variables) for r in readers if r.name not in variables}
    out: dict[tuple[_Key, _Key], Parent] = {}
    for reader in readers:
        name = (reader.name, reader.column)
        for parent in reader.reads:
            if parent.name not in variables:
                continue
            if reader.name in variables:
                part = silver.get((name, _key(parent)))
                if part is not None:
                    out[_key(parent), name] = _common(parent, part)
            elif reader.column is None and _all_silver(parent, reached[reader.name], silver):
                out[_key(parent), name] = parent
    return {key: p for key, p in out.items() if p.offsets is None or p.offsets}


def _common(parent: Parent, part: Parent) -> Parent:
    if parent.offsets is None or part.offsets is None:
        return parent
    return replace(parent, offsets=parent.offsets & part.offsets)


def _reach(name: str, readers: tuple[Reader, ...], variables: set[str]) -> list[tuple[_Key, int]] | None:
    """The latents that see the deterministic node, and the offsets at which they do, within the horizon.

    None where some reader has no frame t of its own: what it sees is not counted in offsets.
    """
    seen: set[tuple[str, int]] = {(name, 0)}
    out: dict[tuple[_Key, int], None] = {}
    queue = deque([(name, 0)])
    while queue:
        node, frame = queue.popleft()
        for reader in readers:
            for parent in reader.reads:
                if parent.name != node:
                    continue
                if parent.offsets is None or reader.column is not None:
                    return None
                for d in parent.offsets.within(-_HORIZON, _HORIZON):
                    at = (reader.name, frame - d)
                    if reader.name in variables:
                        out[(reader.name, None), d - frame] = None
                    elif at not in seen and abs(at[1]) <= _HORIZON:
                        seen.add(at)
                        queue.append(at)
    return list(out)


def _all_silver(
    parent: Parent, reached: list[tuple[_Key, int]] | None, silver: dict[tuple[_Key, _Key], Parent]
) -> bool:
    if not reached:
        return False
    for latent, r in reached:
        part = silver.get((latent, _key(parent)))
        if part is None:
            return False
        if parent.offsets is None or part.offsets is None:
            continue
        carried: Offsets = parent.offsets.shift(r)
        if not carried <= part.offsets:
            return False
    return True
