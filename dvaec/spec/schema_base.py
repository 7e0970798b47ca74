"""What all shapes of the page share: settings, keys with help, layers, the tag of a block."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from dvaec.spec.conditionals import ACTIVATIONS, MOST_UNITS

MOST_LAYERS = 64
LARGEST_KERNEL = 64
MOST_AXES = 4

_WORDS = "|".join(ACTIVATIONS)
_LAYER = {
    "pattern": rf"^\s*[0-9]+\s+({_WORDS})(\s+norm)?(\s+dropout\s+0?\.[0-9]+)?\s*$",
    "examples": ["256 tanh", "256 relu norm dropout 0.1"],
}
# Of images: softmax would go along a row of points.
Activation = Literal[
    "tanh", "relu", "sigmoid", "softplus", "elu", "gelu", "silu", "leaky_relu", "mish", "selu", "softsign",
    "hardtanh", "exp", "linear",
]  # fmt: skip


class Shape(BaseModel):
    """Common settings: no unknown keys, no coercion, immutable."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def key(text: str, default: Any = ..., **more: Any) -> Any:
    """A key with the help text that editors show; without a default it is required."""
    return Field(default, description=text, **more)


Units = Annotated[int, Field(ge=1, le=MOST_UNITS)]
LayerText = Annotated[str, Field(json_schema_extra=_LAYER)]
Layers = Annotated[list[LayerText], Field(max_length=MOST_LAYERS)]
Channels = Annotated[list[Units], Field(min_length=1, max_length=MOST_LAYERS)]
Kernel = Annotated[int, Field(ge=1, le=LARGEST_KERNEL)]
LAYERS_HELP = (
    "Dense layers in order, each its units and its activation: [256 tanh, 128 relu]. `norm` behind it "
    "normalises what enters the activation, `dropout 0.1` drops its outputs: 256 tanh norm dropout 0.1."
)
READS_HELP = 'What is read at frame t, concatenated in this order: "z_<t-1>, h_t".'

BLOCK_TAGS = (
    "combiner", "gated_transition", "linear_mixture", "convolution", "attention", "image_encoder",
    "image_decoder",
)  # fmt: skip


def block_tag(value: Any) -> str | None:
    """Name the kind of network that a mapping describes; None for what is no mapping."""
    if isinstance(value, BaseModel):
        value = dict(value)
    if not isinstance(value, dict):
        return None
    if "block" in value:
        return str(value["block"]) if value["block"] in BLOCK_TAGS else None
    return "over" if "over" in value else "python" if "python" in value else "dense"
