"""Showing a part's answer: a network that is long enough, and the trail or the blocks in it."""

from __future__ import annotations

from dvaec.derive.answers import Finding
from dvaec.derive.trails import Frames, Trails
from dvaec.network.separation import Judgement, judge
from dvaec.network.template import Template
from dvaec.network.unrolled import Node, TooLargeError, Unrolled, arrows, unroll
from dvaec.spec.model import Parent
from dvaec.spec.offsets import Offsets

SOON = 20  # frames to either side of t, before the ends and short sequences are tried
LARGEST_SEARCHED = 100_000  # arrows of the networks in which single frames are searched


def relative_finding(template: Template, target: str, part: Parent, depends: bool) -> Finding:
    """Show one part's answer on its frame nearest to t, in a network that is long enough."""
    nearest = None if part.offsets is None else _nearest(part.offsets)
    margin = template.lag + 2
    while True:
        frame = max(0, -(nearest or 0)) + margin + 1
        member = Node(part.name, None if nearest is None else frame + nearest)
        trails = Trails(template, frame)
        try:
            network = unroll(template, frame + max(0, nearest or 0) + margin)
        except TooLargeError:
            return Finding(part, depends, trails.place(member), shown=False)
        judgement = judge(network, Node(target, frame), network.before(Node(target, frame)))
        if not depends or member in judgement:
            return shown(judgement, part, member, trails, depends)
        if SOON < margin <= 2 * SOON + template.lag:
            short = (unroll(template, frames) for frames in range(1, template.lag + 3))
            ends = (_at_an_end(one, target, part, nearest) for one in (network, *short))
            if (found := next(filter(None, ends), None)) is not None:
                return found
        if arrows(template, network.frames) > LARGEST_SEARCHED:
            return Finding(part, depends, trails.place(member), shown=False)
        margin *= 2


def _at_an_end(network: Unrolled, target: str, part: Parent, nearest: int | None) -> Finding | None:
    """Show a dependence that holds near an end of the sequence only, at its first frame there."""
    near, last = network.template.lag + 2, network.frames
    for frame in dict.fromkeys((*range(1, min(near, last) + 1), *range(last, max(0, last - near), -1))):
        member = Node(part.name, None if nearest is None else frame + nearest)
        if member in network.parents:
            judgement = judge(network, Node(target, frame), network.before(Node(target, frame)))
            if member in judgement:
                return shown(judgement, part, member, Trails(network.template, None), True)
    return None


def shown(
    judgement: Judgement,
    part: Parent | Frames,
    member: Node,
    trails: Trails,
    depends: bool,
    at: int | None = None,
) -> Finding:
    """Return the answer for a part as one network shows it; `at` is the frame t of absolute places."""
    example = trails.place(member)
    frames = judgement.network.frames if trails.frame is None else None
    if not depends:
        return Finding(part, False, example, blocks=trails.blocks(judgement, member), frames=frames, at=at)
    trail = judgement.witness(member)
    steps = trails.arrows(trail.steps, judgement.network.frames)
    return Finding(part, True, example, steps, trails.colliders(trail), frames=frames, at=at)


def _nearest(offsets: Offsets) -> int:
    """Return the member nearest to zero, the later one of two."""
    reach = offsets.reach
    return min(offsets.within(-reach, reach), key=lambda d: (abs(d), -d))
