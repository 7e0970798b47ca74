"""How many weights a module has: what a page asks for is bounded before anything is allocated."""

from __future__ import annotations

import re
from collections.abc import Callable

from dvaec.emit.nets import nets_of
from dvaec.plan.model import Network

MOST_WEIGHTS = 2**30
"""4 GiB in single precision; training takes four times as much."""

_MADE = re.compile(r"nn\.([A-Za-z]+[12]?d?)\(([0-9]+)(?:, ([0-9]+))?(?:, ([0-9]+))?")
_VECTOR = re.compile(r"nn\.Parameter\(torch\.[a-z]+\([^)]*?([0-9]+)\)")


def _recurrent(gates: int) -> Callable[[int, int, int], int]:
    return lambda columns, units, _: gates * units * (columns + units + 2)


_WEIGHTS: dict[str, Callable[[int, int, int], int]] = {
    "Linear": lambda columns, units, _: columns * units + units,
    "LayerNorm": lambda units, *_: 2 * units,
    "Conv1d": lambda columns, units, kernel: columns * units * kernel + units,
    "Conv2d": lambda columns, units, kernel: columns * units * kernel**2 + units,
    "ConvTranspose2d": lambda columns, units, kernel: columns * units * kernel**2 + units,
    "LSTM": _recurrent(4),
    "GRU": _recurrent(3),
    "RNN": _recurrent(1),
}
"""By layer: its weights and biases, of columns, units and kernel."""


def weights_of(network: Network) -> dict[str, int]:
    """Return how many weights each node has, by its name; classes of the page's own are not counted."""
    return {name: sum(map(_weights, lines)) for name, lines in nets_of(network).layers}


def _weights(line: str) -> int:
    """Return how many weights a line of `__init__` makes."""
    if vector := _VECTOR.search(line):
        return int(vector[1])
    made = _MADE.search(line)
    if made is None or made[1] not in _WEIGHTS:
        return 0
    return _WEIGHTS[made[1]](*(int(number or 0) for number in made.groups()[1:]))
