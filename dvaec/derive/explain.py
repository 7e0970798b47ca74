"""Why a factor of the exact posterior reads a variable or not: an active trail, or what blocks them all.

A question about frame t is answered by the posterior's windows and shown in a network that is long enough.
"""

from __future__ import annotations

from dataclasses import replace

from dvaec.derive.answers import Explanation, Finding
from dvaec.derive.explain_far import explain_far_frame
from dvaec.derive.explain_frames import explain_frames
from dvaec.derive.factors import by_key, serving
from dvaec.derive.findings import relative_finding
from dvaec.derive.model import Derivation
from dvaec.derive.question import Question
from dvaec.derive.trails import Arrow, Block, Collider, Frames, Place
from dvaec.network.ends import Lost
from dvaec.network.template import Template, evidence, template_of
from dvaec.spec.model import Conditional, Parent, Spec
from dvaec.spec.offsets import NONE, Offsets

__all__ = ["Arrow", "Block", "Collider", "Explanation", "Finding", "Frames", "Place", "explain"]


def explain(spec: Spec, derivation: Derivation, question: Question) -> Explanation:
    """Answer a question with its reasons; the parts of a window that are answered alike share one.

    Of a q that keeps no order of sweeps, nothing is golden or silver.
    """
    found = _explained(spec, derivation, question)
    return found if spec.swept else replace(found, golden=None, silver=None)


def _explained(spec: Spec, derivation: Derivation, question: Question) -> Explanation:
    if question.frame is not None or not spec.variable(question.target).framed:
        return explain_frames(spec, derivation, question)
    if question.candidate.frame is not None:
        return explain_far_frame(spec, derivation, question)
    template, name = template_of(spec), question.candidate.name
    asked = question.candidate.offsets
    exact = derivation.posterior.of(question.target)
    q = serving(by_key(derivation.inference), question.target, None)
    if asked is None:
        return _static(template, derivation, question, q)
    allowed = evidence(template, question.target).get(name) or NONE
    inside, read = _offsets(exact, name), _offsets(q, name)
    findings = tuple(
        relative_finding(template, question.target, Parent(name, part), depends)
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
        unseen=_unseen(derivation, question),
    )


def _static(template: Template, derivation: Derivation, question: Question, q: Conditional) -> Explanation:
    candidate, exact = question.candidate, derivation.posterior.of(question.target)
    allowed = candidate.name in evidence(template, question.target)
    there, read = exact.of(candidate.name) is not None, q.of(candidate.name) is not None
    return Explanation(
        question=question,
        answer=there,
        findings=(relative_finding(template, question.target, candidate, there),) if allowed else (),
        later=None if allowed else candidate,
        used=candidate if read else None,
        golden=candidate if there and not read else None,
        silver=candidate if read and not there else None,
        unseen=_unseen(derivation, question),
    )


def _unseen(derivation: Derivation, question: Question) -> tuple[Lost, ...]:
    """Return what the networks of q do not see of the candidate near the ends."""
    mine = (c for c in derivation.comparisons if (c.target, c.frame) == (question.target, None))
    return tuple(lost for c in mine for lost in c.unseen if lost.name == question.candidate.name)


def _offsets(conditional: Conditional, name: str) -> Offsets:
    parent = conditional.of(name)
    return parent.offsets if parent is not None and parent.offsets is not None else NONE


def _part(name: str, offsets: Offsets) -> Parent | None:
    return Parent(name, offsets) if offsets else None
