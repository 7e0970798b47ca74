"""Random layers with smooth activations: every link leaves a trace in a Jacobian."""

from __future__ import annotations

from hypothesis import strategies as st

from dvaec.spec.model import Layer

SMOOTH = ("tanh", "tanh", "sigmoid", "softplus", "elu", "gelu", "silu", "leaky_relu", "linear")

few = st.integers(1, 4)


def layers(most: int = 2) -> st.SearchStrategy[tuple[Layer, ...]]:
    """Return a few dense layers."""
    one = st.builds(Layer, few, st.sampled_from(SMOOTH))
    return st.lists(one, max_size=most).map(tuple)
