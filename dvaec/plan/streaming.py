"""Frame by frame: what must be carried from one frame to the next so that a model runs on a stream.

All nodes that an entry point needs are put into one loop over time, also those that a batch computes at once,
and the loop is left after every step. What a later step reads is the stream's state. Where q looks k frames
ahead, its draws come k frames late; where it has a line of frame T, by one frame at least.
"""

from __future__ import annotations

from dataclasses import replace

from dvaec.plan.aligning import UnschedulableError
from dvaec.plan.dependences import carried_by, dependences, gathered_by
from dvaec.plan.model import (
    Entry,
    FirstFrame,
    Loop,
    Network,
    Origin,
    Stream,
    is_last,
)
from dvaec.plan.once import NoStreamError, has_draw
from dvaec.plan.once_waits import once_a_sequence
from dvaec.plan.schedule import needed_by
from dvaec.plan.stream_first import Run
from dvaec.plan.stream_loop import run_of
from dvaec.plan.stream_waits import Binding
from dvaec.spec.model import Causality, Role, Spec

Wanted = dict[str, tuple[Binding, tuple[str, ...]]]  # by entry: where values come from, what it gives
Loops = dict[str, tuple[Binding, Run, tuple[str, ...]]]  # by entry: where from, what it does, what it gives


def stream(
    spec: Spec, network: Network, infer: Binding, generate: Binding
) -> tuple[Stream | None, dict[str, str]]:
    """Return the stream of a model, and the entry points that it cannot have with the reasons."""
    latents = tuple(v.name for v in network.values if v.framed and v.variable.role is Role.LATENT)
    p_heads = tuple(h.name for h in network.heads if h.framed and h.head.side == "p" and not h.auxiliary)
    q_heads = tuple(h.name for h in network.heads if h.framed and h.head.side == "q")
    seen = tuple(v.name for v in network.values if v.framed and v.variable.role is Role.OBSERVED)
    imagine = {"imagine": (generate, (*seen, *latents, *p_heads))}
    step = {"step": (infer, (*latents, *q_heads, *p_heads))}
    loops, refused = _loops(spec, network, imagine | step)
    if not loops:
        return None, refused
    bindings = [binding for binding, _, _ in loops.values()]
    static = tuple(v.name for v in network.values if not v.framed and any(v.name in b for b in bindings))
    nowhere = [v.name for v in network.values if not v.framed and v.name not in static]
    one_way = _one_way(loops, static)
    _keep_up(network, loops, one_way)
    begun = {name: origin for name, origin in generate.items() if name not in nowhere}
    begin = Entry("begin", tuple(begun.items()), (), static)
    entries = [
        Entry(name, tuple(binding.items()), run.steps, outputs, once=run.once)
        for name, (binding, run, outputs) in loops.items()
    ]
    delay = max(loops["step" if "step" in loops else "imagine"][1].loop.ahead)
    if delay > 0 and "step" in loops:
        finish = [replace(entry, name="finish") for entry in entries if entry.name == "step"]
        entries = [_before_the_end(network, entry) for entry in entries] + finish
    return _keeping(network, loops, (begin, *entries), static, delay, one_way), refused


def _loops(spec: Spec, network: Network, wanted: Wanted) -> tuple[Loops, dict[str, str]]:
    """Return the loops of entry points, and why others have none."""
    loops: Loops = {}
    refused: dict[str, str] = {}
    left = _left_out(network, wanted)
    for name, (whole, outputs) in wanted.items():
        apart = (*left, *_not_had(network, whole, outputs))
        binding = {value: origin for value, origin in whole.items() if value not in apart}
        try:
            _check(spec)
            run = run_of(network, binding, outputs)
            loops[name] = binding, run, outputs
        except (NoStreamError, UnschedulableError) as fault:
            refused[name] = str(fault)
    return loops, refused


def _left_out(network: Network, wanted: Wanted) -> tuple[str, ...]:
    """The values of the whole sequence that no stream can have, and no frame needs: a label at the end."""
    every = wanted.values()
    needed = {n for binding, outputs in every for n in needed_by(dependences(network, binding), outputs)}
    idle = [v.name for v in once_a_sequence(network) if v.name not in needed]
    return tuple(n for n in idle if not all(has_draw(network, binding, n) for binding, _ in every))


def _not_had(network: Network, binding: Binding, outputs: tuple[str, ...]) -> tuple[str, ...]:
    """The values of the whole sequence that one entry neither has nor needs: for p, what q alone reads."""
    needed = needed_by(dependences(network, binding), outputs)
    idle = [v.name for v in once_a_sequence(network) if v.name not in needed]
    return tuple(name for name in idle if not has_draw(network, binding, name))


def _one_way(loops: Loops, static: tuple[str, ...]) -> bool:
    """Whether no `step` may come behind an `imagine`: q looks ahead, or that leaves out what `step` has."""
    if not {"step", "imagine"} <= set(loops):
        return "step" in loops and max(loops["step"][1].loop.ahead) > 0
    had, left = (loops[name][0] for name in ("step", "imagine"))
    return max(loops["step"][1].loop.ahead) > 0 or any(name in had and name not in left for name in static)


def _keep_up(network: Network, loops: Loops, one_way: bool) -> None:
    """Let each entry keep up what the other needs; where the stream is one way, `imagine` need not."""
    if not {"step", "imagine"} <= set(loops):
        return
    needs = {
        name: (
            *(n for n, steps in carried_by(network, binding, run.loop).items() if steps),
            *gathered_by(network, run.loop),
        )
        for name, (binding, run, _) in loops.items()
    }
    both = {"step": "imagine"} | ({} if one_way else {"imagine": "step"})
    for name, other in both.items():
        binding, _, outputs = loops[name]
        loops[name] = binding, run_of(network, binding, (*outputs, *needs[other])), outputs


def _keeping(
    network: Network,
    loops: Loops,
    entries: tuple[Entry, ...],
    static: tuple[str, ...],
    delay: int,
    one_way: bool,
) -> Stream:
    """Return a stream that carries what its loops read of earlier steps."""
    shifts = _shifts(network, loops) if one_way else {}
    carried: dict[str, int] = {}
    for kind, (binding, run, _) in loops.items():
        for name, steps in carried_by(network, binding, run.loop).items():
            more = shifts.get(name, 0) if kind == "imagine" and steps else 0
            carried[name] = max(carried.get(name, 0), steps + more)
        for name, steps in run.looked_back:
            carried[name] = max(carried.get(name, 0), steps)
    order = [node.name for node in network.nodes if carried.get(node.name)]
    gathered = dict.fromkeys(name for _, run, _ in loops.values() for name in gathered_by(network, run.loop))
    kept = tuple((n, carried[n]) for n in order)
    held = tuple(dict.fromkeys(name for _, run, _ in loops.values() for name in run.held))
    return Stream(entries, kept, static, delay, tuple(gathered), tuple(shifts.items()), one_way, held)


def _before_the_end(network: Network, entry: Entry) -> Entry:
    """Return an entry without the lines of frame T, and without what its steps make for these alone."""
    *first, loop = entry.steps
    if not isinstance(loop, Loop) or not any(is_last(network.node(name)) for name in loop.nodes):
        return entry
    first = [_without_last(network, step) if isinstance(step, FirstFrame) else step for step in first]
    first = [step for step in first if not isinstance(step, FirstFrame) or step.nodes]
    binding = dict(entry.binding)
    kept = {name for name, steps in carried_by(network, binding, loop).items() if steps}
    kept |= {name for name in loop.nodes if binding.get(name) is Origin.GIVEN}
    kept |= {name for once in entry.once for name, _ in once.ahead}
    edges = [e for e in dependences(network, binding) if not is_last(network.node(e.source))]
    needed = needed_by(edges, (*entry.outputs, *kept, *gathered_by(network, loop)))
    nodes = tuple(name for name in loop.nodes if name in needed)
    ahead = tuple(loop.ahead[loop.nodes.index(name)] for name in nodes)
    turned = tuple(name for name in loop.turned if name in needed)
    return replace(entry, steps=(*first, replace(loop, nodes=nodes, ahead=ahead, turned=turned)))


def _without_last(network: Network, step: FirstFrame) -> FirstFrame:
    return replace(step, nodes=tuple(name for name in step.nodes if not is_last(network.node(name))))


def _shifts(network: Network, loops: Loops) -> dict[str, int]:
    """How many steps further back `imagine` finds what it carries than if it had been made by itself.

    Behind the last `finish`, a node that runs a frames ahead of the loop has gone a frames beyond the end.
    What is itself made late by `imagine` is made again from there.
    """
    if not {"step", "imagine"} <= set(loops):
        return {}
    binding, run, _ = loops["imagine"]
    observing, imagining = loops["step"][1].loop, run.loop
    late = {name: max(imagining.ahead) - imagining.frame_of(name) for name in imagining.nodes}
    carried = carried_by(network, binding, imagining)
    return {name: observing.frame_of(name) + late[name] for name, steps in carried.items() if steps}


def _check(spec: Spec) -> None:
    """Refuse what no stream can have."""
    if spec.causality is not Causality.CAUSAL:
        raise NoStreamError(f"generation is {spec.causality}: a frame waits for later ones")
    if not any(v.framed for v in spec.having(Role.OBSERVED)):
        raise NoStreamError("no observed variable has frames to run over")
    if spec.frames is not None:
        raise NoStreamError(f"the page fixes T = {spec.frames}")
