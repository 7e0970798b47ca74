"""The parameters in `score` against a slow oracle, conditional by conditional, frame by frame."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from dvaec.spec.model import LAST, Conditional, Side
from dvaec.testing.built import Built, sample_values

FRAMES = 5
BATCH = 2


def close(a: Tensor, b: Tensor, rtol: float = 1e-9) -> None:
    torch.testing.assert_close(a, b, rtol=rtol, atol=1e-11, equal_nan=False)


def factors(built: Built) -> list[tuple[Side, Conditional]]:
    return [(Side.P, c) for c in built.spec.generation] + [(Side.Q, c) for c in built.derivation.inference]


def head_fields(result: Any, side: Side, target: str) -> dict[str, Tensor]:
    """Return the parameters of one conditional among the fields of a result."""
    prefix = f"{side}_{target}_"
    return {
        name.removeprefix(prefix): getattr(result, name) for name in result._fields if name.startswith(prefix)
    }


def check_score(built: Built, oracle: Any, batch: int) -> None:
    """5: the scheduled whole-sequence evaluation equals one frame at a time, conditional by conditional.

    Those of frames 1 and T are asked in their places.
    """
    values = sample_values(built, batch, FRAMES)
    result = built.call("score", values)
    own = {(side, c.target, c.frame) for side, c in factors(built)}
    for row in range(batch):
        slow = oracle(built.module, built.spec, FRAMES, {k: v[row] for k, v in values.items()})
        for side, target, frame in sorted(own, key=str):
            fields = head_fields(result, side, target)
            for t in range(1, FRAMES + 1) if frame is None else (1 if frame == 1 else FRAMES,):
                serving = {1: 1, FRAMES: LAST}.get(t) if frame is None else None
                if serving is None or (side, target, serving) not in own:
                    made = slow.head(side, target, t, frame)
                    for got, want in zip(fields.values(), made, strict=True):
                        close(got[row, t - 1], want)
