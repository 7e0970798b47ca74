"""Links of the dependence graph: how far in time they reach, and in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dvaec.plan.attention import farthest
from dvaec.plan.model import Dependence
from dvaec.spec.notation import counted, listed, page, windows
from dvaec.spec.offsets import NONE, Offsets, of

_OWN = ("attention_", "convolution_")  # what a conditional attends or convolves with in its own network


def made(name: str) -> str:
    """Write what a node makes at t: h_t, q(z_t); or at its one frame: q(z_0)."""
    side, _, target = name.partition("_")
    at = "" if name.endswith(("_0", "_1")) else "_t"
    for end, there in (("_first", "_1"), ("_last", "_T")):  # the line of frame 1 or T
        if side in ("p", "q") and target.endswith(end):
            target, at = target.removesuffix(end), there
    return f"{side}({target}{at})" if side in ("p", "q") else f"{name}{at}"


def said(name: str) -> str:
    """Write what a node makes in the words of the page, on which not every node stands.

    What a conditional attends or convolves with in its own network bears its name, and the layers and
    directions of a state bear the state's.
    """
    if name.startswith(_OWN):
        _, _, inner = name.partition("_")
        return made(inner.removesuffix("_keys").removesuffix("_mean"))
    return made(name if name.startswith(("p_", "q_")) else on_page(name))


def on_page(name: str) -> str:
    """Name the variable, state or feature of which a node is a part: h for h_layer1; a frame 0 is z_0."""
    return name if name.endswith("_0") else name.partition("_")[0]


def arrow(edge: Dependence) -> str:
    """Write what needs what: h_t <- z_<t-1>, q(z_t) <- h_t."""
    return _arrow(edge, made(edge.reader), edge.source)


def arrow_said(edge: Dependence) -> str:
    """Write what needs what in the words of the page."""
    return _arrow(edge, said(edge.reader), on_page(edge.source))


def gathered(edges: Iterable[Dependence]) -> Iterator[Dependence]:
    """Yield the links with frames of one source that follow one another as one window: z_<t-50:t-1>."""
    edges = tuple(edges)
    frames: dict[tuple[str, str], Offsets] = {}
    for e in edges:
        if e.window is None and e.offset is not None:
            key = (e.reader, e.source)
            frames[key] = frames.get(key, NONE) | of(e.offset)
    for e in edges:
        if e.window is not None or e.offset is None:
            yield e
        elif (read := frames.pop((e.reader, e.source), None)) is not None:
            yield from (Dependence(e.reader, e.source, None, one.offsets) for one in windows(read))


def _arrow(edge: Dependence, reader: str, source: str) -> str:
    at = None if edge.offset is None else of(edge.offset)
    name, _, kept = edge.source.partition("_")
    if kept.startswith(("first_", "last_")):  # a frame that is held: the page names it by its number
        return f"{reader} <- {name}_{'1' if kept.startswith('first_') else '<T>'}"
    return f"{reader} <- {page(source, edge.window or at)}"


def _written(inside: tuple[Dependence, ...]) -> tuple[Dependence, ...]:
    """Return the links of the page: what a block has of its own between source and reader is left out."""
    inner = {e.source for e in inside if e.source.endswith("_keys") or e.source.startswith(_OWN)}

    def through(edge: Dependence) -> Iterator[Dependence]:
        if edge.source not in inner:
            yield edge
        for e in (e for e in inside if e.reader == edge.source and edge.source in inner):
            at = None if e.offset is None or edge.offset is None else e.offset + edge.offset
            window = edge.window or e.window  # of the keys at their own frame, or read at the reader's
            yield from through(Dependence(edge.reader, e.source, at, window))

    return tuple(dict.fromkeys(e for edge in inside if edge.reader not in inner for e in through(edge)))


def distance(edge: Dependence, sign: int) -> int | None:
    """How far in a loop's direction a source is read at most; None where there is no end to it."""
    return sign * (edge.offset or 0) if edge.window is None else farthest(edge.window, sign)


def no_direction(component: tuple[str, ...], inside: tuple[Dependence, ...]) -> str:
    """Name what waits for each other, with one link for each direction of time and the number of the rest."""
    waiting = [f"{name}_t" for name in component if "_" not in name]  # no head, no frame that is held
    shown, others = (waiting, 0) if len(waiting) < 5 else (waiting[:3], len(waiting) - 3)
    names = listed([*shown, f"{others} more"] if others else shown)
    links = [e for e in _written(inside) if not e.source.startswith(("p_", "q_")) and "_held" not in e.reader]
    ways = [[e for e in links if (distance(e, s) or 0) < 0] for s in (1, -1)]
    within = [e for e in links if distance(e, 1) == 0]  # one way alone: it is these that close the cycle
    named = dict.fromkeys([way[0] for way in ways] if all(ways) else within[:2] or links[:1])
    rest = len(links) - len(named)
    more = f" and {counted(rest, 'link')} more" if rest else ""
    return (
        f"{names} wait for each other in no one direction of time: {', '.join(map(arrow_said, named))}{more}"
    )
