"""The shape of heads: what stands under `networks`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Tag

from dvaec.spec.schema_base import LAYERS_HELP, READS_HELP, Layers, Shape, Units, block_tag, key
from dvaec.spec.schema_blocks import (
    AttentionShape,
    ConvolutionShape,
    CustomShape,
    ImageDecoderShape,
    ImageEncoderShape,
    MixtureShape,
    ScanShape,
)
from dvaec.spec.schema_families import Positive


class OutputShape(Shape):
    """One parameter of a distribution: layers behind the head's own, or a network that reads on its own."""

    reads: str | None = key("What this parameter reads, in place of what the head reads.", None)
    layers: Layers = key("Layers of this parameter's own.", [])


class VarianceShape(OutputShape):
    """The variance on layers of its own."""

    link: Literal["exp", "softplus"] = key("How the output becomes positive: exp or softplus.", "exp")


class MixtureVarianceShape(MixtureShape):
    """A mixture of linear maps as a variance."""

    link: Literal["exp", "softplus"] = key("How the output becomes positive: exp or softplus.", "exp")


class TableShape(Shape):
    """One variance for each value of a one-hot variable."""

    by: str = key("A one-hot variable; each of its values has a variance of its own: s_t.")
    link: Literal["exp", "softplus"] = key("How the output becomes positive: exp or softplus.", "exp")


def _mean_tag(value: Any) -> str | None:
    return "text" if isinstance(value, str) else block_tag(value)


def _variance_tag(value: Any) -> str | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "number"
    if isinstance(value, str):
        return "word"
    by = isinstance(value, TableShape) or (isinstance(value, dict) and "by" in value)
    return "by" if by else block_tag(value)


MeanShape = Annotated[
    Annotated[str, Tag("text")]
    | Annotated[OutputShape, Tag("dense")]
    | Annotated[MixtureShape, Tag("linear_mixture")]
    | Annotated[ConvolutionShape, Tag("convolution")]
    | Annotated[AttentionShape, Tag("attention")]
    | Annotated[ImageDecoderShape, Tag("image_decoder")],
    Discriminator(_mean_tag),
]
Variance = Annotated[
    Annotated[Positive, Tag("number")]
    | Annotated[Literal["shared"], Tag("word")]
    | Annotated[TableShape, Tag("by")]
    | Annotated[VarianceShape, Tag("dense")]
    | Annotated[MixtureVarianceShape, Tag("linear_mixture")],
    Discriminator(_variance_tag),
]


class ParametersShape(Shape):
    """What every head may say of its distribution's parameters."""

    mean: MeanShape | None = key(
        "The mean: layers of its own, a network that reads on its own, or a value itself: w.", None
    )
    variance: Variance | None = key(
        "A fixed number, `shared` (one learned value a dimension), {by: s_t} (one for each value of s), or "
        "layers and a link, with reads of its own where it has any.",
        None,
    )
    learned: bool = key("Make the constant parameters of a variable without parents trainable.", False)


class DenseHeadShape(ParametersShape):
    """A head that concatenates what it reads and passes it through dense layers."""

    reads: str | None = key(READS_HELP + " Left out, it is developed by default.", None)
    layers: Layers | None = key(LAYERS_HELP, None)


class GatedHeadShape(ParametersShape):
    """The gated transition (B.1)-(B.5)."""

    block: Literal["gated_transition"] = key("The gated transition of the deep Kalman filter, (B.1)-(B.5).")
    of: str = key("The previous value that is carried on: z_<t-1>.")
    reads: str = key("Further inputs of every network in the block: u_t.", "")
    units: Units = key("The width of the hidden layers.")


class ConvolutionHeadShape(ConvolutionShape, ParametersShape):
    """A head on convolutions over the frames of a finite window."""


class AttentionHeadShape(AttentionShape, ParametersShape):
    """A head on attention over the frames of a window."""


class ImageEncoderHeadShape(ImageEncoderShape, ParametersShape):
    """A head on the convolutions of an image."""


class ImageDecoderHeadShape(ImageDecoderShape, ParametersShape):
    """A head that makes images."""


class ScanHeadShape(ScanShape, ParametersShape):
    """A head on a recurrence over an axis of the frame."""


class CustomHeadShape(CustomShape, ParametersShape):
    """A head on a network of one's own."""


HeadShape = Annotated[
    Annotated[DenseHeadShape, Tag("dense")]
    | Annotated[GatedHeadShape, Tag("gated_transition")]
    | Annotated[ConvolutionHeadShape, Tag("convolution")]
    | Annotated[AttentionHeadShape, Tag("attention")]
    | Annotated[ImageEncoderHeadShape, Tag("image_encoder")]
    | Annotated[ImageDecoderHeadShape, Tag("image_decoder")]
    | Annotated[ScanHeadShape, Tag("over")]
    | Annotated[CustomHeadShape, Tag("python")],
    Discriminator(block_tag),
]
