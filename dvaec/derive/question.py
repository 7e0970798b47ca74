"""The question `z_t <- x_<t+1>`: does the exact posterior's factor of z_t read x_{t+1}?"""

from __future__ import annotations

from dataclasses import dataclass

from dvaec.diagnostics import Diagnostic, Fault, Sources, Span, did_you_mean
from dvaec.spec.codes import Code
from dvaec.spec.model import Parent, Role, Spec
from dvaec.spec.offsets import NOW
from dvaec.spec.subscripts import Reference, parse_reference
from dvaec.spec.tokens import NotationError

FILE = "question"
FORM = "ask for example 'z_t <- x_<t+1>'"
ARROWS = ("<-", "←")


@dataclass(frozen=True)
class Question:
    """A latent at frame t, and a window of a variable that its factor may read."""

    target: str
    candidate: Parent


def parse_question(text: str, spec: Spec) -> Question:
    """Read a question about `spec`; raises `Fault` with positions in a text called `question`."""
    arrow = next((a for a in ARROWS if a in text), None)
    if arrow is None:
        raise _fault(text, Code.NOTATION, "a question has an arrow '<-'", 0, len(text), FORM)
    at = text.index(arrow)
    target = _reference(text, 0, at)
    candidate = _reference(text, at + len(arrow), len(text))
    _known(text, target, spec)
    _known(text, candidate, spec)
    if spec.variable(target.name).role is not Role.LATENT:
        message = (
            f"{target.name} is not a latent variable; the posterior has factors of latent variables only"
        )
        raise _fault(text, Code.TARGET, message, target.start, target.stop, _latents(spec))
    if target.offsets != NOW:
        hint = f"write {target.name}_t, and the other frame relative to t"
        raise _fault(text, Code.TARGET, "the target stands at frame t", target.start, target.stop, hint)
    return Question(target.name, Parent(candidate.name, candidate.offsets))


def _latents(spec: Spec) -> str:
    if not spec.latents:
        return "nothing is latent in this model"
    return "ask about " + " or ".join(f"{v.name}_t" for v in spec.having(Role.LATENT))


def _reference(text: str, start: int, stop: int) -> Reference:
    try:
        return parse_reference(text, start, stop)
    except NotationError as error:
        raise _fault(text, error.code, error.message, error.start, error.stop, error.hint) from None


def _known(text: str, reference: Reference, spec: Spec) -> None:
    """Refuse names that are not variables and subscripts of the wrong level."""
    names = [v.name for v in spec.variables]
    name, start, stop = reference.name, reference.start, reference.stop
    if name not in names:
        deterministic = {s.name for s in spec.states} | {f.name for f in spec.features}
        if name in deterministic:
            message = f"{name} is deterministic; the posterior is about variables"
            raise _fault(text, Code.NOT_A_VARIABLE, message, start, stop, f"variables are {', '.join(names)}")
        hint = did_you_mean(name, names) or f"variables are {', '.join(names)}"
        raise _fault(text, Code.UNDEFINED, f"'{name}' is not defined", start, stop, hint)
    framed = spec.variable(name).framed
    if reference.frame is not None:
        message = "a question names frames relative to t"
        raise _fault(text, Code.NOT_SUPPORTED, message, start, stop, f"for example {name}_<t-1>")
    if framed and reference.offsets is None:
        raise _fault(text, Code.LEVEL, f"{name} has frames", start, stop, f"write {name}_t or {name}_<t-1>")
    if not framed and reference.offsets is not None:
        raise _fault(text, Code.LEVEL, f"{name} has no frames", start, stop, f"write {name}")


def _fault(text: str, code: Code, message: str, start: int, stop: int, hint: str | None) -> Fault:
    span = Span(FILE, 1, start + 1, max(1, stop - start))
    return Fault([Diagnostic(code, message, span, hint)], Sources({FILE: text}))
