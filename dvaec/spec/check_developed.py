"""Checks of the developed form: what states, features and heads read."""

from __future__ import annotations

from dvaec.diagnostics import Span
from dvaec.spec.check_frames import has_frame_t, placed
from dvaec.spec.codes import Code
from dvaec.spec.conditionals import ReadList
from dvaec.spec.context import Context
from dvaec.spec.frames import FRAMES
from dvaec.spec.model import LAST
from dvaec.spec.notation import page
from dvaec.spec.offsets import Offsets, of
from dvaec.spec.shape_keys import node_at
from dvaec.spec.source import Path
from dvaec.spec.subscripts import Reference
from dvaec.spec.yaml_tree import Scalar


def check_nodes(context: Context) -> None:
    """Report faults of what states, features and heads read."""
    parsed = context.parsed
    for path, read in parsed.reads.items():
        if path[2] == "starts":
            continue  # check_starts speaks of those
        block, key = str(path[0]), str(path[1])
        at_t = block != "networks" or has_frame_t(context, key)
        own = parsed.states.get(key) if block == "states" else parsed.features.get(key)
        if block == "networks":
            own = parsed.heads[key][1] if key in parsed.heads else None
        met: list[Reference] = []
        apart = _named(context, path, "attention", "convolution")  # check_blocks speaks of their windows
        unsure = not parsed.sound.has(*map(str, path[:2]))  # of a faulty block nobody knows what it can read
        for reference in read.references:
            if not context.known(read.scalar, reference, nodes_too=True):
                continue
            if not placed(context, read.scalar, reference, key, at_t=at_t, networks=True):
                continue
            _twice(context, read, reference, met)
            met.append(reference)
            span = context.place(read.scalar, reference)
            if reference.name == own:
                _itself(context, block, own, reference, span, at_t or parsed.targets[key].frame)
            if reference.offsets is not None and block == "states":
                _state_window(context, key, reference, span)
            elif reference.offsets is not None and not (reference.offsets.finite or apart or unsure):
                _open_window(context, reference, span, at_t, key)
        several = path[-1] == "of" and _named(context, path, "linear_mixture", "attention")
        if path[-1] in ("of", "with", "weights", "by", "mean") and not several:
            _single(context, path, read)
        if path[-1] == "reads" and _named(context, path, "gated_transition"):
            _beside(context, path, read)


def _named(context: Context, path: Path, *blocks: str) -> bool:
    """Whether the block that reads something is one of these."""
    node = node_at(context.parsed.tree, (*path[:-1], "block"))
    return isinstance(node, Scalar) and node.text in blocks


def _twice(context: Context, read: ReadList, reference: Reference, met: list[Reference]) -> None:
    """The same frame of the same thing is read once."""
    for other in met:
        same = other.name == reference.name and other.frame == reference.frame
        if same and (other.offsets is None or reference.offsets is None or other.offsets & reference.offsets):
            message = f"'{reference.name}' at the same frame is read twice"
            context.report.add(Code.READ_TWICE, message, context.place(read.scalar, reference))
            return


def _beside(context: Context, path: Path, read: ReadList) -> None:
    """What a block carries on is read by all its networks: not again beside it."""
    carried = context.parsed.reads.get((*path[:-1], "of"))
    if carried is not None and len(carried.references) == 1:
        for reference in read.references:
            _twice(context, read, reference, list(carried.references))


def _itself(
    context: Context, block: str, name: str, reference: Reference, span: Span, frame: bool | str | None
) -> None:
    """A state carries its own past without being told; nothing else may read itself at frame t.

    `frame` is that of a network of a single frame, 0, 1 or T; True of one of frame t.
    """
    if block == "states" and reference.frame is None:
        message = f"the state '{name}' carries its own past by itself"
        context.report.add(Code.READS_ITSELF, message, span, "leave it out of 'reads'")
    elif block == "features":
        message = f"the feature '{name}' cannot read itself"
        context.report.add(Code.READS_ITSELF, message, span, "what remembers is a state")
    elif reference.bare or (reference.frame is not None and reference.frame == frame):
        own = name if reference.frame is None else f"{name}_{frame}"
        message = f"the network of '{own}' reads '{own}' itself"
        context.report.add(Code.READS_ITSELF, message, span)
    elif reference.offsets is not None and 0 in reference.offsets:
        message = f"the network of '{name}' reads '{name}' of the same frame"
        before = "t+1" if context.parsed.shape.causality == "anticausal" else "t-1"
        before = "T-1" if reference.counted and reference.offsets.reaches_past else before
        context.report.add(Code.READS_ITSELF, message, span, f"did you mean {name}_<{before}>?")


def _nearest(offsets: Offsets) -> int:
    """The frame of an open window that a recurrent state takes in at each step."""
    if offsets.reaches_past and not offsets.reaches_future:
        return next(d for d in range(offsets.high, offsets.low - len(offsets.past) - 1, -1) if d in offsets)
    if offsets.reaches_future and not offsets.reaches_past:
        return next(d for d in range(offsets.low, offsets.high + len(offsets.future) + 1) if d in offsets)
    return 0


def _state_window(context: Context, key: str, reference: Reference, span: Span) -> None:
    """A state takes one frame of each a step."""
    offsets, name = reference.offsets, reference.name
    assert offsets is not None
    if offsets.finite:
        if len(offsets.members) > 1:
            message = f"a state takes one frame of '{name}' at a time"
            listed = ", ".join(page(name, of(d)) for d in offsets.members[:4])
            context.report.add(
                Code.STATE_SEVERAL_FRAMES, message, span, f"name the frames one by one: {listed}"
            )
        return
    runs = context.parsed.shape.states[key].runs if key in context.parsed.shape.states else "forward"
    hint = f"write {page(name, of(_nearest(offsets)))}"
    if offsets.reaches_future and runs == "forward":
        hint += ", and runs: " + ("both" if offsets.reaches_past else "backward")
    message = "a state takes one frame a step and remembers; it reads no open window"
    context.report.add(Code.STATE_OPEN_WINDOW, message, span, hint)


def _open_window(context: Context, reference: Reference, span: Span, at_t: bool, key: str) -> None:
    """Only a recurrent state can take in an open window."""
    offsets, name = reference.offsets, reference.name
    assert offsets is not None
    shown = page(name, offsets)
    if reference.counted:
        frame = FRAMES[context.parsed.targets[key].frame or ""]
        shown, last = page(name, offsets, frame=frame), frame == LAST
        lag = len(offsets.past if last else offsets.future)
        way = ("" if last else "runs: backward, ") + (f"lag: {lag}, " if lag > 1 else "")
        state = f"{{rnn: lstm, units: 128, {way}reads: {name}_t}}"
        hint = f"give it a state, h_t: {state}, and read {page('h', of(_nearest(offsets)), frame=frame)}"
    elif name in context.nodes and context.nodes[name] == "state":
        hint = f"a state carries its past: read {name}_{'t' if at_t else '<T>'}"
    else:
        runs = "runs: both, " if at_t and offsets.reaches_past and offsets.reaches_future else ""
        runs = runs or ("runs: backward, " if at_t and offsets.reaches_future else "")
        stride = max(len(offsets.past), len(offsets.future))
        runs += f"lag: {stride}, " if stride > 1 else ""
        taken = page(name, of(_nearest(offsets)))
        read = "h_t" if at_t else "h_<T>"
        hint = f"give it a state, h_t: {{rnn: lstm, units: 128, {runs}reads: {taken}}}, and read {read}"
    message = f"a network cannot read the open window {shown}"
    context.report.add(Code.OPEN_WINDOW, message, span, hint)


def _single(context: Context, path: Path, read: ReadList) -> None:
    """`of` and `with` name one thing at one frame."""
    several = [
        r
        for r in read.references
        if r.offsets is not None and r.offsets.finite and len(r.offsets.members) > 1
    ]
    if len(read.references) > 1 or several:
        message = f"'{path[-1]}' names one thing at one frame"
        hint = "make one thing of several: a feature that reads them"
        hint = "further inputs stand under 'reads'" if _named(context, path, "gated_transition") else hint
        context.report.add(Code.BLOCK_READS, message, context.parsed.span(path), hint)
