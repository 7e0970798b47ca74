"""What each key of a page wants, in words, and what the language will say later."""

from __future__ import annotations

from typing import get_args

from dvaec.spec.conditionals import MOST_UNITS
from dvaec.spec.schema import (
    LARGEST_DIM,
    LARGEST_LAG,
    LARGEST_WARMUP,
    LONGEST,
    MOST_CYCLES,
    MOST_RECURRENT,
    MOST_SAMPLES,
)
from dvaec.spec.schema_base import LARGEST_KERNEL, MOST_AXES, Activation
from dvaec.spec.schema_blocks import LARGEST_DILATION, MOST_HEADS
from dvaec.spec.schema_families import LARGEST_NUMBER, MOST_COMPONENTS, SMALLEST_NUMBER, FamilyName
from dvaec.spec.schema_order import LARGEST_DELAY
from dvaec.spec.source import Path

# What a key wants, in words; keys mean the same wherever they stand.
WANTED = {
    "model": "the model's name",
    "about": "text",
    "cites": "a list of texts",
    "variables": "a mapping such as {x: {role: observed, dim: 88}}",
    "generation": 'a list of conditionals such as ["z_t | z_<t-1>", "x_t | z_t"]',
    "inference": "exact, filtering, {lookahead: k}, mean_field or a list of conditionals",
    "order": "a list such as [[a, z]]: a, then z within every frame",
    "backward": "a latent, or a list of latents",
    "causality": "causal, anticausal or noncausal",
    "develop": "shared or separate",
    "T": f"a whole number from 1 to {LONGEST}",
    "auxiliary": 'a list of predictions of states such as ["b_t | z_t"]',
    "states": "a mapping such as {h_t: {rnn: lstm, units: 128, reads: x_<t-1>}}",
    "features": "a mapping such as {fx_t: {reads: x_t, layers: [256 tanh]}}",
    "networks": "a mapping such as {p(x_t): {reads: z_t, layers: [256 tanh]}}",
    "objective": "a mapping such as {warmup: 20, beta: 0.5}",
    "beta": f"a number from 0 to {LARGEST_NUMBER:.0f}",
    "warmup": f"a whole number of epochs from 0 to {LARGEST_WARMUP}",
    "cycles": f"a whole number from 1 to {MOST_CYCLES}",
    "rise": "a number above 0, and at most 1",
    "free_bits": f"a number from 0 to {LARGEST_NUMBER:.0f}",
    "factors": "a mapping such as {v: 0.5}",
    "samples": f"a whole number from 1 to {MOST_SAMPLES}",
    "sizes": "a mapping such as {motion: {x.dim: 96, h_t.units: 64}}",
    "role": "observed, latent or input",
    "dim": f"a whole number from 1 to {LARGEST_DIM}, or a list of axes such as [1, 32, 32]",
    "weights": "text such as alpha_t",
    "query": "text such as h_t",
    "by": "text such as s_t",
    "channels": "a list such as [32, 64], or [32 relu, 32 relu] in a convolution",
    "kernel": f"a whole number from 1 to {LARGEST_KERNEL}",
    "stride": f"a whole number from 1 to {LARGEST_KERNEL}",
    "dilation": f"doubling or a whole number from 1 to {LARGEST_DILATION}",
    "activation": f"one of {', '.join(get_args(Activation))}",
    "heads": f"a whole number from 1 to {MOST_HEADS}",
    "over": f"the number of an axis of the frame, from 0 to {MOST_AXES - 1}",
    "python": "the place of a class, package.module:Class",
    "distribution": ", ".join(get_args(FamilyName)[:-1]) + f" or {get_args(FamilyName)[-1]}",
    "shape": f"a number from {SMALLEST_NUMBER:f} to {LARGEST_NUMBER:.0f}, or learned",
    "degrees": f"a number from {SMALLEST_NUMBER:f} to {LARGEST_NUMBER:.0f}, or learned",
    "components": f"a whole number from 2 to {MOST_COMPONENTS}",
    "temperature": f"a number from {SMALLEST_NUMBER:f} to {LARGEST_NUMBER:.0f}",
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
    "recurrent layers": f"a whole number from 1 to {MOST_RECURRENT}",
    "starts": "zeros, learned or a mapping such as {reads: z}",
    "mean": "a mapping such as {layers: [64 tanh]}, or the value itself",
    "variance": f"a number from {SMALLEST_NUMBER:f} to {LARGEST_NUMBER:.0f}, shared, or a mapping such as "
    "{layers: [64 tanh], link: softplus}",
    "link": "exp or softplus",
    "learned": "true or false",
    "block": "a block",
}

# The blocks that each kind of network can be.
_TRUNKS = ("convolution", "attention", "image_encoder")
BLOCKS = {
    "features": ("combiner", "linear_mixture", *_TRUNKS),
    "networks": ("gated_transition", *_TRUNKS, "image_decoder"),
    "mean": ("linear_mixture", "convolution", "attention", "image_decoder"),
    "variance": ("linear_mixture",),
}


def blocks_at(path: Path) -> tuple[str, ...]:
    """Return the blocks that may stand at the path of a key `block`."""
    return BLOCKS[str(path[-2]) if path[-2] in BLOCKS else str(path[0])]


# The keys whose texts list what is read.
READING = ("reads", "of", "with", "weights", "query", "by")

# What the language will say later: recognised, so that the answer is not "unknown".
LATER = frozenset[str]()
LATER_VALUES = frozenset[str]()
