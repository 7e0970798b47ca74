"""Questions about single frames, and about what has no frame t, answered in networks of growing length.

Longer networks only have more moral edges, so that a dependence found in one holds in all that are longer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from math import lcm

from dvaec.derive.answers import Explanation
from dvaec.derive.factors import by_key, serving_at
from dvaec.derive.findings import LARGEST_SEARCHED, shown
from dvaec.derive.model import Derivation
from dvaec.derive.question import Question
from dvaec.derive.trails import Frames, Trails
from dvaec.derive.unseen import unseen_at
from dvaec.network.ends import ends
from dvaec.network.separation import Judgement, judge
from dvaec.network.template import Template, template_of
from dvaec.network.unrolled import Node, Unrolled, arrows, unroll
from dvaec.spec.frames import runs
from dvaec.spec.model import LAST, Parent, Spec

MOST_RESTS = 12


def explain_frames(spec: Spec, derivation: Derivation, question: Question) -> Explanation:
    """Answer a question about a sequence-level target, or about one frame."""
    template, candidate = template_of(spec), _counted(question)
    judgements, back = _judged(template, question, derivation), _counts_back(question)
    if back and not _hits(judgements, candidate, back):
        judgements = _short(template, question, candidate) or judgements
    longest = judgements[-1]
    network, target = longest.network, longest.target
    asked = [n for n in asked_of(network, candidate, back) if n != target or candidate.offsets is None]
    hits, factors = _hits(judgements, candidate, back), by_key(derivation.inference)
    q = serving_at(factors, question.target, target.frame, network.frames)
    read = set(network.reads(q, target.frame)) - _unseen(spec, derivation, target, network)
    begun = question.frame == LAST and (question.target, 1) in factors  # which speaks where T is 1
    if candidate.offsets is None and not hits and not begun:  # as at T = 1, where frame 1 is frame T
        short = _judgement(template, question, max(1, _farthest(question)))
        hits = _hits([short], candidate, back)
        q = serving_at(factors, question.target, short.target.frame, short.network.frames)
        there = set(short.network.reads(q, short.target.frame))
        read |= {n for n in asked if hits and hits[0][1] in there}
    inside = {n for n in asked if n in longest or (candidate.offsets is None and hits)}

    def part(nodes: Iterable[Node]) -> Parent | Frames | None:
        some = tuple(nodes)
        return _named(question, some, template, network) if some else None

    free = [n for n in asked if n in longest.evidence and n not in inside]
    trails, findings = Trails(template, None), []
    if inside:
        nearest = min(inside, key=lambda n: _distance(n, target))
        at = next((hit for hit in hits if hit[0].target == target and hit[1] == nearest), hits[0])
        members = tuple(n for n in asked if n in inside)
        part_inside = _named(question, members, template, network)
        findings.append(shown(at[0], part_inside, at[1], trails, True))
    if free:
        nearest = min(free, key=lambda n: _distance(n, target))
        findings.append(shown(longest, _named(question, free, template, network), nearest, trails, False))
    return Explanation(
        question=question,
        answer=bool(inside),
        findings=tuple(findings),
        later=part(n for n in asked if n not in longest.evidence),
        used=part(n for n in asked if n in read),
        golden=part(n for n in asked if n in inside and n not in read),
        silver=part(n for n in asked if n in read and n not in inside),
        framed=target.frame is not None,
    )


def _unseen(spec: Spec, derivation: Derivation, target: Node, network: Unrolled) -> set[Node]:
    """Return what the networks of q do not see near the ends, though its windows hold it."""
    return {
        Node(lost.name, frame)
        for (name, _), lost in unseen_at(ends(spec, network.frames), derivation.inference)
        if (name, lost.frame) == (target.name, target.frame)
        for frame in lost.missing or (None,)
    }


def bounds(template: Template, derivation: Derivation) -> tuple[int, int]:
    """Return the frames after which factors repeat, by the proofs of the windows, and with which period."""
    proofs = [factor.proof for factor in derivation.posterior.factors]
    bound = max((max(p.first, p.searched) + p.period + p.lag + 2 for p in proofs), default=0)
    windows = [p.offsets for family in template.families for p in family.parents if p.offsets is not None]
    strides = [max(len(offsets.past), len(offsets.future)) for offsets in windows]
    return bound, min(MOST_RESTS, lcm(*strides, *(p.period for p in proofs)))


def _judged(template: Template, question: Question, derivation: Derivation) -> tuple[Judgement, ...]:
    """Judge what the target depends on in networks of growing length.

    They grow until the factors repeat, by the proofs of the windows. What is asked of frame T may depend on
    the rest that T leaves by the period, so that lengths of every rest are tried.
    """
    bound, period = bounds(template, derivation)
    start, near = _farthest(question), template.lag + 2
    rests = range(period if LAST in (question.frame, question.candidate.frame) else 1)
    found: list[Judgement] = []
    for margin in sorted({size + rest for size in (near, 2 * near, 4 * near, bound) for rest in rests}):
        frames = max(0, start) + margin
        if found and arrows(template, frames) > LARGEST_SEARCHED:
            break
        found.append(_judgement(template, question, frames))
    return tuple(found)


def _short(template: Template, question: Question, candidate: Parent) -> tuple[Judgement, ...]:
    """Judge what frame T depends on in the longest sequence of some few frames that shows a dependence."""
    judgements = (_judgement(template, question, frames) for frames in range(template.lag + 2, 0, -1))
    return tuple(islice((one for one in judgements if _hits([one], candidate, True)), 1))


def _farthest(question: Question) -> int:
    """Return the last frame that is asked about by its number."""
    asked = (question.frame, question.candidate.frame)
    offsets, far = _counted(question).offsets, None
    if offsets:
        far = -offsets.low if question.frame == LAST else offsets.high
    return max((n for n in (*asked, far) if n is not None), default=0)


def _counted(question: Question) -> Parent:
    """Return the candidate with its frames by their numbers, where they are relative to frame 0 or 1."""
    offsets = question.candidate.offsets
    if not offsets or question.frame == LAST:
        return question.candidate
    return replace(question.candidate, offsets=offsets.shift(question.frame or 0))


def _judgement(template: Template, question: Question, frames: int) -> Judgement:
    frame = frames if question.frame == LAST else question.frame
    return _judge(template, Node(question.target, frame), frames)


@lru_cache(maxsize=8)
def _judge(template: Template, node: Node, frames: int) -> Judgement:
    """Judge a latent node given all that comes before it, whichever candidate is asked about."""
    network = unroll(template, frames)
    return judge(network, node, network.before(node))


def _hits(judgements: Iterable[Judgement], candidate: Parent, back: bool) -> list[tuple[Judgement, Node]]:
    return [(one, n) for one in judgements for n in asked_of(one.network, candidate, back) if n in one]


def _counts_back(question: Question) -> bool:
    """Whether frames are asked about as frame T counts them."""
    return question.frame == LAST and question.candidate.offsets is not None


def asked_of(network: Unrolled, candidate: Parent, back: bool = False) -> tuple[Node, ...]:
    """Return the frames of the candidate that exist; `back` says that it counts from T."""
    nodes = tuple(n for n in network.parents if n.name == candidate.name)
    if candidate.frame is None:
        there, start = candidate.offsets, network.frames if back else 0
        return nodes if there is None else tuple(n for n in nodes if (n.frame or 0) - start in there)
    at = network.frames if candidate.frame == LAST else candidate.frame
    return tuple(n for n in nodes if n.frame == at)


def _named(
    question: Question, nodes: Sequence[Node], template: Template, network: Unrolled
) -> Parent | Frames:
    candidate = question.candidate
    if candidate.offsets is None:
        return candidate
    frames = tuple(n.frame for n in nodes if n.frame is not None)
    first = template.first(candidate.name)
    ended = candidate.offsets.reaches_future and len(runs(frames)) <= 2  # else they count from frame 1
    back = _counts_back(question) or ended
    return Frames(candidate.name, frames, first, network.frames, back)


def _distance(node: Node, target: Node) -> tuple[int, int]:
    return (abs((node.frame or 0) - (target.frame or 0)), node.frame or 0)
