"""A slow oracle for emitted modules: every node evaluated frame by frame, by recursion, from the data flow.

It knows nothing of schedules, loops, lags and masks, which are what it is there to check. With the module it
shares the weights and the networks themselves, each called for one frame.
"""

from __future__ import annotations

import math
import sys
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from dvaec.emit.families import linked
from dvaec.plan.branches import fixed_parameters
from dvaec.plan.model import (
    DrawNode,
    FeatureNode,
    HeadNode,
    HoldNode,
    Port,
    Read,
    StateNode,
    ValueNode,
    framed,
    value_name,
)
from dvaec.spec.families import parameters_of
from dvaec.spec.model import LAST, Attention, Direction
from dvaec.testing.built import Built

OUTSIDE = -(10**6)
"""A frame from which nothing within 1..T can be reached."""


class FrameByFrame:
    """One sequence of `frames` frames; `values[name]` is (frames, dim), or (dim,) for what is static."""

    def __init__(self, built: Built, frames: int, values: dict[str, Tensor]) -> None:
        self.network, self.module, self.frames = built.plan.network, built.module, frames
        self.values: dict[str, Tensor] = values
        self.like: Tensor = next(built.module.parameters())
        self.memo: dict[tuple[str, int], tuple[Tensor, Tensor]] = {}
        self.helpers = vars(sys.modules[type(built.module).__module__])

    def read(self, name: str, t: int) -> Tensor:
        """The value of a node at frame t (from 1), also outside 1..T; t does not matter for a static one."""
        node = self.network.node(name)
        if isinstance(node, DrawNode):
            there = self.frames > 1 or not node.past
            return self.read(node.value, self.frames if there else OUTSIDE)
        if not framed(node):
            return self.values[name]
        if isinstance(node, ValueNode):
            return self.value(node, t)
        if isinstance(node, FeatureNode):
            return self.feature(node, t)
        assert isinstance(node, StateNode)
        return self.state(node, t)[0]

    def value(self, node: ValueNode, t: int) -> Tensor:
        if 1 <= t <= self.frames:
            return self.values[node.name][t - 1]
        zero = value_name(node.name, 0)
        if t == 0 and any(other.name == zero for other in self.network.values):
            return self.values[zero]
        return self.like.new_zeros(node.dim)

    def one(self, read: Read, t: int) -> Tensor:
        if read.frame == LAST:
            return self.read(read.node, self.frames)
        if read.frame is not None:
            return self.read(read.node, read.frame)
        return self.read(read.node, t + (read.offset or 0))

    def port(self, port: Port, t: int) -> Tensor:
        inputs = torch.cat([self.one(read, t) for read in port.reads], -1)
        return self.mapped(port, inputs)

    def mapped(self, port: Port, inputs: Tensor) -> Tensor:
        mapped: Tensor = getattr(self.module, port.weights)(inputs) if port.weights else inputs
        return mapped

    def feature(self, node: FeatureNode, t: int) -> Tensor:
        if isinstance(node.block, Attention):
            return self.attention(node, t)
        if 1 <= t <= self.frames:
            ports = [self.port(port, t) for port in node.ports]
        else:  # the feature of zeros, of starts, and at frame 0 of what stands there
            ports = [
                self.mapped(port, torch.cat([self.beyond(read, t) for read in port.reads], -1))
                for port in node.ports
            ]
        if node.block is None:
            return ports[0]
        made: Tensor = getattr(self.module, f"{node.name}_net")(*ports)
        return made

    def attention(self, node: FeatureNode, t: int) -> Tensor:
        """Attention to the frames of the window that there are, one by one; 0 without any."""
        keys, window = node.ports[0].reads[0].node, node.ports[0].window
        first = 0 if self.has_zero(keys) else 1
        frames = [s for s in range(first, self.frames + 1) if window is not None and s - t in window]
        if not frames or not 1 <= t <= self.frames:
            return self.like.new_zeros(node.dim)
        read = torch.stack([self.read(keys, s) for s in frames])[None]
        queries = [self.port(port, t)[None, None] for port in node.ports[1:]]
        distance = torch.tensor([[s - t for s in frames]])
        seen = torch.ones(1, 1, len(frames), dtype=torch.bool)
        made: Tensor = getattr(self.module, f"{node.name}_net")(read, *queries, distance, seen)
        return made[0, 0]

    def has_zero(self, name: str) -> bool:
        """Whether a node has something to show at frame 0: z_0, or what features make of it."""
        node = self.network.node(name)
        if isinstance(node, ValueNode):
            zero = value_name(name, 0)
            return node.framed and any(other.name == zero for other in self.network.values)
        if not isinstance(node, FeatureNode) or isinstance(node.block, Attention):
            return False
        return any(self.has_zero(r.node) for port in node.ports for r in port.reads if r.offset == 0)

    def beyond(self, read: Read, t: int) -> Tensor:
        """What a feature outside 1..T reads."""
        if read.offset is None:
            return self.one(read, t)
        return self.read(read.node, 0 if t == 0 and read.offset == 0 else OUTSIDE)

    def state(self, node: StateNode, t: int) -> tuple[Tensor, Tensor]:
        """The state and its cell."""
        if not 1 <= t <= self.frames:
            return self.start(node)
        if isinstance(node, HoldNode):
            held = self.held(node, t)
            return held, held
        if (node.name, t) not in self.memo:
            # A long recursion is unrolled from its start, or Python's stack would end.
            steps = range(1, t) if node.state.runs is Direction.FORWARD else range(self.frames, t, -1)
            for s in steps:
                if (node.name, s) not in self.memo:
                    self.memo[node.name, s] = self.advance(node, s)
            self.memo[node.name, t] = self.advance(node, t)
        return self.memo[node.name, t]

    def held(self, node: HoldNode, t: int) -> Tensor:
        """One frame of a node, where the run has made it before t: 0 elsewhere."""
        frame = self.frames if node.frame == LAST else node.frame
        since = t - frame if node.state.runs is Direction.FORWARD else frame - t
        there = since >= int(node.past) or (node.ahead and self.frames == 1)
        return self.read(node.source, frame) if there else self.like.new_zeros(node.dim)

    def start(self, node: StateNode) -> tuple[Tensor, Tensor]:
        zeros = self.like.new_zeros(node.dim)
        lstm = node.state.cell == "lstm"
        if len(node.ports) > 1:
            both = torch.tanh(self.port(node.ports[1], OUTSIDE))
            hidden, cell = both.chunk(2, -1) if lstm else (both, zeros)
            return hidden, cell
        if not node.state.learned_start:
            return zeros, zeros
        cell = getattr(self.module, f"{node.name}_cell_start") if lstm else zeros
        return getattr(self.module, f"{node.name}_start"), cell

    def advance(self, node: StateNode, t: int) -> tuple[Tensor, Tensor]:
        inputs = torch.cat([self.one(read, t) for read in node.ports[0].reads], -1)[None]
        before, cell = (part[None] for part in self.state(node, t + node.step))
        if node.state.cell == "sum":
            return (before + getattr(self.module, f"{node.name}_1")(inputs))[0], cell[0]
        rnn = getattr(self.module, f"{node.name}_rnn")
        weights = (rnn.weight_ih_l0, rnn.weight_hh_l0, rnn.bias_ih_l0, rnn.bias_hh_l0)
        if node.state.cell == "lstm":
            hidden, cell = torch.lstm_cell(inputs, (before, cell), *weights)
            return hidden[0], cell[0]
        step = torch.gru_cell if node.state.cell == "gru" else torch.rnn_tanh_cell
        return step(inputs, before, *weights)[0], cell[0]

    def head(self, node: HeadNode, t: int) -> dict[str, Tensor]:
        """The parameters of one conditional at frame t, by name."""
        if node.begins and t == 1:
            first = self.network.node(node.begins)
            assert isinstance(first, HeadNode)
            return self.head(first, 1)
        if node.ends and t == self.frames:
            last = self.network.node(node.ends)
            assert isinstance(last, HeadNode)
            return self.head(last, t)
        names = [parameter.name for parameter in parameters_of(node.variable)]
        if node.ports:
            made = getattr(self.module, node.name)(*(self.port(port, t) for port in node.ports))
            return dict(zip(names, made if isinstance(made, tuple) else (made,), strict=True))
        return {name: self.constant(node, name) for name in names}

    def constant(self, node: HeadNode, name: str) -> Tensor:
        width = next(p.width for p in parameters_of(node.variable) if p.name == name)
        if node.fixed:
            return self.like.new_zeros(width)
        fixed = dict(fixed_parameters(node.head, node.variable))
        if name in fixed:
            return self.like.new_full((width,), math.log(fixed[name]))
        text = linked(node.variable, name, "value")
        scope: dict[str, Any] = {**self.helpers, "torch": torch, "F": F, "math": math}
        made: Tensor = eval(text, scope, {"value": getattr(self.module, f"{node.name}_{name}")})
        return made
