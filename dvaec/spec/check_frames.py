"""Where a frame may be named by its number, and where relative to t."""

from __future__ import annotations

from collections.abc import Iterator

from dvaec.spec.codes import Code
from dvaec.spec.conditionals import Line, counts_frames
from dvaec.spec.context import Context
from dvaec.spec.frames import FRAMES
from dvaec.spec.model import Side
from dvaec.spec.offsets import ALL, NONE, Offsets
from dvaec.spec.subscripts import Reference
from dvaec.spec.yaml_tree import Scalar


def placed(
    context: Context,
    scalar: Scalar,
    reference: Reference,
    reader: str,
    *,
    at_t: bool,
    networks: bool,
    of: Reference | None = None,
) -> bool:
    """Report a subscript that has no meaning for its `reader`; return whether it is in order.

    `at_t` says whether the reader has a frame t, `networks` whether it belongs to the developed form, which
    may read a state or a variable at one frame by its number (g_<T>, x_1). `of` is the target of a line of p
    or q, which may, too; what reads for a numbered frame counts frames (x_<1:3>, and z_<1:T> without z_0).
    """
    if not (_zero(context, scalar, reference) and _first(context, scalar, reference)):
        return False
    name, span = reference.name, context.place(scalar, reference)
    text = scalar.text[reference.start : reference.stop]
    if (
        at_t
        and reference.frame is not None
        and of is None
        and not (networks and context.nodes.get(name) != "feature")
    ):
        message = f"'{text}' is one frame by its number, and {reader} reads it at frame t"
        hint = f"write {name}_<t-1>" if reader == f"{name}_t" else f"write {name}_t, or {name}_<t-1>"
        if networks:
            hint = f"a state carries {name} from there: read it in one, or start one from it"
        context.report.add(Code.ABSOLUTE_FRAME, message, span, hint)
        return False
    relative = reference.offsets not in (None, ALL) and not reference.counted
    if not at_t and relative:
        message = f"'{text}' is relative to t, and {reader}, which reads it, has no frame t"
        target = of or context.parsed.targets.get(reader)
        hint = f"name one frame by its number: {name}_1, {name}_<T>"
        if target is not None and target.frame == "T":
            hint = f"count back from T, {name}_<T-1>"
        if name not in context.nodes:
            hint += f"; all frames are {name}_<{0 if name in context.zero else 1}:T>"
        if context.role(reader) is not None:
            hint += f"; or write {reader}_t, if it has frames"
        context.report.add(Code.NO_FRAME_T, message, span, hint)
        return False
    return True


def check_repeated(context: Context, line: Line) -> Iterator[Reference]:
    """Yield the parents of a line; report windows of which one holds the other."""
    named: dict[tuple[str, str | None], Offsets] = {}
    for parent in line.parents:
        key, offsets = (parent.name, parent.frame), parent.offsets or NONE
        if counts_frames(line.target) and offsets not in (NONE, ALL) and not parent.counted:
            yield parent  # it is relative to t, which there is not
            continue
        text = line.scalar.text[parent.start : parent.stop]
        if key in named and offsets <= named[key]:
            message = f"'{text}' is named already among the parents of '{line.target.name}'"
            context.report.add(Code.READ_TWICE, message, context.place(line.scalar, parent), "leave it out")
            continue
        if named.get(key) and named[key] <= offsets:
            message = f"'{text}' holds what is named of '{parent.name}' before it"
            context.report.add(Code.READ_TWICE, message, context.place(line.scalar, parent), "leave one out")
        yield parent
        named[key] = named.get(key, NONE) | offsets


def _zero(context: Context, scalar: Scalar, reference: Reference) -> bool:
    """Only what has a numbered line z_0 has a frame 0."""
    name = reference.name
    if "0" not in (reference.frame, reference.begins) or name in context.zero:
        return True
    message = f"'{name}' has no frame 0"
    hint = f"frames count from 1; a line {name}_0 under 'generation' would give it one"
    if context.role(name) != "latent":
        text = scalar.text[reference.start : reference.stop]
        mended = f"write {text.replace('0:', '1:', 1)}" if reference.begins else f"{name}_1 is the first"
        hint = f"{mended}: frames count from 1, and before them everything is 0"
    context.report.add(Code.FRAME_ZERO, message, context.place(scalar, reference), hint)
    return False


def _first(context: Context, scalar: Scalar, reference: Reference) -> bool:
    """A window of a variable with a frame 0 begins there."""
    name, text = reference.name, scalar.text[reference.start : reference.stop]
    open_start = reference.offsets is not None and reference.offsets.reaches_past
    if reference.begins != "1" or name not in context.zero or not open_start:
        return True
    message = f"'{text}' leaves out {name}_0, and a window of '{name}' begins there"
    hint = f"write {text.replace('1', '0', 1) if '1' not in name else f'{name}_<0:...>'}"
    context.report.add(Code.FRAME_ZERO, message, context.place(scalar, reference), hint)
    return False


def head_level(context: Context, key: str, side: Side, name: str) -> bool:
    """Report a network whose name has not its conditional's subscript; return whether it is in order."""
    parsed, target = context.parsed, context.parsed.targets[key]
    span = parsed.span(("networks", key))
    framed = context.framed[name]
    if target.bare if framed else not target.bare:
        right = f"{side}({name}_t)" if framed else f"{side}({name})"
        message = f"'{name}' has a value at each frame" if framed else f"'{name}' has one value a sequence"
        context.report.add(Code.LEVEL, message, span, f"did you mean {right}?")
        return False
    if target.frame is None:
        return True
    if target.frame == "T" and parsed.shape.T == 1:
        message = f"T is 1, so that the last frame of '{name}' is its first"
        context.report.add(Code.NUMBERED, message, span, f"write {side}({name}_1)")
        return False
    line = any(one.target.name == name and one.target.frame == target.frame for one in parsed.generation)
    if target.frame not in FRAMES or not (line or (side is Side.Q and target.frame != "0")):
        message = f"there is no conditional of {name}_{target.frame} to be a network of"
        hint = f"a line {name}_{target.frame} under 'generation' would be one"
        if target.frame == "1" and side is Side.P and name in context.zero:
            hint = f"the first frame of '{name}' is {name}_0: p({name}_0); {hint}"
        if target.frame not in FRAMES or (target.frame == "T" and context.parsed.shape.causality == "causal"):
            hint = f"{side}({name}_t) serves that frame too"
        context.report.add(Code.NUMBERED, message, span, hint)
        return False
    return True


def has_frame_t(context: Context, key: str) -> bool:
    """Whether a network of the page is of every frame t, and not of one frame or of the sequence."""
    if key not in context.parsed.targets:
        return True
    target = context.parsed.targets[key]
    return target.frame is None and context.framed.get(target.name, True)
