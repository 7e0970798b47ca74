"""Checks of p and of conditionals of one's own for q, each conditional by itself."""

from __future__ import annotations

from dvaec.diagnostics import Span
from dvaec.spec.codes import Code
from dvaec.spec.conditionals import Line
from dvaec.spec.context import Context
from dvaec.spec.graph import cycles, reachable
from dvaec.spec.offsets import NOW, Offsets, window
from dvaec.spec.subscripts import Reference

FUTURE = window(1, None)


def check_generation(context: Context) -> None:
    """Report faults of the conditionals of p."""
    lines = context.parsed.generation
    for line in lines:
        _parents(context, line, "generation")
    _targets(context, lines, "generation", ("observed", "latent"))
    check_frame_cycles(context, [line for line in lines if context.role(line.target.name) != "input"])
    sound = context.parsed.sound
    complete = sound.has("generation") and "generation" not in context.parsed.unreadable
    complete = complete and all(
        one.name in context.variables for line in lines for one in (line.target, *line.parents)
    )
    if context.closed and sound.whole("variables") and complete:
        _descendants(context, lines)


def check_inference(context: Context) -> None:
    """Report faults of the conditionals of q, where the page gives them."""
    lines = context.parsed.inference
    for line in lines:
        _parents(context, line, "inference")
    if isinstance(context.parsed.shape.inference, list):
        _targets(context, lines, "inference", ("latent",))
    check_frame_cycles(context, [line for line in lines if context.role(line.target.name) == "latent"])


def _targets(context: Context, lines: list[Line], block: str, roles: tuple[str, ...]) -> None:
    """Each variable of these roles stands at frame t on the left of exactly one line."""
    report, given = context.report, dict[str, int]()
    for line in lines:
        target, span = line.target, context.place(line.scalar, line.target)
        first = given.setdefault(target.name, span.line)
        if not _target(context, line, block) or context.role(target.name) is None:
            continue
        role = context.role(target.name)
        if role == "input":
            message = f"'{target.name}' is an input: it is given, and has no conditional"
            report.add(Code.CONDITIONAL_OF_INPUT, message, span, _comma_hint(line))
        elif role not in roles:
            message = f"'{target.name}' is observed; q has conditionals of latent variables only"
            report.add(Code.INFERENCE_OF_OBSERVED, message, span, _comma_hint(line))
        elif lines.index(line) != [other.target.name for other in lines].index(target.name):
            message = f"a second conditional of '{target.name}'; the first stands in line {first}"
            hint = _comma_hint(line) or "one line holds all its parents"
            report.add(Code.CONDITIONAL_TWICE, message, span, hint)
    misspelt = any(name not in context.variables for name in given)
    if block in context.parsed.unreadable or misspelt or not context.parsed.sound.has(block):
        return
    for name in (n for role in roles for n in context.having(role)):
        if name not in given:
            where = ("variables", name) if block == "generation" else ("inference",)
            message = f"'{name}' has no conditional in '{block}'"
            hint = f"add a line such as - {name}_t, with its parents after |"
            report.add(Code.CONDITIONAL_MISSING, message, context.parsed.span(where), hint)


def _comma_hint(line: Line) -> str | None:
    if line.scalar.in_flow and line.scalar.plain and not line.parents:
        return "inside [ ] a comma ends the conditional; put each conditional in quotes"
    return None


def _target(context: Context, line: Line, block: str) -> bool:
    """Check the name and the subscript of a target."""
    target, span = line.target, context.place(line.scalar, line.target)
    if target.frame is not None and target.name in context.variables:
        message = f"a conditional of one frame's own ({target.name}_{target.frame}) is not supported yet"
        context.report.add(Code.NOT_SUPPORTED, message, span)
        return False
    if not context.known(line.scalar, target, nodes_too=False):
        return False
    if target.offsets is not None and target.offsets != NOW:
        message = f"a conditional in '{block}' is of the frame t"
        hint = _comma_hint(line) or f"write {target.name}_t and move the parents' subscripts"
        context.report.add(Code.TARGET, message, span, hint)
        return False
    return True


def _parents(context: Context, line: Line, block: str) -> None:
    """Check each parent of one line."""
    target = line.target.name
    for parent in line.parents:
        if not context.known(line.scalar, parent, nodes_too=False) or parent.offsets is None:
            continue
        if line.target.offsets != NOW:
            continue
        span = context.place(line.scalar, parent)
        if parent.name == target and 0 in parent.offsets:
            message = f"'{target}' at frame t would be its own parent"
            hint = (
                f"did you mean {target}_<<t>?"
                if parent.offsets.reaches_past
                else f"did you mean {target}_<t-1>?"
            )
            context.report.add(Code.SELF_AT_T, message, span, hint)
        if parent.offsets & FUTURE:
            _future(context, block, target, parent, span)


def _future(context: Context, block: str, target: str, parent: Reference, span: Span) -> None:
    """p is causal; q may read observations and inputs of the future, but latents only in its order."""
    if block == "generation":
        message = f"'{target}' at frame t is generated from a later frame of '{parent.name}'"
        hint = "generation is causal; noncausal models are not supported yet"
        context.report.add(Code.FUTURE_PARENT, message, span, hint)
    elif context.role(parent.name) == "latent":
        message = (
            f"q draws its latents from t = 1 to T; that '{target}' reads later ones is not supported yet"
        )
        context.report.add(Code.NOT_SUPPORTED, message, span)


def in_frame(lines: list[Line]) -> dict[str, list[str]]:
    """Return for each target its parents at the same frame."""
    return {
        line.target.name: [p.name for p in line.parents if _now(p.offsets) and p.name != line.target.name]
        for line in lines
    }


def _now(offsets: Offsets | None) -> bool:
    return offsets is not None and 0 in offsets


def check_frame_cycles(context: Context, lines: list[Line]) -> None:
    """Report conditionals that need each other at the same frame."""
    needs = in_frame(lines)
    for cycle in cycles(list(needs), needs):
        # A conditional that is given twice is reported elsewhere; the cycle is in one of its lines.
        line, parent = next(
            (line, parent)
            for line in lines
            for parent in line.parents
            if line.target.name == cycle[0] and parent.name == cycle[1] and _now(parent.offsets)
        )
        chain = " <- ".join(f"{name}_t" for name in cycle)
        message = f"a cycle within the frame: {chain}"
        context.report.add(
            Code.CYCLE, message, context.place(line.scalar, parent), "one of them must read an earlier frame"
        )


def _descendants(context: Context, lines: list[Line]) -> None:
    """Report latents that nothing observed depends on."""
    children: dict[str, list[str]] = {}
    for line in lines:
        for parent in line.parents:
            children.setdefault(parent.name, []).append(line.target.name)
    observed = context.having("observed")
    if not observed:
        return
    for name in context.having("latent"):
        if not any(child in observed for child in reachable(name, children)):
            message = f"nothing observed depends on the latent '{name}'"
            hint = "let an observed variable read it, or leave it out"
            context.report.add(
                Code.NO_OBSERVED_DESCENDANT, message, context.parsed.span(("variables", name)), hint
            )
