"""The active path, or what blocks every path, painted into the generative model's compact form.

Trails run through the random variables of p, so that is the form. It has as many slices as they need;
where a reason is shown at single frames it is the whole network that shows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, pairwise

from dvaec.derive.answers import Explanation, Finding
from dvaec.derive.explain_text import target_text, window_text
from dvaec.derive.model import Derivation
from dvaec.derive.trails import Arrow as Step
from dvaec.derive.trails import Block, Collider, Frames
from dvaec.derive.trails import Place as Spot
from dvaec.emit.diagram import EARLIER, FUTURE, LATER, PAST, ZERO, Diagram, Form, Mark, Place, Remark, Tone
from dvaec.emit.diagram_build import THREE, Extent, diagram
from dvaec.spec.model import Parent, Spec
from dvaec.spec.notation import lowered, parent_unicode
from dvaec.spec.offsets import of

MOST_SLICES = 13
MOST_FRAMES = 12
_WORDS = {
    Tone.ACTIVE: "an active path: the one tells about the other",
    Tone.OPENS: "what follows from a head-to-head node and is given opens it",
    Tone.BLOCKED: "a path as far as it is open",
    Mark.BLOCKS: "blocks: given, or head-to-head with nothing given below",
    Mark.ASKED: "what the question is about",
}


class TooLongError(Exception):
    """The reason takes more frames than a picture shows; the message says how many."""


def highlighted(
    spec: Spec, derivation: Derivation, explanation: Explanation, extent: Extent = THREE
) -> Diagram:
    """Draw the reasons of an answer in `extent.slices` or more; TooLongError if they span too many."""
    painted = _painted(explanation)
    extent = _extent(painted, extent)
    picture = diagram(spec, derivation, Form.COMPACT, extent)
    tones: dict[tuple[Place, Place], Tone] = {}
    marks: dict[Place, Mark] = {}
    for finding in painted:
        for tail, head, tone in _painted_arrows(finding):
            tones.setdefault((tail, head), tone)
        marks |= {p: Mark.BLOCKS for block in finding.blocks for p in _blocking(block, picture)}
    for finding in painted:
        marks |= dict.fromkeys(_asked(explanation, finding, extent), Mark.ASKED)
    arrows = tuple(replace(a, tone=tones.get((a.source, a.target), a.tone)) for a in picture.arrows)
    shown = tuple((place, marks[place]) for place in picture.places if place in marks)
    used = (*(a.tone for a in arrows), *(mark for _, mark in shown))
    return replace(
        picture,
        arrows=arrows,
        title=(picture.title[0], *_answers(explanation)),
        legend=(*(Remark(mark, text) for mark, text in _WORDS.items() if mark in used), *picture.legend),
        marks=shown,
    )


def _painted(explanation: Explanation) -> tuple[Finding, ...]:
    """The findings that one picture can show: those of the first one's network."""
    shown = [_near(f) for f in explanation.findings if f.shown]
    return tuple(f for f in shown if (f.frames, f.at) == (shown[0].frames, shown[0].at))


def _near(finding: Finding) -> Finding:
    """What is shown at a frame t of a long network, relative to that t; its far end is beyond the slices."""
    at = finding.at
    if at is None or finding.frames is None or finding.frames <= MOST_FRAMES:
        return finding

    def spot(one: Spot) -> Spot:
        return one if one.frame is None else Spot(one.name, one.frame - at)

    def steps(some: tuple[Step, ...]) -> tuple[Step, ...]:
        return tuple(replace(s, tail=spot(s.tail), head=spot(s.head)) for s in some)

    def place(one: Parent | Frames) -> Parent:
        return one if isinstance(one, Parent) else Parent(one.name, of(*(f - at for f in one.frames)))

    frame = finding.example.frame or 0
    far = ZERO if frame == 0 else EARLIER if frame < at else LATER
    return replace(
        finding,
        example=Spot(finding.example.name, far),
        trail=steps(finding.trail),
        colliders=tuple(
            Collider(spot(c.place), tuple(spot(s) for s in c.descent)) for c in finding.colliders
        ),
        blocks=tuple(Block(place(b.at), b.collider, steps(b.trail)) for b in finding.blocks),
        frames=None,
        at=None,
    )


def _extent(painted: tuple[Finding, ...], least: Extent) -> Extent:
    """As many slices as the trails need, or all frames of the network that shows them."""
    frames = next((f.frames for f in painted), None)
    if frames is not None:
        if frames > MOST_FRAMES:
            raise TooLongError(f"it is shown in a network of {frames} frames; a picture has {MOST_FRAMES}")
        return Extent(frames=frames)
    spots = (spot for finding in painted for spot in _spots(finding))
    offsets = [
        *least.slices,
        *(s.offset for s in spots if s.offset is not None and PAST < s.offset < FUTURE),
    ]
    slices = tuple(range(min(offsets), max(offsets) + 1))
    if len(slices) > MOST_SLICES:
        raise TooLongError(f"it spans {len(slices)} frames; a picture has {MOST_SLICES}")
    return Extent(slices)


def _spots(finding: Finding) -> Iterator[Spot]:
    yield finding.example
    for step in chain(finding.trail, *(block.trail for block in finding.blocks)):
        yield from (step.tail, step.head)
    for collider in finding.colliders:
        yield from collider.descent


def _painted_arrows(finding: Finding) -> Iterator[tuple[Place, Place, Tone]]:
    """Tails and heads with their tones; what comes first goes over what comes later."""
    yield from ((_place(s.tail), _place(s.head), Tone.ACTIVE) for s in finding.trail)
    for collider in finding.colliders:
        yield from ((_place(a), _place(b), Tone.OPENS) for a, b in pairwise(collider.descent))
    for block in finding.blocks:
        yield from ((_place(s.tail), _place(s.head), Tone.BLOCKED) for s in block.trail)


def _blocking(block: Block, picture: Diagram) -> Iterator[Place]:
    """The nodes of a picture at which a block is; those beyond it where there are some."""
    at = block.at
    if isinstance(at, Frames):
        yield from (_column(at.name, frame) for frame in at.frames)
    elif at.offsets is None:
        yield Place(at.name, None)
    else:
        yield from (Place(at.name, frame) for frame in picture.slices if frame in at.offsets)
        if at.offsets.reaches_past:
            yield from (Place(at.name, frame) for frame in (EARLIER, PAST))
        if at.offsets.reaches_future:
            yield from (Place(at.name, frame) for frame in (FUTURE, LATER))


def _asked(explanation: Explanation, finding: Finding, extent: Extent) -> Iterator[Place]:
    """The two ends of the question: the target, where the trails begin, and the example."""
    yield _place(finding.example)
    trails: list[tuple[Step, ...]] = [t for t in (finding.trail, *(b.trail for b in finding.blocks)) if t]
    if trails:
        first = trails[0][0]
        yield _place(first.head if first.against else first.tail)
    elif not explanation.framed:
        yield Place(explanation.question.target, None)
    elif extent.frames is None:
        yield Place(explanation.question.target, 0)


def _place(spot: Spot) -> Place:
    return Place(spot.name, spot.offset) if spot.frame is None else _column(spot.name, spot.frame)


def _column(name: str, frame: int) -> Place:
    return Place(name, frame or ZERO)


def _answers(explanation: Explanation) -> tuple[str, ...]:
    """One line an answer: zₜ ← xₜ₊₁: yes."""
    target = _small(target_text(explanation))
    lines = []
    for finding in explanation.findings:
        said = "yes" if finding.depends else "no, given the posterior's parents"
        length = "" if _near(finding).frames is None else f" (T = {finding.frames})"
        reason = "" if finding.shown else "; the reason is not shown: its network is too large"
        lines.append(f"{target} ← {_part(finding.part)}: {said}{length}{reason}")
    if explanation.later is not None:
        lines.append(f"{target} ← {_part(explanation.later)}: no, it does not come earlier in q's order")
    return tuple(lines)


def _part(part: Parent | Frames) -> str:
    return parent_unicode(part) if isinstance(part, Parent) else _small(window_text(part))


def _small(text: str) -> str:
    """Set the subscripts of x_3, z_t, x_<2:T> small."""
    return re.sub(r"_<?([0-9tT:]+)>?", lambda found: lowered(found[1]), text)
