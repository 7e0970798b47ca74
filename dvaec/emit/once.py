"""What is drawn once, in a stream's first step: before it, `begin` holds zeros in its place.

Frame 1 of what is given, and of what is made of it there, is named `x_first`, as where its order is its
own. What a stream carries and the draws begin (z_0, a state that starts from v) is taken up behind them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from dvaec.emit.batched import constants
from dvaec.emit.first_frames import first_frame, port_at_first
from dvaec.emit.loop_maps import earlier
from dvaec.emit.preparing import checked, one_hot
from dvaec.emit.writer import Body, draw, parameters
from dvaec.plan.first_needs import begins_with
from dvaec.plan.model import HeadNode, Network, Once, Origin, Stream, ValueNode, framed
from dvaec.plan.once_waits import once_a_sequence
from dvaec.spec.notation import listed


def explain_once(network: Network, stream: Stream) -> str:
    """Say which entry point draws, or is given, what there is once a sequence."""
    names = [v.name for v in once_a_sequence(network) if v.name in stream.static]
    ways = []
    for entry in (entry for entry in stream.entries if entry.name != "finish"):
        for once in entry.once:
            had = [name for name in names if name in once.nodes]
            drawn = [name for name in had if entry.origin(name) is not Origin.GIVEN]
            given = [name for name in had if name not in drawn]
            side = "q" if entry.name == "step" else "p"
            told = [f"draws {listed(drawn)} from {side}"] if drawn else []
            told += [f"takes {listed(given)}"] if given else []
            ways.append((once.after, f"`{entry.name}` {' and '.join(told)}"))
    frames = dict.fromkeys(after for after, _ in ways)
    when = [f"at frame {1 + f} " + ", ".join(way for after, way in ways if after == f) for f in frames]
    return f"Zeros stand here for {listed(names)}; {', '.join(when)}." if ways else ""


def observed_once(body: Body) -> list[ValueNode]:
    """Return what is given to the first step alone."""
    return [v for v in taken_up(body) if body.entry.origin(v.name) is Origin.GIVEN]


def taken_up(body: Body) -> list[ValueNode]:
    """Return what an entry has once a sequence; a stream leaves out what its end alone would make."""
    return [v for v in once_a_sequence(body.network) if v.name in dict(body.entry.binding)]


def begun_by_draws(body: Body, name: str, draws: Collection[str] | None = None) -> bool:
    """Whether a node before frame 1 is made of what is drawn once, or of some of these draws."""
    drawn = [value.name for value in taken_up(body)] if draws is None else draws
    return any(one in drawn for one in begins_with(body.network, name))


def take_once(body: Body) -> None:
    """Write what is observed once a sequence, which the first step must be given."""
    observed = observed_once(body)
    if not observed or body.entry.name == "finish":
        return
    body.add("if state.frame == 0:")
    body.depth += 1
    for value in observed:
        _take(body, value)
    body.depth -= 1
    body.add("else:")
    for value in observed:
        body.add(f"    {value.name} = state.{value.name}")


def draw_once(
    body: Body,
    step: Once,
    at: str,
    given: dict[str, int],
    ahead: dict[tuple[str, int], int],
    noise: Callable[[Body, ValueNode], None],
    begun: Callable[[], list[tuple[str, str]]],
) -> None:
    """Write the draws, `at` the step that makes them, and the fields of the state that begin with them.

    What is `given` of every frame, by its name, is carried for so many steps; a frame of a node that is made
    `ahead` was made so many steps before.
    """
    named, observed, before = set(body.named), observed_once(body), len(body.lines)
    body.add(f"if {at}:")
    body.depth += 1
    body.note(f"At frame {step.after + 1}, {step.reason}.")
    for name, carried in given.items():
        for back in range(step.after, -1, -1) if carried >= step.after else ():
            frame = step.after + 1 - back
            body.once(f"{name}_first" if frame == 1 else f"{name}_frame{frame}", earlier(name, back))
    for (name, frame), back in ahead.items():
        body.once(f"{name}_first" if frame == 1 else f"{name}_frame{frame}", earlier(name, back))
    made = len(body.lines)
    for name in step.nodes:
        node = body.network.node(name)
        if framed(node):
            first_frame(body, name)
        elif isinstance(node, ValueNode) and node not in observed:
            noise(body, node)
            draw(body, node, "", f"noise_{name}")
        elif isinstance(node, HeadNode) and node.ports:
            inputs = ", ".join(port_at_first(body, port) for port in node.ports)
            body.add(f"{', '.join(parameters(node))} = self.{name}({inputs})", name)
        elif isinstance(node, HeadNode):
            constants(body, node, "batch")
    for field, start in begun():
        body.add(f"{field} = {start}")
    if len(body.lines) == made:  # all is given, and nothing begins with it
        del body.lines[before:]
    body.depth -= 1
    body.named = named  # other names of this step are its own


def _take(body: Body, value: ValueNode) -> None:
    name = value.name
    body.add(f"if {name} is None:")
    body.add(f'    raise ValueError("{name} is observed once a sequence: the first step needs it")')
    one_hot(body, value, 1, body.like)
    body.add(f"{name} = own({checked(body, value)}, {body.call('seen', 'present', f'mask_{name}')})")
