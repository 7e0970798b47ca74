"""Why a factor of the exact posterior reads a variable or not: an active trail, or what blocks them all.

A question about frame t is answered by the posterior's windows and shown in a network that is long enough.
One about a sequence-level target or a single frame is answered in networks of growing length: longer ones
only have more moral edges, so that a dependence found in one holds in all that are longer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import lcm

from dvaec.derive.answers import Explanation, Finding
from dvaec.derive.factors import by_key, serving
from dvaec.derive.model import Derivation
from dvaec.derive.question import Question
from dvaec.derive.trails import Arrow, Block, Collider, Frames, Place, Trails
from dvaec.network.separation import Judgement, judge
from dvaec.network.template import Template, evidence, template_of
from dvaec.network.unrolled import Node, TooLargeError, Unrolled, arrows, unroll
from dvaec.spec.model import LAST, Conditional, Parent, Spec
from dvaec.spec.offsets import NONE, Offsets

SOON = 20  # frames to either side of t, before it is tried whether a dependence holds at the ends only
MOST_RESTS = 12
LARGEST_SEARCHED = 100_000  # arrows of the networks in which single frames are searched

__all__ = ["Arrow", "Block", "Collider", "Explanation", "Finding", "Frames", "Place", "explain"]


def explain(spec: Spec, derivation: Derivation, question: Question) -> Explanation:
    """Answer a question with its reasons; the parts of a window that are answered alike share one."""
    if question.frame is not None or not spec.variable(question.target).framed:
        return _at_frames(spec, derivation, question)
    template, name = template_of(spec), question.candidate.name
    asked = question.candidate.offsets
    exact = derivation.posterior.of(question.target)
    q = serving(by_key(derivation.inference), question.target, None)
    if asked is None:
        return _static(template, question, exact, q)
    allowed = evidence(template, question.target).get(name) or NONE
    inside, read = _offsets(exact, name), _offsets(q, name)
    findings = tuple(
        _finding(template, question.target, Parent(name, part), depends)
        for part, depends in ((asked & inside, True), ((asked & allowed) - inside, False))
        if part
    )
    return Explanation(
        question=question,
        answer=bool(asked & inside),
        findings=findings,
        later=_part(name, asked - allowed),
        used=_part(name, asked & read),
        golden=_part(name, (asked & inside) - read),
        silver=_part(name, (asked & read) - inside),
    )


def _static(template: Template, question: Question, exact: Conditional, q: Conditional) -> Explanation:
    candidate = question.candidate
    allowed = candidate.name in evidence(template, question.target)
    there, read = exact.of(candidate.name) is not None, q.of(candidate.name) is not None
    return Explanation(
        question=question,
        answer=there,
        findings=(_finding(template, question.target, candidate, there),) if allowed else (),
        later=None if allowed else candidate,
        used=candidate if read else None,
        golden=candidate if there and not read else None,
        silver=candidate if read and not there else None,
    )


def _offsets(conditional: Conditional, name: str) -> Offsets:
    parent = conditional.of(name)
    return parent.offsets if parent is not None and parent.offsets is not None else NONE


def _part(name: str, offsets: Offsets) -> Parent | None:
    return Parent(name, offsets) if offsets else None


def _finding(template: Template, target: str, part: Parent, depends: bool) -> Finding:
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
        given = network.given(frame, evidence(template, target))
        judgement = judge(network, Node(target, frame), given)
        if not depends or member in judgement:
            return _shown(judgement, part, member, trails, depends)
        if SOON < margin <= 2 * SOON + template.lag:
            found = _at_an_end(network, target, part, nearest)
            if found is not None:
                return found
        if arrows(template, network.frames) > LARGEST_SEARCHED:
            return Finding(part, depends, trails.place(member), shown=False)
        margin *= 2


def _at_an_end(network: Unrolled, target: str, part: Parent, nearest: int | None) -> Finding | None:
    """Show a dependence that holds near an end of the sequence only, at its first frame there."""
    near, last = network.template.lag + 2, network.frames
    for frame in (*range(1, near + 1), *range(last, last - near, -1)):
        member = Node(part.name, None if nearest is None else frame + nearest)
        if member in network.parents:
            judgement = judge(
                network, Node(target, frame), network.given(frame, evidence(network.template, target))
            )
            if member in judgement:
                return _shown(judgement, part, member, Trails(network.template, None), True)
    return None


def _shown(
    judgement: Judgement, part: Parent | Frames, member: Node, trails: Trails, depends: bool
) -> Finding:
    example = trails.place(member)
    frames = judgement.network.frames if trails.frame is None else None
    if not depends:
        return Finding(part, False, example, blocks=trails.blocks(judgement, member), frames=frames)
    trail = judgement.witness(member)
    steps = trails.arrows(trail.steps)
    return Finding(part, True, example, steps, trails.colliders(trail), frames=frames)


def _nearest(offsets: Offsets) -> int:
    """Return the member nearest to zero, the later one of two."""
    reach = offsets.reach
    return min(offsets.within(-reach, reach), key=lambda d: (abs(d), -d))


def _at_frames(spec: Spec, derivation: Derivation, question: Question) -> Explanation:
    """Answer a question about a sequence-level target, or about one frame."""
    template, candidate = template_of(spec), question.candidate
    judgements = _judged(template, question, derivation)
    longest = judgements[-1]
    network, target = longest.network, longest.target
    asked = [n for n in _asked(network, candidate) if n != target or candidate.offsets is None]
    hits = [(one, n) for one in judgements for n in _asked(one.network, candidate) if n in one]
    inside = {n for n in asked if n in longest or (candidate.offsets is None and hits)}
    read = set(
        network.reads(serving(by_key(derivation.inference), question.target, target.frame), target.frame)
    )

    def part(nodes: Iterable[Node]) -> Parent | Frames | None:
        some = tuple(nodes)
        return _named(candidate, some, template, network) if some else None

    free = [n for n in asked if n in longest.evidence and n not in inside]
    trails, findings = Trails(template, None), []
    if inside:
        nearest = min(inside, key=lambda n: _distance(n, target))
        shown = next((hit for hit in hits if hit[0].target == target and hit[1] == nearest), hits[0])
        members = tuple(n for n in asked if n in inside)
        part_inside = _named(candidate, members, template, network)
        findings.append(_shown(shown[0], part_inside, shown[1], trails, True))
    if free:
        nearest = min(free, key=lambda n: _distance(n, target))
        findings.append(_shown(longest, _named(candidate, free, template, network), nearest, trails, False))
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


def _judged(template: Template, question: Question, derivation: Derivation) -> tuple[Judgement, ...]:
    """Judge what the target depends on in networks of growing length.

    They grow until the factors repeat, by the proofs of the windows. What is asked of frame T may depend on
    the rest that T leaves by the period, so that lengths of every rest are tried.
    """
    proofs = [factor.proof for factor in derivation.posterior.factors]
    bound = max((max(p.first, p.searched) + p.period + p.lag + 2 for p in proofs), default=0)
    windows = [p.offsets for family in template.families for p in family.parents if p.offsets is not None]
    strides = [max(len(offsets.past), len(offsets.future)) for offsets in windows]
    period = min(MOST_RESTS, lcm(*strides, *(p.period for p in proofs)))
    asked = (question.frame, question.candidate.frame)
    start, near = max((n for n in asked if n is not None), default=0), template.lag + 2
    rests = range(period if LAST in asked else 1)
    found: list[Judgement] = []
    for margin in sorted({size + rest for size in (near, 2 * near, 4 * near, bound) for rest in rests}):
        frames = max(0, start) + margin
        if found and arrows(template, frames) > LARGEST_SEARCHED:
            break
        network = unroll(template, frames)
        frame = frames if question.frame == LAST else question.frame
        given = network.given(frame, evidence(template, question.target))
        found.append(judge(network, Node(question.target, frame), given))
    return tuple(found)


def _asked(network: Unrolled, candidate: Parent) -> tuple[Node, ...]:
    """Return the frames of the candidate that exist, all of them where it is open."""
    nodes = tuple(n for n in network.parents if n.name == candidate.name)
    if candidate.frame is None:
        return nodes
    at = network.frames if candidate.frame == LAST else candidate.frame
    return tuple(n for n in nodes if n.frame == at)


def _named(
    candidate: Parent, nodes: Sequence[Node], template: Template, network: Unrolled
) -> Parent | Frames:
    if candidate.offsets is None:
        return candidate
    frames = tuple(n.frame for n in nodes if n.frame is not None)
    return Frames(candidate.name, frames, template.first(candidate.name), network.frames)


def _distance(node: Node, target: Node) -> tuple[int, int]:
    return (abs((node.frame or 0) - (target.frame or 0)), node.frame or 0)
