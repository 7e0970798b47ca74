"""What makes a spec's conditionals illegal, judged node by node in unrolled networks.

Every rule is about T = 1..FRAMES: p has no cycle; a promise of causality is kept, through values of the whole
sequence too; every latent has an observed descendant; q reads nothing that its order has later.
"""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from dvaec.spec.model import LAST, Causality, Role, Spec
from dvaec.testing.oracles.nodes import Dot, dots, given_to, parents_of, places

FRAMES = 12


def unlawful(spec: Spec) -> str | None:
    """Return what is illegal about the conditionals of p and q, or None.

    Looked for in sequences of up to FRAMES frames: lags of a few frames show all that they can do there.
    """
    for rule in (_cycles, _promise, unobserved, _out_of_order):
        for why in rule(spec):
            return why
    return None


def _lengths(spec: Spec) -> range:
    return range(1, FRAMES + 1) if spec.frames is None else range(spec.frames, spec.frames + 1)


def _cycles(spec: Spec) -> Iterator[str]:
    for frames in _lengths(spec):
        try:
            TopologicalSorter(parents_of(spec, frames)).prepare()
        except CycleError as error:
            yield f"p has a cycle in {frames} frames: {error.args[1]}"


def _promise(spec: Spec) -> Iterator[str]:
    """What is generated at a frame follows from no later one (no earlier one), nor by way of the sequence."""
    if spec.causality is Causality.NONCAUSAL:
        return
    frames = _lengths(spec)[-1]
    network = parents_of(spec, frames)
    inputs = {v.name for v in spec.having(Role.INPUT)}
    causal = spec.causality is Causality.CAUSAL
    framed = {v.name for v in spec.variables if v.framed}
    for conditional in spec.generation:
        for place in places(spec, conditional.target, frames) if conditional.target in framed else ():
            child = (conditional.target, place)
            for parent in network[child]:
                first = place == 0 and parent[0] in inputs  # no input comes before the first
                latest = 1 if first else place
                read = parent[0] in framed and (parent[1] > latest if causal else parent[1] < place)
                if read or (parent[0] not in framed and _from_all_frames(parent, network, framed, inputs)):
                    yield f"{child} reads {parent} in {frames} frames, and generation is {spec.causality}"


def _from_all_frames(dot: Dot, network: dict[Dot, list[Dot]], framed: set[str], inputs: set[str]) -> bool:
    """Whether a value of the sequence is made of more than the first frames of what is generated."""
    for name, place in network[dot]:
        if name in framed and name not in inputs and place > 1:
            return True
        if name not in framed and _from_all_frames((name, place), network, framed, inputs):
            return True
    return False


def unobserved(spec: Spec) -> Iterator[str]:
    """A latent whose nodes are all without an observed descendant, at every T."""
    followed: set[str] = set()
    latents = {variable.name for variable in spec.having(Role.LATENT)}
    for frames in reversed(_lengths(spec)):
        if latents <= followed:
            break
        network = parents_of(spec, frames)
        seen = [dot for dot in network if spec.variable(dot[0]).role is Role.OBSERVED]
        met = set(seen)
        while seen:
            fresh = [parent for parent in network[seen.pop()] if parent not in met]
            met.update(fresh)
            seen += fresh
        followed |= {name for name, _ in met}
    for variable in spec.having(Role.LATENT):
        if variable.name not in followed:
            yield f"nothing observed follows from {variable.name}"


def _out_of_order(spec: Spec) -> Iterator[str]:
    """A conditional of q that reads a latent of its own frame's future in q's order.

    A line of every frame that names one by its number does not wait for it there.
    """
    frames = _lengths(spec)[-1]
    own = {(line.target, line.frame) for line in spec.inference.numbered}
    for conditional in spec.inference.conditionals:
        framed = spec.variable(conditional.target).framed
        windows = [parent for parent in conditional.parents if parent.frame is None]
        single = [parent for parent in conditional.parents if parent.frame is not None]
        for place in places(spec, conditional.target, frames):
            target = (conditional.target, place)
            read = set(dots(spec, windows, place if framed else None, frames))
            read |= {dot for dot in dots(spec, single, None, frames) if dot[1] != place or not framed}
            last = place == frames and (conditional.target, LAST) in own
            if framed and (place == 0 or target in own or last):
                continue
            if late := sorted(read - given_to(spec, frames, target)):
                yield f"q draws {target} before {late[0]}"
    for line in spec.inference.numbered:
        for length in (frames, _lengths(spec)[0]) if line.frame == LAST else (frames,):
            target = (line.target, length if line.frame == LAST else line.frame or 0)
            if line.frame == LAST and target in own:
                continue  # where T = 1, the line of frame 1 speaks
            read = set(dots(spec, line.parents, None if line.frame == LAST else line.frame, length))
            if late := sorted(read - given_to(spec, length, target)):
                yield f"q draws {target} before {late[0]}"
