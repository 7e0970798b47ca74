"""Attention taken apart: keys and values of every frame, and what asks for them.

The keys and values of frame s are a linear map of what is attended to at s, a feature of its own; a node that
attends reads this feature at all frames of its window. In a head, attention becomes a feature that the head
reads; a head without a frame t reads it at the last frame, or, where its windows count from frame 0 or 1, at
frame 1. That of frame T has no frame behind T in its windows. So do convolutions, which are evaluated for all
frames together wherever that is possible.
"""

from __future__ import annotations

from dataclasses import replace

from dvaec.plan.blocks import Ports
from dvaec.plan.nodes import FeatureNode, Port, Read
from dvaec.spec.model import (
    LAST,
    Attention,
    Block,
    Convolution,
    Dense,
    Feature,
    Head,
    Parent,
    Spec,
    reads_of,
)
from dvaec.spec.notation import frame_word
from dvaec.spec.offsets import ALL, NOW, Offsets
from dvaec.spec.offsets import window as window_of

UP_TO_T = window_of(None, 0)


def with_blocks_apart(spec: Spec) -> Spec:
    """Return a spec in which features alone attend and convolve, and heads read these features."""
    made: list[Feature] = []
    heads = tuple(_read_apart(spec, head, made) for head in spec.heads)
    return replace(spec, heads=heads, features=(*spec.features, *made))


def _read_apart(spec: Spec, head: Head, made: list[Feature]) -> Head:
    framed = spec.variable(head.target).framed and head.frame is None
    frame = "" if head.frame is None else f"_{frame_word(head.frame)}"
    name = f"{head.side}_{head.target}{frame}"

    def apart(block: Block | None, what: str) -> Block | None:
        if not isinstance(block, Attention | Convolution) or not (framed or isinstance(block, Attention)):
            return block
        kind = "attention" if isinstance(block, Attention) else "convolution"
        read = Parent(f"{kind}_{name}{what}", NOW if framed else None, None if framed else LAST)
        counted = head.frame is not None and any(p.offsets not in (None, ALL) for p in reads_of(block))
        if head.frame == LAST and isinstance(block, Attention):
            block = _up_to_last(block)
        elif counted and isinstance(block, Attention):
            block, read = _from_frame_1(block, head.frame or 0), replace(read, frame=1)
        made.append(Feature(read.name, block))
        return Dense((read,), ())

    block, mean = apart(head.block, ""), head.mean
    if mean is not None:
        mean = replace(mean, block=apart(mean.block, "_mean"))
    return replace(head, block=block, mean=mean)


def _from_frame_1(block: Attention, frame: int) -> Attention:
    """Count from frame 1 the windows that count from the frame of a head."""

    def moved(parents: tuple[Parent, ...]) -> tuple[Parent, ...]:
        return tuple(
            p if p.offsets is None else replace(p, offsets=p.offsets.shift(frame - 1)) for p in parents
        )

    return replace(block, of=moved(block.of), query=moved(block.query))


def _up_to_last(block: Attention) -> Attention:
    """Return attention of the head of frame T as that of a frame t, which is read at T."""

    def there(parents: tuple[Parent, ...]) -> tuple[Parent, ...]:
        of_t = (replace(p, offsets=NOW, frame=None) if p.frame == LAST else p for p in parents)
        return tuple(p if p.offsets is None else replace(p, offsets=p.offsets & UP_TO_T) for p in of_t)

    return replace(block, of=there(block.of), query=there(block.query))


def attending_nodes(make: Ports, name: str, block: Attention) -> tuple[FeatureNode, FeatureNode]:
    """Return the node of the keys and values, two times the block's units, and the node that attends."""
    keys, units = f"{name}_keys", 2 * block.units
    of = tuple(replace(parent, offsets=NOW) for parent in block.of)
    port = make.port(f"{keys}_1", of, units)
    values = FeatureNode(keys, Dense(of, ()), units, (port,))
    window = block.of[0].offsets
    assert window is not None  # checked with the page
    ports = [Port("", (Read(keys, 0),), (units,), units, window)]
    if block.query:
        ports.append(make.port(f"{name}_query", block.query, block.units))
    return values, FeatureNode(name, block, block.units, tuple(ports))


def nearest(window: Offsets) -> int:
    """Return the offset that a schedule waits for: the last of a past window, the first of a future one."""
    if window.finite:
        return window.members[-1]
    if window.reaches_past and window.reaches_future:
        return 0
    reach = window.within(-window.reach - len(window.past), window.reach + len(window.future))
    return reach[-1] if window.reaches_past else reach[0]


def farthest(window: Offsets, sign: int) -> int | None:
    """Return the largest of sign * offset over a window; None where there is none."""
    if window.finite:
        return max(sign * offset for offset in window.members)
    return None if (window.reaches_future if sign > 0 else window.reaches_past) else sign * nearest(window)


def looks_back(window: Offsets) -> bool:
    """Whether a window has frames before t: there may be a frame 0 among them."""
    return window.reaches_past or bool(window.within(-window.reach, -1))
