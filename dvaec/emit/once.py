"""What is drawn once, in a stream's first step: before it, `begin` holds zeros in its place.

Frame 1 of what is given, and of what is made of it there, is named `x_first`, as where its order is its
own. What a stream carries and the draws begin (z_0, a state that starts from v) is taken up behind them.
"""

from __future__ import annotations

from collections.abc import Callable

from dvaec.emit.batched import constants
from dvaec.emit.first_frames import first_frame, port_at_first
from dvaec.emit.results import Field
from dvaec.emit.writer import Body, draw, parameters
from dvaec.plan.model import HeadNode, Once, ValueNode, framed
from dvaec.plan.once import begins_with
from dvaec.spec.model import Role


def drawn_latents(body: Body) -> list[ValueNode]:
    """Return what the first step of a stream draws for the whole sequence."""
    return [v for v in body.network.values if not v.framed and v.variable.role is not Role.INPUT]


def begun_by_draws(body: Body, name: str) -> bool:
    """Whether a node before frame 1 is made of what is drawn once."""
    drawn = [value.name for value in drawn_latents(body)]
    return any(one in drawn for one in begins_with(body.network, name))


def draw_once(
    body: Body,
    step: Once,
    given: list[ValueNode],
    noise: Callable[[Body, ValueNode], None],
    begun: Callable[[], list[Field]],
) -> None:
    """Write the draws, and the fields of the state that begin with them."""
    named = set(body.named)
    body.add("if state.frame == 0:")
    body.depth += 1
    body.note(f"The first step; {step.reason}.")
    for value in given:
        body.once(f"{value.name}_first", f"{value.name}_t")
    for name in step.nodes:
        node = body.network.node(name)
        if framed(node):
            first_frame(body, name)
        elif isinstance(node, ValueNode):
            noise(body, node)
            draw(body, node, "", f"noise_{name}")
        elif isinstance(node, HeadNode) and node.ports:
            made = ", ".join(port_at_first(body, port) for port in node.ports)
            body.add(f"{', '.join(parameters(node))} = self.{name}({made})", name)
        elif isinstance(node, HeadNode):
            constants(body, node, "batch")
    for field, start, _ in begun():
        body.add(f"{field} = {start}")
    body.depth -= 1
    body.named = named  # names of the first step are none of the others'
