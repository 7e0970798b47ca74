"""Blocks by hand, one frame at a time: what each of them is by its formula, with the emitted module's weights."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dvaec.spec.families import FORMS, parameters_of
from dvaec.spec.model import (
    Attention,
    Block,
    Convolution,
    Custom,
    Dense,
    Feature,
    GatedTransition,
    Head,
    Identity,
    ImageDecoder,
    ImageEncoder,
    Layer,
    LinearMixture,
    Link,
    Output,
    Parent,
    Scan,
    SharedVariance,
    Side,
    Spec,
    Variable,
)
from dvaec.spec.offsets import NOW
from tests.oracles.naive import ACTIVATIONS, Naive, bounded

MORE: dict[str, Any] = {
    **ACTIVATIONS,
    "mish": lambda a: a * torch.tanh(torch.log1p(torch.exp(a))),
    "selu": lambda a: (
        1.0507009873554804934193349852946
        * torch.where(a > 0, a, 1.6732632423543772848170429916717 * torch.expm1(a))
    ),
    "softsign": lambda a: a / (1 + a.abs()),
    "hardtanh": lambda a: a.clamp(-1.0, 1.0),
    "softmax": lambda a: torch.exp(a) / torch.exp(a).sum(),
    "exp": torch.exp,
}


class BlockNaive(Naive):
    """`Naive` for every block and for stacked states; dropout off."""

    def __init__(self, module: nn.Module, spec: Spec, frames: int, values: dict[str, Tensor]) -> None:
        super().__init__(module, spec, frames, values)
        for state in spec.states:
            reads, through = state.reads, state.through
            for number in range(1, state.layers + 1):
                name = state.name if number == state.layers else f"{state.name}_layer{number}"
                one = replace(state, name=name, reads=reads, through=through, layers=1)
                self.states[name] = one
                reads, through = (Parent(name, NOW),), ()

    def mlp(self, name: str, layers: tuple[Layer, ...], inputs: Tensor) -> Tensor:
        for number, layer in enumerate(layers, 1):
            inputs = self.activated(f"{name}_norm_{number}", self.layer(f"{name}_{number}", inputs), layer)
        return inputs

    def activated(self, norm: str, a: Tensor, layer: Layer) -> Tensor:
        if layer.norm:
            module = getattr(self.module, norm)
            deviation = a - a.mean()
            a = deviation / torch.sqrt(deviation.square().mean() + 1e-5) * module.weight + module.bias
        value: Tensor = MORE[layer.activation](a)
        return value

    def feature(self, feature: Feature, t: int) -> Tensor:
        block = feature.block
        at = self.inside(feature, t)
        if isinstance(block, Dense) and not block.layers:
            return self.reads(block.reads, at)
        if isinstance(block, Dense) or type(block).__name__ == "Combiner":
            return super().feature(feature, t)
        width = getattr(block, "units", None) or 0
        return self.block(feature.name, block, at, width, None)

    def block(self, name: str, block: Block, t: int, width: int, target: Variable | None) -> Tensor:
        match block:
            case Dense(reads, layers):
                a = self.mlp(name, layers, self.reads(reads, t))
                return self.layer(f"{name}_out" if layers else f"{name}_1", a)
            case Identity(of=of):
                return self.reads((of,), t)
            case LinearMixture(weights=weights, of=of):
                return self.mixture(name, self.reads((weights,), t), self.reads(of, t), width)
            case Convolution():
                return self.convolution(name, block, t)
            case ImageEncoder():
                return self.encoder(name, block, t)
            case ImageDecoder():
                return self.decoder(name, block, t, target, width)
            case Scan():
                return self.scan(name, block, t, target, width)
            case Custom(reads=reads):
                own: Tensor = getattr(self.module, f"{name}_own")(self.reads(reads, t))
                return own
            case Attention():
                return self.attention(name, block, t)
        raise AssertionError(block)

    def mixture(self, name: str, weights: Tensor, of: Tensor, width: int) -> Tensor:
        layer = getattr(self.module, f"{name}_1")
        total = torch.zeros_like(layer.bias[:width])
        for k, weight in enumerate(weights):
            rows = slice(k * width, (k + 1) * width)
            total = total + weight * (layer.weight[rows] @ of + layer.bias[rows])
        return total

    def convolution(self, name: str, block: Convolution, t: int) -> Tensor:
        """Level by level over the window's frames: a(s) = act(sum_k W_k below(s + k dilation) + b)."""
        offsets = [parent.offsets.members for parent in block.reads if parent.offsets is not None]
        level = [
            torch.cat([self.read(p.name, t + at[n]) for p, at in zip(block.reads, offsets, strict=True)])
            for n in range(len(offsets[0]))
        ]
        for number, (layer, dilation) in enumerate(zip(block.channels, block.dilations, strict=True), 1):
            module = getattr(self.module, f"{name}_{number}")
            level = [
                self.activated(
                    f"{name}_norm_{number}",
                    module.bias
                    + sum(module.weight[:, :, k] @ level[s + k * dilation] for k in range(block.kernel)),
                    layer,
                )
                for s in range(len(level) - (block.kernel - 1) * dilation)
            ]
        (one,) = level
        return one

    def encoder(self, name: str, block: ImageEncoder, t: int) -> Tensor:
        images = []
        for parent in block.reads:
            axes = self.spec.variable(parent.name).axes
            images.append(self.reads((parent,), t).reshape(-1, *axes[-2:]))
        a = torch.cat(images)[None]
        for number in range(1, len(block.channels) + 1):
            module = getattr(self.module, f"{name}_{number}")
            side = (block.kernel - block.stride + 1) // 2
            a = MORE[block.activation](
                F.conv2d(a, module.weight, module.bias, stride=block.stride, padding=max(0, side))
            )
        last = f"{name}_out" if name in self.features else f"{name}_flat"
        value: Tensor = MORE[block.activation](self.layer(last, a.reshape(-1)))
        return value

    def decoder(self, name: str, block: ImageDecoder, t: int, target: Variable | None, width: int) -> Tensor:
        """Transposed convolutions, written as the gradient of the convolutions that they transpose."""
        assert target is not None
        sizes = [target.axes[-2:]]
        side = max(0, (block.kernel - block.stride + 1) // 2)
        for _ in block.channels:
            sizes.append(tuple((s + 2 * side - block.kernel) // block.stride + 1 for s in sizes[-1]))
        a = self.layer(f"{name}_1", self.reads(block.reads, t)).reshape(1, block.channels[0], *sizes[-1])
        for number in range(2, len(block.channels) + 2):
            a = MORE[block.activation](a)
            module = getattr(self.module, f"{name}_{number}")
            size = sizes[len(block.channels) + 1 - number]
            big = torch.zeros(1, module.out_channels, *size, dtype=a.dtype, requires_grad=True)
            small = F.conv2d(big, module.weight, stride=block.stride, padding=side)
            (back,) = torch.autograd.grad(small, big, a)
            a = back + module.bias[:, None, None]
        assert a.numel() == width
        return a.reshape(-1)

    def scan(self, name: str, block: Scan, t: int, target: Variable | None, width: int) -> Tensor:
        axes = target.axes if target is not None else ()
        parts: list[Tensor | list[Tensor]] = []
        rows = axes[block.axis] if axes else 0
        for parent in block.reads:
            its = next((v.axes for v in self.spec.variables if v.name == parent.name), ())
            for offset in (0,) if parent.offsets is None else parent.offsets.members:
                value = self.read(parent.name, t + offset)
                if its:
                    rows = its[block.axis]
                    parts.append([value.reshape(*its).select(block.axis, r).reshape(-1) for r in range(rows)])
                else:
                    parts.append(value)
        inputs = torch.stack(
            [torch.cat([p[r] if isinstance(p, list) else p for p in parts]) for r in range(rows)]
        )
        result = getattr(self.module, f"{name}_rnn")(inputs[None])[0][0]
        if not axes:
            last: Tensor = result[-1]
            return last
        made = torch.stack([self.layer(f"{name}_row", row) for row in result])  # rows x (parameters x row)
        count = width // math.prod(axes)
        each = [made[:, n * made.size(1) // count : (n + 1) * made.size(1) // count] for n in range(count)]
        rest = (*axes[: block.axis], *axes[block.axis + 1 :])
        whole = []
        for one in each:
            image = torch.zeros(axes, dtype=made.dtype)
            for r in range(rows):
                image.select(block.axis, r).copy_(one[r].reshape(rest))
            whole.append(image.reshape(-1))
        return torch.cat(whole)

    def attention(self, name: str, block: Attention, t: int) -> Tensor:
        """Head by head: the softmax over the window's frames of scores less slope times distance."""
        window = block.of[0].offsets
        assert window is not None
        frames = [s for s in range(1, self.frames + 1) if s - t in window]
        if not frames or not 1 <= t <= self.frames:
            return self.like.new_zeros(block.units)
        query = getattr(self.module, f"{name}_query")
        if block.query:
            query = self.layer(f"{name}_query", self.reads(block.query, t))
        both = [
            self.layer(f"{name}_keys_1", torch.cat([self.read(p.name, s) for p in block.of])) for s in frames
        ]
        each = block.units // block.heads
        found = []
        for h in range(block.heads):
            part = slice(h * each, (h + 1) * each)
            slope = F.softplus(getattr(self.module, f"{name}_slope")[h])
            scores = torch.stack(
                [
                    kv[: block.units][part] @ query[part] / math.sqrt(each) - slope * abs(s - t)
                    for kv, s in zip(both, frames, strict=True)
                ]
            )
            weights = torch.exp(scores) / torch.exp(scores).sum()
            found.append(sum(w * kv[block.units :][part] for w, kv in zip(weights, both, strict=True)))
        return torch.cat([f for f in found if isinstance(f, Tensor)])

    def head(self, side: Side, target: str, t: int, frame: int | None = None) -> tuple[Tensor, ...]:
        head, name = self.named(side, target, frame)
        variable = self.spec.variable(target)
        own = any(isinstance(o, Output) and o.block is not None for o in (head.mean, head.variance))
        if not own and isinstance(head.block, GatedTransition | None):
            return super().head(side, target, t, frame)
        return self.parameters(head, variable, name, t)

    def parameters(self, head: Head, variable: Variable, name: str, t: int) -> tuple[Tensor, ...]:
        """Each parameter from a block of its own, from its part of the trunk's output, or constant."""
        form = FORMS[variable.family]
        said = {form.mean: head.mean, form.variance: head.variance}
        given = [(p, said.get(p.name)) for p in parameters_of(variable)]
        shared = [
            (p, o or Output()) for p, o in given if o is None or (isinstance(o, Output) and o.block is None)
        ]
        widths = [o.layers[0].units if o.layers else p.width for p, o in shared]
        fan: dict[str, Tensor] = {}
        if shared and head.block is not None:
            made = self.trunk(name, head.block, variable, sum(widths), t).split_with_sizes(widths)
            fan = {p.name: a for (p, _), a in zip(shared, made, strict=True)}
        found: dict[str, Tensor] = {}
        for parameter, output in given:
            if isinstance(output, float):
                number = torch.full((parameter.width,), math.log(output), dtype=torch.float64)
                found[parameter.name] = number
            elif isinstance(output, SharedVariance):
                found[parameter.name] = bounded(getattr(self.module, f"{name}_{parameter.name}"))
            else:
                value = self.parameter(f"{name}_{parameter.name}", output, fan, parameter.name, variable, t)
                if parameter.name == "logvar":
                    soft = output is not None and output.link is Link.SOFTPLUS
                    value = torch.log(F.softplus(value) + 1e-6) if soft else bounded(value)
                found[parameter.name] = value
        return tuple(found.values())

    def parameter(
        self, name: str, output: Output | None, fan: dict[str, Tensor], which: str, variable: Variable, t: int
    ) -> Tensor:
        if output is None or (output.block is None and not output.layers):
            return fan[which]
        if output.block is not None:
            own = self.apart(name, output.block)
            value = self.block(own, output.block, t, variable.dim, variable)
            if isinstance(output.block, Convolution | Attention):
                value = self.layer(f"{name}_1", value)
            return value
        a = self.activated(f"{name}_norm_1", fan[which], output.layers[0])
        for number, layer in enumerate(output.layers[1:], 2):
            a = self.activated(f"{name}_norm_{number}", self.layer(f"{name}_{number}", a), layer)
        return self.layer(f"{name}_out", a)

    def apart(self, name: str, block: Block) -> str:
        """What a block is called: in a head, attention and convolutions are features of their own."""
        kind = {Attention: "attention_", Convolution: "convolution_"}.get(type(block), "")
        return f"{kind}{name}"

    def trunk(self, name: str, block: Block, variable: Variable, width: int, t: int) -> Tensor:
        made = isinstance(block, ImageDecoder) or (isinstance(block, Scan) and bool(variable.axes))
        alone = name.endswith(("_first", "_last"))  # it convolves in its own network
        if isinstance(block, Attention) or (isinstance(block, Convolution) and not alone):
            return self.layer(f"{name}_1", self.block(self.apart(name, block), block, t, 0, None))
        value = self.block(name, block, t, width, variable if made else None)
        return value if made or isinstance(block, Dense) else self.layer(f"{name}_out", value)
