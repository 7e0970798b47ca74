"""What the rewriting rules of `dvaec.derive.steps` look things up in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dvaec.derive.factors import Factors, by_key, generative, term_frames, there
from dvaec.derive.model import Elbo, Estimator, Lengths, TermKey
from dvaec.derive.order import Block, generative_blocks, inference_blocks
from dvaec.spec.model import Conditional, Role, Side, Spec


@dataclass(frozen=True)
class Setting:
    """What the rewriting rules look things up in: p, q, their orders, the closed forms.

    `frames` lists each variable's frames with terms of their own (None: the sum over the others).
    `blocks` is None for a side without an order of blocks.
    """

    spec: Spec
    factors: Mapping[Side, Factors]
    blocks: Mapping[Side, tuple[Block, ...] | None]
    frames: Mapping[str, tuple[int | None, ...]]
    analytic: frozenset[TermKey]

    def names(self, role: Role) -> tuple[str, ...]:
        """The variables of one role."""
        return tuple(v.name for v in self.spec.having(role))

    def there(self, name: str, frame: int | None, *sides: Side) -> Lengths:
        """For which T there is a term of one frame; of one side, a factor."""
        return there(name, frame, self.frames[name], *(self.factors[side] for side in sides or self.factors))

    def targets(self, side: Side) -> tuple[str, ...]:
        """The variables that one side has factors of, in its order."""
        return tuple(dict.fromkeys(name for name, _ in self.factors[side]))


def setting_of(spec: Spec, inference: Sequence[Conditional], elbo: Elbo) -> Setting:
    """Collect what the rules of one derivation need."""
    factors: dict[Side, Factors] = {Side.P: generative(spec), Side.Q: by_key(inference)}
    names = dict.fromkeys((*(c.target for c in spec.generation), *(c.target for c in inference)))
    return Setting(
        spec,
        factors,
        {
            Side.P: generative_blocks(spec, factors[Side.P]),
            Side.Q: inference_blocks(spec) if spec.swept else None,
        },
        {name: term_frames(spec, name, *factors.values()) for name in names},
        frozenset(
            term.key for term in elbo.terms if term.q is not None and term.estimator is Estimator.ANALYTIC
        ),
    )
