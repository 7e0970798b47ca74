"""What a step of a stream hands out: what it has made, or what has waited for a frame 1 that is late."""

from __future__ import annotations

from dvaec.emit.loop_maps import earlier
from dvaec.emit.results import Field, parameter_fields
from dvaec.emit.writer import Body
from dvaec.plan.model import Entry, HeadNode, Loop, Origin, ValueNode, framed
from dvaec.spec.notation import counted


def stream_results(body: Body, entry: Entry, loop: Loop) -> list[Field]:
    """Return the fields of a step's record."""
    fields: list[Field] = []
    for name in entry.outputs:
        node = body.network.node(name)
        if not framed(node) or not isinstance(node, ValueNode | HeadNode):
            continue
        waiting = entry.late.get(name, 0)
        late = max(loop.ahead) - loop.frame_of(name) + waiting
        when = f", of {counted(late, 'frame')} before" if late else ""
        if isinstance(node, ValueNode):
            side = "q" if entry.origin(name) is Origin.Q else "p"
            fields.append((name, _out(body, name, waiting), f"(batch, {node.dim}), drawn from {side}{when}"))
        else:
            for field, _, about in parameter_fields(node):
                said = about.replace("(batch, time, ", "(batch, ") + when
                fields.append((field, _out(body, field, waiting), said))
    return fields


def _out(body: Body, tensor: str, waiting: int) -> str:
    """Name what a step hands out of a tensor: of this step, or of one before, as long as frame 1 is late."""
    return body.once(f"{tensor}_out", earlier(tensor, waiting)) if waiting else f"{tensor}_t"
