"""What a module trains: the names and shapes of its parameters."""

from __future__ import annotations

from torch import nn


def parameter_shapes(module: nn.Module) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Return every parameter once, by its name with dots, with its shape."""
    return tuple((name, tuple(value.shape)) for name, value in module.named_parameters())
