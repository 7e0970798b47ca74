"""Checked features and networks -> blocks and heads as frozen values."""

from __future__ import annotations

from dvaec.spec.build import Parsed
from dvaec.spec.conditionals import ReadList
from dvaec.spec.frames import parent_of
from dvaec.spec.model import (
    Attention,
    Block,
    Combiner,
    Convolution,
    Custom,
    Dense,
    GatedTransition,
    Identity,
    ImageDecoder,
    ImageEncoder,
    LinearMixture,
    Link,
    Output,
    Parent,
    Scan,
    SharedVariance,
)
from dvaec.spec.schema_base import Shape
from dvaec.spec.schema_blocks import (
    AttentionShape,
    CombinerShape,
    ConvolutionShape,
    CustomShape,
    ImageDecoderShape,
    ImageEncoderShape,
    MixtureShape,
    ScanShape,
)
from dvaec.spec.schema_heads import (
    GatedHeadShape,
    MixtureVarianceShape,
    OutputShape,
    ParametersShape,
    TableShape,
    VarianceShape,
)
from dvaec.spec.source import Path


def parents_of(read: ReadList | None) -> tuple[Parent, ...]:
    """Return what a list of references names, in its order."""
    return tuple(parent_of(r) for r in read.references) if read else ()


def block_of(parsed: Parsed, at: Path, shape: Shape) -> Block | None:
    """Return what a mapping at a path describes; None where it reads nothing of its own."""

    def reads(name: str = "reads") -> tuple[Parent, ...]:
        return parents_of(parsed.reads.get((*at, name)))

    match shape:
        case GatedHeadShape():
            return GatedTransition(reads("of")[0], reads(), shape.units)
        case CombinerShape():
            return Combiner(reads("of")[0], reads("with")[0], shape.units)
        case MixtureShape():
            return LinearMixture(reads("weights")[0], reads("of"), getattr(shape, "units", None))
        case ConvolutionShape():
            layers = parsed.layers[(*at, "channels")]
            return Convolution(reads(), layers, shape.kernel, _dilations(shape.dilation, len(layers)))
        case AttentionShape():
            return Attention(reads("of"), reads("query"), shape.units, shape.heads)
        case ImageEncoderShape():
            sizes = (shape.kernel, shape.stride)
            return ImageEncoder(reads(), tuple(shape.channels), *sizes, shape.activation, shape.units)
        case ImageDecoderShape():
            channels = tuple(shape.channels)
            return ImageDecoder(reads(), channels, shape.kernel, shape.stride, shape.activation)
        case ScanShape():
            return Scan(reads(), shape.rnn, shape.units, shape.over)
        case CustomShape():
            return Custom(reads(), shape.python, shape.units)
        case _:
            return Dense(reads(), parsed.layers[(*at, "layers")]) if reads() else None


def _dilations(said: int | str, layers: int) -> tuple[int, ...]:
    return tuple(2**n for n in range(layers)) if isinstance(said, str) else (said,) * layers


def mean_of(parsed: Parsed, at: Path, shape: ParametersShape) -> Output | None:
    """Return what a head says of its mean."""
    said = shape.mean
    if isinstance(said, str):
        return Output(block=Identity(parents_of(parsed.reads[(*at, "mean")])[0]))
    return None if said is None else _output(parsed, (*at, "mean"), said, Link.EXP)


def variance_of(parsed: Parsed, at: Path, shape: ParametersShape) -> Output | SharedVariance | float | None:
    """Return what a head says of its variance."""
    said, path = shape.variance, (*at, "variance")
    if isinstance(said, TableShape):
        # One number for each value of a one-hot variable: a linear map of it.
        return Output((), Link(said.link), Dense(parents_of(parsed.reads[(*path, "by")]), ()))
    if isinstance(said, VarianceShape | MixtureVarianceShape):
        return _output(parsed, path, said, Link(said.link))
    if isinstance(said, str):
        return SharedVariance()
    return None if said is None else float(said)


def _output(parsed: Parsed, at: Path, shape: Shape, link: Link) -> Output:
    block = block_of(parsed, at, shape)
    layers = parsed.layers[(*at, "layers")] if isinstance(shape, OutputShape) and block is None else ()
    return Output(layers, link, block)
