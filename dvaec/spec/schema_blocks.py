"""The shape of blocks, and what stands under `features`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from dvaec.spec.schema_base import (
    LARGEST_KERNEL,
    LAYERS_HELP,
    MOST_AXES,
    READS_HELP,
    Activation,
    Channels,
    Kernel,
    Layers,
    Shape,
    Units,
    block_tag,
    key,
)

MOST_HEADS = 64
LARGEST_DILATION = 1024
PYTHON_PATH = r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*:[A-Za-z_][A-Za-z0-9_]*$"


def _dilation_tag(value: Any) -> str:
    return "word" if isinstance(value, str) else "number"


Dilation = Annotated[
    Annotated[Literal["doubling"], Tag("word")]
    | Annotated[Annotated[int, Field(ge=1, le=LARGEST_DILATION)], Tag("number")],
    Discriminator(_dilation_tag),
]


class DenseShape(Shape):
    """A map of what is read through dense layers."""

    reads: str = key(READS_HELP)
    layers: Layers = key(LAYERS_HELP, [])


class CombinerShape(Shape):
    """The combiner (5.5): 1/2 (tanh(W of + b) + with)."""

    block: Literal["combiner"] = key("The combiner of the deep Kalman smoother, (5.5).")
    of: str = key("What passes through the tanh layer: z_<t-1>.")
    with_: str = Field(description="What is averaged with it: b_t.", alias="with")
    units: Units | None = key("The width; what stands under `with` is first projected to it.", None)


class MixtureShape(Shape):
    """A mixture of linear maps: sum_k w_k (A_k of + b_k)."""

    block: Literal["linear_mixture"] = key("A mixture of linear maps, sum_k w_k (A_k of + b_k).")
    weights: str = key("The weights w: a feature that ends in softmax, or a one-hot variable: alpha_t.")
    of: str = key('What the maps act on: "z_<t-1>, u_t".')


class MixtureFeatureShape(MixtureShape):
    """A mixture of linear maps as a feature."""

    units: Units = key("The width of its result.")


class ConvolutionShape(Shape):
    """Convolutions over the frames of a finite window."""

    block: Literal["convolution"] = key("Convolutions in time over the frames of a finite window.")
    reads: str = key('The windows, all of as many frames as the layers take in together: "x_<t-7:t>".')
    channels: Annotated[Layers, Field(min_length=1)] = key(
        "The layers, each its channels and its activation: [32 relu, 32 relu]."
    )
    kernel: Annotated[int, Field(ge=2, le=LARGEST_KERNEL)] = key("How many frames one output takes in.", 2)
    dilation: Dilation = key(
        "How far apart these frames are: a number, or doubling for 1, 2, 4, ... from layer to layer.", 1
    )


class AttentionShape(Shape):
    """Multi-head attention over the frames of a window, open ones too."""

    block: Literal["attention"] = key("Multi-head attention over the frames of a window, open ones too.")
    of: str = key('The frames attended to, in one window: "x_<1:T>", or "x_<<t>, z_<<t>".')
    query: str | None = key("What asks at frame t: h_t. Left out, the query is learned.", None)
    units: Units = key("The width of the result, a multiple of `heads`.")
    heads: Annotated[int, Field(ge=1, le=MOST_HEADS)] = key("The number of heads.", 1)


class ImageShape(Shape):
    """What encoders and decoders of images have in common."""

    reads: str = key(READS_HELP)
    channels: Channels = key("The channels from layer to layer: [32, 64].")
    kernel: Kernel = key("The side of the kernels.", 4)
    stride: Annotated[int, Field(ge=1, le=LARGEST_KERNEL)] = key("The stride of every layer.", 2)
    activation: Activation = key("The activation behind every layer but the one that makes an image.", "relu")


class ImageEncoderShape(ImageShape):
    """2-D convolutions of an image, then a linear layer."""

    block: Literal["image_encoder"] = key("2-D convolutions of an image, then a linear layer.")
    units: Units = key("The width of its result.")


class ImageDecoderShape(ImageShape):
    """A linear layer and transposed 2-D convolutions onto an image."""

    block: Literal["image_decoder"] = key("Transposed 2-D convolutions onto the variable's axes.")


class ScanShape(Shape):
    """A recurrence over an axis of the frame itself."""

    over: Annotated[int, Field(ge=0, le=MOST_AXES - 1)] = key(
        "The axis of the frame that the recurrence runs over: 0."
    )
    rnn: Literal["lstm", "gru", "rnn"] = key("The cell: lstm, gru or rnn.")
    units: Units = key("The width of the state.")
    reads: str = key('What has that axis is read row by row, all else at every row: "x_t, z_t".')


class CustomShape(Shape):
    """A network of one's own."""

    python: Annotated[str, Field(max_length=256, pattern=PYTHON_PATH)] = key(
        "package.module:Class; Class(in_features, units) maps (..., in_features) to (..., units)."
    )
    reads: str = key(READS_HELP)
    units: Units = key("The width of its result.")


FeatureShape = Annotated[
    Annotated[DenseShape, Tag("dense")]
    | Annotated[CombinerShape, Tag("combiner")]
    | Annotated[MixtureFeatureShape, Tag("linear_mixture")]
    | Annotated[ConvolutionShape, Tag("convolution")]
    | Annotated[AttentionShape, Tag("attention")]
    | Annotated[ImageEncoderShape, Tag("image_encoder")]
    | Annotated[ScanShape, Tag("over")]
    | Annotated[CustomShape, Tag("python")],
    Discriminator(block_tag),
]
