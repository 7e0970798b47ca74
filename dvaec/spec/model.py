"""The validated spec as frozen values: what a page of YAML means, free of positions and of printers.

Positions live beside it, in `dvaec.spec.source.Source`, keyed by the paths that each class names.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dvaec.spec.offsets import Offsets


class Role(StrEnum):
    """What a variable is to the model."""

    OBSERVED = "observed"
    LATENT = "latent"
    INPUT = "input"


class Family(StrEnum):
    """Families of conditional distributions; `GAMMA` has shape 1 (13.2.1: Itakura-Saito)."""

    GAUSSIAN = "gaussian"
    BERNOULLI = "bernoulli"
    GAMMA = "gamma"


class Side(StrEnum):
    """The generative model p or the inference model q."""

    P = "p"
    Q = "q"


class Direction(StrEnum):
    """The direction of time in which a recurrent state runs."""

    FORWARD = "forward"
    BACKWARD = "backward"
    BOTH = "both"


@dataclass(frozen=True)
class Variable:
    """A random variable or an input; `framed` is False at sequence level. Path: ("variables", name)."""

    name: str
    role: Role
    dim: int
    family: Family = Family.GAUSSIAN
    framed: bool = True


@dataclass(frozen=True)
class Parent:
    """A name with the offsets at which it is read; `offsets` is None for a sequence-level variable.

    In a `Spec` each name occurs once in a conditional's parents (its windows united), sorted in declaration
    order of the variables; in the `reads` of a state, feature or head the order is that of the page, which
    is the order of concatenation.
    """

    name: str
    offsets: Offsets | None


@dataclass(frozen=True)
class Conditional:
    """One factor p(target_t | parents) or q(target_t | parents)."""

    target: str
    parents: tuple[Parent, ...]

    def of(self, name: str) -> Parent | None:
        """Return the parent of that name, if it is one."""
        return next((p for p in self.parents if p.name == name), None)


class InferenceKind(StrEnum):
    """How the page declares q."""

    EXACT = "exact"
    FILTERING = "filtering"
    LOOKAHEAD = "lookahead"
    CONDITIONALS = "conditionals"
    NETWORKS = "networks"


@dataclass(frozen=True)
class Inference:
    """The declaration of q: a keyword (`delay` frames of look-ahead) or conditionals of one's own."""

    kind: InferenceKind
    delay: int = 0
    conditionals: tuple[Conditional, ...] = ()


@dataclass(frozen=True)
class Layer:
    """A linear layer of `units` outputs and an element-wise activation (`linear` for none)."""

    units: int
    activation: str


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

    `lag` is the distance of the recurrence (1 unless strided); every read is at one single offset.
    """

    name: str
    cell: str  # "rnn", "gru", "lstm", "sum"
    units: int
    reads: tuple[Parent, ...]
    through: tuple[Layer, ...] = ()
    runs: Direction = Direction.FORWARD
    lag: int = 1
    learned_start: bool = False


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
    """One parameter of a head on a trunk of its own layers; `link` speaks for variances."""

    layers: tuple[Layer, ...] = ()
    link: Link = Link.EXP


@dataclass(frozen=True)
class SharedVariance:
    """One learned variance per dimension, the same at every frame."""


@dataclass(frozen=True)
class Head:
    """The network of one conditional. Path: ("networks", "p(z_t)").

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


@dataclass(frozen=True)
class Spec:
    """A whole page, checked. Tuples keep the page's order (of the variables: declaration order)."""

    name: str
    about: str
    cites: tuple[str, ...]
    variables: tuple[Variable, ...]
    generation: tuple[Conditional, ...]
    inference: Inference
    order: tuple[str, ...]  # latents within a frame, in q's chain-rule order
    states: tuple[State, ...] = ()
    features: tuple[Feature, ...] = ()
    heads: tuple[Head, ...] = ()

    def variable(self, name: str) -> Variable:
        """Return the variable of that name; KeyError if there is none."""
        for variable in self.variables:
            if variable.name == name:
                return variable
        raise KeyError(name)

    def having(self, role: Role) -> tuple[Variable, ...]:
        """Return the variables of one role in declaration order."""
        return tuple(v for v in self.variables if v.role is role)

    def head(self, side: Side, target: str) -> Head | None:
        """Return the head that the page gives for one conditional, if any."""
        return next((h for h in self.heads if h.side is side and h.target == target), None)
