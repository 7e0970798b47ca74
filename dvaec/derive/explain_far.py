"""The answer to one question about frame t and a single frame: the first, or the last, however far away."""

from __future__ import annotations

from dvaec.derive.answers import Explanation, Finding
from dvaec.derive.explain_frames import asked_of, bounds
from dvaec.derive.factors import by_key, serving
from dvaec.derive.findings import LARGEST_SEARCHED, shown
from dvaec.derive.model import Derivation
from dvaec.derive.question import Question
from dvaec.derive.trails import Place, Trails
from dvaec.derive.unseen import is_seen_far
from dvaec.network.separation import judge
from dvaec.network.template import Template, evidence, singles, template_of
from dvaec.network.unrolled import Node, arrows, unroll
from dvaec.spec.model import LAST, Conditional, Parent, Spec
from dvaec.spec.offsets import Offsets


def explain_far_frame(spec: Spec, derivation: Derivation, question: Question) -> Explanation:
    """Answer a question about frame t and one absolute frame, the first or the last: `z_t <- x_1`.

    The posterior reads it by its number, or by a window that is open to that side. It is shown where t is far
    from both ends, of a strided window at a t that it reaches the frame from; else where t is near one.
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
    if there and finding is not None and not finding.shown:
        few = _few(template, candidate)
        near = exact.of(candidate.name)
        if near is None or near.offsets is None or 0 not in near.offsets:  # at its own frame, it is no x_t
            lengths = sorted({frames for frames, _ in few if _own(candidate, frames) > 0})
            few += [(frames, _own(candidate, frames)) for frames in lengths]
        finding = _far_finding(template, few, question, True)
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
        (member,) = asked_of(network, question.candidate)
        if (member in judgement) is depends:
            return shown(judgement, question.candidate, member, Trails(template, None), depends, t)
    return Finding(question.candidate, depends, Place(question.candidate.name, None), shown=False)


def _moments(frames: int, candidate: Parent) -> list[tuple[int, int]]:
    """Return the T that a page fixes with each frame t but the candidate's own, the farthest from it last."""
    at = _own(candidate, frames)
    return [(frames, t) for t in sorted(range(1, frames + 1), key=lambda t: abs(t - at)) if t != at]


def _own(candidate: Parent, frames: int) -> int:
    return frames if candidate.frame == LAST else candidate.frame or 0


def _middles(template: Template, derivation: Derivation) -> list[tuple[int, int]]:
    """Return lengths T, each with a frame t amid them: t and T of every rest that periods can tell apart."""
    bound, period = bounds(template, derivation)
    near = template.lag + 2
    return [
        (2 * size + rest + more, size + rest)
        for size in sorted({near, 2 * near, bound})
        for rest in range(period)
        for more in range(period)
    ]


def _few(template: Template, candidate: Parent) -> list[tuple[int, int]]:
    """Return T in which ends touch, and in which they do not, with each frame t but the candidate's own."""
    lengths = (template.lag + 2, 2 * template.lag + 5)
    return [moment for frames in lengths for moment in reversed(_moments(frames, candidate))]
