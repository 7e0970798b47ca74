"""Whether something observed follows from every latent, minding which frames are read by their numbers.

x_t | z_1 reads one frame of z: what only the later frames of z are made of is then never seen. A variable
has the frames 0, 1 and those between 1 and T, of which there are as many as one likes.
"""

from __future__ import annotations

from collections.abc import Iterator

from dvaec.spec.codes import Code
from dvaec.spec.conditionals import Line
from dvaec.spec.context import Context
from dvaec.spec.graph import reachable
from dvaec.spec.offsets import of, window
from dvaec.spec.subscripts import Reference

LATER = "t"  # any frame after the first
Place = tuple[str, str]  # a name with "0", "1" or LATER; a sequence-level one has ""


def check_decoding(context: Context, lines: list[Line]) -> None:
    """Report the latents from no frame of which anything observed follows."""
    observed, latents = context.having("observed"), context.having("latent")
    if not observed:
        return
    children: dict[str, list[str]] = {}
    for parent, child in _arrows(context, lines):
        children.setdefault(_text(parent), []).append(_text(child))
    seen = {_text((name, moment)) for name in observed for moment in _moments(context, name)}

    def blind(name: str) -> bool:
        starts = (_text((name, moment)) for moment in _moments(context, name))
        return not any(met in seen for start in starts for met in reachable(start, children))

    unseen = [name for name in latents if blind(name)]
    if len(latents) > 1 and unseen == list(latents):
        message = "no decoding path: nothing observed depends on any latent"
        hint = "let an observed variable read a latent"
        context.report.add(Code.NO_DECODING, message, context.parsed.span(("generation",)), hint)
        return
    for name in unseen:
        message = f"nothing observed depends on the latent '{name}'"
        hint = "let an observed variable read it, or leave it out"
        span = context.parsed.span(("variables", name))
        context.report.add(Code.NO_OBSERVED_DESCENDANT, message, span, hint)


def _text(place: Place) -> str:
    return " ".join(place)


def _moments(context: Context, name: str) -> tuple[str, ...]:
    """The kinds of frames that a variable has."""
    if not context.framed[name]:
        return ("",)
    later = () if context.parsed.shape.T == 1 else (LATER,)
    return (*(("0",) if name in context.zero else ()), "1", *later)


def _arrows(context: Context, lines: list[Line]) -> Iterator[tuple[Place, Place]]:
    """Yield who is read by whom, as (parent, child)."""
    numbered = {(line.target.name, line.target.frame) for line in lines}
    for line in lines:
        name, own = line.target.name, line.target.frame
        for moment in _moments(context, name):
            if own is None:
                speaks = moment != "0" and (name, moment) not in numbered
            else:
                speaks = own == ("T" if moment == LATER else moment)
            for parent in line.parents if speaks else ():
                there = _moments(context, parent.name)
                for one in there:
                    if (one == there[-1]) if parent.frame == "T" else _reads(moment, parent, one):
                        yield (parent.name, one), (name, moment)


def _reads(moment: str, parent: Reference, one: str) -> bool:
    """Whether some frame of kind `one` is read at a frame of kind `moment`."""
    if parent.frame is not None:
        return one == parent.frame
    if parent.offsets is None or not (moment and one):
        return True
    if moment == LATER:
        return bool(parent.offsets & window(None, None if one == LATER else int(one) - 2))
    at = int(moment)
    return bool(parent.offsets & (window(2 - at, None) if one == LATER else of(int(one) - at)))
