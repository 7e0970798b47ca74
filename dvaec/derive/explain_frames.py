"""Questions about single frames, and about what has no frame t, answered in networks of growing length.

Longer networks only have more moral edges, so that a dependence found in one holds in all that are longer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from math import lcm

from dvaec.derive.answers import Explanation, Finding
from dvaec.derive.factors import by_key, serving, serving_at
from dvaec.derive.findings import LARGEST_SEARCHED, shown
from dvaec.derive.model import Derivation
from dvaec.derive.question import Question
from dvaec.derive.trails import Frames, Place, Trails
from dvaec.derive.unseen import is_seen_far, unseen_at
from dvaec.network.ends import ends
from dvaec.network.separation import Judgement, judge
from dvaec.network.template import Template, evidence, singles, template_of
from dvaec.network.unrolled import Node, Unrolled, arrows, unroll
from dvaec.spec.frames import runs
from dvaec.spec.model import LAST, Conditional, Parent, Spec
from dvaec.spec.offsets import Offsets

MOST_RESTS = 12


def explain_frames(spec: Spec, derivation: Derivation, question: Question) -> Explanation:
    """Answer a question about a sequence-level target, or about one frame."""
    template, candidate = template_of(spec), _counted(question)
    judgements = _judged(template, question, derivation)
    longest = judgements[-1]
    network, target = longest.network, longest.target
    back = _counts_back(question)
    asked = [n for n in _asked(network, candidate, back) if n != target or candidate.offsets is None]
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


def explain_far_frame(spec: Spec, derivation: Derivation, question: Question) -> Explanation:
    """Answer a question about frame t and one absolute frame, the first or the last: `z_t <- x_1`.

    The posterior reads it by its number, or by a window that is open to that side. It is shown where t is far
    from both ends; of a strided window, at a t that it reaches the frame from.
    """
    template, candidate, target = template_of(spec), question.candidate, question.target
    exact = derivation.posterior.of(target)
    there = _reads_far(exact, candidate, spec.frames)
    q = serving(by_key(derivation.inference), target, None)
    read = _reads_far(q, candidate, spec.frames) and is_seen_far(spec, derivation.inference, q, candidate)
    allowed = candidate in singles(template, target, None)
    allowed |= _reaches(evidence(template, target).get(candidate.name), candidate, spec.frames)
    middles = _middles(template, derivation) if spec.frames is None else _moments(spec.frames, candidate)
    finding = _far_finding(template, middles, question, there) if allowed else None
    if there and finding is not None and not finding.shown:  # a window may hold what no frame needs of it
        other = _far_finding(template, middles, question, False)
        there, finding = (False, other) if other.shown else (there, finding)
    return Explanation(
        question=question,
        answer=there,
        findings=(finding,) if finding is not None else (),
        later=None if allowed else candidate,
        used=candidate if read else None,
        golden=candidate if there and not read else None,
        silver=candidate if read and not there else None,
    )


def _reads_far(conditional: Conditional, candidate: Parent, frames: int | None) -> bool:
    relative = conditional.of(candidate.name)
    by_number = conditional.of(candidate.name, candidate.frame) is not None
    return by_number or (relative is not None and _reaches(relative.offsets, candidate, frames))


def _reaches(offsets: Offsets | None, candidate: Parent, frames: int | None) -> bool:
    """Whether a window holds the first frames, or the last ones, however far t is from them.

    Where the page fixes T: whether it holds that frame at any other frame t.
    """
    if offsets is None:
        return False
    if frames is not None:
        at = frames if candidate.frame == LAST else candidate.frame or 0
        return any(at - t in offsets for _, t in _moments(frames, candidate))
    return offsets.reaches_future if candidate.frame == LAST else offsets.reaches_past


def _far_finding(
    template: Template, middles: list[tuple[int, int]], question: Question, depends: bool
) -> Finding:
    """Show a dependence in the first of some networks that has it, an independence in the longest of them."""
    middles = [one for one in middles if one == middles[0] or arrows(template, one[0]) <= LARGEST_SEARCHED]
    for frames, t in middles if depends else middles[-1:]:
        network = unroll(template, frames)
        node = Node(question.target, t)
        judgement = judge(network, node, network.before(node, generic=True))
        (member,) = _asked(network, question.candidate)
        if (member in judgement) is depends:
            return shown(judgement, question.candidate, member, Trails(template, None), depends, t)
    return Finding(question.candidate, depends, Place(question.candidate.name, None), shown=False)


def _moments(frames: int, candidate: Parent) -> list[tuple[int, int]]:
    """Return the T that a page fixes with each frame t but the candidate's own, the farthest from it last."""
    at = frames if candidate.frame == LAST else candidate.frame or 0
    return [(frames, t) for t in sorted(range(1, frames + 1), key=lambda t: abs(t - at)) if t != at]


def _middles(template: Template, derivation: Derivation) -> list[tuple[int, int]]:
    """Return lengths T, each with a frame t amid them: t and T of every rest that periods can tell apart."""
    bound, period = _bounds(template, derivation)
    near = template.lag + 2
    return [
        (2 * size + rest + more, size + rest)
        for size in sorted({near, 2 * near, bound})
        for rest in range(period)
        for more in range(period)
    ]


def _bounds(template: Template, derivation: Derivation) -> tuple[int, int]:
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
    bound, period = _bounds(template, derivation)
    start, near = _farthest(question), template.lag + 2
    rests = range(period if LAST in (question.frame, question.candidate.frame) else 1)
    found: list[Judgement] = []
    for margin in sorted({size + rest for size in (near, 2 * near, 4 * near, bound) for rest in rests}):
        frames = max(0, start) + margin
        if found and arrows(template, frames) > LARGEST_SEARCHED:
            break
        found.append(_judgement(template, question, frames))
    return tuple(found)


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
    return [(one, n) for one in judgements for n in _asked(one.network, candidate, back) if n in one]


def _counts_back(question: Question) -> bool:
    """Whether frames are asked about as frame T counts them."""
    return question.frame == LAST and question.candidate.offsets is not None


def _asked(network: Unrolled, candidate: Parent, back: bool = False) -> tuple[Node, ...]:
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
