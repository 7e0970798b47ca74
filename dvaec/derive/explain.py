"""Why a factor of the exact posterior reads a variable or not: an active trail, or what blocks them all."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dvaec.derive.model import Derivation
from dvaec.derive.question import Question
from dvaec.network.separation import Judgement, Step, judge
from dvaec.network.template import Template, evidence, template_of
from dvaec.network.unrolled import Node, TooLargeError, unroll
from dvaec.spec.model import Conditional, Parent, Spec
from dvaec.spec.offsets import NONE, Offsets, of, window


@dataclass(frozen=True)
class Place:
    """A variable at a frame relative to t; `offset` is None for a sequence-level one."""

    name: str
    offset: int | None


@dataclass(frozen=True)
class Arrow:
    """One arrow of the generative model from `tail` to `head`; the trail may go `against` it."""

    tail: Place
    head: Place
    against: bool

    @property
    def path(self) -> tuple[str, ...]:
        """Where the page gives this arrow."""
        return ("generation", self.head.name, self.tail.name)


@dataclass(frozen=True)
class Collider:
    """A head-to-head place on a trail, and the way down to the given place that opens it."""

    place: Place
    descent: tuple[Place, ...]


@dataclass(frozen=True)
class Block:
    """Where trails end: a given place (or window), or a head-to-head one that nothing given opens.

    `trail` leads to the nearest of the places.
    """

    at: Parent
    collider: bool
    trail: tuple[Arrow, ...]


@dataclass(frozen=True)
class Finding:
    """The answer for a part of the window in question, shown on `example`, its frame nearest to t.

    A dependence has a `trail` with its `colliders`; an independence has `blocks` (none: nothing leads there).
    `shown` is False where the network that would show it is too large to be searched.
    """

    part: Parent
    depends: bool
    example: Place
    trail: tuple[Arrow, ...] = ()
    colliders: tuple[Collider, ...] = ()
    blocks: tuple[Block, ...] = ()
    shown: bool = True


@dataclass(frozen=True)
class Explanation:
    """The answer to a question, part by part.

    `later` is the part that comes later in the chain-rule order, which the target's factor may not read.
    `used`, `golden` and `silver` are the parts that declared q reads, should read, and reads in vain.
    """

    question: Question
    answer: bool  # whether any part is in the posterior's factor
    findings: tuple[Finding, ...]
    later: Parent | None
    used: Parent | None
    golden: Parent | None
    silver: Parent | None


def explain(spec: Spec, derivation: Derivation, question: Question) -> Explanation:
    """Answer a question with its reasons; the parts of a window that are answered alike share one."""
    template, name = template_of(spec), question.candidate.name
    asked = question.candidate.offsets
    exact = derivation.posterior.of(question.target)
    q = next(c for c in derivation.inference if c.target == question.target)
    if asked is None:
        return _static(template, question, exact, q)
    allowed = evidence(template, question.target)[name] or NONE
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
    there, read = exact.of(candidate.name) is not None, q.of(candidate.name) is not None
    return Explanation(
        question=question,
        answer=there,
        findings=(_finding(template, question.target, candidate, there),),
        later=None,
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
        try:
            network = unroll(template, frame + max(0, nearest or 0) + margin)
        except TooLargeError:
            return Finding(part, depends, _place(member, frame), shown=False)
        given = network.given(frame, evidence(template, target))
        judgement = judge(network, Node(target, frame), given)
        if not depends or member in judgement:
            return _shown(judgement, part, member, frame, depends)
        margin *= 2


def _shown(judgement: Judgement, part: Parent, member: Node, frame: int, depends: bool) -> Finding:
    example = _place(member, frame)
    if depends:
        trail = judgement.witness(member)
        colliders = tuple(
            Collider(_place(o.collider, frame), tuple(_place(n, frame) for n in o.descent))
            for o in trail.opened
        )
        return Finding(part, True, example, _arrows(trail.steps, frame), colliders)
    return Finding(part, False, example, blocks=_blocks(judgement, member, frame))


def _blocks(judgement: Judgement, member: Node, frame: int) -> tuple[Block, ...]:
    """Gather blockers of one variable and kind into a window; the nearest, which is first, lends its trail.

    A run of frames up to an end of the network goes on beyond it, since longer networks continue it.
    """
    gathered: dict[tuple[str, bool], Block] = {}
    for blocker in judgement.blockers(member):
        key = (blocker.node.name, blocker.collider)
        place = _place(blocker.node, frame)
        here = None if place.offset is None else of(place.offset)
        known = gathered.get(key)
        if known is None:
            gathered[key] = Block(Parent(place.name, here), blocker.collider, _arrows(blocker.steps, frame))
        elif here is not None and known.at.offsets is not None:
            gathered[key] = Block(Parent(place.name, known.at.offsets | here), known.collider, known.trail)
    last = judgement.network.frames - frame
    return tuple(replace(block, at=_onward(block.at, 1 - frame, last)) for block in gathered.values())


def _onward(at: Parent, first: int, last: int) -> Parent:
    """Open a window at the ends of the network that a run of at least two of its frames touches."""
    found = at.offsets
    if found is None:
        return at
    if first in found and first + 1 in found:
        found = found | window(None, first)
    if last in found and last - 1 in found:
        found = found | window(last, None)
    return Parent(at.name, found)


def _arrows(steps: tuple[Step, ...], frame: int) -> tuple[Arrow, ...]:
    return tuple(Arrow(_place(s.tail, frame), _place(s.head, frame), s.against) for s in steps)


def _place(node: Node, frame: int) -> Place:
    return Place(node.name, None if node.frame is None else node.frame - frame)


def _nearest(offsets: Offsets) -> int:
    """Return the member nearest to zero, the later one of two."""
    reach = offsets.reach
    return min(offsets.within(-reach, reach), key=lambda d: (abs(d), -d))
