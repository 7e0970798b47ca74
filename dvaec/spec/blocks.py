"""Blocks, states, features and heads: the developed part of a page as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dvaec.spec.variables import Direction, Parent, Side


@dataclass(frozen=True)
class Layer:
    """A linear layer of `units` outputs, layer norm if `norm`, an activation (`linear` for none), dropout."""

    units: int
    activation: str
    norm: bool = False
    dropout: float = 0.0


@dataclass(frozen=True)
class Dense:
    """MLP(reads, layers...): concatenates what it reads."""

    reads: tuple[Parent, ...]
    layers: tuple[Layer, ...]


@dataclass(frozen=True)
class GatedTransition:
    """The gated transition (B.1)-(B.5) of `of`, with `reads` as further inputs of every network in it."""

    of: Parent
    reads: tuple[Parent, ...]
    units: int


@dataclass(frozen=True)
class Combiner:
    """(5.5): 1/2 (tanh(W of + b) + with); `units` given, `with` is first projected to that width."""

    of: Parent
    other: Parent
    units: int | None


@dataclass(frozen=True)
class LinearMixture:
    """sum_k w_k (A_k of + b_k) with the weights w of `weights`: a softmax feature, a one-hot variable.

    `units` is the width of a feature; in a head it is the parameter's own.
    """

    weights: Parent
    of: tuple[Parent, ...]
    units: int | None = None


@dataclass(frozen=True)
class Identity:
    """The value itself, as a parameter: `mean: w`."""

    of: Parent


@dataclass(frozen=True)
class Convolution:
    """Convolutions over the frames of finite windows of one length, which the last one makes one frame.

    Layer i has channels[i] outputs, a kernel of `kernel` frames, dilations[i] frames apart; the window is as
    long as their receptive field, 1 + sum_i (kernel - 1) dilations[i].
    """

    reads: tuple[Parent, ...]
    channels: tuple[Layer, ...]
    kernel: int
    dilations: tuple[int, ...]


@dataclass(frozen=True)
class Attention:
    """Multi-head attention over the frames of windows, open ones too; without frames it is 0.

    The frames' values `of` (of one window) make keys and values, `query` the query, which is learned where
    there is none. A score falls with the distance in time, by a learned slope for each head.
    """

    of: tuple[Parent, ...]
    query: tuple[Parent, ...]
    units: int
    heads: int


@dataclass(frozen=True)
class ImageEncoder:
    """2-D convolutions of the images that are read (stacked as channels), then a linear layer of `units`."""

    reads: tuple[Parent, ...]
    channels: tuple[int, ...]
    kernel: int
    stride: int
    activation: str
    units: int


@dataclass(frozen=True)
class ImageDecoder:
    """A linear layer and transposed 2-D convolutions onto the axes of the head's variable."""

    reads: tuple[Parent, ...]
    channels: tuple[int, ...]
    kernel: int
    stride: int
    activation: str


@dataclass(frozen=True)
class Scan:
    """A recurrence over an axis of the frame itself: `axis` is its number in what is read, or is made.

    What has that axis is read row by row, all else at every row. Its result is the last state; in the head
    of a variable with axes it is one row of each parameter a step.
    """

    reads: tuple[Parent, ...]
    cell: str
    units: int
    axis: int


@dataclass(frozen=True)
class Custom:
    """A class of the user's own, Class(in_features, units): (..., in_features) -> (..., units)."""

    reads: tuple[Parent, ...]
    path: str  # package.module:Class
    units: int


Block = (
    Dense
    | GatedTransition
    | Combiner
    | LinearMixture
    | Identity
    | Convolution
    | Attention
    | ImageEncoder
    | ImageDecoder
    | Scan
    | Custom
)


def reads_of(block: Block | None) -> tuple[Parent, ...]:
    """Return all names that a block reads."""
    match block:
        case None:
            return ()
        case GatedTransition(of=target, reads=reads):
            return (target, *reads)
        case Combiner(of=target, other=other):
            return (target, other)
        case LinearMixture(weights=weights, of=several):
            return (weights, *several)
        case Identity(of=target):
            return (target,)
        case Attention(of=several, query=query):
            return (*several, *query)
        case _:
            return block.reads


@dataclass(frozen=True)
class State:
    """A recurrent deterministic variable. Path: ("states", "h_t").

    `lag` is the distance of the recurrence (1 unless strided); every read is at one single offset. One
    that starts at what it reads (`start_reads`: sequence-level values, absolute frames) is tanh(W reads + b)
    there, an LSTM's cell likewise with weights of its own. `layers` recurrent layers stand on one another.
    """

    name: str
    cell: str  # "rnn", "gru", "lstm", "sum"
    units: int
    reads: tuple[Parent, ...]
    through: tuple[Layer, ...] = ()
    runs: Direction = Direction.FORWARD
    lag: int = 1
    learned_start: bool = False
    start_reads: tuple[Parent, ...] = ()
    layers: int = 1


@dataclass(frozen=True)
class Feature:
    """An instantaneous map, shared by whoever reads it. Path: ("features", "fx_t")."""

    name: str
    block: Block


class Link(StrEnum):
    """How a network's output becomes a variance."""

    EXP = "exp"
    SOFTPLUS = "softplus"


@dataclass(frozen=True)
class Output:
    """One parameter of a head on a trunk of its own layers; `link` speaks for variances.

    With a `block` of its own it reads that instead of the head's, and has no `layers` beside it.
    """

    layers: tuple[Layer, ...] = ()
    link: Link = Link.EXP
    block: Block | None = None


@dataclass(frozen=True)
class SharedVariance:
    """One learned variance per dimension, the same at every frame."""


@dataclass(frozen=True)
class Head:
    """The network of one conditional. Path: ("networks", "p(z_t)"); ("networks", "p(z_0)") with `frame` 0.

    `block` is None where the page leaves the reading to the default development, or gives it parameter by
    parameter. `mean` and `variance` are None where the parameters are given together. A float variance is
    fixed. `learned` makes a parentless latent's constant parameters trainable.
    """

    side: Side
    target: str
    block: Block | None
    mean: Output | None = None
    variance: Output | SharedVariance | float | None = None
    learned: bool = False
    frame: int | None = None


def reads_of_head(head: Head) -> tuple[Parent, ...]:
    """Return all names that a head reads: its own block, then those of its mean and of its variance."""
    own = (output.block for output in (head.mean, head.variance) if isinstance(output, Output))
    return (*reads_of(head.block), *(parent for block in own for parent in reads_of(block)))
