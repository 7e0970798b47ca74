"""One step of a stream, as the loop over time that it is a step of."""

from __future__ import annotations

from dvaec.emit.loop_maps import Writing
from dvaec.plan.model import Node


class Stepping(Writing):
    """A loop that is left after one step: noise is that of the step; `finish` alone knows the last frame."""

    kept: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()  # of what frame 1 is made apart

    @property
    def endless(self) -> bool:
        """Whether the last frame is not known."""
        return self.body.entry.name != "finish"

    def gathers(self, node: Node) -> bool:
        """Whether all frames of a node are kept: also for what only another entry point attends to."""
        return node.name in self.kept

    def noise(self, node: str, value: str = "") -> str:
        """The noise of the draw in this step."""
        return f"noise_{value or node}"
