"""Frame by frame: what must be carried from one frame to the next so that a model runs on a stream.

All nodes that an entry point needs are put into one loop over time, also those that a batch computes at once,
and the loop is left after every step. What a later step reads is the stream's state. Where q looks k frames
ahead, its draws come k frames late.
"""

from __future__ import annotations

from dataclasses import dataclass

from dvaec.plan.aligning import UnschedulableError, aligned
from dvaec.plan.dependences import carried_by, dependences, gathered_by
from dvaec.plan.first_frame import first_frame_apart
from dvaec.plan.links import arrow, made
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
    looked_back: tuple[str, ...]  # what is given that the draws are made of
    first: FirstFrame | None = None

    @property
    def steps(self) -> tuple[Step, ...]:
        return (self.loop,) if self.first is None else (self.first, self.loop)


def stream(
    spec: Spec, network: Network, infer: Binding, generate: Binding
) -> tuple[Stream | None, dict[str, str]]:
    """Return the stream of a model, and the entry points that it cannot have with the reasons."""
    refused: dict[str, str] = {}
    latents = tuple(v.name for v in network.values if v.framed and v.variable.role is Role.LATENT)
    p_heads = tuple(h.name for h in network.heads if h.framed and h.head.side == "p" and not h.auxiliary)
    q_heads = tuple(h.name for h in network.heads if h.framed and h.head.side == "q")
    seen = tuple(v.name for v in network.values if v.framed and v.variable.role is Role.OBSERVED)
    loops: dict[str, tuple[Binding, _Run, tuple[str, ...]]] = {}
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
    if "step" in loops and "imagine" in loops:
        if max(loops["step"][1].loop.ahead) > 0:
            why = "what q has not drawn yet is still to be looked at: use forecast"
            refused["imagine"] = (
                f"q looks {counted(max(loops['step'][1].loop.ahead), 'frame')} ahead, and {why}"
            )
            del loops["imagine"]
        else:  # each keeps up what the other needs
            both = {
                name: (
                    *(n for n, steps in carried_by(network, binding, run.loop).items() if steps),
                    *gathered_by(network, run.loop),
                )
                for name, (binding, run, _) in loops.items()
            }
            other = {"step": "imagine", "imagine": "step"}
            loops = {
                name: (binding, _run(network, binding, (*outputs, *both[other[name]])), outputs)
                for name, (binding, _, outputs) in loops.items()
            }
    if not loops:
        return None, refused
    static = tuple(v.name for v in network.values if not v.framed)
    begin = Entry("begin", tuple(generate.items()), (), static)
    entries = [
        Entry(name, tuple(binding.items()), run.steps, outputs, once=run.once)
        for name, (binding, run, outputs) in loops.items()
    ]
    carried: dict[str, int] = {}
    for binding, run, _ in loops.values():
        for name, steps in carried_by(network, binding, run.loop).items():
            carried[name] = max(carried.get(name, 0), steps)
        for name in run.looked_back:
            carried[name] = max(carried.get(name, 0), run.once.after if run.once is not None else 0)
    order = [node.name for node in network.nodes if carried.get(node.name)]
    delay = max(max(run.loop.ahead) for _, run, _ in loops.values())
    gathered = dict.fromkeys(name for _, run, _ in loops.values() for name in gathered_by(network, run.loop))
    kept = tuple((n, carried[n]) for n in order)
    return Stream((begin, *entries), kept, static, delay, tuple(gathered)), refused


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
    apart, after = (once.nodes, once.after) if once is not None else ((), 0)
    still = [v.name for v in network.values if not v.framed]
    edges = tuple(e for e in dependences(network, binding) if e.reader not in still)
    looked = [r.node for name in apart for port in network.node(name).ports for r in port.reads]
    seen = [v.name for v in network.values if v.framed and v.name in looked]
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
        loop = _one_loop(network, binding, names, inside, after)
        return _Run(_with_frame_1(loop, once), once, tuple(seen))
    except UnschedulableError as fault:
        turned, why = first_frame_apart(network, binding, names, inside), fault
    try:
        if turned is None:
            raise why
        loop = _one_loop(network, binding, turned.rest, turned.edges, after)
    except UnschedulableError:
        own = loop_turned(network, names, inside)
        if own is None or own.direction is not Direction.FORWARD:
            raise
        return _Run(_with_frame_1(_given_first(network, binding, own), once), once, tuple(seen))
    if max(loop.ahead) > 0:
        looks = f"looks {counted(max(loop.ahead), 'frame')} ahead, and frame 1 is made in an order of its own"
        raise NoStreamError(f"it {looks}")
    return _Run(_with_frame_1(loop, once, turned.step.nodes), once, tuple(seen), turned.step)


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
    network: Network, binding: Binding, names: tuple[str, ...], inside: tuple[Dependence, ...], after: int
) -> Loop:
    """Return nodes that wait for one another as one loop; the given runs `after` frames ahead of the rest."""
    if why := _backward(network, names, inside):
        raise NoStreamError(why)
    direction, ahead = aligned(names, inside)
    if direction is not Direction.FORWARD:
        raise NoStreamError("it runs backward in time")
    values = [n.name for n in network.values if n.name in names]
    given = [name for name in values if binding[name] is Origin.GIVEN]
    most = max(*ahead.values(), *(after + a for name, a in ahead.items() if name not in given))
    ahead = dict.fromkeys(given, most) | {n: a for n, a in ahead.items() if n not in given}
    return Loop(tuple(ahead), direction, "one frame of a stream", tuple(ahead.values()))


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
        return f"{made(first)} waits for {which} backward from frame T ({link})"
    return ""


def _of_first_frame(node: object) -> bool:
    return isinstance(node, HeadNode) and node.head.frame == 1
