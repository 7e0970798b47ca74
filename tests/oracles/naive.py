"""A slow oracle for emitted modules: the developed form evaluated node by node, frame by frame, from the page alone.

It knows nothing of plans and schedules. Only the names of the layers are shared with the emitted module, since both
use the same weights.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dvaec.spec.model import (
    LAST,
    Combiner,
    Dense,
    Direction,
    Feature,
    GatedTransition,
    Head,
    Layer,
    Link,
    Output,
    Parent,
    Role,
    SharedVariance,
    Side,
    Spec,
    State,
    reads_of,
)
from tests.oracles.parameters import Made, own_output, parameters

ACTIVATIONS: dict[str, Any] = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "softplus": F.softplus,
    "elu": F.elu,
    "gelu": F.gelu,
    "silu": F.silu,
    "leaky_relu": F.leaky_relu,
    "linear": lambda a: a,
}


FAR = -(10**6)
"""A frame outside every sequence."""


def bounded(value: Tensor) -> Tensor:
    return 30.0 * torch.tanh(value / 30.0)


class Naive:
    """One sequence of `frames` frames.

    `values[name]` is (frames, dim), or (dim,) for a sequence-level variable; `values["z_0"]` (dim,) is z's frame 0.
    """

    def __init__(self, module: nn.Module, spec: Spec, frames: int, values: dict[str, Tensor]) -> None:
        self.module, self.spec, self.frames = module, spec, frames
        self.values = dict(values)
        self.like = next(module.parameters())
        self.memo: dict[tuple[str, int], Any] = {}
        self.features = {f.name: f for f in spec.features}
        self.states = {s.name: s for s in spec.states}

    def layer(self, name: str, inputs: Tensor) -> Tensor:
        layer = getattr(self.module, name)
        return F.linear(inputs, layer.weight, layer.bias)

    def mlp(self, name: str, layers: tuple[Layer, ...], inputs: Tensor) -> Tensor:
        for number, layer in enumerate(layers, 1):
            inputs = ACTIVATIONS[layer.activation](self.layer(f"{name}_{number}", inputs))
        return inputs

    def read(self, name: str, t: int) -> Tensor:
        """The value of a name at frame t (from 1), also outside 1..T."""
        if name in self.features:
            return self.feature(self.features[name], t)
        if name in self.states:
            return self.state(self.states[name], t)
        variable = self.spec.variable(name)
        if not variable.framed:
            return self.values[name]
        if 1 <= t <= self.frames:
            return self.values[name][t - 1]
        if t == 0 and variable.first == 0:
            return self.values[f"{name}_0"]
        return self.like.new_zeros(variable.dim)

    def reads(self, parents: tuple[Parent, ...], t: int) -> Tensor:
        """What is read at frame t; a feature of frame 0 reads no other frame relative to its own."""
        parts = []
        for parent in parents:
            if parent.frame is not None:
                parts.append(self.read(parent.name, self.frames if parent.frame == LAST else parent.frame))
                continue
            for offset in (0,) if parent.offsets is None else parent.offsets.members:
                parts.append(self.read(parent.name, t + offset if t or not offset else FAR))
        return torch.cat(parts, -1)

    def inside(self, feature: Feature, t: int) -> int:
        """The frame at which a feature is evaluated: outside it is the feature of zeros and starts.

        Frame 0 is inside where the feature sees a frame 0 at the same frame.
        """
        return t if 1 <= t <= self.frames or (t == 0 and self.begins(feature.name)) else FAR

    def begins(self, name: str) -> bool:
        """Whether a name has a value of its own at frame 0."""
        if name not in self.features:
            return name not in self.states and self.spec.variable(name).first == 0
        reads = reads_of(self.features[name].block)
        return any(self.begins(p.name) for p in reads if p.offsets is not None and 0 in p.offsets)

    def feature(self, feature: Feature, t: int) -> Tensor:
        t = self.inside(feature, t)
        block = feature.block
        if isinstance(block, Combiner):
            of, other = self.reads((block.of,), t), self.reads((block.other,), t)
            if block.units is not None:
                other = self.layer(f"{feature.name}_with", other)
            return 0.5 * (torch.tanh(self.layer(f"{feature.name}_1", of)) + other)
        assert isinstance(block, Dense)
        return self.mlp(feature.name, block.layers, self.reads(block.reads, t))

    def state(self, state: State, t: int) -> Tensor:
        if state.runs is Direction.BOTH:
            ways = ((f"{state.name}_forward", -1), (f"{state.name}_backward", 1))
            return torch.cat([self.one_way(state, name, sign * state.lag, t)[0] for name, sign in ways], -1)
        sign = -1 if state.runs is Direction.FORWARD else 1
        return self.one_way(state, state.name, sign * state.lag, t)[0]

    def one_way(self, state: State, name: str, step: int, t: int) -> tuple[Tensor, Tensor]:
        if not 1 <= t <= self.frames:
            zeros = self.like.new_zeros(state.units)
            if state.start_reads:
                begun = torch.tanh(self.layer(f"{state.name}_start", self.reads(state.start_reads, FAR)))
                return (
                    (begun[: state.units], begun[state.units :]) if state.cell == "lstm" else (begun, zeros)
                )
            if not state.learned_start:
                return zeros, zeros
            cell = getattr(self.module, f"{name}_cell_start") if state.cell == "lstm" else zeros
            return getattr(self.module, f"{name}_start"), cell
        if (name, t) not in self.memo:
            inputs = self.reads(state.reads, t)
            if state.through:
                inputs = self.mlp(f"{name}_in", state.through, inputs)
            before, cell = self.one_way(state, name, step, t + step)
            self.memo[name, t] = self.cell(state, name, inputs[None], before[None], cell[None])
        found: tuple[Tensor, Tensor] = self.memo[name, t]
        return found

    def cell(
        self, state: State, name: str, inputs: Tensor, before: Tensor, cell: Tensor
    ) -> tuple[Tensor, Tensor]:
        if state.cell == "sum":
            return (before + self.layer(f"{name}_1", inputs))[0], cell[0]
        rnn = getattr(self.module, f"{name}_rnn")
        weights = (rnn.weight_ih_l0, rnn.weight_hh_l0, rnn.bias_ih_l0, rnn.bias_hh_l0)
        if state.cell == "lstm":
            hidden, cell = torch.lstm_cell(inputs, (before, cell), *weights)
            return hidden[0], cell[0]
        step = torch.gru_cell if state.cell == "gru" else torch.rnn_tanh_cell
        return step(inputs, before, *weights)[0], cell[0]

    def named(self, side: Side, target: str, frame: int | None) -> tuple[Head, str]:
        """The head of one conditional, and the prefix of its layers."""
        name = f"{side}_{target}{ {None: '', 0: '_0', 1: '_first', LAST: '_last'}[frame] }"
        return self.spec.head(side, target, frame) or Head(side, target, None, frame=frame), name

    def head(self, side: Side, target: str, t: int, frame: int | None = None) -> tuple[Tensor, ...]:
        """The parameters of one conditional at frame t; `frame` is 0 or 1 for a numbered one."""
        head, name = self.named(side, target, frame)
        variable = self.spec.variable(target)
        made = parameters(variable, head)
        if head.block is None:
            return self.constant(head, name, variable.role, made)
        if isinstance(head.block, GatedTransition):
            return self.gated(head, head.block, name, variable.dim, t)
        assert isinstance(head.block, Dense)
        return self.dense(head, head.block, name, made, t)

    def constant(self, head: Head, name: str, role: Role, made: tuple[Made, ...]) -> tuple[Tensor, ...]:
        plain = head.mean is None and head.variance is None
        if role is Role.LATENT and head.side is Side.P and not head.learned and plain:
            return tuple(self.like.new_zeros(one.width) for one in made)
        return tuple(
            self.like.new_full((one.width,), math.log(one.number))
            if one.number is not None
            else one.bounded(getattr(self.module, f"{name}_{one.name}"))
            for one in made
        )

    def gated(self, head: Head, block: GatedTransition, name: str, dim: int, t: int) -> tuple[Tensor, ...]:
        a = self.layer(f"{name}_1", self.reads((block.of, *block.reads), t))
        gate, nonlinear, linear = a.split_with_sizes([block.units, block.units, dim], -1)
        gate = torch.sigmoid(self.layer(f"{name}_gate", torch.relu(gate)))
        nonlinear = self.layer(f"{name}_nonlinear", torch.relu(nonlinear))
        mean = (1 - gate) * linear + gate * nonlinear
        if head.variance is None:
            variance = F.softplus(self.layer(f"{name}_variance", torch.relu(nonlinear))) + 1e-6
            return mean, torch.log(variance)
        return mean, self.given_variance(head, name, mean)

    def given_variance(self, head: Head, name: str, mean: Tensor) -> Tensor:
        if isinstance(head.variance, SharedVariance):
            return bounded(getattr(self.module, f"{name}_logvar")).expand_as(mean)
        assert isinstance(head.variance, float)
        return torch.full_like(mean, math.log(head.variance))

    def dense(
        self, head: Head, block: Dense, name: str, made: tuple[Made, ...], t: int
    ) -> tuple[Tensor, ...]:
        trunk = self.mlp(name, block.layers, self.reads(block.reads, t))
        said = {one.name: own_output(head, one) for one in made}
        wanted = {
            one.name: said[one.name] or Output()
            for one in made
            if one.number is None and not isinstance(said[one.name], SharedVariance)
        }
        outputs = {n: o for n, o in wanted.items() if isinstance(o, Output)}
        widths = [
            outputs[one.name].layers[0].units if outputs[one.name].layers else one.width
            for one in made
            if one.name in outputs
        ]
        fan = self.layer(f"{name}_out" if block.layers else f"{name}_1", trunk).split_with_sizes(widths, -1)
        raw = {n: self.branch(f"{name}_{n}", o, a) for (n, o), a in zip(outputs.items(), fan, strict=True)}
        found: list[Tensor] = []
        for one in made:
            if one.number is not None:
                found.append(torch.full_like(found[0], math.log(one.number)))
            elif one.name not in raw:
                found.append(one.bounded(getattr(self.module, f"{name}_{one.name}")))
            elif one.name == "logvar" and outputs[one.name].link is Link.SOFTPLUS:
                found.append(torch.log(F.softplus(raw[one.name]) + 1e-6))
            else:
                found.append(one.bounded(raw[one.name]))
        return tuple(found)

    def branch(self, name: str, output: Output, a: Tensor) -> Tensor:
        for number, layer in enumerate(output.layers, 1):
            a = ACTIVATIONS[layer.activation](a if number == 1 else self.layer(f"{name}_{number}", a))
        return self.layer(f"{name}_out", a) if output.layers else a
