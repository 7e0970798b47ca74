"""Dense layers as text: the modules that `__init__` makes, and the statements that call them.

The first layer's linear map stands outside: what is here begins with its pre-activation.
"""

from __future__ import annotations

from dvaec.emit.families import activate
from dvaec.plan.model import Port
from dvaec.spec.model import Layer


def linear(name: str, columns: int, units: int) -> str:
    """Return the statement that makes a linear layer."""
    return f"self.{name} = nn.Linear({columns}, {units})"


def port_layers(ports: tuple[Port, ...]) -> list[str]:
    """Return the linear layers that feed a node."""
    return [linear(port.weights, port.width, port.units) for port in ports if port.weights]


def chain_layers(name: str, layers: tuple[Layer, ...]) -> list[str]:
    """Return the norm of the first layer, and the linear maps and norms of those behind it."""
    out: list[str] = []
    for number, layer in enumerate(layers, 1):
        if number > 1:
            out.append(linear(f"{name}_{number}", layers[number - 2].units, layer.units))
        if layer.norm:
            out.append(f"self.{name}_norm_{number} = nn.LayerNorm({layer.units})")
    return out


def chain(name: str, value: str, layers: tuple[Layer, ...]) -> list[str]:
    """Return the statements from the first layer's pre-activation in `value` to the last layer's output."""
    out: list[str] = []
    for number, layer in enumerate(layers, 1):
        inner = value if number == 1 else f"self.{name}_{number}({value})"
        out += activated(f"{name}_norm_{number}", value, inner, layer)
    return out


def activated(norm: str, value: str, inner: str, layer: Layer) -> list[str]:
    """Return the statements that normalise and activate `inner`, drop from it, and name it `value`."""
    if layer.norm:
        inner = f"self.{norm}({inner})"
    text = activate(layer.activation, inner)
    if layer.dropout:
        text = f"F.dropout({text}, {layer.dropout!r}, self.training)"
    return [f"{value} = {text}"] if text != value else []
