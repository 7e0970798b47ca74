"""Whether q draws, from a target, something that the target's own prior reads.

If it does not, z_t is independent under q of all that its prior reads, given its own parents in q: the
average of log q - log p over z_t is then KL(q || p), with both conditionals read off the same draw. If it
does, that average is no divergence of the two.

The question is asked of every T and t. A path of q's graph in T frames is a path of the endless template, and
one of the template fits into T frames for T large and t in the middle, so that for sliding windows the
offsets that the template's paths cover (`dvaec.derive.reach`) decide exactly. What a numbered frame reads is
taken as read at every frame, and a frame read from everywhere as any frame: that can only find too many
paths, so the answer "none" is always right. Where there are such reads, and for terms of one frame, what it
finds is then looked for node by node, in short sequences and in one several windows long.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import lcm
from typing import TypeAlias

from dvaec.derive.factors import Factors, by_key, latent_windows, placed, serving_at
from dvaec.derive.model import Lengths, TermKey
from dvaec.derive.order import placed_in_order
from dvaec.derive.reach import moves
from dvaec.spec.model import LAST, Conditional, Parent, Spec
from dvaec.spec.notation import frame_word, page
from dvaec.spec.offsets import ALL, NONE, Offsets, from_predicate, of, window

Node: TypeAlias = tuple[str, int | None]
"""A latent at one frame of a sequence, or of sequence level."""

END = ""
SHORT = 6
"""Sequences up to this length are searched for the shortest path to show."""

LONGEST = 60
"""Longer sequences are not searched at every frame; paths that may be there are then taken to be there."""


@dataclass(frozen=True)
class Route:
    """A directed path under q from the target to what its prior reads, in the language's words.

    Empty where one exists, or may exist, but not in a short sequence.
    """

    names: tuple[str, ...]


def route_from_target(
    spec: Spec,
    key: TermKey,
    p: Conditional,
    inference: Sequence[Conditional],
    served: tuple[int, int] = (1, 0),
) -> Route | None:
    """Return a directed path under q from a term's target to a latent that its prior `p` reads, or None.

    A term of no single frame is of all that are `served` (`factors.summed_over`).
    """
    target, frame, lengths = key
    factors = {key: c for key, c in by_key(inference).items() if key[0] in spec.latents}
    prior = latent_windows(spec, placed(spec, p, frame if p.frame is None else p.frame))
    if not prior or not _may_reach(spec, factors, target, prior):
        return None
    long = 1 if lengths is Lengths.ONE else _long(spec, factors, prior)
    for length, at in _places(spec, key, served, long):
        path = _path(spec, factors, length, (target, at), prior)
        if path is not None:
            origin = length if frame == LAST else at if frame is None else None
            *way, end = path
            names = [_said(spec, node, origin, frame) for node in way]
            read = _by_number(prior, end, at, length) or _said(spec, end, origin, frame)
            return Route((*names, read))
    slides = frame is None and _slides(factors) and all(parent.frame is None for parent in prior)
    return None if long <= LONGEST and not slides else Route(())


def _may_reach(spec: Spec, factors: Factors, start: str, prior: Sequence[Parent]) -> bool:
    """Whether the template has a path from the target to something that its prior reads."""
    edges: dict[tuple[str, str], Offsets] = {}
    for (child, frame), conditional in factors.items():
        read = latent_windows(spec, placed_in_order(spec, conditional, frame))
        _add(edges, spec, child, read, child)
    _add(edges, spec, start, prior, END)
    edges = _between(edges, start, END)
    if (shortcut := _one_way(edges, start)) is not None:
        return shortcut
    return 0 in moves(edges, start, END)


def _add(
    edges: dict[tuple[str, str], Offsets], spec: Spec, reader: str, read: Iterable[Parent], node: str
) -> None:
    """Note by how many frames `node`, which reads as `reader` does, is later than what it reads."""
    for parent in read:
        slides = parent.offsets is not None and spec.variable(reader).framed
        steps = _mirrored(parent.offsets) if slides and parent.offsets is not None else ALL
        edges[parent.name, node] = edges.get((parent.name, node), NONE) | steps


def _mirrored(offsets: Offsets) -> Offsets:
    period = lcm(len(offsets.past), len(offsets.future))
    return from_predicate(1 - offsets.high, 1 - offsets.low, period, lambda d: -d in offsets)


def _between(edges: dict[tuple[str, str], Offsets], start: str, end: str) -> dict[tuple[str, str], Offsets]:
    """Keep the edges on paths from `start` to `end`."""
    after = _closure(start, [(a, b) for a, b in edges])
    before = _closure(end, [(b, a) for a, b in edges])
    return {(a, b): steps for (a, b), steps in edges.items() if a in after and b in before}


def _closure(start: str, arrows: Iterable[tuple[str, str]]) -> frozenset[str]:
    arrows = list(arrows)
    met, queue = {start}, [start]
    while queue:
        node = queue.pop()
        fresh = [b for a, b in arrows if a == node and b not in met]
        met.update(fresh)
        queue += fresh
    return frozenset(met)


def _one_way(edges: dict[tuple[str, str], Offsets], start: str) -> bool | None:
    """Answer where no step goes back in time, or none goes forward: then a path must stay in its frame."""
    for way in (window(0, None), window(None, 0)):
        if all(steps <= way for steps in edges.values()):
            return END in _closure(start, [edge for edge, steps in edges.items() if 0 in steps])
    return None


def _slides(factors: Factors) -> bool:
    """Whether all of q is one template that moves along time."""
    numbered = any(frame is not None for _, frame in factors)
    return not numbered and all(p.frame is None for c in factors.values() for p in c.parents)


def _long(spec: Spec, factors: Factors, prior: Sequence[Parent]) -> int:
    """Return a length at which a middle frame is far, in windows, from both ends."""
    drawn = [p for c in factors.values() for p in latent_windows(spec, c.parents)]
    return 4 * max((p.offsets.reach for p in (*prior, *drawn) if p.offsets is not None), default=1) + 2


def _places(spec: Spec, key: TermKey, served: tuple[int, int], long: int) -> Iterator[tuple[int, int | None]]:
    """List lengths T with the frames of the target that are searched in each, shortest first."""
    target, frame, lengths = key
    shortest = 2 if lengths is Lengths.LONGER else 1
    for length in (*range(shortest, min(SHORT, long) + 1), long):
        if not spec.variable(target).framed:
            yield length, None
        elif frame == LAST:
            yield length, length
        elif frame is not None:
            yield length, frame
        elif length <= LONGEST:
            yield from ((length, at) for at in range(served[0], length + 1 - served[1]))
        else:
            yield length, length // 2


def _path(
    spec: Spec, factors: Factors, length: int, start: Node, prior: Sequence[Parent]
) -> tuple[Node, ...] | None:
    """Return a shortest path of q's graph of `length` frames to what the prior reads at the start's frame."""
    ends = frozenset(nodes(spec, prior, start[1], length))
    children: dict[Node, list[Node]] = {}
    for child, read in reads_at(spec, factors, length).items():
        for node in read:
            children.setdefault(node, []).append(child)
    came: dict[Node, Node | None] = {start: None}
    queue = deque([start])
    while queue:
        node = queue.popleft()
        for child in children.get(node, ()):
            if child not in came:
                came[child] = node
                if child in ends:
                    return _walk(came, child)
                queue.append(child)
    return None


def reads_at(spec: Spec, factors: Factors, length: int) -> dict[Node, tuple[Node, ...]]:
    """Return what q's `factors` of the latents read of them, node by node, in `length` frames."""
    found = {}
    for target in spec.latents:
        for at in _frames(spec, target, length):
            c = serving_at(factors, target, at, length)
            read = latent_windows(spec, placed_in_order(spec, c, c.frame))
            found[target, at] = tuple(nodes(spec, read, at, length))
    return found


def _frames(spec: Spec, name: str, length: int) -> Iterable[int | None]:
    variable = spec.variable(name)
    return range(variable.first, length + 1) if variable.framed else (None,)


def nodes(spec: Spec, parents: Iterable[Parent], at: int | None, length: int) -> Iterator[Node]:
    """List what is read from frame `at` (None: from no frame) in a sequence of `length` frames."""
    for parent in parents:
        first = spec.variable(parent.name).first
        if parent.offsets is not None:
            here = at if at is not None else 0
            yield from ((parent.name, here + d) for d in parent.offsets.within(first - here, length - here))
        elif parent.frame is not None:
            yield parent.name, length if parent.frame == LAST else parent.frame
        else:
            yield parent.name, None


def _walk(came: dict[Node, Node | None], last: Node) -> tuple[Node, ...]:
    path: list[Node] = []
    node: Node | None = last
    while node is not None:
        path.append(node)
        node = came[node]
    return tuple(reversed(path))


def _said(spec: Spec, node: Node, origin: int | None, term: int | None) -> str:
    """Name a node relative to frame `origin`, which is T in a `term` of frame T; else by its number."""
    name, frame = node
    first = spec.variable(name).first
    if frame is None:
        return name
    if origin is None or frame < first:
        return f"{name}_{frame}"
    return page(name, of(frame - origin), first, LAST if term == LAST else None)


def _by_number(prior: Sequence[Parent], node: Node, at: int | None, length: int) -> str | None:
    """Name a node as a prior at frame `at` reads it, where that is by its number: z_T."""
    name, frame = node
    mine = [parent for parent in prior if parent.name == name]
    beside = frame is not None and any(p.offsets and frame - (at or 0) in p.offsets for p in mine)
    numbers = {length if p.frame == LAST else p.frame: p.frame for p in mine if p.frame is not None}
    return None if beside or frame not in numbers else f"{name}_{frame_word(numbers[frame])}"
