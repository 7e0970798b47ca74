"""What q's networks see of the variables: features inlined, recurrent states substituted away.

A deterministic node that reads m at the offsets D sees D + X_m; a state's recurrence repeats its lag. A state
at a single frame (g_<T>) brings what it sees there. Where a recurrence has no finite set of steps of one
direction, the answer is a superset; the comparison of windows is made elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from dvaec.spec.context import Context
from dvaec.spec.frames import parent_of, united
from dvaec.spec.model import LAST, Conditional, Parent, Side
from dvaec.spec.offsets import ALL, NONE, NOW, Offsets, of, plus, star, window
from dvaec.spec.subscripts import Reference

Fixed = tuple[str, int | None]  # a name at one frame by its number, or of the sequence


@dataclass
class _Row:
    """What one node reads: names at offsets, and names without regard to the node's own frame."""

    frames: dict[str, Offsets] = field(default_factory=dict)
    fixed: set[Fixed] = field(default_factory=set)

    def read(self, reference: Reference) -> None:
        if reference.offsets is None:
            self.fixed.add((reference.name, parent_of(reference).frame))
        else:
            self.add(reference.name, reference.offsets)

    def add(self, name: str, offsets: Offsets) -> None:
        self.frames[name] = self.frames.get(name, NONE) | offsets


def seen_by_networks(context: Context) -> tuple[Conditional, ...]:
    """Return what the heads of q see as conditionals, of known variables only."""
    rows = _solved(context)
    found: list[Conditional] = []
    for key, (side, target) in context.parsed.heads.items():
        reads = context.parsed.reads_of_head(key)
        if side is Side.Q and reads and target in context.variables:
            row = _Row()
            for reference in (r for read in reads for r in read.references):
                row.read(reference)
            frame = parent_of(context.parsed.targets[key]).frame
            found.append(Conditional(target, _parents(context, row, rows, frame), frame))
    return tuple(found)


def _parents(context: Context, row: _Row, rows: dict[str, _Row], reader: int | None) -> tuple[Parent, ...]:
    """Return what a row comes to; windows of a numbered `reader` are relative to it."""
    frames: dict[str, Offsets] = {}
    fixed: set[Fixed] = set(row.fixed)
    for name, offsets in row.frames.items():
        for variable, there in rows[name].frames.items() if name in rows else ((name, NOW),):
            frames[variable] = frames.get(variable, NONE) | plus(offsets, there)
        fixed |= rows[name].fixed if name in rows else set()
    listed = [Parent(name, offsets) for name, offsets in frames.items() if name in context.variables]
    met: set[Fixed] = set()
    while fresh := [one for one in fixed if one not in met]:
        met.update(fresh)
        for name, frame in fresh:
            if name in rows:
                fixed |= rows[name].fixed
                for variable, offsets in rows[name].frames.items():
                    listed += _at(context, variable, offsets, frame, reader)
            elif name in context.variables:
                listed.append(Parent(name, None, frame))
    known = (parent for parent in listed if parent.name in context.variables)
    return united(known, context.variables, context.zero, reader)


def _at(context: Context, name: str, offsets: Offsets, frame: int | None, reader: int | None) -> list[Parent]:
    """Return what a node with this window sees at its first or last frame; all frames where it is many."""
    if reader in (0, 1) and frame == 1:
        return [Parent(name, offsets.shift(1 - (reader or 0)))]
    if reader == LAST and frame == LAST:
        return [Parent(name, offsets)]
    beyond = window(1, None) if frame == 1 else window(None, -1)
    if offsets & beyond or frame not in (1, LAST):
        return [Parent(name, ALL)]
    found = [Parent(name, None, frame)] if 0 in offsets else []
    return found + ([Parent(name, None, 0)] if name in context.zero and frame == 1 and -1 in offsets else [])


def _solved(context: Context) -> dict[str, _Row]:
    """Eliminate the nodes one by one from what the others read."""
    rows = _rows(context)
    for node, row in rows.items():
        around = _around(row.frames.pop(node, NONE))
        row.frames = {name: plus(around, offsets) for name, offsets in row.frames.items()}
        for other, its in rows.items():
            if other != node and (through := its.frames.pop(node, NONE)):
                its.fixed |= row.fixed
                for name, offsets in row.frames.items():
                    its.add(name, plus(through, offsets))
    return rows


def _rows(context: Context) -> dict[str, _Row]:
    parsed = context.parsed
    keys = {("states", key): name for key, name in parsed.states.items()}
    keys |= {("features", key): name for key, name in parsed.features.items()}
    rows = {name: _Row() for name in keys.values()}
    for path, read in parsed.reads.items():
        owner = keys.get((str(path[0]), str(path[1])))
        for reference in read.references:
            if owner is not None:
                rows[owner].read(reference)
    for key, name in parsed.states.items():
        if (shape := parsed.shape.states.get(key)) is None:
            continue
        if shape.runs == "both":
            both = star(of(-shape.lag)) | star(of(shape.lag))
            rows[name].frames = {n: plus(both, offsets) for n, offsets in rows[name].frames.items()}
        else:
            rows[name].add(name, of(-shape.lag if shape.runs == "forward" else shape.lag))
    return rows


def _around(steps: Offsets) -> Offsets:
    """Return the sums of any number of steps, or a superset."""
    past, future = steps & window(None, -1), steps & window(1, None)
    if past and future:
        return ALL
    if steps.finite:
        return star(past | future)
    return NOW | (window(None, -1) if past else window(1, None))
