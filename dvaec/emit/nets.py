"""The networks of the module as text: the layers that `__init__` makes and one method per feature and head.

Every method starts from the *pre-activation of the first layer*, so that a loop over time can compute the
part of it that does not wait for the loop once for all frames.
"""

from __future__ import annotations

from dataclasses import dataclass

from dvaec.emit.families import STARTS, activate, linked, names_of
from dvaec.plan.model import FeatureNode, HeadNode, Network, Port, StateNode
from dvaec.plan.network import Branch, branches, fan_units, fixed_parameters
from dvaec.spec.families import FORMS, parameters_of
from dvaec.spec.model import Combiner, Dense, GatedTransition, Layer, Link, Output, SharedVariance

RNN_CLASSES = {"lstm": "nn.LSTM", "gru": "nn.GRU", "rnn": "nn.RNN"}
VARIANCE_FLOOR = "1e-6"


@dataclass(frozen=True)
class Method:
    """One network of the module: arguments, lines of its body, and what it returns."""

    name: str
    arguments: tuple[str, ...]
    returns: tuple[str, ...]
    body: tuple[str, ...]
    functions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Nets:
    """All layers, by the node that owns them, and all methods."""

    layers: tuple[tuple[str, tuple[str, ...]], ...]
    methods: tuple[Method, ...]


def nets_of(network: Network) -> Nets:
    """Return the layers and methods of a network, in its order."""
    layers: list[tuple[str, tuple[str, ...]]] = []
    methods: list[Method] = []
    for node in network.nodes:
        if isinstance(node, StateNode):
            layers.append((node.name, _state_layers(node)))
        elif isinstance(node, FeatureNode) and node.block is not None:
            layers.append((node.name, _feature_layers(node)))
            methods.append(_feature_method(node))
        elif isinstance(node, HeadNode) and not node.standard:
            layers.append((node.name, _head_layers(node)))
            if node.ports:
                methods.append(_head_method(node))
    return Nets(tuple(layers), tuple(methods))


def _linear(name: str, columns: int, units: int) -> str:
    return f"self.{name} = nn.Linear({columns}, {units})"


def _ports(ports: tuple[Port, ...]) -> list[str]:
    return [_linear(port.weights, port.width, port.units) for port in ports if port.weights]


def _state_layers(node: StateNode) -> tuple[str, ...]:
    state, port = node.state, node.ports[0]
    if state.cell == "sum":
        lines = [_linear(f"{node.name}_1", port.width, node.dim)]
    else:
        make = RNN_CLASSES[state.cell]
        lines = [f"self.{node.name}_rnn = {make}({port.width}, {node.dim}, batch_first=True)"]
    if state.learned_start:
        lines.append(f"self.{node.name}_start = nn.Parameter(torch.zeros({node.dim}))")
        if state.cell == "lstm":
            lines.append(f"self.{node.name}_cell_start = nn.Parameter(torch.zeros({node.dim}))")
    return tuple(lines)


def _chain_layers(name: str, columns: int, layers: tuple[Layer, ...], first: int = 2) -> list[str]:
    """Linear layers number `first`, `first` + 1, ... behind a layer of `columns` outputs."""
    out = []
    for number, layer in enumerate(layers, first):
        out.append(_linear(f"{name}_{number}", columns, layer.units))
        columns = layer.units
    return out


def _chain(name: str, value: str, layers: tuple[Layer, ...], first: int = 2) -> list[str]:
    return [
        f"{value} = {activate(layer.activation, f'self.{name}_{number}({value})')}"
        for number, layer in enumerate(layers, first)
    ]


def _first(value: str, layers: tuple[Layer, ...]) -> list[str]:
    """The activation of the layer whose pre-activation is the method's argument."""
    return [f"{value} = {activate(layers[0].activation, value)}"] if layers[0].activation != "linear" else []


def _feature_layers(node: FeatureNode) -> tuple[str, ...]:
    lines = _ports(node.ports)
    if isinstance(node.block, Dense):
        lines += _chain_layers(node.name, node.block.layers[0].units, node.block.layers[1:])
    return tuple(lines)


def _feature_method(node: FeatureNode) -> Method:
    if isinstance(node.block, Combiner):
        body: tuple[str, ...] = ("return 0.5 * (torch.tanh(a) + other)",)
        return Method(f"{node.name}_net", ("a", "other"), (), body)
    assert isinstance(node.block, Dense)
    layers = node.block.layers
    body = (*_first("a", layers), *_chain(node.name, "a", layers[1:]), "return a")
    return Method(f"{node.name}_net", ("a",), (), body)


def _head_layers(node: HeadNode) -> tuple[str, ...]:
    name, block, variable = node.name, node.block, node.variable
    lines: list[str] = []
    if block is None:
        return _constants(node)
    lines += _ports(node.ports)
    if isinstance(block, GatedTransition):
        lines.append(_linear(f"{name}_gate", block.units, node.dim))
        lines.append(_linear(f"{name}_nonlinear", block.units, node.dim))
        if node.head.variance is None:
            lines.append(_linear(f"{name}_variance", node.dim, node.dim))
    else:
        fan = fan_units(node.head, variable)
        if block.layers:
            lines += _chain_layers(name, block.layers[0].units, block.layers[1:])
            lines.append(_linear(f"{name}_out", block.layers[-1].units, sum(fan)))
        for branch in branches(node.head, variable):
            lines += _branch_layers(f"{name}_{branch.parameter}", branch)
    if isinstance(node.head.variance, SharedVariance):
        shared = FORMS[variable.family].variance
        width = next(p.width for p in parameters_of(variable) if p.name == shared)
        lines.append(f"self.{name}_{shared} = nn.Parameter(torch.zeros({width}))")
    return tuple(lines)


def _constants(node: HeadNode) -> tuple[str, ...]:
    """The parameters of a conditional without parents that are learned."""
    fixed = dict(fixed_parameters(node.head, node.variable))
    lines = []
    for parameter in parameters_of(node.variable):
        make = STARTS.get((node.variable.family, parameter.name), "torch.zeros")
        if parameter.name not in fixed:
            lines.append(f"self.{node.name}_{parameter.name} = nn.Parameter({make}({parameter.width}))")
    return tuple(lines)


def _branch_layers(name: str, branch: Branch) -> list[str]:
    layers = branch.output.layers
    if not layers:
        return []
    last = _linear(f"{name}_out", layers[-1].units, branch.width)
    return [*_chain_layers(name, layers[0].units, layers[1:]), last]


def _head_method(node: HeadNode) -> Method:
    name, block, variable = node.name, node.block, node.variable
    parameters, scale = names_of(variable), FORMS[variable.family].variance
    body: list[str] = []
    variance = node.head.variance
    if isinstance(block, GatedTransition):
        body += _gated(node, block)
        if variance is None:
            body.append(f"variance = F.softplus(self.{name}_variance(torch.relu(nonlinear)))  # (B.5)")
            body.append(f"logvar = torch.log(variance + {VARIANCE_FLOOR})")
    else:
        assert block is not None
        body += _trunk(node, block)
        for branch in branches(node.head, variable):
            body += _branch(f"{name}_{branch.parameter}", branch)
            if branch.parameter == scale and branch.output.link is Link.SOFTPLUS:
                body.append(f"{scale} = torch.log(F.softplus({scale}) + {VARIANCE_FLOOR})")
            elif (text := linked(variable, branch.parameter, branch.parameter)) != branch.parameter:
                body.append(f"{branch.parameter} = {text}")
    if isinstance(variance, SharedVariance):
        body.append(f"{scale} = {linked(variable, scale, f'self.{name}_{scale}')}.expand_as({parameters[0]})")
    for fixed, number in fixed_parameters(node.head, variable):
        body.append(f"{fixed} = torch.full_like({parameters[0]}, math.log({number!r}))")
    body.append(f"return {', '.join(parameters)}")
    return Method(name, ("a",), parameters, tuple(body))


def _trunk(node: HeadNode, block: Dense) -> list[str]:
    """From the first pre-activation to the branches' first pre-activations, which one product gives."""
    fan = fan_units(node.head, node.variable)
    names = [branch.parameter for branch in branches(node.head, node.variable)]
    body: list[str] = []
    source = "a"
    if block.layers:
        body += [*_first("a", block.layers), *_chain(node.name, "a", block.layers[1:])]
        source = f"self.{node.name}_out(a)"
    if len(fan) == 1:
        return [*body, f"{names[0]}: Tensor = {source}"]
    if len(set(fan)) == 1:
        return [*body, f"{', '.join(names)} = {source}.chunk({len(fan)}, -1)"]
    return [*body, f"{', '.join(names)} = {source}.split_with_sizes([{', '.join(map(str, fan))}], -1)"]


def _branch(name: str, branch: Branch) -> list[str]:
    layers, value = branch.output.layers, branch.parameter
    if not layers:
        return []
    return [*_first(value, layers), *_chain(name, value, layers[1:]), f"{value} = self.{name}_out({value})"]


def _gated(node: HeadNode, block: GatedTransition) -> list[str]:
    return [
        f"gate, nonlinear, linear = a.split_with_sizes([{block.units}, {block.units}, {node.dim}], -1)",
        f"gate = torch.sigmoid(self.{node.name}_gate(torch.relu(gate)))  # (B.1)",
        f"nonlinear = self.{node.name}_nonlinear(torch.relu(nonlinear))  # (B.2)",
        "mean = (1.0 - gate) * linear + gate * nonlinear  # (B.3)-(B.4)",
    ]
