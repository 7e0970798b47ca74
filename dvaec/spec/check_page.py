"""Checks of the page as a whole: what gives T, what the observations depend on, what links the frames."""

from __future__ import annotations

from dvaec.spec.check_conditionals import complete
from dvaec.spec.codes import Code
from dvaec.spec.conditionals import Line
from dvaec.spec.context import Context
from dvaec.spec.graph import reachable
from dvaec.spec.offsets import NOW
from dvaec.spec.schema_order import LookaheadShape


def check_page(context: Context) -> None:
    """Report what is wrong with p and q together, and remark on frames that nothing links."""
    if not (context.closed and context.parsed.sound.whole("variables")):
        return
    _frames(context)
    if complete(context, "generation"):
        _descendants(context, context.parsed.generation)
        _sequence_level(context)
        _apart(context, context.parsed.generation)


def _frames(context: Context) -> None:
    """T comes from the data or the inputs; the page says it where neither has frames."""
    given = context.parsed.shape.T
    framed = [name for name in context.roles if context.framed[name]]
    telling = [name for name in framed if context.role(name) != "latent"]
    span = context.parsed.span(("T",))
    if given is not None and telling:
        message = f"the sequences of '{telling[0]}' give T, so the page cannot"
        context.report.add(Code.FRAMES_GIVEN, message, span, "leave out T")
    elif given is not None and not framed:
        context.report.add(Code.FRAMES_GIVEN, "no variable has frames, so there is no T", span, "leave out T")
    elif context.parsed.sound.has("T") and framed and context.having("observed") and not (given or telling):
        message = f"nothing says how many frames '{framed[0]}' has: no data and no input has any"
        span = context.parsed.span(("variables", framed[0]))
        context.report.add(Code.FRAMES_MISSING, message, span, "write T: 10 on the page")
    if not framed and context.nodes:
        what, name = next((what, name) for name, what in context.nodes.items())
        message = f"no variable has frames, so the {what} '{name}' has none to run over"
        hint = "let the networks read the variables themselves"
        span = context.parsed.span(("states" if what == "state" else "features", f"{name}_t"))
        context.report.add(Code.FRAMES_MISSING, message, span, hint)
    if given is None or telling:
        return
    for line in (*context.parsed.generation, *context.parsed.inference):
        for parent in line.parents:
            offsets = parent.offsets
            if offsets is not None and not offsets.within(1 - given, given - 1):
                message = f"this window is empty at every frame of the {given}"
                context.report.add(Code.WINDOW_EMPTY, message, context.place(line.scalar, parent))


def _descendants(context: Context, lines: list[Line]) -> None:
    """Report latents that nothing observed depends on."""
    children: dict[str, list[str]] = {}
    for line in lines:
        for parent in line.parents:
            children.setdefault(parent.name, []).append(line.target.name)
    observed, latents = context.having("observed"), context.having("latent")
    if not observed:
        return
    blind = [n for n in latents if not any(child in observed for child in reachable(n, children))]
    if len(latents) > 1 and blind == list(latents):
        message = "no decoding path: nothing observed depends on any latent"
        hint = "let an observed variable read a latent"
        context.report.add(Code.NO_DECODING, message, context.parsed.span(("generation",)), hint)
        return
    for name in blind:
        message = f"nothing observed depends on the latent '{name}'"
        hint = "let an observed variable read it, or leave it out"
        span = context.parsed.span(("variables", name))
        context.report.add(Code.NO_OBSERVED_DESCENDANT, message, span, hint)


def _sequence_level(context: Context) -> None:
    """Evidence up to a frame t means nothing to a value of the sequence."""
    said = context.parsed.shape.inference
    own = {line.target.name for line in context.parsed.inference}
    word = said[0] if isinstance(said, list) else said
    ahead = isinstance(word, LookaheadShape)
    if not ahead and (not isinstance(word, str) or word.strip() != "filtering"):
        return
    for name in context.having("latent"):
        if not context.framed[name] and name not in own:
            shown = "{lookahead: k}" if ahead else "filtering"
            message = f"'{name}' has one value a sequence, and '{shown}' is about frames"
            hint = f'give it a conditional of its own: inference: [{shown}, "{name} | ..."]'
            context.report.add(Code.INFERENCE_MISSING, message, context.parsed.span(("inference",)), hint)


def _apart(context: Context, lines: list[Line]) -> None:
    """Remark that p draws every frame by itself: legal, and seldom meant."""
    made = [name for name in context.roles if context.role(name) != "input"]
    linked = any(line.target.frame is not None for line in lines) or any(
        parent.offsets is not None and parent.offsets != NOW for line in lines for parent in line.parents
    )
    if not linked and context.having("latent") and all(context.framed[name] for name in made):
        message = "nothing links the frames: each is generated by itself, as by a plain autoencoder"
        hint = "a conditional such as z_t | z_<t-1> would link them"
        context.report.note(Code.FRAMES_APART, message, context.parsed.span(("generation",)), hint)
