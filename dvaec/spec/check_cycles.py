"""Conditionals that need each other at the same frame."""

from __future__ import annotations

from dvaec.spec.codes import Code
from dvaec.spec.conditionals import Line
from dvaec.spec.context import Context
from dvaec.spec.graph import cycles
from dvaec.spec.offsets import Offsets


def in_frame(lines: list[Line]) -> dict[str, list[str]]:
    """Return for each target its parents at the same frame, and those that have one value a sequence."""
    return {
        line.target.name: [
            p.name for p in line.parents if (_now(p.offsets) or p.bare) and p.name != line.target.name
        ]
        for line in lines
        if line.target.frame is None
    }


def _now(offsets: Offsets | None) -> bool:
    return offsets is not None and 0 in offsets


def check_frame_cycles(context: Context, lines: list[Line]) -> None:
    """Report conditionals that need each other at the same frame."""
    needs = {
        line.target.name: [
            name for name in in_frame([line]).get(line.target.name, ()) if _levels(context, line, name)
        ]
        for line in lines
        if line.target.frame is None
    }
    for cycle in cycles(list(needs), needs):
        # A conditional that is given twice is reported elsewhere; the cycle is in one of its lines.
        line, parent = next(
            (line, parent)
            for line in lines
            for parent in line.parents
            if line.target.name == cycle[0]
            and parent.name == cycle[1]
            and (_now(parent.offsets) or parent.bare)
        )
        framed = context.framed.get(cycle[0], True)
        chain = " <- ".join(f"{name}_t" if framed else name for name in cycle)
        message = f"a cycle within the frame: {chain}" if framed else f"a cycle: {chain}"
        hint = "one of them must read an earlier frame" if framed else None
        if framed and context.role(cycle[0]) == "latent" and context.role(cycle[1]) == "observed":
            hint = f"{hint}; what {cycle[0]} is inferred from stands under 'inference'"
        context.report.add(Code.CYCLE, message, context.place(line.scalar, parent), hint)


def _levels(context: Context, line: Line, name: str) -> bool:
    """Whether a parent is of its reader's level: the other cycles are looked for over the whole sequence."""
    return context.framed.get(line.target.name, True) == context.framed.get(name, True)
