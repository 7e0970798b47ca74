"""Properties of generation mode (4.4): p's own outputs in the place of the data that p reads.

The oracle is a second instance of the network, evaluated frame by frame: q's instance reads the data, p's the
outputs of p itself at frames that are fed.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from dvaec.derive.model import Estimator
from dvaec.plan.entries import Part, parts
from dvaec.plan.model import HeadNode, ValueNode
from dvaec.spec.model import Role
from dvaec.testing.built import Built, head_fields, sample_values, some_fed
from dvaec.testing.closeness import Gap, close_slopes
from dvaec.testing.frame_by_frame import FrameByFrame
from dvaec.testing.laws import density, divergence, draw, mean
from dvaec.testing.values import Values, row_of, with_draws


class FedBack(FrameByFrame):
    """p's instance of one sequence: at frames that are `fed` (frames,) it reads its own means, or draws."""

    def __init__(self, built: Built, frames: int, values: Values, fed: Tensor, sample: bool) -> None:
        super().__init__(built, frames, values)
        self.built, self.fed, self.sample = built, fed, sample
        self.outputs: dict[tuple[str, int], Tensor] = {}

    def value(self, node: ValueNode, t: int) -> Tensor:
        """A variable at frame t: what p makes of it where an observed one is fed."""
        fed = node.variable.role is Role.OBSERVED and 1 <= t <= self.frames and bool(self.fed[t - 1])
        if not fed:
            return super().value(node, t)
        if (node.name, t) not in self.outputs:
            head = self.network.node(f"p_{node.name}")
            assert isinstance(head, HeadNode)
            found = self.head(head, t)
            noise = self.values[f"noise_{node.name}"][t - 1]
            made = draw(self.built, head, found, noise) if self.sample else mean(self.built, head, found)
            self.outputs[node.name, t] = made
        return self.outputs[node.name, t]


def nothing_fed_is_elbo(built: Built, frames: int) -> Gap:
    """With nothing fed the bound and its parts are those of `elbo`, the outputs those of `reconstruct`."""
    gap = Gap()
    if not built.has("elbo_fed"):
        return gap
    values = sample_values(built, 2, frames)
    result = built.call("elbo_fed", values, fed=torch.zeros(2, frames, dtype=torch.bool))
    for method in ("elbo", "reconstruct"):
        wanted = built.call(method, values)
        for name in wanted._fields:
            gap.close(getattr(result, name), getattr(wanted, name), f"{name} of {method}, nothing fed")
    return gap


def fed_is_frame_by_frame(built: Built, frames: int) -> Gap:
    """Parameters, parts of the bound and gradients are those of single frames, p reading its outputs."""
    gap = Gap()
    if not built.has("elbo_fed"):
        return gap
    values = sample_values(built, 2, frames)
    noise = {f"noise_{name}": values[f"noise_{name}"] for name in built.values(Role.OBSERVED)}
    taken = {name: value for name, value in noise.items() if built.takes("elbo_fed", name)}
    everything = torch.ones(2, frames, dtype=torch.bool)
    for fed, sample in ((everything, False), (some_fed(2, frames), False), (some_fed(2, frames), True)):
        given = None if bool(fed.all()) else fed
        result = built.call("elbo_fed", values, fed=given, sample=sample, **taken)
        drawn = with_draws(built, values)
        encoded = built.call("encode", values) if built.has("encode") else None
        totals = []
        for row in range(2):
            oracle = FedBack(built, frames, row_of(drawn, row), fed[row], sample)
            totals.append(_row(gap, oracle, result, encoded, row))
        total = torch.stack(totals)
        gap.close(result.elbo, total, "the bound, fed")
        _slopes(gap, built, result.elbo.sum(), total.sum())
    return gap


def _row(gap: Gap, oracle: FedBack, result: Any, encoded: Any, row: int) -> Tensor:
    """Compare one sequence with the oracle; return its bound."""
    built, totals = oracle.built, []
    for part in parts(built.elbo):
        p = oracle.network.node(f"p_{part.value}")
        assert isinstance(p, HeadNode)
        got = getattr(result, part.field)[row]
        for t in range(1, oracle.frames + 1) if p.framed else (0,):
            at = (t - 1,) if p.framed else ()
            found = oracle.head(p, t)
            if not part.divergence:
                for name, field in head_fields(result, p).items():
                    gap.close(field[(row, *at)], found[name], f"{name} of {p.name} at frame {t}, fed")
            wanted = _part(oracle, part, p, found, None if encoded is None else _of_row(encoded, row), at)
            gap.close(got[at], wanted, f"{part.field} at frame {t}, fed")
            totals.append(-wanted if part.divergence else wanted)
    return torch.stack(totals).sum()


def _of_row(encoded: Any, row: int) -> Any:
    return type(encoded)(*(field[row] for field in encoded))


def _part(
    oracle: FedBack, part: Part, p: HeadNode, of_p: Values, encoded: Any, at: tuple[int, ...]
) -> Tensor:
    """One term of the bound at one frame; the data, and q's draws, are what is scored."""
    value = oracle.values[part.value][at]
    if not part.divergence:
        return density(oracle.built, p, value, of_p)
    q = oracle.network.node(f"q_{part.value}")
    assert isinstance(q, HeadNode)
    of_q = {name: field[at] for name, field in head_fields(encoded, q).items()}
    if part.estimator is Estimator.ANALYTIC:
        return divergence(oracle.built, p, of_q, of_p)
    return density(oracle.built, q, value, of_q) - density(oracle.built, p, value, of_p)


def _slopes(gap: Gap, built: Built, got: Tensor, wanted: Tensor) -> None:
    """Compare the gradients of all weights: what is fed passes them on."""
    weights = dict(built.module.named_parameters())

    def slopes(total: Tensor) -> dict[str, Tensor]:
        found = torch.autograd.grad(total, tuple(weights.values()), allow_unused=True)
        of = zip(weights.items(), found, strict=True)
        return {name: torch.zeros_like(own) if slope is None else slope for (name, own), slope in of}

    close_slopes(gap, slopes(got), slopes(wanted), ", fed")
