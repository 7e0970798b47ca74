"""The developed form against the declared windows: what a head's networks really see, recurrences unfolded.

Any difference is an error, for p and q alike: the picture, the ELBO and the code would disagree.
"""

from __future__ import annotations

from dvaec.derive.compare import beyond
from dvaec.derive.model import Derivation
from dvaec.diagnostics import Diagnostic
from dvaec.network.ends import Ends, ends
from dvaec.network.unfold import Unfolded, UnfoldError, unfold
from dvaec.spec import notation
from dvaec.spec.model import Conditional, Head, InferenceKind, Parent, Side, Spec, reads_of_head
from dvaec.spec.offsets import Offsets, window
from dvaec.spec.source import Source

SEES_LESS = "DV210"
SEES_MORE = "DV211"
LOSES_ENDS = "DV212"
OUT_OF_ORDER = "DV213"


def check_developed(spec: Spec, derivation: Derivation, source: Source) -> list[Diagnostic]:
    """Return an error for each head of the page that sees less or more than its conditional declares."""
    try:
        unfolded = unfold(spec)
    except UnfoldError as error:
        return [Diagnostic(error.code, str(error), source.span(_place(spec, error.node)))]
    found = []
    finite = ends(spec)
    for head in spec.heads:
        declared = _declared(spec, derivation, head)
        if head.block is None:
            continue
        seen = Conditional(head.target, unfolded.seen(reads_of_head(head)))
        if declared is not None:
            found += _differences(spec, unfolded, head, declared, seen, source)
        else:
            found += _out_of_order(spec, head, seen, source)
        if finite is not None and (declared is None or declared == seen):
            found += _at_the_ends(finite, head, seen, source)
    return found


def _at_the_ends(finite: Ends, head: Head, seen: Conditional, source: Source) -> list[Diagnostic]:
    """Report the first frame at which a state's start hides what its windows promise."""
    first = next(finite.lost(reads_of_head(head), seen.parents), None)
    if first is None:
        return []
    name = f"{head.side}({head.target}_t)"
    frames = ", ".join(f"{first.name}_{s}" for s in first.missing) or first.name
    what = "frames" if first.missing else first.name
    message = (
        f"the network {name} loses {what} at an end of the sequence: of {first.frames} frames, "
        f"{head.side}({head.target}_{first.frame}) does not see {frames}, since states start at the ends"
    )
    hint = (
        "let a backward state read at t or later and a forward state at t or earlier; "
        "read the remaining frames directly in the network"
    )
    return [Diagnostic(LOSES_ENDS, message, source.span(("networks", name, "reads")), hint)]


def _out_of_order(spec: Spec, head: Head, seen: Conditional, source: Source) -> list[Diagnostic]:
    """Report latents that a network of q sees before the chain rule has drawn them."""
    earlier = spec.latents[: spec.latents.index(head.target)]
    drawn = {name: window(None, 0 if name in earlier else -1) for name in spec.latents}
    late = tuple(
        Parent(p.name, p.offsets - drawn[p.name])
        for p in seen.parents
        if p.name in drawn and p.offsets is not None and p.offsets - drawn[p.name]
    )
    if not late:
        return []
    name = f"{head.side}({head.target}_t)"
    message = (
        f"the network {name} sees {notation.parents(late)}, which q has not drawn before {head.target}_t: "
        f"within a frame q draws {', '.join(spec.latents)}"
    )
    hint = "read it at earlier frames, or give the order of the latents: order: [[...]]"
    return [Diagnostic(OUT_OF_ORDER, message, source.span(("networks", name, "reads")), hint)]


def _declared(spec: Spec, derivation: Derivation, head: Head) -> Conditional | None:
    """Return the declared conditional of a head; None where the head itself is the declaration."""
    if head.side is Side.Q and spec.inference.kind is InferenceKind.NETWORKS:
        return None
    lines = spec.generation if head.side is Side.P else derivation.inference
    return next((line for line in lines if line.target == head.target), None)


def _differences(
    spec: Spec, unfolded: Unfolded, head: Head, declared: Conditional, seen: Conditional, source: Source
) -> list[Diagnostic]:
    name = f"{head.side}({head.target}_t)"
    span = source.span(("networks", name, "reads"))
    missing, surplus = beyond(declared, seen), beyond(seen, declared)
    line = notation.line(declared)
    found = []
    if missing:
        windows = notation.parents(missing)
        message = f"the network {name} does not see {windows}, which {_origin(spec, head)} lists: {line}"
        hint = "; or ".join(_carriers(spec, missing[0], head))
        found.append(Diagnostic(SEES_LESS, message, span, hint))
    if surplus:
        windows = notation.parents(surplus)
        message = f"the network {name} sees {windows}, which {_origin(spec, head)} does not list: {line}"
        via = [notation.page(r.name, r.offsets) for r in reads_of_head(head) if _brings(unfolded, r, surplus)]
        ways = f" (through {', '.join(dict.fromkeys(via))})" if via else ""
        where = "under generation" if head.side is Side.P else "that you write under inference"
        hint = f"remove it from what {name} reads{ways}, or add it to the conditional {where}"
        found.append(Diagnostic(SEES_MORE, message, span, hint))
    return found


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
    name = f"{head.side}({head.target}_t)"
    offsets = missing.offsets
    if offsets is None or offsets.finite:
        ways = [f"let {name} read {notation.page(missing.name, offsets)}"]
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


def _brings(unfolded: Unfolded, read: Parent, surplus: tuple[Parent, ...]) -> bool:
    """Say whether reading one name lets a surplus window in."""
    seen = Conditional(read.name, unfolded.seen((read,)))
    excess = Conditional(read.name, surplus)
    return beyond(seen, excess) != seen.parents


def _place(spec: Spec, node: str) -> tuple[str, ...]:
    """Return the path of a state or feature."""
    name = node.partition(" ")[0]
    kind = "states" if any(s.name == name for s in spec.states) else "features"
    return (kind, f"{name}_t")
