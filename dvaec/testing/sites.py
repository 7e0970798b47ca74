"""The factors of p and q at every frame of a finite sequence, and what each of them reads there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from dvaec.derive.unseen import unseen_at
from dvaec.network.ends import Ends, ends
from dvaec.network.unfold import unfold
from dvaec.plan.model import HeadNode, head_name
from dvaec.spec.model import LAST, Attention, Block, Conditional, Parent, Side, Spec, reads_of_head
from dvaec.testing.built import Built
from dvaec.testing.oracles.nodes import chain

Seen = tuple[str, int | None]
"""A variable with its frame (0, 1, ..., T); None for a sequence-level one."""


@dataclass(frozen=True)
class Site:
    """One factor at one frame; `frame` is None at sequence level."""

    side: Side
    conditional: Conditional
    frame: int | None

    @property
    def target(self) -> str:
        """The variable that it is of."""
        return self.conditional.target

    def __str__(self) -> str:
        at = "" if self.frame is None else f"_{self.frame}"
        return f"{self.side}({self.target}{at})"


def sites(built: Built, frames: int) -> Iterator[Site]:
    """Yield all factors, q's in chain-rule order: at each frame the conditional that serves there."""
    spec = built.spec
    p = (*spec.generation, *spec.numbered)
    for side, lines in ((Side.P, p), (Side.Q, built.derivation.inference)):
        own = {(c.target, c.frame) for c in lines if c.frame is not None}
        for line in lines:
            variable = spec.variable(line.target)
            if not variable.framed:
                yield Site(side, line, None)
            elif line.frame == LAST:
                if frames > 1 or (line.target, 1) not in own:
                    yield Site(side, line, frames)
            elif line.frame is not None:
                yield Site(side, line, line.frame)
            else:
                for t in range(1, frames + 1):
                    if (line.target, t) not in own and (t < frames or (line.target, LAST) not in own):
                        yield Site(side, line, t)


def reads(built: Built, site: Site, frames: int) -> frozenset[Seen]:
    """Return what a factor reads at its frame of 1..T, windows clipped.

    q reads an absolute frame of a latent where it has been drawn before, and nothing elsewhere. Where its
    networks alone declare it, it does not read what these do not see at the ends.
    """
    found: set[Seen] = set()
    for parent in site.conditional.parents:
        variable = built.spec.variable(parent.name)
        if not variable.framed:
            found.add((parent.name, None))
        elif parent.frame is not None:
            seen = (parent.name, frames if parent.frame == LAST else parent.frame)
            late = _not_yet(built.spec, site, frames, parent) if site.side is Side.Q else set()
            found |= {seen} - late
        else:
            assert parent.offsets is not None
            t = site.frame or 0
            low = variable.first - t
            found |= {(parent.name, t + d) for d in parent.offsets.within(low, frames - t)}
    if site.side is Side.Q:
        found -= _unseen(built.spec, site, frames)
    return frozenset(found - {(site.target, site.frame)})  # z_0 reads the frames beside its own


@lru_cache(maxsize=8)
def _ends(spec: Spec, frames: int) -> Ends:
    return ends(spec, frames)


def _unseen(spec: Spec, site: Site, frames: int) -> set[Seen]:
    """Return what the network of a factor does not see at its frame, though a window of q holds it."""
    return {
        (lost.name, frame)
        for _, lost in unseen_at(_ends(spec, frames), [site.conditional])
        if lost.frame == site.frame
        for frame in lost.missing or (None,)
    }


def _not_yet(spec: Spec, site: Site, frames: int, parent: Parent) -> set[Seen]:
    """Return the latents that q draws after a factor's own; of one that is not swept, if it is read."""
    if not spec.swept:
        return {(parent.name, site.frame)} if spec.reads_nothing_there(parent, site.conditional) else set()
    drawn = chain(spec, frames)
    return {
        dot for dot in drawn[drawn.index((site.target, site.frame or 0)) :] if spec.variable(dot[0]).framed
    }


def surely_reads(built: Built, site: Site, frames: int) -> frozenset[Seen]:
    """Return what a factor reads without queries of attention: they choose among frames, if there are two."""
    bare = _without_queries(built.spec)
    head = bare.head(site.side, site.target, site.conditional.frame)
    all_of_it = reads(built, site, frames)
    if bare == built.spec or head is None:
        return all_of_it
    seen = Conditional(
        site.target,
        unfold(bare).seen(reads_of_head(head), head.frame),
        site.conditional.frame,
    )
    return all_of_it & reads(replace(built, spec=bare), Site(site.side, seen, site.frame), frames)


def _without_queries(spec: Spec) -> Spec:
    def bare(block: Block | None) -> Block | None:
        return replace(block, query=()) if isinstance(block, Attention) else block

    features = tuple(replace(f, block=bare(f.block) or f.block) for f in spec.features)
    means = (None if h.mean is None else replace(h.mean, block=bare(h.mean.block)) for h in spec.heads)
    heads = tuple(replace(h, block=bare(h.block), mean=m) for h, m in zip(spec.heads, means, strict=True))
    return replace(spec, features=features, heads=heads)


def head_of(built: Built, site: Site) -> HeadNode:
    """Return the head whose fields hold a factor's parameters: frame 1 is part of that of all frames."""
    frame = 0 if site.frame == 0 else None
    node = built.plan.network.node(head_name(site.side, site.target, frame))
    assert isinstance(node, HeadNode)
    return node


def place(site: Site) -> tuple[int, ...]:
    """Return the index of a factor's parameters behind the batch: none, or the frame."""
    return () if site.frame is None or site.frame == 0 else (site.frame - 1,)
