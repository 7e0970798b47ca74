"""The question `z_t <- x_<t+1>`: does the exact posterior's factor of z_t read x_{t+1}?

A sequence-level target and one at a single frame are asked about single frames or all of them:
`v <- x_<1:T>`, `z_0 <- x_5`, `z_1 <- u_1`. Frames 0 and 1 may be asked about any frames that have numbers:
`z_1 <- x_<2:T>`, frame T about those that it counts back to: `z_T <- x_<T-1>`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from dvaec.diagnostics import Diagnostic, Fault, Sources, Span, did_you_mean
from dvaec.spec.codes import Code
from dvaec.spec.conditionals import counts_frames
from dvaec.spec.model import LAST, Parent, Role, Spec
from dvaec.spec.notation import raised
from dvaec.spec.offsets import ALL, NOW, of, window
from dvaec.spec.subscripts import Reference, parse_reference
from dvaec.spec.tokens import NotationError

FILE = "question"
LARGEST_FRAME = 200
FORM = "ask for example 'z_t <- x_<t+1>'"
ARROWS = ("<-", "←")


@dataclass(frozen=True)
class Question:
    """A latent at frame t, at one `frame` (LAST for T) or of sequence level, and what its factor may read.

    The candidate is a window relative to t, a sequence-level name, or, where the target has no frame t, one
    absolute frame or all of them. Of frames 0, 1 and T a window is relative to them.
    """

    target: str
    candidate: Parent
    frame: int | None = None


def parse_question(text: str, spec: Spec) -> Question:
    """Read a question about `spec`; raises `Fault` with positions in a text called `question`.

    It may be written as derivations are printed, with small letters and several windows of one variable:
    zₜ ← x₁:ₜ₋₃, xₜ.
    """
    text = raised(text)
    arrow = next((a for a in ARROWS if a in text), None)
    if arrow is None:
        raise _fault(text, Code.NOTATION, "a question has an arrow '<-'", 0, len(text), FORM)
    at = text.index(arrow)
    target = _reference(text, 0, at)
    _known(text, target, spec)
    candidate = _candidate(text, at + len(arrow), spec, counts_frames(target))
    variable = spec.variable(target.name)
    if variable.role is not Role.LATENT:
        message = (
            f"{target.name} is not a latent variable; the posterior has factors of latent variables only"
        )
        raise _fault(text, Code.TARGET, message, target.start, target.stop, _latents(spec))
    if target.offsets is not None and target.offsets != NOW:
        hint = f"write {target.name}_t, and the other frame relative to t"
        raise _fault(text, Code.TARGET, "the target stands at frame t", target.start, target.stop, hint)
    frame, other = _frame(text, target, spec), _frame(text, candidate, spec)
    relative = variable.framed and frame is None
    if relative and other not in (None, 0, 1, LAST):
        message = f"a question about {target.name}_t names frames relative to t, or 0, 1 and T"
        single = f"{target.name}_5 <- {candidate.name}_1"
        hint = f"for example {candidate.name}_<t-1>; or ask about one frame, {single}"
        raise _fault(text, Code.NOT_SUPPORTED, message, candidate.start, candidate.stop, hint)
    offsets = candidate.offsets
    if offsets is not None and candidate.counted:
        every = window(None, 0) if frame == LAST else window(spec.variable(candidate.name).first, None)
        back = 0 if frame in (None, LAST) else frame
        offsets = ALL if every <= offsets else offsets.shift(-back)
    elif not relative and offsets not in (None, ALL):
        name = candidate.name
        message = f"{text[target.start : target.stop]} has no frame t that {name} could be relative to"
        some = {LAST: f"{name}_<T-1>, ", None: ""}.get(frame, f"{name}_<2:T>, ")
        hint = f"name a frame or all of them: {name}_1, {name}_5, {name}_T, {some}{name}_<1:T>"
        raise _fault(text, Code.NOT_SUPPORTED, message, candidate.start, candidate.stop, hint)
    return Question(target.name, Parent(candidate.name, offsets, other), frame)


def _candidate(text: str, start: int, spec: Spec, counting: str | None) -> Reference:
    """Read what stands behind the arrow: a variable, or several windows of it, `counting` as a line does."""
    found = []
    for piece in text[start:].split(","):
        found.append(_reference(text, start, start + len(piece), counting))
        _known(text, found[-1], spec)
        start += len(piece) + 1
    if counting and (len(found) > 1 or found[0].offsets is not None):
        found = [_back_from_last(one) if counting == "T" else _counted(one) for one in found]
    first, *others = found
    offsets = first.offsets
    for one in others:
        if one.name != first.name or one.offsets is None or offsets is None:
            hint = f"ask about each by itself: {text[first.start : first.stop]}"
            raise _fault(text, Code.NOTATION, "a question is about one link", one.start, one.stop, hint)
        offsets |= one.offsets
    return replace(first, offsets=offsets, stop=found[-1].stop)


def _counted(reference: Reference) -> Reference:
    """Return a reference with its frames by their numbers, where it has any."""
    frames = reference.offsets
    if (reference.frame or "").isdigit():
        frames = of(int(reference.frame or ""))
    elif frames == ALL and reference.begins is not None:
        frames = window(int(reference.begins), None)
    elif not reference.counted:
        return reference
    return replace(reference, offsets=frames, frame=None, counted=True)


def _back_from_last(reference: Reference) -> Reference:
    """Return a reference with its frames counted from T, where it can be."""
    if reference.frame == "T":
        return replace(reference, offsets=NOW, frame=None, counted=True)
    every = reference.offsets == ALL and reference.begins is not None
    return replace(reference, offsets=window(None, 0), counted=True) if every else reference


def _frame(text: str, reference: Reference, spec: Spec) -> int | None:
    """Return the absolute frame of a reference; refuse a frame 0 that is not there, and far ones."""
    if reference.frame is None:
        return None
    if reference.frame == "T":
        return LAST
    frame, first = int(reference.frame), spec.variable(reference.name).first
    if frame < first:
        message, hint = (
            f"{reference.name} has no frame 0",
            f"its frames are 1, ..., T; write {reference.name}_1",
        )
        raise _fault(text, Code.WINDOW_BOUND, message, reference.start, reference.stop, hint)
    if frame > LARGEST_FRAME:
        message = f"frames up to {LARGEST_FRAME} can be asked about, not {frame}"
        raise _fault(text, Code.WINDOW_BOUND, message, reference.start, reference.stop, None)
    return frame


def _latents(spec: Spec) -> str:
    if not spec.latents:
        return "nothing is latent in this model"
    names = (f"{v.name}_t" if v.framed else v.name for v in spec.having(Role.LATENT))
    return "ask about " + " or ".join(names)


def _reference(text: str, start: int, stop: int, counting: str | None = None) -> Reference:
    try:
        return parse_reference(text, start, stop, counting)
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
    absolute = reference.frame is not None
    if framed and reference.offsets is None and not absolute:
        raise _fault(text, Code.LEVEL, f"{name} has frames", start, stop, f"write {name}_t or {name}_<t-1>")
    if not framed and (reference.offsets is not None or absolute):
        raise _fault(text, Code.LEVEL, f"{name} has no frames", start, stop, f"write {name}")


def _fault(text: str, code: Code, message: str, start: int, stop: int, hint: str | None) -> Fault:
    span = Span(FILE, 1, start + 1, max(1, stop - start))
    return Fault([Diagnostic(code, message, span, hint)], Sources({FILE: text}))
