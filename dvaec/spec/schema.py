"""The shape of a page as pydantic models: they validate it, and their JSON schema serves editors."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, WithJsonSchema

from dvaec.spec.schema_base import MOST_AXES, Layers, Shape, Units
from dvaec.spec.schema_base import key as _key
from dvaec.spec.schema_blocks import FeatureShape
from dvaec.spec.schema_families import Components, FamilyName, NotNegative, NumberOrLearned, Positive
from dvaec.spec.schema_heads import HeadShape
from dvaec.spec.schema_order import MOST_LINES, MOST_VARIABLES, InferenceShape, OrderShape, Starts

LARGEST_DIM = 1_000_000
LARGEST_LAG = 100
MOST_RECURRENT = 16
LONGEST = 1000  # frames of a sequence whose T the page gives
MOST_NODES = 256
MOST_SETS = 16
LARGEST_WARMUP = 100_000
MOST_CYCLES = 1000
MOST_SAMPLES = 1000

_NAME = "[A-Za-z][A-Za-z0-9]*"
_NAMES = {"propertyNames": {"pattern": f"^{_NAME}$"}}
_FRAMED_NAMES = {"propertyNames": {"pattern": f"^{_NAME}_t$"}}
_HEAD_NAMES = {"propertyNames": {"pattern": r"^\s*[pq]\s*\(.*\)\s*$"}}


def _dim_tag(value: Any) -> str:
    return "axes" if isinstance(value, list) else "number"


Dim = Annotated[
    Annotated[Annotated[int, Field(ge=1, le=LARGEST_DIM)], Tag("number")]
    | Annotated[
        Annotated[
            list[Annotated[int, Field(ge=1, le=LARGEST_DIM)]], Field(min_length=1, max_length=MOST_AXES)
        ],
        Tag("axes"),
    ],
    Discriminator(_dim_tag),
]


def _whole(value: Any) -> Any:
    """Let a number be a number: true and 1.0 equal 1."""
    return value if type(value) is int else None


class VariableShape(Shape):
    """A random variable or an input."""

    role: Literal["observed", "latent", "input"] = _key(
        "observed (data), latent (inferred), or input (always given, never generated)."
    )
    dim: Dim = _key("The length of the vector at one frame, or a list of axes: [1, 32, 32] for images.")
    distribution: FamilyName | None = _key(
        "The family of its conditional; gaussian (diagonal) unless said. An input may be categorical.", None
    )
    shape: NumberOrLearned | None = _key(
        "The shape of a gamma: a number, or `learned` by the network; 1 unless said (13.2.1).", None
    )
    degrees: NumberOrLearned | None = _key(
        "The degrees of freedom of a student_t: a number, or `learned` by the network (unless said).", None
    )
    components: Components | None = _key("The number of components of a gaussian_mixture.", None)
    temperature: Positive | None = _key(
        "At which the draws of a latent categorical are relaxed in training; 0.5 unless said.", None
    )
    level: Literal["frame", "sequence"] | None = _key(
        "One value a frame or one a sequence; left out, it follows from how the variable is written.", None
    )


class StateShape(Shape):
    """A recurrent deterministic state."""

    rnn: Literal["lstm", "gru", "rnn", "sum"] = _key("The cell: lstm, gru, rnn, or sum (a running sum).")
    units: Units = _key("The width of the state.")
    reads: str = _key('What one step reads, one frame of each: "x_<t-1>, u_t".')
    through: Layers = _key("Dense layers between what is read and the cell: [256 tanh].", [])
    runs: Literal["forward", "backward", "both"] = _key("The direction of time it runs in.", "forward")
    lag: Annotated[int, Field(ge=1, le=LARGEST_LAG)] = _key("How many frames back the recurrence reaches.", 1)
    starts: Starts = _key(
        "The state before the first step: zeros, learned, or {reads: z}, a map of what is read.", "zeros"
    )
    layers: Annotated[int, Field(ge=1, le=MOST_RECURRENT)] = _key(
        "How many recurrent layers stand on one another.", 1
    )


class ObjectiveShape(Shape):
    """What training maximises; evaluation is of the bound, always."""

    beta: NotNegative = _key("The weight of the divergences behind the warm-up.", 1.0)
    warmup: Annotated[int, Field(ge=0, le=LARGEST_WARMUP)] = _key(
        "Epochs over which the weight of the divergences rises from 0 to beta.", 0
    )
    cycles: Annotated[int, Field(ge=1, le=MOST_CYCLES)] = _key("How often it does so.", 1)
    rise: Annotated[float, Field(gt=0, le=1)] = _key(
        "The share of each warm-up in which the weight rises; then it stays.", 1.0
    )
    free_bits: NotNegative = _key("Nats of divergence that cost nothing, for each latent and frame.", 0.0)
    factors: Annotated[dict[str, NotNegative], Field(max_length=MOST_VARIABLES)] = _key(
        "Factors for the divergences of single latents, on top of beta: {v: 0.5}.", {}
    )
    samples: Annotated[int, Field(ge=1, le=MOST_SAMPLES)] = _key(
        "Draws of the latents for each sequence and update.", 1
    )


_SIZE = WithJsonSchema({"type": ["number", "string", "array"], "items": {"type": ["string", "number"]}})
SizeSet = Annotated[dict[str, Annotated[Any, _SIZE]], Field(max_length=MOST_NODES)]


class PageShape(Shape):
    """One page: a dynamical variational autoencoder."""

    dvaec: Annotated[Literal[1], BeforeValidator(_whole)] = _key("The version of this language: 1.")
    model: str = _key("The model's name; it names the emitted class.", json_schema_extra={
        "pattern": "^[A-Za-z][A-Za-z0-9_]*$", "maxLength": 64,
    })  # fmt: skip
    about: str = _key("One sentence on what the model is.", "")
    cites: list[str] = _key("Where it was published.", [])
    variables: Annotated[
        dict[str, VariableShape], Field(min_length=1, max_length=MOST_VARIABLES, json_schema_extra=_NAMES)
    ] = _key("The random variables and the inputs.")
    causality: Literal["causal", "anticausal", "noncausal"] = _key(
        "What generation promises: parents of earlier frames only (causal), of later ones only, or of any.",
        "causal",
    )
    T: Annotated[int, Field(ge=1, le=LONGEST)] | None = _key(
        "The number of frames, where no data and no input has frames that give it.", None
    )
    generation: Annotated[list[str], Field(min_length=1, max_length=MOST_LINES)] = _key(
        "p: one conditional a line, such as z_t | z_<t-1>, x_<<t>; the line z_0 or z_1 | u_1 is of one frame."
    )
    inference: InferenceShape | None = _key(
        "q: exact, filtering, {lookahead: k}, mean_field, or conditionals of one's own; a keyword before "
        "them speaks for the latents that they do not name.",
        None,
    )
    order: OrderShape | None = _key(
        "The order of the latents in q's chain rule, block by block: [v, [a, z]] is v, then a and z of every "
        "frame in turn; {backward: z} runs from frame T down to 1.",
        None,
    )
    auxiliary: Annotated[list[str], Field(max_length=MOST_LINES)] = _key(
        "Predictions of states, b_t | z_t, and from them, x_t | b_t: training adds them, a surrogate (8.4).",
        [],
    )
    states: Annotated[
        dict[str, StateShape], Field(max_length=MOST_NODES, json_schema_extra=_FRAMED_NAMES)
    ] = _key("Recurrent deterministic states, named with their subscript: h_t.", {})
    features: Annotated[
        dict[str, FeatureShape], Field(max_length=MOST_NODES, json_schema_extra=_FRAMED_NAMES)
    ] = _key("Maps of one frame's values, named with their subscript: fx_t.", {})
    networks: Annotated[
        dict[str, HeadShape], Field(max_length=2 * MOST_LINES, json_schema_extra=_HEAD_NAMES)
    ] = _key("The networks of the conditionals, named p(x_t), q(z_t).", {})
    develop: Literal["shared", "separate"] = _key(
        "How what is left out is developed: conditionals whose windows agree read one state (shared), or "
        "each has states of its own (separate).",
        "shared",
    )
    objective: ObjectiveShape | None = _key(
        "What training maximises, if not the ELBO: {warmup: 20, beta: 0.5, free_bits: 0.1}.", None
    )
    sizes: Annotated[dict[str, SizeSet], Field(max_length=MOST_SETS)] = _key(
        "Named sets of sizes, chosen by --set sizes=NAME: {motion: {x.dim: 96, h_t.units: 64}}.", {}
    )
