"""Frame by frame: what must be carried from one frame to the next so that a model runs on a stream.

All nodes that an entry point needs are put into one loop over time, also those that a batch computes at once,
and the loop is left after every step. What a later step reads is the stream's state. Where q looks k frames
ahead, its draws come k frames late.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from dvaec.plan.aligning import UnschedulableError, aligned
from dvaec.plan.dependences import carried_by, dependences, gathered_by
from dvaec.plan.first_frame import first_frame_apart
from dvaec.plan.links import arrow, distance
from dvaec.plan.links import made as words
from dvaec.plan.model import (
    Dependence,
    Entry,
    FirstFrame,
    HeadNode,
    Loop,
    Network,
    Once,
    Origin,
    Step,
    Stream,
    ValueNode,
    framed,
)
from dvaec.plan.once import NoStreamError, drawn_once
from dvaec.plan.schedule import components, loop_turned, needed_by
from dvaec.spec.model import LAST, Causality, Direction, Role, Spec
from dvaec.spec.notation import counted, listed

Binding = dict[str, Origin]


@dataclass(frozen=True)
class _Run:
    """What one step of a stream does: its loop, after what is made of frame 1 in an order of its own.

    The first step begins with what is drawn once.
    """

    loop: Loop
    once: Once | None
    looked_back: tuple[tuple[str, int], ...]  # what the draws are made of, and how many steps before
    first: FirstFrame | None = None

    @property
    def steps(self) -> tuple[Step, ...]:
        return (self.loop,) if self.first is None else (self.first, self.loop)


Loops = dict[str, tuple[Binding, _Run, tuple[str, ...]]]  # by entry: where from, what it does, what it gives


def stream(
    spec: Spec, network: Network, infer: Binding, generate: Binding
) -> tuple[Stream | None, dict[str, str]]:
    """Return the stream of a model, and the entry points that it cannot have with the reasons."""
    refused: dict[str, str] = {}
    latents = tuple(v.name for v in network.values if v.framed and v.variable.role is Role.LATENT)
    p_heads = tuple(h.name for h in network.heads if h.framed and h.head.side == "p" and not h.auxiliary)
    q_heads = tuple(h.name for h in network.heads if h.framed and h.head.side == "q")
    seen = tuple(v.name for v in network.values if v.framed and v.variable.role is Role.OBSERVED)
    loops: Loops = {}
    wanted = {
        "imagine": (generate, (*seen, *latents, *p_heads)),
        "step": (infer, (*latents, *q_heads, *p_heads)),
    }
    for name, (binding, outputs) in wanted.items():
        try:
            _check(spec, network, name)
            loops[name] = binding, _run(network, binding, outputs), outputs
        except (NoStreamError, UnschedulableError) as fault:
            refused[name] = str(fault)
    _keep_up(network, loops)
    if not loops:
        return None, refused
    static = tuple(v.name for v in network.values if not v.framed)
    begin = Entry("begin", tuple(generate.items()), (), static)
    entries = [
        Entry(name, tuple(binding.items()), run.steps, outputs, once=run.once)
        for name, (binding, run, outputs) in loops.items()
    ]
    delay = max(loops["step" if "step" in loops else "imagine"][1].loop.ahead)
    if delay > 0 and "step" in loops:
        entries += [replace(entry, name="finish") for entry in entries if entry.name == "step"]
    return _keeping(network, loops, (begin, *entries), static, delay), refused


def _keep_up(network: Network, loops: Loops) -> None:
    """Let each entry keep up what the other needs; where q looks ahead, none observes behind an `imagine`."""
    if not {"step", "imagine"} <= set(loops):
        return
    needs = {
        name: (
            *(n for n, steps in carried_by(network, binding, run.loop).items() if steps),
            *gathered_by(network, run.loop),
        )
        for name, (binding, run, _) in loops.items()
    }
    late = max(loops["step"][1].loop.ahead) > 0
    for name, other in (
        {"step": "imagine"}.items() if late else {"step": "imagine", "imagine": "step"}.items()
    ):
        binding, _, outputs = loops[name]
        loops[name] = binding, _run(network, binding, (*outputs, *needs[other])), outputs


def _keeping(
    network: Network, loops: Loops, entries: tuple[Entry, ...], static: tuple[str, ...], delay: int
) -> Stream:
    """Return a stream that carries what its loops read of earlier steps."""
    shifts = _shifts(network, loops) if delay > 0 else {}
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
    return Stream(entries, kept, static, delay, tuple(gathered), tuple(shifts.items()))


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


def _check(spec: Spec, network: Network, name: str) -> None:
    """Refuse what no stream can have."""
    if spec.causality is not Causality.CAUSAL:
        raise NoStreamError(f"generation is {spec.causality}: a frame waits for later ones")
    if not any(v.framed for v in spec.having(Role.OBSERVED)):
        raise NoStreamError("no observed variable has frames to run over")
    if spec.frames is not None:
        raise NoStreamError(f"the page fixes T = {spec.frames}")
    if ends := [h for h in network.heads if name == "step" and h.head.frame == LAST]:
        said = f"{ends[0].head.side}({ends[0].variable.name}_T)"
        raise NoStreamError(f"{said} is of each sequence's last frame, which a stream does not know")


def _run(network: Network, binding: Binding, outputs: tuple[str, ...]) -> _Run:
    """Return all framed nodes that the outputs need as one forward loop; what is given is there first."""
    once = drawn_once(network, binding)
    apart = once.nodes if once is not None else ()
    still = [v.name for v in network.values if not v.framed]
    edges = tuple(e for e in dependences(network, binding) if e.reader not in still)
    looked = [r.node for name in apart for port in network.node(name).ports for r in port.reads]
    seen = [v.name for v in network.values if v.framed and v.name in looked]
    seen += [name for name, _ in once.ahead] if once is not None else []
    needed = needed_by(edges, (*outputs, *seen))
    nodes = [n for n in network.nodes if n.name in needed and (framed(n) or _of_first_frame(n))]
    names = tuple(node.name for node in nodes)
    for node in nodes:
        if any(port.window is not None and port.window.reaches_future for port in node.ports):
            raise NoStreamError(f"{node.name} attends to all later frames")
        for read in (read for port in node.ports for read in port.reads):
            if read.frame == LAST:
                raise NoStreamError(f"{node.name} reads {read.node} at frame T")
            if read.offset is None and read.node in names:
                raise NoStreamError(f"{node.name} reads {read.node} beyond any number of frames")
    inside = tuple(e for e in edges if e.reader in names and e.source in names and e.offset is not None)
    try:
        loop, once = _one_loop(network, binding, names, inside, once)
        return _Run(_with_frame_1(loop, once), once, _looked_back(network, binding, loop, once))
    except UnschedulableError as fault:
        turned, why = first_frame_apart(network, binding, names, inside), fault
    try:
        if turned is None:
            raise why
        loop, once = _one_loop(network, binding, turned.rest, turned.edges, once)
    except UnschedulableError:
        own = loop_turned(network, names, inside)
        if own is None or own.direction is not Direction.FORWARD:
            raise
        if once is not None and (once.after or once.ahead):
            raise NoStreamError(_turned_ahead(once.after)) from None
        loop = _with_frame_1(_given_first(network, binding, own), once)
        return _Run(loop, once, _looked_back(network, binding, loop, once))
    if max(loop.ahead) > 0:
        raise NoStreamError(_turned_ahead(max(loop.ahead)))
    looked_back = _looked_back(network, binding, loop, once)
    return _Run(_with_frame_1(loop, once, turned.step.nodes), once, looked_back, turned.step)


def _turned_ahead(frames: int) -> str:
    looks = f"looks {counted(frames, 'frame')} ahead" if frames else "draws ahead"
    return f"it {looks}, and frame 1 is made in an order of its own"


def _looked_back(
    network: Network, binding: Binding, loop: Loop, once: Once | None
) -> tuple[tuple[str, int], ...]:
    """What is drawn once reads of earlier steps: all frames of what is given, and what is made ahead."""
    if once is None:
        return ()
    reads = {r.node for name in once.nodes for port in network.node(name).ports for r in port.reads}
    given = [v.name for v in network.values if v.framed and binding[v.name] is Origin.GIVEN]
    found = {name: once.after for name in given if name in reads and name in loop.nodes}
    for name, frame in once.ahead:
        found[name] = max(found.get(name, 0), once.steps_behind(loop, name, frame))
    return tuple(found.items())


def _given_first(network: Network, binding: Binding, loop: Loop) -> Loop:
    """Return the loop of a stream's step: what is given comes before all else, at frame 1, too."""
    given = [v.name for v in network.values if v.name in loop.nodes and binding[v.name] is Origin.GIVEN]
    order, first = ((*given, *(n for n in names if n not in given)) for names in (loop.nodes, loop.turned))
    return Loop(order, loop.direction, "one frame of a stream", loop.ahead, first)


def _with_frame_1(loop: Loop, once: Once | None, others: tuple[str, ...] = ()) -> Loop:
    """Return a loop, if the first step makes all that is drawn once waits for, and nothing else does."""
    begun = once.begun if once is not None else ()
    if begun and max(loop.ahead) > 0:
        raise NoStreamError(f"it looks {counted(max(loop.ahead), 'frame')} ahead, and waits for {begun[0]}_1")
    if twice := [name for name in begun if name in others]:
        raise NoStreamError(f"what is drawn once waits for {twice[0]}_1, whose order is its own")
    return loop


def _one_loop(
    network: Network,
    binding: Binding,
    names: tuple[str, ...],
    inside: tuple[Dependence, ...],
    once: Once | None,
) -> tuple[Loop, Once | None]:
    """Return nodes that wait for one another as one loop, and when it draws what there is once.

    The given runs as many frames ahead of the rest as that looks at, and so does what it sees of other nodes.
    """
    if why := _backward(network, names, inside):
        raise NoStreamError(why)
    direction, ahead = aligned(names, inside)
    if direction is not Direction.FORWARD:
        raise NoStreamError("it runs backward in time")
    given = [n.name for n in network.values if n.name in names and binding[n.name] is Origin.GIVEN]
    after, wanted = (once.after, once.ahead) if once is not None else (0, ())
    early = [n for n in ahead if n not in given and n in needed_by(inside, [name for name, _ in wanted])]
    behind = max([frames for name, frames in ahead.items() if name not in (*given, *early)], default=0)
    further = max([0, *(frame - 1 + behind - ahead[name] for name, frame in wanted)])
    made = {name: ahead[name] + further * (name in early) for name in ahead if name not in given}
    seen = [made[e.reader] + (distance(e, 1) or 0) for e in inside if e.source in given]
    most = max([after + behind, *made.values(), *seen])
    placed = dict.fromkeys(given, most) | made
    if once is not None and early:
        once = replace(once, after=most - behind)
    return Loop(tuple(placed), direction, "one frame of a stream", tuple(placed.values())), once


def _backward(network: Network, names: tuple[str, ...], inside: tuple[Dependence, ...]) -> str:
    """Say what begins at the last frame, and what waits for it, or nothing."""
    sources = {name: [e.source for e in inside if e.reader == name] for name in names}
    heads = [n for n in names if isinstance(network.node(n), HeadNode)]
    for ring in components(names, sources):
        links = tuple(e for e in inside if e.reader in ring and e.source in ring)
        if aligned(ring, links)[0] is Direction.FORWARD:
            continue
        link = arrow(next(e for e in links if (e.offset or 0) > 0))
        drawn = [n for n in ring if isinstance(network.node(n), ValueNode)]
        if drawn:
            return f"q draws {listed(drawn)} backward from frame T ({link})"
        waiting = [n for n in heads if set(ring) & needed_by(inside, [n])]
        first = min(waiting, key=lambda n: n.startswith("p_"), default=ring[0])
        which = f"{listed(ring)}, which run{'s' * (len(ring) == 1)}"
        return f"{words(first)} waits for {which} backward from frame T ({link})"
    return ""


def _of_first_frame(node: object) -> bool:
    return isinstance(node, HeadNode) and node.head.frame == 1
