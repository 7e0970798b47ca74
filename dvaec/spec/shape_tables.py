"""What each key of a page wants, in words, and what the language will say later."""

from __future__ import annotations

from dvaec.spec.conditionals import MOST_UNITS
from dvaec.spec.schema import LARGEST_DELAY, LARGEST_DIM, LARGEST_LAG

# What a key wants, in words; keys mean the same wherever they stand.
WANTED = {
    "model": "the model's name",
    "about": "text",
    "cites": "a list of texts",
    "variables": "a mapping such as {x: {role: observed, dim: 88}}",
    "generation": 'a list of conditionals such as ["z_t | z_<t-1>", "x_t | z_t"]',
    "inference": "exact, filtering, {lookahead: k} or a list of conditionals",
    "order": "a list such as [[a, z]]: a, then z within every frame",
    "states": "a mapping such as {h_t: {rnn: lstm, units: 128, reads: x_<t-1>}}",
    "features": "a mapping such as {fx_t: {reads: x_t, layers: [256 tanh]}}",
    "networks": "a mapping such as {p(x_t): {reads: z_t, layers: [256 tanh]}}",
    "role": "observed, latent or input",
    "dim": f"a whole number from 1 to {LARGEST_DIM}",
    "distribution": "gaussian, bernoulli or gamma",
    "shape": "the number 1",
    "level": "frame or sequence",
    "lookahead": f"a whole number from 0 to {LARGEST_DELAY}",
    "rnn": "lstm, gru, rnn or sum",
    "units": f"a whole number from 1 to {MOST_UNITS}",
    "reads": 'text such as "z_<t-1>, h_t"',
    "of": "text such as z_<t-1>",
    "with": "text such as b_t",
    "through": "a list of layers such as [256 tanh]",
    "layers": "a list of layers such as [256 tanh]",
    "runs": "forward, backward or both",
    "lag": f"a whole number from 1 to {LARGEST_LAG}",
    "starts": "zeros or learned",
    "mean": "a mapping such as {layers: [64 tanh]}",
    "variance": "a positive number, shared, or a mapping such as {layers: [64 tanh], link: softplus}",
    "link": "exp or softplus",
    "learned": "true or false",
    "block": "a block",
}

# The block that each kind of network can be.
BLOCKS = {"features": "combiner", "networks": "gated_transition"}

# What the language will say later: recognised, so that the answer is not "unknown".
LATER = frozenset({"causality", "auxiliary", "T", "python", "over", "by", "weights"})
LATER_VALUES = frozenset(
    {
        "mean_field",
        "categorical",
        "linear_mixture",
        "attention",
        "convolution",
        "backward",
        "laplace",
        "student",
    }
)
