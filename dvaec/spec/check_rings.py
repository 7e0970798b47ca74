"""States, features and networks that wait for one another: nothing in such a ring can be computed first."""

from __future__ import annotations

from itertools import pairwise

from dvaec.diagnostics import Span
from dvaec.spec.check_cycles import in_frame
from dvaec.spec.check_order import developed_needs
from dvaec.spec.codes import Code
from dvaec.spec.context import Context
from dvaec.spec.graph import cycles, reachable
from dvaec.spec.model import Side


def check_rings(context: Context) -> None:
    """Report a state or feature that reads one frame by its number, at every frame or as a start, in a ring.

    Reading g_<T> waits for all of g; if g in turn reads the reader, at whatever frames, neither can begin.
    """
    parsed = context.parsed
    names = {("states", key): name for key, name in parsed.states.items()}
    names |= {("features", key): name for key, name in parsed.features.items()}
    needs: dict[str, list[str]] = {name: [] for name in names.values()}
    for path, read in parsed.reads.items():
        if (reader := names.get((str(path[0]), str(path[1])))) is not None:
            needs[reader] += [one.name for one in read.references if one.name in needs]
    for path, read in parsed.reads.items():
        reader = names.get((str(path[0]), str(path[1])))
        for one in read.references:
            own = path[2] == "starts" and one.name == reader  # reported with the starts
            if reader is None or one.frame is None or one.name not in needs or own:
                continue
            if one.name == reader or reader in reachable(one.name, needs):
                text = read.scalar.text[one.start : one.stop]
                message = f"'{reader}' waits for {text}, which is computed from '{reader}'"
                context.report.add(Code.CYCLE_DEVELOPED, message, context.place(read.scalar, one))


def check_developed_cycles(context: Context) -> None:
    """Report states, features and heads that need each other at the same frame."""
    parsed = context.parsed
    found: list[frozenset[str]] = []
    for side, lines, roles in (
        (Side.P, parsed.generation, ("observed", "latent")),
        (Side.Q, parsed.inference, ("latent",)),
    ):
        declared = in_frame(lines)
        needs = declared | developed_needs(context, side)
        inner = {name for name in needs if name in context.nodes or context.role(name) in roles}
        kept = {name: [m for m in needs[name] if m in inner] for name in needs if name in inner}
        for cycle in cycles(list(kept), kept):
            said = all(m in declared.get(n, ()) for n, m in pairwise(cycle))
            if said or frozenset(cycle) in found:
                continue
            found.append(frozenset(cycle))
            chain = " <- ".join(f"{name}_t" for name in cycle)
            hint = "one of them must read an earlier frame"
            span = _reading_place(context, side, cycle)
            context.report.add(Code.CYCLE_DEVELOPED, f"a cycle within the frame: {chain}", span, hint)


def _reading_place(context: Context, side: Side, cycle: tuple[str, ...]) -> Span:
    """Return the place of the first reading in the cycle that states, features or networks do."""
    parsed = context.parsed
    for name, needed in pairwise(cycle):
        for path, read in parsed.reads.items():
            block, key = str(path[0]), str(path[1])
            owner = parsed.states.get(key) if block == "states" else parsed.features.get(key)
            if block == "networks":
                owner = name if parsed.heads.get(key) == (side, name) else None
            for reference in read.references:
                if owner == name and reference.name == needed:
                    return context.place(read.scalar, reference)
    return parsed.tree.span
