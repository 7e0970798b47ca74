"""Checks of the page as a whole: what gives T, what the observations depend on, what links the frames."""

from __future__ import annotations

from dvaec.spec.check_conditionals import complete
from dvaec.spec.check_decoding import check_decoding
from dvaec.spec.check_length import check_length
from dvaec.spec.codes import Code
from dvaec.spec.conditionals import Line
from dvaec.spec.context import Context
from dvaec.spec.offsets import NOW, window
from dvaec.spec.schema_order import LookaheadShape
from dvaec.spec.subscripts import Reference


def check_page(context: Context) -> None:
    """Report what is wrong with p and q together, and remark on frames that nothing links."""
    if not (context.closed and context.parsed.sound.whole("variables")):
        return
    _frames(context)
    if complete(context, "generation"):
        check_decoding(context, context.parsed.generation)
        _first_frames(context, context.parsed.generation)
        _sequence_level(context)
        _apart(context, context.parsed.generation)
        _promise(context, context.parsed.generation)
    if complete(context, "inference"):
        _idle_keyword(context)


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
    check_length(context, given)


def _first_frames(context: Context, lines: list[Line]) -> None:
    """Report a z_0 that no conditional reads, be it as z_0 or as the frame before the first."""
    first = {line.target.name for line in lines if line.target.frame == "1"}
    for name in (one for one in context.having("latent") if one in context.zero):
        seen = False
        for line in lines:
            # z_0 is read at frame t through the offset -t, where the line speaks for frame t
            nearest = -2 if line.target.name in first else -1
            for parent in (p for p in line.parents if p.name == name):
                if parent.offsets is None:
                    seen = seen or parent.frame == "0"
                elif parent.counted and line.target.frame != "T":
                    seen = seen or -int(line.target.frame or 0) in parent.offsets
                else:
                    seen = seen or line.target.offsets is None or bool(parent.offsets & window(None, nearest))
        if not seen:
            message = f"nothing reads {name}_0"
            hint = f"let {name}_1 or {name}_t read it, or leave the line out"
            if context.parsed.shape.causality == "anticausal":
                hint = "leave the line out: in an anticausal model no frame reads an earlier one"
            span = context.parsed.span(("generation", f"{name}_0"))
            context.report.add(Code.NO_OBSERVED_DESCENDANT, message, span, hint)


def _promise(context: Context, lines: list[Line]) -> None:
    """Remark that p keeps a promise that the page does not make: `step` and `forecast` would be there."""
    if context.parsed.shape.causality != "noncausal" or context.report.found:
        return
    framed = [line for line in lines if line.target.offsets is not None]
    if any(line.target.frame == "T" for line in lines):
        return
    if any(one.frame is not None or not _past(one) for line in lines for one in line.parents if not one.bare):
        return
    if framed:
        message = "no conditional of p reads a later frame: it is causal"
        hint = "left out, 'causality' promises that, and the model can be stepped through and forecast"
        context.report.note(Code.CAUSAL_ANYWAY, message, context.parsed.span(("causality",)), hint)


def _idle_keyword(context: Context) -> None:
    """Remark on a keyword before conditionals that speak for every latent themselves."""
    said = context.parsed.shape.inference
    own = {line.target.name for line in context.parsed.inference if line.target.frame is None}
    if not isinstance(said, list) or len(said) == len(context.parsed.inference) or context.report.found:
        return
    if own and set(context.having("latent")) <= own:
        message = "this keyword speaks for no latent: every one has a conditional of its own"
        context.report.note(
            Code.KEYWORD_PLACE, message, context.parsed.span(("inference", 0)), "leave it out"
        )


def _past(reference: Reference) -> bool:
    return reference.offsets is not None and reference.offsets <= window(None, 0)


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
