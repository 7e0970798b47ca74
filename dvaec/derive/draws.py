"""What must be drawn from q for a term, and whether the draws wait for one another from frame to frame.

The draws have names: `z` for the frames of z, `z_0` for its own frame 0.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from dvaec.derive.factors import by_key, latent_windows
from dvaec.spec.model import Conditional, Family, Parent, Role, Spec
from dvaec.spec.offsets import ALL, Offsets


def drawn_for(
    spec: Spec, read: Iterable[Parent], inference: Sequence[Conditional], frame: int | None
) -> tuple[str, ...]:
    """Return the draws that `read` names and those that q makes before them, in q's order.

    `read` counts from `frame`, as in a term.
    """
    before: dict[str, list[str]] = {}
    for c in inference:
        found = before.setdefault(_name(c.target, c.frame), [])
        found += _draws(spec, latent_windows(spec, c.parents), None)
    queue = _draws(spec, read, frame)
    met = dict.fromkeys(queue)
    while queue:
        for name in before[queue.pop()]:
            if name not in met:
                met[name] = None
                queue.append(name)
    names = [name for latent in spec.latents for name in (_name(latent, 0), latent)]
    return tuple(name for name in names if name in met)


def schedule(
    spec: Spec, sampled: Sequence[str], inference: Sequence[Conditional], summed: bool = True
) -> tuple[bool, str]:
    """Say whether drawing `sampled` loops over time, and why: whether q's graph on their names has a cycle.

    `summed` says whether the term that they are for is summed over t. A cycle lies within one sweep, which
    gives the direction; frames 0 and 1 of their own close none. The draws of classes have no gradient: they
    are relaxed while training, and what is estimated is a surrogate.
    """
    if not sampled:
        return False, f"nothing is drawn{': all frames are computed at once' if summed else ''}"
    sequential, why = _looped(spec, sampled, inference)
    classes = {v.name for v in spec.having(Role.LATENT) if v.family is Family.CATEGORICAL}
    relaxed = [name for name in sampled if name.removesuffix("_0") in classes]
    if relaxed:
        names = " and ".join(relaxed)
        why = f"{why}; while training, draws of {names} are relaxed, and what is estimated is a surrogate"
    return sequential, why


def _looped(spec: Spec, sampled: Sequence[str], inference: Sequence[Conditional]) -> tuple[bool, str]:
    factors = by_key(inference)
    reads = {
        name: [p.name for p in factors[name, None].parents if p.name in sampled]
        for name in sampled
        if (name, None) in factors
    }
    causes = []
    for sweep in spec.order:
        cycles = (_cycle(name, reads) for name in sweep.latents if name in reads)
        cycle = next((found for found in cycles if found is not None), None)
        if cycle is not None:
            causes.append(_cause(cycle, sweep.backward))
    if causes:
        return True, "; ".join(causes)
    names = " and ".join(sampled)
    if all(name not in spec.latents or not spec.variable(name).framed for name in sampled):
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
    return f"{target}_0" if frame == 0 else target


def _draws(spec: Spec, read: Iterable[Parent], frame: int | None) -> list[str]:
    """Name the draws that windows reach: frame 0 of its own is in a window that reaches back to it."""
    found = []
    for parent in read:
        if spec.variable(parent.name).first == 0 and _reaches_zero(parent, frame):
            found.append(_name(parent.name, 0))
        if not _only_zero(parent, frame):
            found.append(parent.name)
    return found


def _reaches_zero(parent: Parent, frame: int | None) -> bool:
    if parent.offsets is None:
        return parent.frame == 0
    if parent.offsets == ALL:
        return True
    if frame is not None:
        return -frame in parent.offsets
    return parent.offsets.reaches_past or any(d < 0 for d in parent.offsets.within(-parent.offsets.reach, -1))


def _only_zero(parent: Parent, frame: int | None) -> bool:
    if parent.offsets is None:
        return parent.frame == 0
    return frame is not None and _is(parent.offsets, -frame)


def _is(offsets: Offsets, only: int) -> bool:
    return offsets.finite and offsets.members == (only,)
