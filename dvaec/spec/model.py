"""The validated spec as frozen values: what a page of YAML means, free of positions and of printers.

Positions live beside it, in `dvaec.spec.source.Source`, keyed by the paths that each class names.
"""

from __future__ import annotations

from dataclasses import dataclass

from dvaec.spec.blocks import (
    Attention,
    Block,
    Combiner,
    Convolution,
    Custom,
    Dense,
    Feature,
    GatedTransition,
    Head,
    Identity,
    ImageDecoder,
    ImageEncoder,
    Layer,
    LinearMixture,
    Link,
    Output,
    Scan,
    SharedVariance,
    State,
    reads_of,
    reads_of_head,
)
from dvaec.spec.variables import (
    LAST,
    Causality,
    Conditional,
    Direction,
    Family,
    Inference,
    InferenceKind,
    Parent,
    Role,
    Side,
    Sweep,
    Variable,
)

__all__ = [
    "LAST",
    "Attention",
    "Block",
    "Causality",
    "Combiner",
    "Conditional",
    "Convolution",
    "Custom",
    "Dense",
    "Direction",
    "Family",
    "Feature",
    "GatedTransition",
    "Head",
    "Identity",
    "ImageDecoder",
    "ImageEncoder",
    "Inference",
    "InferenceKind",
    "Layer",
    "LinearMixture",
    "Link",
    "Objective",
    "Output",
    "Parent",
    "Role",
    "Scan",
    "SharedVariance",
    "Side",
    "Spec",
    "State",
    "Sweep",
    "Variable",
    "reads_of",
    "reads_of_head",
]


@dataclass(frozen=True)
class Objective:
    """What the page says of training: no part of the model, and of no hash. `factors` by latent."""

    beta: float = 1.0
    warmup: int = 0
    cycles: int = 1
    rise: float = 1.0
    free_bits: float = 0.0
    factors: tuple[tuple[str, float], ...] = ()
    samples: int = 1


@dataclass(frozen=True)
class Spec:
    """A whole page, checked. Tuples keep the page's order (of the variables: declaration order).

    `numbered` are the conditionals of single frames under generation; the frames that they do not name keep
    the conditional in `generation`. `frames` is T where the page fixes it, and 1 where no variable has
    frames. `auxiliary` conditionals have a state as their target, and make the objective a surrogate (8.4).
    """

    name: str
    about: str
    cites: tuple[str, ...]
    variables: tuple[Variable, ...]
    generation: tuple[Conditional, ...]
    inference: Inference
    order: tuple[Sweep, ...]  # q's chain-rule order
    states: tuple[State, ...] = ()
    features: tuple[Feature, ...] = ()
    heads: tuple[Head, ...] = ()
    numbered: tuple[Conditional, ...] = ()
    causality: Causality = Causality.CAUSAL
    frames: int | None = None
    auxiliary: tuple[Conditional, ...] = ()
    separate: bool = False  # the default development gives each conditional states of its own
    objective: Objective | None = None
    unswept: tuple[tuple[str, ...], ...] = ()  # the latents that wait for one another, where q keeps no order

    @property
    def swept(self) -> bool:
        """Whether q's lines can be drawn sweep after sweep, as `order` has it."""
        return not self.unswept

    def reads_nothing_there(self, parent: Parent, line: Conditional) -> bool:
        """Whether, where q is not swept, a line reads nothing by a number at the frame of that number.

        So it is of itself, and of a line of all frames of what waits for it.
        """
        mutual = any(parent.name in group and line.target in group for group in self.unswept)
        return mutual and (line.frame is None or parent.name == line.target)

    @property
    def latents(self) -> tuple[str, ...]:
        """The latents in q's chain-rule order: sweep after sweep, within a frame as a sweep lists them."""
        return tuple(name for sweep in self.order for name in sweep.latents)

    @property
    def zero(self) -> tuple[str, ...]:
        """The names that have a frame 0, in declaration order."""
        return tuple(v.name for v in self.variables if v.first == 0)

    @property
    def early(self) -> tuple[tuple[str, int], ...]:
        """The frames 0, 1 and T that q draws ahead of the sweep of their latent, in its order."""
        return tuple(key for sweep in self.order if not sweep.latents for key in sweep.first)

    @property
    def alone(self) -> tuple[tuple[str, int], ...]:
        """The order in which q draws where T is 1, if it is one of its own; 0 at sequence level."""
        return next((sweep.alone for sweep in self.order if sweep.alone), ())

    def variable(self, name: str) -> Variable:
        """Return the variable of that name; KeyError if there is none."""
        for variable in self.variables:
            if variable.name == name:
                return variable
        raise KeyError(name)

    def having(self, role: Role) -> tuple[Variable, ...]:
        """Return the variables of one role in declaration order."""
        return tuple(v for v in self.variables if v.role is role)

    def tells(self, name: str, frame: int) -> bool:
        """Whether the page gives q a conditional or a network of its own at frame 0, 1 or T."""
        own = any(c.target == name and c.frame == frame for c in self.inference.numbered)
        return own or self.head(Side.Q, name, frame) is not None

    def head(self, side: Side, target: str, frame: int | None = None) -> Head | None:
        """Return the head that the page gives for one conditional, if any."""
        mine = (h for h in self.heads if h.side is side and h.target == target and h.frame == frame)
        return next(mine, None)
