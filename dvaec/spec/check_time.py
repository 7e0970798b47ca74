"""Whether p and q can be drawn: no cycle through earlier and later frames, nor through the sequence level."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import pairwise

from dvaec.diagnostics import Span
from dvaec.spec.codes import Code
from dvaec.spec.context import Context
from dvaec.spec.ends_over_time import cycle_at_ends
from dvaec.spec.frames import parent_of
from dvaec.spec.graph import reachable
from dvaec.spec.model import LAST, Conditional, Parent, Side
from dvaec.spec.notation import frame_word, page
from dvaec.spec.offsets import of
from dvaec.spec.over_time import Place, Tangle, arrows_of, components, direction


def check_directions(
    context: Context, conditionals: Sequence[Conditional], names: Collection[str], block: str
) -> bool:
    """Report conditionals of `names` that cannot be drawn one after another; return whether all can."""
    framed = tuple(name for name in names if context.framed[name])
    static = tuple(name for name in names if not context.framed[name])
    before = len(context.report.found)
    arrows = arrows_of(map(_relative, (c for c in conditionals if c.frame is None)), framed)
    for tangle in [direction(part, arrows) for part in components(framed, arrows)]:
        if isinstance(tangle, Tangle):
            _report_tangle(context, tangle, conditionals, block)
    drawable = len(context.report.found) == before
    numbered = any(c.frame is not None or any(p.frame is not None for p in c.parents) for c in conditionals)
    if drawable and (static or numbered):
        inner = [c for c in conditionals if c.target in names]
        if cycle := cycle_at_ends(inner, static, context.zero, drawn=block != "generation"):
            _report_cycle(context, cycle, inner, static, block)
            return False
    return drawable


def _relative(conditional: Conditional) -> Conditional:
    """Leave out the parents at single frames, which are looked at with the ends of the sequence."""
    kept = tuple(p for p in conditional.parents if p.frame is None)
    return replace(conditional, parents=kept)


_ONE_WAY = "let all that depend on one another read in one direction of time, or an earlier frame"


def _report_tangle(context: Context, tangle: Tangle, conditionals: Sequence[Conditional], block: str) -> None:
    code = Code.CYCLE_OVER_TIME if block == "generation" else Code.INFERENCE_CYCLE
    if tangle.walk:
        chain = " <- ".join(page(name, of(d)) for name, d in tangle.walk)
        same = all(d == 0 for _, d in tangle.walk)
        message = f"a cycle {'within the frame' if same else 'through earlier and later frames'}: {chain}"
        child, parent = next((a[0], b[0]) for a, b in pairwise(tangle.walk))
        if same and child == parent and (via := _through(context, child)):
            message = f"{message}, through {via}"
    else:
        listed = ", ".join(f"'{name}'" for name in tangle.names[:6])
        message = f"a cycle through earlier and later frames of {listed}"
        child, parent = next(
            (c.target, p.name)
            for c in conditionals
            for p in c.parents
            if c.target in tangle.names and p.name in tangle.names
        )
    context.report.add(code, message, place_of(context, block, child, None, parent), _ONE_WAY)


def _through(context: Context, name: str) -> str | None:
    """Return the state or feature by which the network of q of a latent comes to read this itself."""
    parsed = context.parsed
    read: dict[str, list[str]] = {}
    of = {("states", key): made for key, made in parsed.states.items()}
    of |= {("features", key): made for key, made in parsed.features.items()}
    of |= {("networks", key): f"q({made})" for key, (side, made) in parsed.heads.items() if side is Side.Q}
    for path, listed in parsed.reads.items():
        if (reader := of.get((str(path[0]), str(path[1])))) is not None:
            read.setdefault(reader, []).extend(one.name for one in listed.references)
    around = (one for one in read.get(f"q({name})", ()) if one in context.nodes and one not in context.roles)
    return next((f"{one}_t" for one in around if name in reachable(one, read)), None)


def _report_cycle(
    context: Context,
    cycle: tuple[Place, ...],
    conditionals: Sequence[Conditional],
    static: Collection[str],
    block: str,
) -> None:
    through = any(name in static for name, _ in cycle)
    code = Code.CYCLE_OF_LEVELS if through else Code.CYCLE_OVER_TIME
    if block != "generation":
        code = Code.INFERENCE_CYCLE
    read = next(filter(None, (_by_number(a, b, conditionals) for a, b in pairwise(cycle))), None)
    (child, at), (parent, _) = next(
        ((a, b) for a, b in pairwise(cycle) if a[0] in static), next(pairwise(cycle))
    )
    frame: int | None = at
    chain = " <- ".join(name if name in static else f"{name}_{frame}" for name, frame in cycle)
    what, hint = "a cycle", "leave one of these links out"
    if through:
        what = "a cycle through a value of the sequence"
    elif read is not None:
        line, named = read
        child, frame, parent, hint = (
            line.target,
            line.frame,
            named.name,
            _way_out(cycle, line, named, conditionals),
        )
        if frame is None and len(cycle) == 2 and named.frame == LAST:  # found where T = 1, true of every T
            chain = f"{child}_T <- {child}_T"
    context.report.add(code, f"{what}: {chain}", place_of(context, block, child, frame, parent), hint)


def _by_number(a: Place, b: Place, conditionals: Sequence[Conditional]) -> tuple[Conditional, Parent] | None:
    """Return the line by which `a` reads `b`, and the parent there, if it names a single frame."""
    lines = [c for c in conditionals if c.target == a[0] and c.frame in (a[1], LAST, None)]
    for line in sorted(lines, key=lambda c: (c.frame is None, c.frame == LAST)):
        at = a[1] if line.frame is None else 0
        near = any(p.name == b[0] and p.offsets is not None and b[1] - at in p.offsets for p in line.parents)
        named = (p for p in line.parents if p.name == b[0] and p.frame is not None)
        parent = next((p for p in named if p.frame in (b[1], LAST)), None)
        if not near and parent is not None:
            return line, parent
    return None


def _way_out(
    cycle: tuple[Place, ...], line: Conditional, parent: Parent, conditionals: Sequence[Conditional]
) -> str:
    """Say how a read of a single frame could wait for nothing that waits for it."""
    child, name = line.target, parent.name
    shown = f"{name}_<T>" if parent.frame == LAST else f"{name}_{parent.frame}"
    if line.frame is not None:
        own = f"{child}_{frame_word(line.frame)}"
        if parent.frame == LAST:
            return (
                f"in sequences of some length {shown} is {own} or made from it: leave one of these links out"
            )
        return f"{shown} is made from {own}: leave one of these links out, or give {shown} a line of its own"
    if parent.frame == LAST:
        lines = {c.frame for c in conditionals if c.target == name}
        way = f"give it a line of its own, {name}_T, that reads"
        if 1 in lines and (name, 1) in cycle:
            way = f"let {name}_1, which is {name}_T where T is 1, read"
        elif LAST in lines:
            way = f"let the line of {name}_T read"
        return f"{shown}, which every t reads, is made first: {way} nothing that is made from it"
    if cycle[0][1] == cycle[1][1] == parent.frame:
        return (
            f"a conditional of {child}_t serves frame {parent.frame} too: give that frame a line of its own, "
            f"{child}_{parent.frame}, or read {name} relative to t, {name}_<t-1>"
        )
    return f"{shown}, which every t reads, is made first: what it is made of reads no later frames"


def check_summaries(context: Context, conditionals: Sequence[Conditional]) -> None:
    """Report what is generated, against the promise, from a value of the sequence that sums up all frames."""
    promise = context.parsed.shape.causality
    if promise == "noncausal":
        return
    inputs = context.having("input")
    whole: set[str] = set()
    for _ in conditionals:
        for c in conditionals:
            if not context.framed[c.target] and any(_sums_up(p, whole, inputs) for p in c.parents):
                whole.add(c.target)
    for c in conditionals:
        for parent in c.parents if context.framed[c.target] else ():
            if parent.name in whole:
                side = "later" if promise == "causal" else "earlier"
                message = (
                    f"'{parent.name}' is made of whole sequences, so that '{c.target}' reads {side} frames"
                )
                code = Code.FUTURE_PARENT if promise == "causal" else Code.PAST_PARENT
                span = place_of(context, "generation", c.target, c.frame, parent.name)
                context.report.add(code, message, span, "say causality: noncausal")


def _sums_up(parent: Parent, whole: Collection[str], inputs: Collection[str]) -> bool:
    everywhere = parent.offsets is not None or parent.frame == LAST
    return parent.name in whole or (everywhere and parent.name not in inputs)


def place_of(context: Context, block: str, child: str, frame: int | None, parent: str) -> Span:
    """Return where a conditional, or the network that stands for it, reads a parent."""
    spans = context.parsed.spans
    for label in (child if frame is None else f"{child}_{frame_word(frame)}", child):
        if (block, label, parent) in spans:
            return spans[block, label, parent]
    heads = [key for key, head in context.parsed.heads.items() if head == (Side.Q, child)]
    if heads and block == "inference":
        heads.sort(key=lambda key: parent_of(context.parsed.targets[key]).frame != frame)
        return context.parsed.span(("networks", heads[0], "reads"))
    return context.parsed.span((block, child))
