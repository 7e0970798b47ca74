"""The networks of the heads as text: the layers and the method that make a conditional's parameters.

A head is a trunk that all parameters share, and branches from it; a parameter may read on its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dvaec.emit.blocks import BlockText, Place, block_text, makes_parameters
from dvaec.emit.chains import chain, chain_layers, linear, port_layers
from dvaec.emit.families import STARTS, linked, names_of
from dvaec.plan.blocks import arity
from dvaec.plan.branches import Branch, branches, fan_units, fixed_parameters
from dvaec.plan.model import HeadNode, Network
from dvaec.spec.families import FORMS, parameters_of
from dvaec.spec.model import (
    Convolution,
    Dense,
    GatedTransition,
    Identity,
    ImageDecoder,
    LinearMixture,
    Link,
    SharedVariance,
)

VARIANCE_FLOOR = "1e-6"


@dataclass(frozen=True)
class Method:
    """One network of the module: arguments, lines of its body, and what it returns.

    `node` is the one that it is a part of, and `width` that of its result, where its name does not say.
    """

    name: str
    arguments: tuple[str, ...]
    returns: tuple[str, ...]
    body: tuple[str, ...]
    functions: tuple[str, ...] = ()
    node: str = ""
    width: int = 0


@dataclass(frozen=True)
class _Parts:
    """A head taken apart: its trunk, if it has one, and the parameters that read on their own."""

    trunk: BlockText | None
    own: dict[str, BlockText]


def _parts(node: HeadNode, network: Network) -> _Parts:
    block, variable, rest = node.block, node.variable, node.ports[arity(node.block) :]
    trunk = None
    if block is not None and not isinstance(block, GatedTransition):
        ports, width = node.ports[: arity(block)], sum(fan_units(node.head, variable))
        trunk = block_text(block, Place(node.name, "a", network, ports, width, variable))
    own = {}
    for branch in branches(node.head, variable):
        if branch.output.block is not None:
            ports, rest = rest[: arity(branch.output.block)], rest[arity(branch.output.block) :]
            name = f"{node.name}_{branch.parameter}"
            place = Place(name, branch.parameter, network, ports, branch.width, variable)
            own[branch.parameter] = block_text(branch.output.block, place)
    return _Parts(trunk, own)


def own_convolutions(node: HeadNode) -> Iterator[tuple[str, Convolution]]:
    """Yield the convolutions that a conditional of a single frame computes itself, with their names."""
    if isinstance(node.block, Convolution):
        yield node.name, node.block
    for branch in branches(node.head, node.variable):
        if isinstance(branch.output.block, Convolution):
            yield f"{node.name}_{branch.parameter}", branch.output.block


def head_layers(node: HeadNode, network: Network) -> tuple[str, ...]:
    name, block, variable = node.name, node.block, node.variable
    if not node.ports:
        return _constants(node)
    lines = port_layers(node.ports)
    parts = _parts(node, network)
    if isinstance(block, GatedTransition):
        lines.append(linear(f"{name}_gate", block.units, node.dim))
        lines.append(linear(f"{name}_nonlinear", block.units, node.dim))
        if node.head.variance is None:
            lines.append(linear(f"{name}_variance", node.dim, node.dim))
    else:
        if parts.trunk is not None:
            lines += parts.trunk.layers
            if _has_out(node):
                lines.append(linear(f"{name}_out", parts.trunk.width, sum(fan_units(node.head, variable))))
        for branch in branches(node.head, variable):
            lines += _branch_layers(f"{name}_{branch.parameter}", branch, parts)
    if isinstance(node.head.variance, SharedVariance):
        shared = FORMS[variable.family].variance
        width = next(p.width for p in parameters_of(variable) if p.name == shared)
        lines.append(f"self.{name}_{shared} = nn.Parameter(torch.zeros({width}))")
    return tuple(lines)


def _has_out(node: HeadNode) -> bool:
    """Whether a linear map leads from the trunk to the parameters; else the trunk's last one makes them."""
    without = isinstance(node.block, Dense) and not node.block.layers
    return not without and not makes_parameters(node.block, node.variable)


def _constants(node: HeadNode) -> tuple[str, ...]:
    """The parameters of a conditional without parents that are learned."""
    fixed = dict(fixed_parameters(node.head, node.variable))
    lines = []
    for parameter in parameters_of(node.variable):
        make = STARTS.get((node.variable.family, parameter.name), "torch.zeros")
        if parameter.name not in fixed:
            lines.append(f"self.{node.name}_{parameter.name} = nn.Parameter({make}({parameter.width}))")
    return tuple(lines)


def _branch_layers(name: str, branch: Branch, parts: _Parts) -> list[str]:
    layers, own = branch.output.layers, parts.own.get(branch.parameter)
    if own is not None:
        out = [linear(f"{name}_out", own.width, branch.width)] if _maps_own(branch) else []
        return [*own.layers, *out]
    if not layers:
        return []
    return [*chain_layers(name, layers), linear(f"{name}_out", layers[-1].units, branch.width)]


def _maps_own(branch: Branch) -> bool:
    """Whether a linear map leads from what a parameter reads on its own to the parameter."""
    match branch.output.block:
        case Dense(layers=layers):
            return bool(layers)
        case LinearMixture() | Identity() | ImageDecoder():
            return False
        case _:
            return True


def head_method(node: HeadNode, network: Network) -> Method:
    name, block, variable = node.name, node.block, node.variable
    parameters, scale = names_of(variable), FORMS[variable.family].variance
    body: list[str] = []
    variance, parts = node.head.variance, _parts(node, network)
    if isinstance(block, GatedTransition):
        body += _gated(node, block)
        if variance is None:
            body.append(f"variance = F.softplus(self.{name}_variance(torch.relu(nonlinear)))  # (B.5)")
            body.append(f"logvar = torch.log(variance + {VARIANCE_FLOOR})")
    else:
        if parts.trunk is not None:
            body += _trunk(node, parts.trunk)
        for branch in branches(node.head, variable):
            body += _branch(f"{name}_{branch.parameter}", branch, parts)
            if branch.parameter == scale and branch.output.link is Link.SOFTPLUS:
                body.append(f"{scale} = torch.log(F.softplus({scale}) + {VARIANCE_FLOOR})")
            elif (text := linked(variable, branch.parameter, branch.parameter)) != branch.parameter:
                body.append(f"{branch.parameter} = {text}")
    if isinstance(variance, SharedVariance):
        body.append(f"{scale} = {linked(variable, scale, f'self.{name}_{scale}')}.expand_as({parameters[0]})")
    for fixed, number in fixed_parameters(node.head, variable):
        body.append(f"{fixed} = torch.full_like({parameters[0]}, math.log({number!r}))")
    body.append(f"return {', '.join(parameters)}")
    arguments: tuple[str, ...] = ("a",) if isinstance(block, GatedTransition) else ()
    for made in (parts.trunk, *parts.own.values()):
        arguments += made.arguments if made is not None else ()
    return Method(name, arguments, parameters, tuple(body))


def _trunk(node: HeadNode, trunk: BlockText) -> list[str]:
    """From the trunk's ports to the branches' first pre-activations, which one product gives."""
    fan = fan_units(node.head, node.variable)
    shared = (b for b in branches(node.head, node.variable) if b.output.block is None)
    names = [branch.parameter for branch in shared]
    source = f"self.{node.name}_out(a)" if _has_out(node) else "a"
    if len(fan) == 1:
        return [*trunk.body, f"{names[0]}: Tensor = {source}"]
    if len(set(fan)) == 1:
        return [*trunk.body, f"{', '.join(names)} = {source}.chunk({len(fan)}, -1)"]
    sizes = ", ".join(map(str, fan))
    return [*trunk.body, f"{', '.join(names)} = {source}.split_with_sizes([{sizes}], -1)"]


def _branch(name: str, branch: Branch, parts: _Parts) -> list[str]:
    layers, value, own = branch.output.layers, branch.parameter, parts.own.get(branch.parameter)
    out = f"{value} = self.{name}_out({value})"
    if own is not None:
        return [*own.body, *([out] if _maps_own(branch) else [])]
    return [*chain(name, value, layers), out] if layers else []


def _gated(node: HeadNode, block: GatedTransition) -> list[str]:
    return [
        f"gate, nonlinear, linear = a.split_with_sizes([{block.units}, {block.units}, {node.dim}], -1)",
        f"gate = torch.sigmoid(self.{node.name}_gate(torch.relu(gate)))  # (B.1)",
        f"nonlinear = self.{node.name}_nonlinear(torch.relu(nonlinear))  # (B.2)",
        "mean = (1.0 - gate) * linear + gate * nonlinear  # (B.3)-(B.4)",
    ]
