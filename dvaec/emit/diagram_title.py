"""What is written round a diagram: its factorization in Unicode, and a legend of what is not self-evident."""

from __future__ import annotations

from collections.abc import Iterable

from dvaec.emit.conditions import in_print_order
from dvaec.emit.diagram import FUTURE, PAST, Arrow, Form, Tone
from dvaec.spec.model import Conditional, Role, Side, Spec, Variable
from dvaec.spec.notation import unicode_form
from dvaec.spec.offsets import ALL, NOW

_WIDEST = 78  # characters of one line of a title


def title(spec: Spec, form: Form, conditionals: tuple[Conditional, ...]) -> tuple[str, ...]:
    """The model's name and form, then p(x₁:ᴛ, z₁:ᴛ | u₁:ᴛ) = ∏ₜ ... or q(z₁:ᴛ | x₁:ᴛ) = ∏ₜ ..., folded."""
    shape = "developed form" if form.shows_states else "compact form"
    what = "inference model" if form.of_q else "generative model"
    latents = spec.having(Role.LATENT)
    observed, inputs = spec.having(Role.OBSERVED), spec.having(Role.INPUT)
    targets, given = (latents, (*observed, *inputs)) if form.of_q else ((*observed, *latents), inputs)
    side = "q" if form.of_q else "p"
    left = f"{side}({_whole(targets)}{' | ' if given else ''}{_whole(given)}) = "
    factors = [_factor(Side(side), spec, c) for c in conditionals]
    return (f"{spec.name}, {what} in {shape}", *_folded(left, factors))


def _whole(variables: Iterable[Variable]) -> str:
    return ", ".join(unicode_form(v.name, ALL if v.framed else None) for v in variables)


def _factor(side: Side, spec: Spec, conditional: Conditional) -> str:
    target = unicode_form(conditional.target, NOW if spec.variable(conditional.target).framed else None)
    read = in_print_order(spec, side, conditional.parents)
    parents = ", ".join(unicode_form(p.name, p.offsets) for p in read)
    return f"{side}({target} | {parents})" if parents else f"{side}({target})"


def _folded(left: str, factors: list[str]) -> tuple[str, ...]:
    lines = [f"{left}∏ₜ"]
    for factor in factors:
        if len(lines[-1]) + 1 + len(factor) > _WIDEST:
            lines.append(factor)
        else:
            lines[-1] += f" {factor}"
    return tuple(lines)


def legend(form: Form, arrows: tuple[Arrow, ...]) -> tuple[tuple[Tone | None, str], ...]:
    """One line for each kind of mark that the picture has, and that needs a word."""
    out: list[tuple[Tone | None, str]] = []
    tones = {a.tone for a in arrows}
    if form.of_q and tones <= {Tone.PLAIN}:
        out.append((Tone.PLAIN, "q sees what the exact posterior sees: no golden and no silver arrow"))
    if Tone.GOLDEN in tones:
        out.append((Tone.GOLDEN, "golden: a link of the exact posterior that q lacks"))
    if Tone.SILVER in tones:
        out.append((Tone.SILVER, "silver: a link of q that the exact posterior does not have"))
    if any(a.source.frame in (PAST, FUTURE) for a in arrows):
        out.append((None, "all that is read of the frames beyond the picture"))
    return tuple(out)
