"""The networks of the module as text: the layers that `__init__` makes and one method per feature and head.

Every method starts from the *pre-activation of the first layer*, so that a loop over time can compute the
part of it that does not wait for the loop once for all frames.
"""

from __future__ import annotations

from dataclasses import dataclass

from dvaec.emit.families import FAMILIES, activate
from dvaec.plan.model import FeatureNode, HeadNode, Network, Port, StateNode
from dvaec.plan.network import branches, fan_units
from dvaec.spec.model import Combiner, Dense, Family, GatedTransition, Layer, Link, Output, SharedVariance

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
    name, block, family = node.name, node.block, node.variable.family
    lines: list[str] = []
    if block is None:
        given: tuple[str, ...] = FAMILIES[family].parameters
        if isinstance(node.head.variance, float):
            given = given[:1]
        return tuple(f"self.{name}_{p} = nn.Parameter(torch.zeros({node.dim}))" for p in given)
    lines += _ports(node.ports)
    if isinstance(block, GatedTransition):
        lines.append(_linear(f"{name}_gate", block.units, node.dim))
        lines.append(_linear(f"{name}_nonlinear", block.units, node.dim))
        if node.head.variance is None:
            lines.append(_linear(f"{name}_variance", node.dim, node.dim))
    else:
        fan = fan_units(node.head, node.dim, family)
        if block.layers:
            lines += _chain_layers(name, block.layers[0].units, block.layers[1:])
            lines.append(_linear(f"{name}_out", block.layers[-1].units, sum(fan)))
        for parameter, branch in zip(FAMILIES[family].parameters, branches(node.head, family), strict=False):
            lines += _branch_layers(f"{name}_{parameter}", branch, node.dim)
    if isinstance(node.head.variance, SharedVariance):
        lines.append(f"self.{name}_logvar = nn.Parameter(torch.zeros({node.dim}))")
    return tuple(lines)


def _branch_layers(name: str, branch: Output, dim: int) -> list[str]:
    if not branch.layers:
        return []
    last = _linear(f"{name}_out", branch.layers[-1].units, dim)
    return [*_chain_layers(name, branch.layers[0].units, branch.layers[1:]), last]


def _head_method(node: HeadNode) -> Method:
    name, block, family = node.name, node.block, node.variable.family
    parameters = FAMILIES[family].parameters
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
        for parameter, branch in zip(parameters, branches(node.head, family), strict=False):
            body += _branch(f"{name}_{parameter}", parameter, branch)
        if family is Family.GAUSSIAN and (variance is None or isinstance(variance, Output)):
            body.append(_link(variance))
        if family is Family.GAMMA:
            body.append("logscale = bounded(logscale)")
    if isinstance(variance, SharedVariance):
        body.append(f"logvar = bounded(self.{name}_logvar).expand_as(mean)")
    elif isinstance(variance, float):
        body.append(f"logvar = torch.full_like(mean, math.log({variance!r}))")
    body.append(f"return {', '.join(parameters)}")
    functions = ("bounded",) if any("bounded(" in line for line in body) else ()
    return Method(name, ("a",), parameters, tuple(body), functions)


def _link(variance: Output | None) -> str:
    if variance is not None and variance.link is Link.SOFTPLUS:
        return f"logvar = torch.log(F.softplus(logvar) + {VARIANCE_FLOOR})"
    return "logvar = bounded(logvar)"


def _trunk(node: HeadNode, block: Dense) -> list[str]:
    """From the first pre-activation to the branches' first pre-activations, which one product gives."""
    family = node.variable.family
    fan = fan_units(node.head, node.dim, family)
    names = FAMILIES[family].parameters[: len(fan)]
    body: list[str] = []
    source = "a"
    if block.layers:
        body += [*_first("a", block.layers), *_chain(node.name, "a", block.layers[1:])]
        source = f"self.{node.name}_out(a)"
    if len(fan) == 1:
        return [*body, f"{names[0]}: Tensor = {source}"]
    if len(set(fan)) == 1:
        return [*body, f"{', '.join(names)} = {source}.chunk(2, -1)"]
    return [*body, f"{', '.join(names)} = {source}.split_with_sizes([{', '.join(map(str, fan))}], -1)"]


def _branch(name: str, value: str, branch: Output) -> list[str]:
    if not branch.layers:
        return []
    lines = [*_first(value, branch.layers), *_chain(name, value, branch.layers[1:])]
    return [*lines, f"{value} = self.{name}_out({value})"]


def _gated(node: HeadNode, block: GatedTransition) -> list[str]:
    return [
        f"gate, nonlinear, linear = a.split_with_sizes([{block.units}, {block.units}, {node.dim}], -1)",
        f"gate = torch.sigmoid(self.{node.name}_gate(torch.relu(gate)))  # (B.1)",
        f"nonlinear = self.{node.name}_nonlinear(torch.relu(nonlinear))  # (B.2)",
        "mean = (1.0 - gate) * linear + gate * nonlinear  # (B.3)-(B.4)",
    ]
