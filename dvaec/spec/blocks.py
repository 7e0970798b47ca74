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


Block = Dense | GatedTransition | Combiner


def reads_of(block: Block | None) -> tuple[Parent, ...]:
    """Return all names that a block reads."""
    match block:
        case Dense(reads):
            return reads
        case GatedTransition(of=target, reads=reads):
            return (target, *reads)
        case Combiner(of=target, other=other):
            return (target, other)
        case None:
            return ()


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
    block: Dense | Combiner


class Link(StrEnum):
    """How a network's output becomes a variance."""

    EXP = "exp"
    SOFTPLUS = "softplus"


@dataclass(frozen=True)
class Output:
    """One parameter of a head on a trunk of its own layers; `link` speaks for variances.

    With a `block` of its own it reads that instead of the head's.
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

    `block` is None where the page leaves the reading to the default development. `mean` and `variance` are
    None where the parameters are given together. A float variance is fixed. `learned` makes a parentless
    latent's constant parameters trainable.
    """

    side: Side
    target: str
    block: Dense | GatedTransition | None
    mean: Output | None = None
    variance: Output | SharedVariance | float | None = None
    learned: bool = False
    frame: int | None = None


def reads_of_head(head: Head) -> tuple[Parent, ...]:
    """Return all names that a head reads: its own block, then those of its mean and of its variance."""
    own = (output.block for output in (head.mean, head.variance) if isinstance(output, Output))
    return (*reads_of(head.block), *(parent for block in own for parent in reads_of(block)))
