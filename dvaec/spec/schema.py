"""The shape of a page as pydantic models: they validate it, and their JSON schema serves editors."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from dvaec.spec.conditionals import ACTIVATIONS, MOST_UNITS

LARGEST_DIM = 1_000_000
LARGEST_LAG = 100
LARGEST_DELAY = 1000
MOST_VARIABLES = 64
MOST_LAYERS = 64
MOST_NODES = 256

_NAME = "[A-Za-z][A-Za-z0-9]*"
_NAMES = {"propertyNames": {"pattern": f"^{_NAME}$"}}
_FRAMED_NAMES = {"propertyNames": {"pattern": f"^{_NAME}_t$"}}
_HEAD_NAMES = {"propertyNames": {"pattern": r"^\s*[pq]\s*\(.*\)\s*$"}}
_LAYER = {"pattern": rf"^\s*[0-9]+\s+({'|'.join(ACTIVATIONS)})\s*$", "examples": ["256 tanh"]}


class Shape(BaseModel):
    """Common settings: no unknown keys, no coercion, immutable."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _key(text: str, default: Any = ..., **more: Any) -> Any:
    """A key with the help text that editors show; without a default it is required."""
    return Field(default, description=text, **more)


Units = Annotated[int, Field(ge=1, le=MOST_UNITS)]
LayerText = Annotated[str, Field(json_schema_extra=_LAYER)]
Layers = Annotated[list[LayerText], Field(max_length=MOST_LAYERS)]
LAYERS_HELP = "Dense layers in order, each its units and its activation: [256 tanh, 128 relu]."
READS_HELP = 'What is read at frame t, concatenated in this order: "z_<t-1>, h_t".'


class VariableShape(Shape):
    """A random variable or an input."""

    role: Literal["observed", "latent", "input"] = _key(
        "observed (data), latent (inferred), or input (always given, never generated)."
    )
    dim: Annotated[int, Field(ge=1, le=LARGEST_DIM)] = _key("The length of the vector at one frame.")
    distribution: Literal["gaussian", "bernoulli", "gamma"] | None = _key(
        "The family of its conditional; gaussian (diagonal) unless said. Inputs have none.", None
    )
    shape: int | float | None = _key("The shape of a gamma; it must be 1 (Itakura-Saito, 13.2.1).", None)
    level: Literal["frame", "sequence"] | None = _key(
        "One value a frame or one a sequence; left out, it follows from how the variable is written.", None
    )


class LookaheadShape(Shape):
    """Filtering with a delay."""

    lookahead: Annotated[int, Field(ge=0, le=LARGEST_DELAY)] = _key(
        "The posterior of frame t given the evidence of the frames up to t + this number."
    )


class StateShape(Shape):
    """A recurrent deterministic state."""

    rnn: Literal["lstm", "gru", "rnn", "sum"] = _key("The cell: lstm, gru, rnn, or sum (a running sum).")
    units: Units = _key("The width of the state.")
    reads: str = _key('What one step reads, one frame of each: "x_<t-1>, u_t".')
    through: Layers = _key("Dense layers between what is read and the cell: [256 tanh].", [])
    runs: Literal["forward", "backward", "both"] = _key("The direction of time it runs in.", "forward")
    lag: Annotated[int, Field(ge=1, le=LARGEST_LAG)] = _key("How many frames back the recurrence reaches.", 1)
    starts: Literal["zeros", "learned"] = _key("The state before the first step: zeros or learned.", "zeros")


class DenseFeatureShape(Shape):
    """A map of one frame's values, shared by all that read it."""

    reads: str = _key(READS_HELP)
    layers: Layers = _key(LAYERS_HELP, [])


class CombinerShape(Shape):
    """The combiner (5.5): 1/2 (tanh(W of + b) + with)."""

    block: Literal["combiner"] = _key("The combiner of the deep Kalman smoother, (5.5).")
    of: str = _key("What passes through the tanh layer: z_<t-1>.")
    with_: str = Field(description="What is averaged with it: b_t.", alias="with")
    units: Units | None = _key("The width; what stands under `with` is first projected to it.", None)


class OutputShape(Shape):
    """One parameter of a distribution on layers of its own."""

    layers: Layers = _key("Layers between the head's own and this parameter.", [])


class VarianceShape(OutputShape):
    """The variance on layers of its own."""

    link: Literal["exp", "softplus"] = _key("How the output becomes positive: exp or softplus.", "exp")


def _variance_tag(value: Any) -> str | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return "number"
    return (
        "word" if isinstance(value, str) else "mapping" if isinstance(value, dict | VarianceShape) else None
    )


Variance = Annotated[
    Annotated[Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)], Tag("number")]
    | Annotated[Literal["shared"], Tag("word")]
    | Annotated[VarianceShape, Tag("mapping")],
    Discriminator(_variance_tag),
]


class ParametersShape(Shape):
    """What every head may say of its distribution's parameters."""

    mean: OutputShape | None = _key("Layers of the mean's own.", None)
    variance: Variance | None = _key(
        "A fixed number, `shared` (one learned value a dimension), or layers of its own and a link.", None
    )
    learned: bool = _key("Make the constant parameters of a variable without parents trainable.", False)


class DenseHeadShape(ParametersShape):
    """A head that concatenates what it reads and passes it through dense layers."""

    reads: str | None = _key(READS_HELP + " Left out, it is developed by default.", None)
    layers: Layers | None = _key(LAYERS_HELP, None)


class GatedHeadShape(ParametersShape):
    """The gated transition (B.1)-(B.5)."""

    block: Literal["gated_transition"] = _key("The gated transition of the deep Kalman filter, (B.1)-(B.5).")
    of: str = _key("The previous value that is carried on: z_<t-1>.")
    reads: str = _key("Further inputs of every network in the block: u_t.", "")
    units: Units = _key("The width of the hidden layers.")


def _block_tag(value: Any) -> str:
    named = isinstance(value, dict) and "block" in value
    return "block" if named or isinstance(value, CombinerShape | GatedHeadShape) else "dense"


FeatureShape = Annotated[
    Annotated[DenseFeatureShape, Tag("dense")] | Annotated[CombinerShape, Tag("block")],
    Discriminator(_block_tag),
]
HeadShape = Annotated[
    Annotated[DenseHeadShape, Tag("dense")] | Annotated[GatedHeadShape, Tag("block")],
    Discriminator(_block_tag),
]


def _inference_tag(value: Any) -> str | None:
    if isinstance(value, str):
        return "word"
    return (
        "list" if isinstance(value, list) else "mapping" if isinstance(value, dict | LookaheadShape) else None
    )


InferenceShape = Annotated[
    Annotated[Literal["exact", "filtering"], Tag("word")]
    | Annotated[LookaheadShape, Tag("mapping")]
    | Annotated[Annotated[list[str], Field(min_length=1, max_length=MOST_VARIABLES)], Tag("list")],
    Discriminator(_inference_tag),
]


class PageShape(Shape):
    """One page: a dynamical variational autoencoder."""

    dvaec: Literal[1] = _key("The version of this language: 1.")
    model: str = _key("The model's name; it names the emitted class.", json_schema_extra={
        "pattern": "^[A-Za-z][A-Za-z0-9_]*$", "maxLength": 64,
    })  # fmt: skip
    about: str = _key("One sentence on what the model is.", "")
    cites: list[str] = _key("Where it was published.", [])
    variables: Annotated[
        dict[str, VariableShape], Field(min_length=1, max_length=MOST_VARIABLES, json_schema_extra=_NAMES)
    ] = _key("The random variables and the inputs.")
    generation: Annotated[list[str], Field(min_length=1, max_length=MOST_VARIABLES)] = _key(
        "p: one conditional a line, such as z_t | z_<t-1>, x_<<t>."
    )
    inference: InferenceShape | None = _key(
        "q: exact, filtering, {lookahead: k}, or conditionals of one's own.", None
    )
    order: Annotated[list[str | list[str]], Field(min_length=1, max_length=MOST_VARIABLES)] | None = _key(
        "The order of the latents in q's chain rule: [[a, z]] is a, then z within every frame.", None
    )
    states: Annotated[
        dict[str, StateShape], Field(max_length=MOST_NODES, json_schema_extra=_FRAMED_NAMES)
    ] = _key("Recurrent deterministic states, named with their subscript: h_t.", {})
    features: Annotated[
        dict[str, FeatureShape], Field(max_length=MOST_NODES, json_schema_extra=_FRAMED_NAMES)
    ] = _key("Maps of one frame's values, named with their subscript: fx_t.", {})
    networks: Annotated[
        dict[str, HeadShape], Field(max_length=2 * MOST_VARIABLES, json_schema_extra=_HEAD_NAMES)
    ] = _key("The networks of the conditionals, named p(x_t), q(z_t).", {})
