"""An explanation in words, with the lines of the page that give each arrow."""

from __future__ import annotations

from dvaec.derive.explain import Explanation, Finding
from dvaec.derive.trails import Arrow, Block, Collider, Frames, Place
from dvaec.spec import notation
from dvaec.spec.model import LAST, Parent
from dvaec.spec.offsets import of
from dvaec.spec.source import Source

UNSHOWN = "  The reason is not shown: it takes a network of more frames than are searched."
LONGEST_TRAIL = 8


def explanation_text(explanation: Explanation, source: Source) -> str:
    """Return the explanation as lines: the answers with their trails or blocks, then what q does about it."""
    target = target_text(explanation)
    lines = []
    for finding in explanation.findings:
        lines += _finding(target, finding, source)
    if explanation.later is not None:
        text = window_text(explanation.later)
        why = f"comes later in the chain-rule order than {target}"
        if text == target:
            why = "is the target itself"
        lines.append(f"no: {text} {why}; its factor may not read {text}.")
    lines += _use(explanation)
    return "\n".join(lines)


def target_text(explanation: Explanation) -> str:
    """Return the target as the question names it: z_t, z_0, z_T, v."""
    name, frame = explanation.question.target, explanation.question.frame
    if not explanation.framed:
        return name
    return f"{name}_t" if frame is None else f"{name}_{'T' if frame == LAST else frame}"


def _finding(target: str, finding: Finding, source: Source) -> list[str]:
    text, example = window_text(finding.part), _place(finding.example)
    length = "" if finding.frames is None else f", T = {finding.frames}"
    shown = "" if example == text else f" (shown for {example}{length})"
    if not finding.shown:
        shown = ""
    elif finding.at is not None:
        shown = f" (shown for t = {finding.at}{length})"
    if finding.depends:
        head = f"yes: given everything else that {target} may read, it depends on {text}{shown}"
        if not finding.shown:
            return [f"{head}.", UNSHOWN]
        head += ", through"
        opened = [f"  {_opening(c)}" for c in finding.colliders]
        return [head, f"  {_trail(finding.trail)}", *_arrows(finding.trail, source), *opened]
    head = f"no: given the posterior's parents of {target}, {text} tells nothing more about it{shown}."
    if not finding.shown:
        return [head, UNSHOWN]
    if not finding.blocks:
        return [head, f"  Nothing in the model leads from {target} to {example}."]
    lines = [head, "  Every way from one to the other is blocked:"]
    for block in finding.blocks:
        lines += _block(block, source)
    return lines


def _block(block: Block, source: Source) -> list[str]:
    text = window_text(block.at)
    if not block.trail:
        return [f"  at {text}"]
    if block.collider:
        why = f"arrows meet at {text}, and neither it nor anything that follows from it is given"
    else:
        why = f"{text} is given"
    return [f"  {_trail(block.trail)}: {why}", *_arrows(block.trail, source)]


def _opening(collider: Collider) -> str:
    place = _place(collider.place)
    if len(collider.descent) == 1:
        return f"{place} is given, which opens the collider: its causes become dependent."
    way = " → ".join(_place(p) for p in collider.descent)
    return (
        f"{_place(collider.descent[-1])} is given and follows from {place} ({way}), which opens the collider."
    )


def _trail(trail: tuple[Arrow, ...]) -> str:
    if not trail:
        return ""
    first = trail[0].head if trail[0].against else trail[0].tail
    places = [f"← {_place(a.tail)}" if a.against else f"→ {_place(a.head)}" for a in trail]
    return " ".join([_place(first), *_shortened(places)])


def _shortened(items: list[str]) -> list[str]:
    """Leave out the middle of a long list."""
    half = LONGEST_TRAIL // 2
    return items if len(items) <= LONGEST_TRAIL else [*items[:half], "...", *items[-half:]]


def _arrows(trail: tuple[Arrow, ...], source: Source) -> list[str]:
    """List the arrows with the lines of the page that give them, in columns."""
    names = [f"{_place(a.tail)} → {_place(a.head)}" for a in trail]
    width = max(map(len, names), default=0)
    lines = []
    for name, arrow in zip(names, trail, strict=True):
        span = source.span(arrow.path)
        known = source.sources().lines(span.file)
        written = known[span.line - 1].partition(" #")[0].strip().removeprefix("- ") if known else ""
        lines.append(f"    {name:<{width}}  {span.file}:{span.line}  {written}".rstrip())
    return _shortened(lines)


def _use(explanation: Explanation) -> list[str]:
    lines = []
    if explanation.golden is not None:
        text = window_text(explanation.golden)
        lines.append(f"q does not read {text}, which the exact posterior reads (golden).")
    if explanation.silver is not None:
        text = window_text(explanation.silver)
        lines.append(f"q reads {text}, which the exact posterior does not read (silver).")
    if explanation.answer and explanation.used is not None:
        lines.append(f"q reads {window_text(explanation.used)}.")
    return lines


def window_text(part: Parent | Frames) -> str:
    """Return a window as the page writes it; single frames as runs: x_1, x_<4:T>."""
    if isinstance(part, Parent):
        return notation.parent(part)
    runs: list[tuple[int, int]] = []
    for frame in part.frames:
        if runs and runs[-1][1] == frame - 1:
            runs[-1] = (runs[-1][0], frame)
        else:
            runs.append((frame, frame))
    named = (
        (first, "T" if last == part.last and last > first else str(last), first == last)
        for first, last in runs
    )
    texts = [
        f"{part.name}_{first}" if single else f"{part.name}_<{first}:{last}>" for first, last, single in named
    ]
    return ", ".join(_shortened(texts))


def _place(place: Place) -> str:
    if place.frame is not None:
        return f"{place.name}_{place.frame}"
    return notation.page(place.name, None if place.offset is None else of(place.offset))
