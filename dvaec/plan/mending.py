"""Where the page asks for what has no schedule, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dvaec.plan.aligning import UnschedulableError
from dvaec.spec import notation
from dvaec.spec.model import LAST, Direction, InferenceKind, Spec
from dvaec.spec.source import READS, Path, Source


def place_of(
    developed: Spec, source: Source, nodes: Sequence[str], frame: tuple[str, int] | None = None
) -> Path:
    """Return where the page speaks of nodes, or reads the single `frame` of one that has no schedule."""
    return next(place for place in _places(developed, source, nodes, frame) if place in source.spans)


def _places(
    developed: Spec, source: Source, nodes: Sequence[str], frame: tuple[str, int] | None
) -> Iterator[Path]:
    """Yield the single frame that is read, then states, networks and conditionals, then whole blocks."""
    if frame is not None:
        name = f"{frame[0]}_{notation.frame_word(frame[1])}"
        plain = (
            place for place in source.spans if place[0] == "networks" and place[2:4] == (READS, frame[0])
        )
        yield from (place for place in plain if str(place[-1]).translate(_PLAIN) == name)
    blocks = {f.name: "features" for f in developed.features} | {s.name: "states" for s in developed.states}
    yield from ((blocks[n], f"{n}_t") for n in nodes if n in blocks)
    heads = [node.split("_", 1) for node in nodes if node.startswith(("p_", "q_"))]
    for side, target in heads:
        label, block = _written(target), "inference" if side == "q" else "generation"
        yield from (("networks", f"{side}({one})") for one in (label, f"{target}_t"))
        yield from ((block, one) for one in dict.fromkeys((label, label.partition("_")[0])))
    q = ("inference",) in source.spans and any(side == "q" for side, _ in heads)
    yield ("inference",) if q else ("generation",)


def _written(target: str) -> str:
    """The target of a network as the page writes it: z_1 for `z_first`."""
    name, _, frame = target.partition("_")
    return "_".join(filter(None, (name, {"first": "1", "last": "T"}.get(frame, frame))))


_PLAIN = str.maketrans("", "", "<>{} ")


def hint_for(developed: Spec, error: UnschedulableError) -> str | None:
    """Say what to write instead."""
    if error.frame is not None:
        return "read it in the network that needs it, not where a state starts, or leave it out"
    derived = developed.inference.kind not in (InferenceKind.CONDITIONALS, InferenceKind.NETWORKS)
    if derived and any(node.startswith("q_") for node in error.nodes):
        return "a conditional of its own under 'inference' can leave it out"
    read = {p.name for c in developed.generation for p in c.parents if p.frame == LAST}
    last = next((c.target for c in developed.numbered if c.frame == LAST and c.target in error.nodes), None)
    if last in read and any(node.startswith("p_") for node in error.nodes):
        return (
            f"frame T can be made ahead of all other frames where it waits for none of these, frames 1 of "
            f"lines of their own aside: let {last}_T read nothing else of {last}, nor what is made of it"
        )
    return _frame_1(developed, error)


def hint_for_idle(developed: Spec, nodes: Sequence[str]) -> str:
    """Say how idle weights would be of use."""
    state = next((one for one in developed.states if one.name in nodes), None)
    if developed.frames is not None:
        return "take a larger T, or let what reads it name the frames that are there: z_1, z_<t-1>"
    if state is None:
        return "leave it out, or let it read other frames"
    name = state.name
    if state.runs is Direction.BOTH:
        return f'where one frame reads it, that is of both ends: "{name}_1, {name}_<T>"'
    ahead = state.runs is Direction.FORWARD
    end, other = (f"{name}_<T>", "backward") if ahead else (f"{name}_1", "forward")
    return f"it runs {state.runs.value}: read {end}, let it run {other}, or read the variables themselves"


def _frame_1(developed: Spec, error: UnschedulableError) -> str | None:
    """Say what a frame 1 with a line of its own may wait for."""
    lines = (*developed.numbered, *developed.inference.conditionals)
    first = next((c.target for c in lines if c.frame == 1 and c.target in error.nodes), None)
    attending = any(node.startswith("attention_") for node in error.nodes)
    return first and (
        f"frame 1 can be made ahead of the later frames where it waits for none of these: let the line of "
        f"{first}_1, and those of what it reads, read frame 1 alone of what is made frame after frame"
        f"{'; what attends needs a line of frame 1 there' if attending else ''}"
    )
