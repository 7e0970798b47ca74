"""What the latents of a developed q see: the variables under their heads, through states and features.

Counted frame by frame, relative to the latent's own, within a horizon: the windows of recurrences are cut
there, the same way whatever links are left out.
"""

from __future__ import annotations

from collections.abc import Iterator

from dvaec.emit.diagram_reads import Reader
from dvaec.spec.model import Parent

HORIZON = 12  # frames either way: more than the three slices of a picture can show
Key = tuple[str, int | None]
"""A reader's name and column."""
Edge = tuple[Parent, Key]
"""What is read, and by whom."""
Where = int | None | tuple[int, int]
"""A frame relative to the latent's; None for a sequence; or an absolute frame, and a distance from it."""
Seen = frozenset[tuple[str, Where]]

_EVERYWHERE = (-1, 0)  # for what is read at all frames, by one of a whole sequence


def key_of(reader: Reader) -> Key:
    """Return how a reader is told from others."""
    return reader.name, reader.column


def seen(readers: tuple[Reader, ...], variables: frozenset[str]) -> dict[Key, Seen]:
    """Return what each head sees."""
    return {
        key: frozenset((n, w) for n, w, _ in some) for key, some in _walked(readers, variables, None).items()
    }


def seen_through(readers: tuple[Reader, ...], variables: frozenset[str], edge: Edge) -> dict[Key, Seen]:
    """Return what each head sees through one link."""
    walked = _walked(readers, variables, edge)
    return {key: frozenset((n, w) for n, w, through in some if through) for key, some in walked.items()}


def at_frame(where: Where, parent: Parent) -> Iterator[Where]:
    """Yield where a parent stands that is read from some place, within the horizon."""
    if parent.frame is not None:
        yield parent.frame, 0
    elif parent.offsets is None:
        yield None
    elif where is None or where == _EVERYWHERE:
        yield _EVERYWHERE
    elif isinstance(where, int):
        yield from parent.offsets.within(-HORIZON - where, HORIZON - where) and (
            where + d for d in parent.offsets.within(-HORIZON - where, HORIZON - where)
        )
    else:
        frame, apart = where
        yield from ((frame, apart + d) for d in parent.offsets.within(-HORIZON - apart, HORIZON - apart))


def _walked(
    readers: tuple[Reader, ...], variables: frozenset[str], edge: Edge | None
) -> dict[Key, set[tuple[str, Where, bool]]]:
    """Walk up from every head; whether the way led through the link is part of a step."""
    inner: dict[str, list[Reader]] = {}
    for reader in readers:
        if reader.name not in variables:
            inner.setdefault(reader.name, []).append(reader)
    out: dict[Key, set[tuple[str, Where, bool]]] = {}
    for head in readers:
        if head.name not in variables:
            continue
        found: set[tuple[str, Where, bool]] = set()
        out[key_of(head)] = {one for one in _climb(head, inner, edge, found) if one[0] in variables}
    return out


def _climb(
    head: Reader, inner: dict[str, list[Reader]], edge: Edge | None, found: set[tuple[str, Where, bool]]
) -> set[tuple[str, Where, bool]]:
    """Add to what is found all that is read, directly or through deterministic nodes."""
    stack: list[tuple[Reader, Where, bool]] = [(head, 0, False)]
    if head.column is not None:
        stack = [(head, (head.column, 0), False)]
    while stack:
        reader, where, through = stack.pop()
        for parent in reader.reads:
            passed = through or edge == (parent, key_of(reader))
            for place in at_frame(where, parent):
                step = (parent.name, place, passed)
                if step not in found:
                    found.add(step)
                    stack += [(one, place, passed) for one in inner.get(parent.name, ())]
    return found
