"""What is written round a diagram: its factorization in Unicode, and a legend of what is not self-evident."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import wrap

from dvaec.emit.conditions import in_print_order
from dvaec.emit.diagram import ELLIPSES, PLATES, Arrow, Form, Kind, Place, Remark, Row, Tone
from dvaec.emit.equations import block_words
from dvaec.spec.model import LAST, Combiner, Conditional, Dense, Parent, Role, Side, Spec, Variable
from dvaec.spec.notation import parent_unicode, unicode_form
from dvaec.spec.offsets import ALL, NOW

_WIDEST = 54  # characters of one line of a title: three slices of a picture are as wide
_LEGEND = 50  # of the legend


def title(
    spec: Spec, form: Form, conditionals: tuple[Conditional, ...], frames: int | None = None
) -> tuple[str, ...]:
    """The model's name and form (and T if it is unrolled), then p(x₁:ᴛ, z₁:ᴛ | u₁:ᴛ) = ∏ₜ ..., folded."""
    shape = "developed form" if form.shows_states else "compact form"
    what = "inference model q" if form.of_q else "generative model p"
    latents = spec.having(Role.LATENT)
    observed, inputs = spec.having(Role.OBSERVED), spec.having(Role.INPUT)
    targets, given = (latents, (*observed, *inputs)) if form.of_q else ((*observed, *latents), inputs)
    side = Side.Q if form.of_q else Side.P
    left = f"{side}({_whole(targets)}{' | ' if given else ''}{_whole(given)}) ="
    whole = "" if frames is None else f", T = {frames}"
    return (f"{spec.name}, {what} in {shape}{whole}", *_folded(left, _factors(side, spec, conditionals)))


def _whole(variables: Iterable[Variable]) -> str:
    return ", ".join(unicode_form(v.name, ALL if v.framed else None, v.first) for v in variables)


def _factors(side: Side, spec: Spec, conditionals: tuple[Conditional, ...]) -> list[str]:
    """Single factors first, then the products over the other frames t, in q one a sweep."""
    own = {(c.target, c.frame) for c in conditionals}
    signs = {
        (False, False): "∏ₜ",
        (True, False): "∏ₜ₌₂..ᴛ",
        (False, True): "∏ₜ₌₁..ᴛ₋₁",
        (True, True): "∏ₜ₌₂..ᴛ₋₁",
    }
    sweeps = {name: k for k, sweep in enumerate(spec.order) for name in sweep.latents}
    every = [c for c in conditionals if spec.variable(c.target).framed and c.frame is None]
    out = [_factor(side, spec, c) for c in conditionals if c not in every]
    before: tuple[str, int] | None = None
    for c in every:
        sign = signs[(c.target, 1) in own, (c.target, LAST) in own]
        product = (sign, sweeps[c.target] if side is Side.Q else 0)
        factor = _factor(side, spec, c)
        out.append(factor if product == before else f"{product[0]} {factor}")
        before = product
    return out


def _factor(side: Side, spec: Spec, conditional: Conditional) -> str:
    variable = spec.variable(conditional.target)
    target = parent_unicode(Parent(variable.name, NOW if variable.framed else None, conditional.frame))
    read = in_print_order(spec, side, conditional.parents)
    parents = ", ".join(parent_unicode(p, spec.variable(p.name).first, conditional.frame) for p in read)
    return f"{side}({target} | {parents})" if parents else f"{side}({target})"


def _folded(left: str, factors: list[str]) -> tuple[str, ...]:
    lines = [left]
    for factor in factors:
        if len(lines[-1]) + 1 + len(factor) > _WIDEST:
            lines.append(factor)
        else:
            lines[-1] += f" {factor}"
    return tuple(lines)


def legend(
    spec: Spec, form: Form, arrows: tuple[Arrow, ...], rows: tuple[Row, ...], partial: tuple[Place, ...] = ()
) -> tuple[Remark, ...]:
    """One line for each kind of mark that the picture has, and that needs a word."""
    out: list[Remark] = []
    tones = {a.tone for a in arrows}
    if form.of_q and spec.swept and not tones & {Tone.GOLDEN, Tone.SILVER}:
        out.append(Remark(Tone.PLAIN, "q sees exactly what the exact posterior sees"))
    elif form.of_q:
        out.append(Remark(Tone.PLAIN, "a link of q"))
    if Tone.GOLDEN in tones:
        out.append(Remark(Tone.GOLDEN, "golden: a link of the exact posterior that q lacks"))
    if Tone.SILVER in tones:
        out.append(Remark(Tone.SILVER, "silver: a link of q that the exact posterior lacks"))
    if Tone.AUXILIARY in tones:
        out.append(Remark(Tone.AUXILIARY, "auxiliary (8.4): a prediction, in training"))
    return folded((*out, *beyond(arrows, partial), *_nodes(spec, rows)))


def folded(remarks: Iterable[Remark]) -> tuple[Remark, ...]:
    """Break long lines of a legend; what goes on has no mark of its own."""
    out: list[Remark] = []
    for remark in remarks:
        first, *rest = wrap(remark.text, _LEGEND)
        out += [Remark(remark.mark, first), *(Remark("", line) for line in rest)]
    return tuple(out)


def beyond(arrows: Iterable[Arrow], partial: tuple[Place, ...] = ()) -> tuple[Remark, ...]:
    """Say what stands for the frames beyond the picture."""
    frames, out = {a.source.frame for a in arrows}, []
    if frames & set(PLATES):
        out.append(Remark(Kind.BEYOND, "all of the frames that it names"))
    if partial:
        out.append(Remark("⊆", "some of the frames that it names"))
    if frames & set(ELLIPSES):
        out.append(Remark("⋯", "frames beyond the picture that the window has"))
    return tuple(out)


def _nodes(spec: Spec, rows: tuple[Row, ...]) -> list[Remark]:
    """What a diamond does where it is no plain recurrence or network."""
    blocks = {f.name: f.block for f in spec.features}
    states = {s.name: s for s in spec.states}
    out: dict[str, Remark] = {}
    for row in rows:
        name = row.name.rstrip("<>")
        what: list[str] = []
        if name in blocks and not isinstance(blocks[name], Dense | Combiner):
            what.append(block_words(blocks[name]))
        if name in states:
            state = states[name]
            what += [f"{state.layers} recurrent layers, one above the other"] * (state.layers > 1)
            what += ["a sum over time"] * (state.cell == "sum")
            what += [f"every {state.lag} frames"] * (state.lag > 1)
        if what:
            out.setdefault(name, Remark(unicode_form(name, NOW), ", ".join(what)))
    return list(out.values())
