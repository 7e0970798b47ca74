"""Checks of p and of conditionals of one's own for q, each conditional by itself."""

from __future__ import annotations

from dvaec.diagnostics import Span
from dvaec.spec.check_cycles import check_frame_cycles
from dvaec.spec.check_frames import check_repeated, placed
from dvaec.spec.check_time import check_directions, check_summaries
from dvaec.spec.codes import Code
from dvaec.spec.conditionals import Line, written
from dvaec.spec.context import Context
from dvaec.spec.frames import FRAMES, conditional_of, numbered
from dvaec.spec.model import LAST
from dvaec.spec.notation import frame_word
from dvaec.spec.offsets import NOW, of, window
from dvaec.spec.subscripts import Reference

FUTURE = window(1, None)
PAST = window(None, -1)


def check_generation(context: Context) -> None:
    """Report faults of the conditionals of p."""
    lines, report = context.parsed.generation, context.report
    before = len(report.found)
    for line in lines:
        _parents(context, line, "generation")
    _targets(context, lines, "generation", ("observed", "latent"))
    made = [line for line in lines if context.role(line.target.name) != "input"]
    check_frame_cycles(context, made)
    if len(report.found) == before and complete(context, "generation"):
        names = tuple(n for n in context.variables if context.role(n) != "input")
        conditionals = [conditional_of(line, context.variables, context.zero) for line in made]
        if check_directions(context, conditionals, names, "generation"):
            check_summaries(context, conditionals)


def check_inference(context: Context) -> None:
    """Report faults of the conditionals of q, where the page gives them."""
    lines, report = context.parsed.inference, context.report
    before = len(report.found)
    for line in lines:
        _parents(context, line, "inference")
    if isinstance(context.parsed.shape.inference, list):
        _targets(context, lines, "inference", ("latent",))
    drawn = [line for line in lines if context.role(line.target.name) == "latent"]
    check_frame_cycles(context, drawn)
    if len(report.found) == before and complete(context, "inference"):
        conditionals = [conditional_of(line, context.variables, context.zero) for line in drawn]
        check_directions(context, conditionals, context.having("latent"), "inference")


def complete(context: Context, block: str) -> bool:
    """Whether all lines of a block are there and speak of known variables, so that they can be judged."""
    lines = context.parsed.generation if block == "generation" else context.parsed.inference
    whole = context.parsed.sound.has(block) and block not in context.parsed.unreadable
    known = all(r.name in context.variables for line in lines for r in (line.target, *line.parents))
    return whole and known and context.closed and context.parsed.sound.whole("variables")


def _targets(context: Context, lines: list[Line], block: str, roles: tuple[str, ...]) -> None:
    """Each variable of these roles stands at frame t on the left of exactly one line."""
    report, given = context.report, dict[tuple[str, str | None], Line]()
    for line in lines:
        target, span = line.target, context.place(line.scalar, line.target)
        first = given.setdefault((target.name, target.frame), line)
        role = context.role(target.name)
        if not _target(context, line, block) or role is None:
            continue
        if role == "input":
            message = f"'{target.name}' is an input: it is given, and has no conditional"
            report.add(Code.CONDITIONAL_OF_INPUT, message, span, _comma_hint(line) or "leave the line out")
        elif role not in roles:
            message = f"'{target.name}' is observed; q has conditionals of latent variables only"
            hint = _comma_hint(line) or "what generates it stands under 'generation'"
            report.add(Code.INFERENCE_OF_OBSERVED, message, span, hint)
        elif first is not line:
            shown = target.name if target.frame is None else f"{target.name}_{target.frame}"
            where = context.place(first.scalar, first.target).line
            message = f"a second conditional of '{shown}'; the first stands in line {where}"
            hint = _comma_hint(line) or "one line holds all its parents"
            report.add(Code.CONDITIONAL_TWICE, message, span, hint)
        elif target.frame is not None:
            _numbered(context, line, block, role)
    known = all(name in context.variables for name, _ in given)
    if known and context.parsed.sound.has(block) and block not in context.parsed.unreadable:
        _missing(context, set(given), block, roles)


def _numbered(context: Context, line: Line, block: str, role: str) -> None:
    """Frame 0 belongs to latents that p gives one; causal generation does not know frame T, nor T = 1."""
    target, span = line.target, context.place(line.scalar, line.target)
    if _unforeseen(context, target, block):
        message = f"generation is causal, and which frame is the last ({target.name}_T) is known at the end"
        hint = f"{target.name}_t serves that frame too; or say causality: anticausal, or noncausal"
        context.report.add(Code.NUMBERED, message, span, hint)
    elif target.frame == "T" and context.parsed.shape.T == 1:
        message = f"T is 1, so that the last frame of '{target.name}' is its first"
        context.report.add(Code.NUMBERED, message, span, f"write {target.name}_1")
    elif target.frame == "0" and role == "observed":
        message = f"'{target.name}' is observed at the frames 1 to T; there is no observation of frame 0"
        context.report.add(Code.NUMBERED, message, span, f"write {target.name}_1 for the first frame")
    elif target.frame == "0" and block == "inference" and target.name not in context.zero:
        message = f"p has no conditional of {target.name}_0, so q needs none"
        context.report.add(Code.NUMBERED, message, span, f"write {target.name}_0 under 'generation' first")


def _unforeseen(context: Context, target: Reference, block: str) -> bool:
    """Whether a line is of frame T where frames are generated from the first on."""
    causal = block == "generation" and context.parsed.shape.causality == "causal"
    return causal and target.frame == "T"


def _missing(
    context: Context, given: set[tuple[str, str | None]], block: str, roles: tuple[str, ...]
) -> None:
    """Report variables that lack their line; a keyword speaks for those that q's lines do not name."""
    said = context.parsed.shape.inference
    if block == "inference" and isinstance(said, list) and len(said) > len(context.parsed.inference):
        roles = ()
    for name in (n for role in roles for n in context.having(role)):
        wanted: list[tuple[str | None, str]] = [(None, f"{name}_t" if context.framed[name] else name)]
        if block == "inference" and name in context.zero:
            wanted.append(("0", f"{name}_0"))
        for frame, shown in wanted:
            if (name, frame) not in given:
                where = ("variables", name) if block == "generation" else ("inference",)
                what = name if frame is None else shown
                message = f"'{what}' has no conditional in '{block}'"
                if any(other == name for other, _ in given) and frame is None:
                    message = f"'{shown}' has no conditional in '{block}', only single frames have"
                hint = f"add a line such as - {shown}, with its parents after |"
                context.report.add(Code.CONDITIONAL_MISSING, message, context.parsed.span(where), hint)


def _comma_hint(line: Line) -> str | None:
    if line.scalar.in_flow and line.scalar.plain and not line.parents:
        return "inside [ ] a comma ends the conditional; put each conditional in quotes"
    return None


def _target(context: Context, line: Line, block: str) -> bool:
    """Check the name and the subscript of a target."""
    target, span = line.target, context.place(line.scalar, line.target)
    if not context.known(line.scalar, target, nodes_too=False):
        return False
    if target.offsets is not None and target.offsets != NOW:
        message = f"a conditional in '{block}' is of the frame t"
        mended = f"write {target.name}_t and move the parents' subscripts"
        if not target.offsets.finite:
            mended = f"write {target.name}_t: one line speaks for every frame"
        hint = _comma_hint(line) or mended
        context.report.add(Code.TARGET, message, span, hint)
        return False
    return True


def _parents(context: Context, line: Line, block: str) -> None:
    """Check each parent of one line."""
    target, at_t = line.target, line.target.offsets is not None
    if target.frame not in (None, *FRAMES) or _unforeseen(context, target, block):
        return  # such a target is reported, and what it could read is not known
    for parent in check_repeated(context, line):
        if not context.known(line.scalar, parent, nodes_too=False):
            continue
        reader = written(line)
        if not placed(context, line.scalar, parent, reader, at_t=at_t, networks=False, of=target):
            continue
        span = context.place(line.scalar, parent)
        if at_t and line.target.offsets != NOW:
            continue
        if parent.name == target.name and _itself(context, line, parent):
            _own_parent(context, line, parent, span)
        elif block == "generation" and not parent.bare and not target.bare:
            _causality(context, line, parent, span)


def _itself(context: Context, line: Line, parent: Reference) -> bool:
    """Whether a line reads its own target: at frame t, at its number, or the one value of the sequence."""
    frame = numbered(line)
    if parent.bare or frame is None:
        return parent.bare or (parent.offsets is not None and 0 in parent.offsets)
    if parent.offsets is not None:
        return 0 in parent.offsets and (frame != 0 or parent.name in context.zero)
    return parent.frame == line.target.frame


def _own_parent(context: Context, line: Line, parent: Reference, span: Span) -> None:
    name = line.target.name
    at, hint = "", None
    if line.target.offsets is not None and parent.offsets is not None:
        near = f"{name}_<t+1>" if context.parsed.shape.causality == "anticausal" else f"{name}_<t-1>"
        hint = f"did you mean {f'{name}_<<t>' if parent.offsets.reaches_past else near}?"
        at = " at frame t"
    shown = f"{name}_{line.target.frame}" if line.target.frame is not None else name
    context.report.add(Code.SELF_AT_T, f"'{shown}'{at} would be its own parent", span, hint)


def _causality(context: Context, line: Line, parent: Reference, span: Span) -> None:
    """Report a parent of a frame that the page's promise rules out."""
    promise, frame = context.parsed.shape.causality, numbered(line)
    at = "t" if frame is None else frame_word(frame)
    earlier, later = _sides(context, frame, parent)
    if promise == "causal" and later:
        message = f"'{line.target.name}' at frame {at} is generated from a later frame of '{parent.name}'"
        hint = "generation is causal unless the page says causality: noncausal (or anticausal)"
        context.report.add(Code.FUTURE_PARENT, message, span, hint)
    if promise == "anticausal" and earlier:
        message = f"'{line.target.name}' at frame {at} is generated from an earlier frame of '{parent.name}'"
        hint = "anticausal generation reads frame t and later ones; for any frames say causality: noncausal"
        context.report.add(Code.PAST_PARENT, message, span, hint)


def _sides(context: Context, frame: int | None, parent: Reference) -> tuple[bool, bool]:
    """Whether a parent stands at earlier and at later frames than its reader."""
    if frame is None and parent.frame is not None:
        return parent.frame != "T", parent.frame == "T"
    if frame is None:
        assert parent.offsets is not None
        return bool(parent.offsets & PAST), bool(parent.offsets & FUTURE)
    if frame == LAST:
        return parent.frame != "T", False
    if parent.frame is None:
        assert parent.offsets is not None
        there = parent.offsets & window((0 if parent.name in context.zero else 1) - frame, None)
        if frame == 0 and context.role(parent.name) == "input":
            there = there - of(1)  # there is no input before the first
        return bool(there & PAST), bool(there & FUTURE)
    at = LAST if parent.frame == "T" else int(parent.frame)
    if frame == 0 and at == 1 and context.role(parent.name) == "input":
        return False, False  # there is no input before the first
    return at != LAST and at < frame, at == LAST or at > frame
