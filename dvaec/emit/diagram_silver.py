"""Which links of a developed q carry nothing but silver: dependences that the exact posterior does not have.

A link v_{t+l} -> h_t carries, to each latent z, the offsets l + r of v, r running over the offsets at which z
reads h directly or through other deterministic nodes. It is silver if all of these are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from dvaec.derive.model import Comparison
from dvaec.emit.diagram_reads import Reader
from dvaec.spec.model import Parent, Spec
from dvaec.spec.offsets import Offsets

_HORIZON = 12  # frames either way: more than the three slices of a picture can show


def silver_links(
    spec: Spec, readers: tuple[Reader, ...], comparisons: Iterable[Comparison]
) -> dict[tuple[str, str], Parent]:
    """Map (source, reader) to the part of that link which is silver, whole or at some offsets."""
    silver = {(c.target, p.name): p for c in comparisons for p in c.silver}
    if not silver:
        return {}
    variables = {v.name for v in spec.variables}
    reached = {r.name: _reach(r.name, readers, variables) for r in readers if r.name not in variables}
    out: dict[tuple[str, str], Parent] = {}
    for reader in readers:
        for parent in reader.reads:
            if parent.name not in variables:
                continue
            if reader.name in variables:
                part = silver.get((reader.name, parent.name))
                if part is not None:
                    out[parent.name, reader.name] = _common(parent, part)
            elif _all_silver(parent, reached[reader.name], silver):
                out[parent.name, reader.name] = parent
    return {key: p for key, p in out.items() if p.offsets is None or p.offsets}


def _common(parent: Parent, part: Parent) -> Parent:
    if parent.offsets is None or part.offsets is None:
        return parent
    return Parent(parent.name, parent.offsets & part.offsets)


def _reach(name: str, readers: tuple[Reader, ...], variables: set[str]) -> list[tuple[str, int]]:
    """The latents that see the deterministic node, and the offsets at which they do, within the horizon."""
    seen: set[tuple[str, int]] = {(name, 0)}
    out: dict[tuple[str, int], None] = {}
    queue = deque([(name, 0)])
    while queue:
        node, frame = queue.popleft()
        for reader in readers:
            for parent in reader.reads:
                if parent.name != node or parent.offsets is None:
                    continue
                for d in parent.offsets.within(-_HORIZON, _HORIZON):
                    at = (reader.name, frame - d)
                    if reader.name in variables:
                        out[reader.name, d - frame] = None
                    elif at not in seen and abs(at[1]) <= _HORIZON:
                        seen.add(at)
                        queue.append(at)
    return list(out)


def _all_silver(
    parent: Parent, reached: list[tuple[str, int]], silver: dict[tuple[str, str], Parent]
) -> bool:
    if not reached:
        return False
    for latent, r in reached:
        part = silver.get((latent, parent.name))
        if part is None:
            return False
        if parent.offsets is None or part.offsets is None:
            continue
        carried: Offsets = parent.offsets.shift(r)
        if not carried <= part.offsets:
            return False
    return True
