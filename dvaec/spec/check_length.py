"""Checks of a page that says T: lines of no frame, and windows that are empty at every frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dvaec.diagnostics import Span
from dvaec.spec.codes import Code
from dvaec.spec.context import Context
from dvaec.spec.model import Side
from dvaec.spec.subscripts import Reference
from dvaec.spec.yaml_tree import Scalar


def check_length(context: Context, length: int) -> None:
    """Report what T frames leave without a meaning."""
    parsed = context.parsed
    for block in ("generation", "inference"):
        lines = parsed.generation if block == "generation" else parsed.inference
        for line in lines:
            if line.target.offsets is not None and not _served(context, block, line.target, length):
                _of_no_frame(context, context.place(line.scalar, line.target), line.target.name, length)
    told = {line.target.name for line in parsed.inference if line.target.frame is None}
    for key, (side, name) in parsed.heads.items():
        at_t = parsed.targets[key].offsets is not None and side is Side.Q and name not in told
        if at_t and not _served(context, "inference", parsed.targets[key], length):
            _of_no_frame(context, parsed.span(("networks", key)), name, length)
    for scalar, block, target, one in _reads(context):
        if not _is_somewhere(context, block, target, one, length):
            message = f"this window is empty at every frame, since T is {length}"
            if _somewhere(context, range(1, length + 1), one, length):
                message = f"this window is empty at every frame that this is of, since T is {length}"
            context.report.add(Code.WINDOW_EMPTY, message, context.place(scalar, one))


def _reads(context: Context) -> Iterator[tuple[Scalar, str, Reference | None, Reference]]:
    """Yield what lines and networks read: where it stands, in which block, of which target."""
    parsed = context.parsed
    blocks = (
        ("generation", parsed.generation),
        ("inference", parsed.inference),
        ("auxiliary", parsed.auxiliary),
    )
    for block, lines in blocks:
        for line in lines:
            for one in line.parents:
                yield line.scalar, block, line.target, one
    for path, read in parsed.reads.items():
        key = str(path[1])
        side = parsed.heads[key][0] if key in parsed.heads else None
        block = {Side.P: "generation", Side.Q: "inference"}[side] if side is not None else str(path[0])
        for one in read.references:
            yield read.scalar, block, parsed.targets.get(key), one


def _served(context: Context, block: str, target: Reference, length: int) -> tuple[int, ...]:
    """The frames at which a line or a network of all frames is the one that counts."""
    parsed = context.parsed
    lines = parsed.generation if block == "generation" else parsed.inference
    own = {line.target.frame for line in lines if line.target.name == target.name}
    side = Side.P if block == "generation" else Side.Q
    heads = (key for key, (which, name) in parsed.heads.items() if (which, name) == (side, target.name))
    own |= {parsed.targets[key].frame for key in heads}
    taken = ({1} if "1" in own else set()) | ({length} if "T" in own and length > 1 else set())
    return tuple(frame for frame in range(1, length + 1) if frame not in taken)


def _of_no_frame(context: Context, span: Span, name: str, length: int) -> None:
    if length == 1:
        message = f"T is 1, and frame 1 of '{name}' has a conditional of its own: this one is of no frame"
        hint = f"leave that of {name}_1 out: this one serves it"
    else:
        message = f"T is 2, and both frames of '{name}' have conditionals of their own: this one is of none"
        hint = f"leave one of these out, {name}_1 or {name}_T: this one serves it"
    context.report.add(Code.NUMBERED, message, span, hint)


def _is_somewhere(
    context: Context, block: str, target: Reference | None, one: Reference, length: int
) -> bool:
    """Whether a window has a frame at one of its reader's frames; what is no window has."""
    if one.offsets is None:
        return True
    frame = None if target is None else target.frame
    if frame is not None:
        readers: Iterable[int] = (length if frame == "T" else int(frame),)
    elif target is None or target.offsets is None or block not in ("generation", "inference"):
        readers = range(1, length + 1)
    else:
        readers = _served(context, block, target, length)
        if not readers:
            return True  # what is of no frame is reported as such
    return _somewhere(context, readers, one, length)


def _somewhere(context: Context, readers: Iterable[int], one: Reference, length: int) -> bool:
    """Whether a window has a frame at one of these frames of its reader."""
    assert one.offsets is not None
    first = 0 if one.name in context.zero else 1
    return any(one.offsets.within(first - reader, length - reader) for reader in readers)
