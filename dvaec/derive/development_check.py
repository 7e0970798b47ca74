"""The developed form against the declared windows: what a head's networks really see, recurrences unfolded.

Any difference is an error, for p and q alike: the picture, the ELBO and the code would disagree. Where q's
networks alone declare q there is nothing to contradict; what they lose at the ends is remarked upon.
"""

from __future__ import annotations

from itertools import islice

from dvaec.derive.beyond import beside_itself, beyond
from dvaec.derive.drawn import drawn_before
from dvaec.derive.model import Derivation
from dvaec.derive.unseen import lost_word, way_to_see, why_unseen
from dvaec.diagnostics import Diagnostic
from dvaec.network.ends import Ends, Lost
from dvaec.network.lengths import TooLongError, lengths
from dvaec.network.unfold import Unfolded, UnfoldError, unfold
from dvaec.spec import notation
from dvaec.spec.developed_text import head_key
from dvaec.spec.model import Conditional, Head, InferenceKind, Parent, Side, Spec, reads_of_head
from dvaec.spec.offsets import Offsets
from dvaec.spec.source import Source
from dvaec.spec.trunk import needs_trunk

SEES_LESS = "DV210"
SEES_MORE = "DV211"
LOSES_ENDS = "DV212"
OUT_OF_ORDER = "DV213"
MOST_SHOWN = 4


def check_developed(spec: Spec, derivation: Derivation, source: Source) -> list[Diagnostic]:
    """Return an error for each head of the page that sees less or more than its conditional declares."""
    try:
        unfolded = unfold(spec)
    except UnfoldError as error:
        hint = "let all that depend on one another read in one direction of time, or an earlier frame"
        return [Diagnostic(error.code, str(error), source.span(_place(spec, error.node)), hint)]
    found = []
    finite: tuple[Ends, ...] = ()
    try:
        finite = lengths(spec)
    except TooLongError as error:
        block = next((b for b in ("states", "features", "networks") if (b,) in source.spans), "networks")
        hint = "read far frames directly, or let fewer states and features stand on one another"
        found.append(Diagnostic(error.code, str(error), source.span((block,)), hint))
    for head in spec.heads:
        reads = reads_of_head(head)
        if not reads:
            continue
        declared = _declared(spec, derivation, head)
        seen = Conditional(head.target, unfolded.seen(reads, head.frame), head.frame)
        if declared is None:
            found += _out_of_order(spec, head, seen, source)
        else:
            found += _differences(spec, unfolded, head, declared, beside_itself(seen), source)
        if declared is not None and _alike(declared, seen):  # else `remarks` tells what is lost
            served = (1, 0) if head.side is Side.P else derivation.served_by(head.target)
            lost = (first for one in finite for first in one.lost(head.side, reads, seen, served))
            found += [_at_the_ends(spec, head, first, source) for first in islice(lost, 1)]
        if finite and finite[0].sees_itself(reads, seen):
            name, own = head_key(spec, head), f"{head.target}_{notation.frame_word(head.frame or 0)}"
            hint = f"a state that it reads starts at {own}, or reads it: read another in its place"
            span = source.span(("networks", name, "reads"))
            found.append(Diagnostic(OUT_OF_ORDER, f"the network {name} sees {own} itself", span, hint))
    return found


def _alike(one: Conditional, other: Conditional) -> bool:
    return not beyond(one, other) and not beyond(other, one)


def _at_the_ends(spec: Spec, head: Head, first: Lost, source: Source) -> Diagnostic:
    """Report the first frame at which a state's start hides what its windows promise."""
    name = head_key(spec, head)
    what = "frames" if first.missing else first.name
    reader = f"{head.side}({head.target}{'' if first.frame is None else f'_{first.frame}'})"
    length = notation.counted(first.frames, "frame")
    message = (
        f"the network {name} loses {what} at an end of the sequence: of {length}, "
        f"{reader} does not see {lost_word(first)}, since {why_unseen(spec, (first,))}"
    )
    span = source.span(("networks", name, "reads"))
    return Diagnostic(LOSES_ENDS, message, span, way_to_see(spec, (first,), head.frame))


def _out_of_order(spec: Spec, head: Head, seen: Conditional, source: Source) -> list[Diagnostic]:
    """Report latents that a network of q sees before the chain rule has drawn them."""
    if not spec.swept:  # its lines have been looked at one by one
        return []
    late = beyond(seen, drawn_before(spec, head.target, head.frame), spec.zero)
    late = tuple(p for p in late if p.name in spec.latents)
    if not late:
        return []
    name = head_key(spec, head)
    seen_late = notation.parents(late, spec.zero, head.frame)
    message = (
        f"the network {name} sees {seen_late}, which q has not drawn before "
        f"{name[2:-1]}: {_order_in_words(spec, head.target)}"
    )
    hint = "read what is drawn earlier, or give the order of the latents: order: [[...]]"
    return [Diagnostic(OUT_OF_ORDER, message, source.span(("networks", name, "reads")), hint)]


def _order_in_words(spec: Spec, target: str) -> str:
    """Say how q draws the latents of a sweep, and what follows it."""
    sweep = next(sweep for sweep in spec.order if target in sweep.latents)
    after = spec.order[spec.order.index(sweep) + 1 :]
    if spec.variable(target).framed:
        way = "from T down to 1, " if sweep.backward else ""
        said = f"{way}within a frame q draws {', '.join(sweep.latents)}"
    else:
        said = f"q draws {target} once"
    later = ", ".join(name for one in after for name in one.latents)
    return f"{said}, and {later} afterwards" if later else said


def _declared(spec: Spec, derivation: Derivation, head: Head) -> Conditional | None:
    """Return the declared conditional of a head; None where the head itself is the declaration."""
    if head.side is Side.Q and spec.inference.kind is InferenceKind.NETWORKS:
        return None
    p = (*spec.generation, *spec.numbered)
    lines = p if head.side is Side.P else derivation.inference
    return next((line for line in lines if (line.target, line.frame) == (head.target, head.frame)), None)


def _differences(
    spec: Spec, unfolded: Unfolded, head: Head, declared: Conditional, seen: Conditional, source: Source
) -> list[Diagnostic]:
    name = head_key(spec, head)
    span = source.span(("networks", name, "reads"))
    zero = spec.zero
    missing, surplus = beyond(declared, seen, zero), beyond(seen, declared, zero)
    if head.block is None and needs_trunk(head, spec.variable(head.target)):
        missing = ()  # the rest is developed by default
    line = notation.line(declared, spec.variable(head.target).framed, zero)
    found = []
    if missing:
        windows = _some(spec, missing, head.frame)
        message = f"the network {name} does not see {windows}, which {_origin(spec, head)} lists: {line}"
        hint = "; or ".join(_carriers(spec, missing[0], head))
        found.append(Diagnostic(SEES_LESS, message, span, hint))
    if surplus:
        windows = _some(spec, surplus, head.frame)
        message = f"the network {name} sees {windows}, which {_origin(spec, head)} does not list: {line}"
        via = [
            notation.parent(r, frame=head.frame)
            for r in reads_of_head(head)
            if _brings(unfolded, r, surplus, head.frame)
        ]
        ways = f" (through {', '.join(dict.fromkeys(via))})" if via else ""
        where = "under generation" if head.side is Side.P else "that you write under inference"
        hint = f"remove it from what {name} reads{ways}, or add it to the conditional {where}"
        found.append(Diagnostic(SEES_MORE, message, span, hint))
    return found


def _some(spec: Spec, parents: tuple[Parent, ...], frame: int | None) -> str:
    """Return windows as the language writes them, of very many the first."""
    listed = notation.parents(parents, spec.zero, frame).split(", ")
    more = f" and {len(listed) - MOST_SHOWN} more windows" if len(listed) > MOST_SHOWN + 1 else ""
    return ", ".join(listed[:MOST_SHOWN] if more else listed) + more


def _origin(spec: Spec, head: Head) -> str:
    """Say where the declared windows come from."""
    if head.side is Side.P:
        return "its conditional under generation"
    match spec.inference.kind:
        case InferenceKind.EXACT:
            return "the exact posterior (inference: exact)"
        case InferenceKind.FILTERING:
            return "the filtering posterior (inference: filtering)"
        case InferenceKind.LOOKAHEAD:
            return f"the posterior with look-ahead {spec.inference.delay}"
        case _:
            return "its conditional under inference"


def _carriers(spec: Spec, missing: Parent, head: Head) -> list[str]:
    """Suggest how the first missing window could be seen."""
    name = head_key(spec, head)
    offsets = missing.offsets
    if offsets is None or offsets.finite:
        ways = [f"let {name} read {_some(spec, (missing,), head.frame)}"]
    elif head.frame is not None:
        ways = [f"let {name} read, at frame 1, a state that runs backward and reads {missing.name}: b_<1>"]
    elif not spec.variable(head.target).framed:
        ways = [f"let {name} read, at frame T, a state that runs forward and reads {missing.name}: g_<T>"]
    else:
        runs = _direction(offsets)
        ways = [f"let {name} read a state that runs {runs} and reads {missing.name}"]
    if head.side is Side.P:
        return [*ways, "remove it from the conditional"]
    if spec.inference.kind is InferenceKind.CONDITIONALS:
        return [*ways, "remove it from the conditional under inference"]
    return [*ways, "write q's conditionals under inference: they may leave it out"]


def _direction(offsets: Offsets) -> str:
    if offsets.reaches_past and offsets.reaches_future:
        return "both ways (runs: both)"
    return "forward" if offsets.reaches_past else "backward (runs: backward)"


def _brings(unfolded: Unfolded, read: Parent, surplus: tuple[Parent, ...], frame: int | None) -> bool:
    """Say whether reading one name lets a surplus window in."""
    seen = Conditional(read.name, unfolded.seen((read,), frame), frame)
    excess = Conditional(read.name, surplus, frame)
    return beyond(seen, excess) != seen.parents


def _place(spec: Spec, node: str) -> tuple[str, ...]:
    """Return the path of a state or feature."""
    name = node.partition(" ")[0]
    kind = "states" if any(s.name == name for s in spec.states) else "features"
    return (kind, f"{name}_t")
