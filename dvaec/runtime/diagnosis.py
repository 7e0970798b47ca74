"""Where a number that is not finite comes from: the term, the frame, the sequence, the conditional."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn

from dvaec.runtime.faults import TrainFault

HINT = (
    "try a smaller --lr or --clip, a longer --warmup, data of unit scale (--normalise standard) "
    "or a fixed variance in the page"
)
_MOST = 12  # sequences of a batch that a message lists
_Key = TypeVar("_Key", str, int)


def bad_part(
    model: nn.Module,
    arguments: Mapping[str, Tensor],
    members: Tensor,
    parts: Mapping[str, Tensor],
    where: str,
) -> TrainFault:
    """Make the fault of a batch whose `parts` (batch, time) or (batch,) are not all finite.

    It names the first frame in which any is not; there the first part in the module's order, the first
    sequence, and the conditional whose parameters are not finite, or else that of the part. The draws are
    those of `arguments`, so that the parameters are computed again as they were.
    """
    for weights, tensor in model.named_parameters():
        if not tensor.isfinite().all():
            return TrainFault(f"the weights {weights} are not finite in {where}{_batch(members)}", HINT)
    culprits = [(_first(part), name) for name, part in parts.items() if not part.isfinite().all()]
    if not culprits:  # each is finite, and their sum is not
        return TrainFault(f"the sum of the parts is not finite in {where}{_batch(members)}", HINT)
    (frame, row), name = min(culprits, key=lambda one: one[0][0])
    value = parts[name][row, frame] if parts[name].dim() == 2 else parts[name][row]
    blame = _head(model, arguments, row, frame) or _own_head(name, parts[name].dim() == 2)
    place = f"frame {frame + 1} of sequence {int(members[row]) + 1}" if parts[name].dim() == 2 else (
        f"sequence {int(members[row]) + 1}"
    )  # fmt: skip
    return TrainFault(f"{name} is {value:g} in {where}, first in {place}, by {blame}{_batch(members)}", HINT)


def bad_gradient(model: nn.Module, parts: Mapping[str, Tensor], members: Tensor, where: str) -> TrainFault:
    """Make the fault of an update whose gradient has no finite norm although its loss is finite.

    `parts` are computed anew. Blamed are the weights with the largest gradient (any that is not finite is
    larger than all that are), and for it the part, then its frame, then its sequence.
    """
    sizes = {name: _size(weight.grad) for name, weight in model.named_parameters()}
    culprit = max(sizes, key=lambda name: sizes[name])
    weight = model.get_parameter(culprit)
    size = "not finite" if math.isinf(sizes[culprit]) else f"{sizes[culprit]:.1e}, too large to go on,"
    name = _largest([(name, part.sum()) for name, part in parts.items()], weight)
    part = parts[name]
    place = f"the gradient of {culprit} is {size} in {where}, by {name}"
    if part.dim() == 2:
        frame = _largest([(k, part[:, k].sum()) for k in range(part.size(1))], weight)
        place, part = f"{place} in frame {frame + 1}", part[:, frame]
    row = _largest(list(enumerate(part)), weight)
    head = _conditional(name, parts[name].dim() == 2)
    whose = f"{place} of sequence {int(members[row]) + 1}, {head}"
    return TrainFault(f"{whose}{_batch(members)}", HINT)


def _largest(values: Sequence[tuple[_Key, Tensor]], weight: Tensor) -> _Key:
    """The key of the value with the largest gradient, the first one of several."""
    return max(values, key=lambda one: _size(_gradient(one[1], weight)))[0]


def _gradient(value: Tensor, weight: Tensor) -> Tensor | None:
    if not value.requires_grad:
        return None
    return torch.autograd.grad(value, weight, retain_graph=True, allow_unused=True)[0]


def _size(gradient: Tensor | None) -> float:
    """The largest absolute value; inf where any is not finite."""
    if gradient is None:
        return 0.0
    return float(gradient.abs().max()) if gradient.isfinite().all() else math.inf


def _first(part: Tensor) -> tuple[int, int]:
    """The first frame in which a part is not finite, and the first such sequence there."""
    wrong = ~part.detach().isfinite()
    wrong = wrong if wrong.dim() == 2 else wrong.unsqueeze(1)
    frame = int(wrong.any(0).nonzero()[0])
    return frame, int(wrong[:, frame].nonzero()[0])


def _batch(members: Tensor) -> str:
    sequences = [str(int(member) + 1) for member in members]
    more = " ..." if len(sequences) > _MOST else ""
    return f"; the batch holds the sequences {', '.join(sequences[:_MOST])}{more}"


def _head(model: nn.Module, arguments: Mapping[str, Tensor], row: int, frame: int) -> str | None:
    """Name the first conditional, q's before p's, whose parameters are not finite at a place."""
    frames = int(arguments["lengths"].max())
    for field, value in _parameters(model, arguments):
        framed = value.dim() > 2 and value.size(1) == frames
        at = value[row, frame] if framed else value[row]
        if not at.isfinite().all():
            side, _, rest = field.partition("_")
            said = "nan" if at.isnan().any() else "inf"
            return f"{side}({rest.rpartition('_')[0]}{'_t' if framed else ''}), whose {field} is {said}"
    return None


def _parameters(model: nn.Module, arguments: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """Compute the parameters of q's conditionals, then of p's at q's draws.

    Each (batch, time, dim), or (batch, dim) of what has one value a sequence.
    """
    scored = {name: one for name, one in arguments.items() if not name.startswith(("noise_", "fed"))}
    with torch.no_grad():
        if hasattr(model, "encode"):
            given = {name: one for name, one in arguments.items() if name != "fed"}
            encoded = model.encode(**given)  # type: ignore[operator]
            yield from ((f, getattr(encoded, f)) for f in encoded._fields if f.startswith("q_"))
            scored |= {f: getattr(encoded, f) for f in encoded._fields if not f.startswith("q_")}
        if not hasattr(model, "score"):
            return
        result = model.score(**scored)  # type: ignore[operator]
        yield from ((f, getattr(result, f)) for f in result._fields if f.startswith("p_"))


def _own_head(part: str, framed: bool) -> str:
    """The conditional that a part is the log-density or divergence of; all its parameters are finite."""
    finite = ", whose parameters are finite" if part.startswith("log_p_") else ""
    return _conditional(part, framed) + finite


def _conditional(part: str, framed: bool) -> str:
    for kind, said in (("log_p_", "p({})"), ("kl_", "q({}) against p({})")):
        if part.startswith(kind):
            variable = part.removeprefix(kind) + ("_t" if framed else "")
            return said.replace("{}", variable)
    return part
