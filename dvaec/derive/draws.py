"""What must be drawn from q for a term, and whether the draws wait for one another from frame to frame.

The draws have names: `z` for the frames of z, `z_0`, `z_1` and `z_T` for those that q draws on their own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from dvaec.derive.descent import nodes, reads_at
from dvaec.derive.factors import by_key, latent_windows
from dvaec.spec.model import LAST, Conditional, Family, Parent, Role, Spec
from dvaec.spec.notation import frame_word, listed
from dvaec.spec.offsets import ALL, NOW, window

ENDS = (0, 1, LAST)


def drawn_for(
    spec: Spec, read: Iterable[Parent], inference: Sequence[Conditional], frame: int | None
) -> tuple[str, ...]:
    """Return the draws that `read` names and those that q makes before them, in q's order.

    `read` counts from `frame`, as in a term.
    """
    own = frozenset((c.target, c.frame) for c in inference if c.frame is not None)
    before: dict[str, list[str]] = {}
    for c in inference:
        found = before.setdefault(_name(c.target, c.frame), [])
        for parent in latent_windows(spec, c.parents):  # of z_0 all windows but whole ones count from there
            at = 0 if c.frame == 0 and parent.offsets != ALL else None
            found += _draws((parent,), at, own)
    queue = _draws(read, frame, own)
    met = dict.fromkeys(queue)
    while queue:
        for name in before[queue.pop()]:
            if name not in met:
                met[name] = None
                queue.append(name)
    names: list[str] = []
    for latent in spec.latents:
        alone = [_name(latent, f) for f in ENDS if f == 0 or latent not in met]  # z tells of z_1, z_T too
        names += [name for name in (*alone, latent) if name in met]
    return tuple(names)


def drawn_alone(spec: Spec, read: Iterable[Parent], inference: Sequence[Conditional]) -> tuple[str, ...]:
    """The same for a term that is there where T is 1 alone; `read` counts from that frame."""
    factors = {key: c for key, c in by_key(inference).items() if key[0] in spec.latents}
    before = reads_at(spec, factors, 1)
    queue = list(nodes(spec, read, 1, 1))
    met = set(queue)
    while queue:
        fresh = [node for node in before[queue.pop()] if node not in met]
        met.update(fresh)
        queue += fresh
    return tuple(_name(latent, at) for latent in spec.latents for at in (None, 0, 1) if (latent, at) in met)


def schedule(
    spec: Spec, sampled: Sequence[str], inference: Sequence[Conditional], summed: bool = True
) -> tuple[bool, str]:
    """Say whether drawing `sampled` loops over time, and why: whether q's graph on their names has a cycle.

    `summed` says whether the term that they are for is summed over t. A cycle lies within one sweep, which
    gives the direction; frames 0, 1 and T of their own close none. The draws of classes have no gradient:
    they are relaxed while training, and what is estimated is a surrogate.
    """
    if not sampled:
        return False, f"nothing is drawn{': all frames are computed at once' if summed else ''}"
    sequential, why = _looped(spec, sampled, inference)
    classes = {v.name for v in spec.having(Role.LATENT) if v.family is Family.CATEGORICAL}
    relaxed = [name for name in sampled if name.partition("_")[0] in classes]
    if relaxed:
        names = listed(relaxed)
        why = f"{why}; while training, draws of {names} are relaxed, and what is estimated is a surrogate"
    return sequential, why


def _looped(spec: Spec, sampled: Sequence[str], inference: Sequence[Conditional]) -> tuple[bool, str]:
    factors = by_key(inference)
    own = frozenset(key for key in factors if key[1] is not None)
    reads = {
        name: [read for read in _draws(factors[name, None].parents, None, own) if read in sampled]
        for name in sampled
        if (name, None) in factors
    }
    causes = []
    for sweep in spec.order:
        cycles = (_cycle(name, reads) for name in sweep.latents if name in reads)
        cycle = next((found for found in cycles if found is not None), None)
        if cycle is not None:
            causes.append(_cause(cycle, sweep.backward))
    mutual = [[n for n in sampled if n.partition("_")[0] in group] for group in spec.unswept]
    for some in (some for some in mutual if len({n.partition("_")[0] for n in some}) < len(some)):
        causes.append(f"under q, single frames of {listed(some)} are drawn in an order of their own")
    if causes:
        return True, "; ".join(causes)
    names = listed(sampled)
    alone = {_name(name, frame) for name in spec.latents for frame in ENDS}
    if all(name in alone or not spec.variable(name).framed for name in sampled):
        return False, f"{names} {'is' if len(sampled) == 1 else 'are'} drawn once for the whole sequence"
    return (
        False,
        f"under q, no draw of {names} waits for one of another frame: all frames are drawn at once",
    )


def _cause(cycle: tuple[str, ...], backward: bool) -> str:
    name, when = cycle[0], "later" if backward else "earlier"
    what = (
        f"{name}_t depends on {when} {name}"
        if len(cycle) == 2
        else f"{' -> '.join(cycle)} is a cycle over time"
    )
    back = ", backwards" if backward else ""
    return f"under q, {what}: the draws are made one frame after another{back}"


def _cycle(name: str, reads: Mapping[str, Sequence[str]]) -> tuple[str, ...] | None:
    """Return a shortest cycle through `name`, from cause to effect, if there is one."""
    came: dict[str, str] = {}
    queue = deque([name])
    while queue:
        child = queue.popleft()
        for parent in reads.get(child, ()):
            if parent == name:
                cycle = [name, child]
                while cycle[-1] != name:
                    cycle.append(came[cycle[-1]])
                return tuple(cycle)
            if parent not in came:
                came[parent] = child
                queue.append(parent)
    return None


def _name(target: str, frame: int | None) -> str:
    return target if frame is None else f"{target}_{frame_word(frame)}"


def _draws(read: Iterable[Parent], frame: int | None, own: frozenset[tuple[str, int | None]]) -> list[str]:
    """Name the draws that windows reach, those of `own` frames apart."""
    found = []
    for parent in read:
        apart = [f for f in ENDS if (parent.name, f) in own]
        found += [_name(parent.name, f) for f in apart if _reaches(parent, f, frame)]
        if not _within(parent, apart, frame):
            found.append(parent.name)
    return found


def _reaches(parent: Parent, there: int, frame: int | None) -> bool:
    """Whether a parent may be read at one frame: from `frame`, or from any frame from 1 on."""
    if parent.offsets is None:
        return parent.frame == there
    if LAST in (there, frame) and parent.offsets != ALL:
        if there == frame:
            return 0 in parent.offsets
        return bool(parent.offsets & (window(0, None) if there == LAST else window(None, there - 1)))
    if frame is not None:
        return there - frame in parent.offsets
    return bool(parent.offsets & window(None, there - 1)) or parent.offsets == ALL


def _within(parent: Parent, frames: Sequence[int], frame: int | None) -> bool:
    """Whether nothing but some absolute frames is read."""
    if parent.offsets is None:
        return parent.frame in frames
    there = parent.offsets
    if frame == LAST:
        return LAST in frames and there == NOW
    return frame is not None and there.finite and all(d + frame in frames for d in there.members)
