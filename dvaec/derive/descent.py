"""Whether q draws, from a target, something that the target's own prior reads.

If it does not, z_t is independent under q of all that its prior reads, given its own parents in q: the
average of log q - log p over z_t is then KL(q || p), with both conditionals read off the same draw. If it
does, that average is no divergence of the two.

The question is asked of every T and t. A path of q's graph in T frames is a path of the endless template, and
one of the template fits into T frames for T large and t in the middle, so that for sliding windows the
offsets that the template's paths cover (`dvaec.derive.reach`) decide exactly. Numbered frames and absolute
reads stand at one place each: a path through one may come from any frame and go on to any that reads it,
which can only find too many paths. Terms of one frame are searched frame by frame as well.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from dvaec.derive.factors import Factors, Key, by_key, first_of, latent_windows, placed, serving, term_frames
from dvaec.derive.reach import moves
from dvaec.spec.model import LAST, Conditional, Parent, Spec
from dvaec.spec.notation import page
from dvaec.spec.offsets import ALL, NONE, Offsets, from_predicate, of, window

Node: TypeAlias = tuple[str, int | None]
"""A latent at one frame of a sequence, or of sequence level."""

END: Key = ("", None)
SHORT = 6
"""Sequences up to this length are searched at every frame for the shortest path to show."""


@dataclass(frozen=True)
class Route:
    """A directed path under q from the target to what its prior reads, in the language's words.

    Empty where one exists, but in no short sequence.
    """

    names: tuple[str, ...]


def route_from_target(
    spec: Spec, target: str, frame: int | None, p: Conditional, inference: Sequence[Conditional]
) -> Route | None:
    """Return a directed path under q from a target to a latent that its prior `p` reads there, or None.

    `frame` is that of the term, None for all that have no term of their own.
    """
    factors = {key: c for key, c in by_key(inference).items() if key[0] in spec.latents}
    prior = latent_windows(spec, placed(spec, p, frame))
    if not prior or not _may_reach(spec, factors, (target, frame), prior):
        return None
    for length, at in _places(spec, target, frame, factors, prior):
        path = _path(spec, factors, length, (target, at), prior)
        if path is not None:
            return Route(tuple(_said(spec, node, at if frame is None else None) for node in path))
    return Route(()) if frame is None else None


def _may_reach(spec: Spec, factors: Factors, start: Key, prior: Sequence[Parent]) -> bool:
    """Whether the template has a path from the target to something that its prior reads."""
    start = start if start in factors else (start[0], None)
    edges = dict(_edges(spec, factors))
    for parent in prior:
        for key, steps in _sources(spec, factors, parent, start):
            edges[key, END] = edges.get((key, END), NONE) | steps
    edges = _between(edges, start, END)
    if (shortcut := _one_way(edges, start)) is not None:
        return shortcut
    return 0 in moves(edges, start, END)


def _edges(spec: Spec, factors: Factors) -> dict[tuple[Key, Key], Offsets]:
    """Return, for every pair of factors, by how many frames a draw of the one is later than its cause."""
    edges: dict[tuple[Key, Key], Offsets] = {}
    for child, conditional in factors.items():
        for parent in latent_windows(spec, conditional.parents):
            for key, steps in _sources(spec, factors, parent, child):
                edges[key, child] = edges.get((key, child), NONE) | steps
    return edges


def _sources(spec: Spec, factors: Factors, parent: Parent, reader: Key) -> Iterator[tuple[Key, Offsets]]:
    """List the factors whose draws `parent` may be, with the steps from there to the reader's frame."""
    name = parent.name
    own = [b for b in (0, 1) if (name, b) in factors]
    slides = parent.offsets is not None and reader[1] is None and spec.variable(reader[0]).framed
    if parent.frame in own:
        yield (name, parent.frame), ALL
    elif parent.offsets is None or not slides:
        yield (name, None), ALL
        if parent.frame in (None, LAST):
            yield from (((name, b), ALL) for b in own)
    else:
        yield (name, None), _mirrored(parent.offsets)
        earliest = first_of(tuple(f for n, f in factors if n == reader[0]))
        for b in own:  # read from frame f >= earliest as f + d = b
            if parent.offsets & window(None, b - earliest):
                yield (name, b), ALL


def _mirrored(offsets: Offsets) -> Offsets:
    period = len(offsets.past) * len(offsets.future)
    return from_predicate(1 - offsets.high, 1 - offsets.low, period, lambda d: -d in offsets)


def _between(edges: dict[tuple[Key, Key], Offsets], start: Key, end: Key) -> dict[tuple[Key, Key], Offsets]:
    """Keep the edges on paths from `start` to `end`."""
    after = _closure(start, [(a, b) for a, b in edges])
    before = _closure(end, [(b, a) for a, b in edges])
    return {(a, b): steps for (a, b), steps in edges.items() if a in after and b in before}


def _closure(start: Key, arrows: Iterable[tuple[Key, Key]]) -> frozenset[Key]:
    arrows = list(arrows)
    met, queue = {start}, [start]
    while queue:
        node = queue.pop()
        fresh = [b for a, b in arrows if a == node and b not in met]
        met.update(fresh)
        queue += fresh
    return frozenset(met)


def _one_way(edges: dict[tuple[Key, Key], Offsets], start: Key) -> bool | None:
    """Answer where no step goes back in time, or none goes forward: then a path must stay in its frame."""
    for way in (window(0, None), window(None, 0)):
        if all(steps <= way for steps in edges.values()):
            return END in _closure(start, [edge for edge, steps in edges.items() if 0 in steps])
    return None


def _places(
    spec: Spec, target: str, frame: int | None, factors: Factors, prior: Sequence[Parent]
) -> Iterator[tuple[int, int | None]]:
    """List lengths T, with a frame of the target in each, shortest first, then some long ones."""
    framed = spec.variable(target).framed
    drawn = [p for c in factors.values() for p in latent_windows(spec, c.parents)]
    widest = max((p.offsets.reach for p in (*prior, *drawn) if p.offsets is not None), default=1)
    first = first_of(term_frames(spec, target, factors))
    for length in (*range(1, SHORT + 1), 4 * widest + 2):
        if not framed:
            yield length, None
        elif frame is not None:
            yield length, frame
        elif length <= SHORT:
            yield from ((length, at) for at in range(first, length + 1))
        else:
            yield length, length // 2


def _path(
    spec: Spec, factors: Factors, length: int, start: Node, prior: Sequence[Parent]
) -> tuple[Node, ...] | None:
    """Return a shortest path of q's graph of `length` frames to what the prior reads at the start's frame."""
    ends = frozenset(_nodes(spec, prior, start[1], length))
    children: dict[Node, list[Node]] = {}
    for target in spec.latents:
        for at in _frames(spec, target, length):
            c = serving(factors, target, at)
            for node in _nodes(
                spec, latent_windows(spec, placed(spec, c, at if c.frame is not None else None)), at, length
            ):
                children.setdefault(node, []).append((target, at))
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


def _frames(spec: Spec, name: str, length: int) -> Iterable[int | None]:
    variable = spec.variable(name)
    return range(variable.first, length + 1) if variable.framed else (None,)


def _nodes(spec: Spec, parents: Iterable[Parent], at: int | None, length: int) -> Iterator[Node]:
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


def _said(spec: Spec, node: Node, at: int | None) -> str:
    name, frame = node
    if frame is None:
        return name
    if at is None or frame < spec.variable(name).first:
        return f"{name}_{frame}"
    return page(name, of(frame - at))
