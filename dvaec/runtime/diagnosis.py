"""Where a number that is not finite comes from: the term, the frame, the sequence, the conditional."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from dvaec.runtime.faults import TrainFault

HINT = (
    "try a smaller --lr or --clip, a longer --warmup, data of unit scale (or a fixed variance in the page); "
    "the weights kept are those of the best epoch before"
)
_MOST = 12  # sequences of a batch that a message lists


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
    """Make the fault of an update whose gradient is not finite although its loss is.

    `parts` are computed anew. Their gradients are taken one by one, then frame by frame.
    """
    named = [(n, p) for n, p in model.named_parameters() if p.grad is not None]
    culprit, weight = next((n, p) for n, p in named if not _finite(p.grad))
    found = f"the gradient of {culprit} is not finite in {where}"
    for name, part in parts.items():
        if _finite(_gradient(part.sum(), weight)):
            continue
        if part.dim() < 2:
            return TrainFault(f"{found}, by {name}{_batch(members)}", HINT)
        for frame in range(part.size(1)):
            if _finite(_gradient(part[:, frame].sum(), weight)):
                continue
            rows = (r for r in range(part.size(0)) if not _finite(_gradient(part[r, frame], weight)))
            row = next(rows, None)
            whose = "" if row is None else f" of sequence {int(members[row]) + 1}"
            return TrainFault(f"{found}, by {name} in frame {frame + 1}{whose}{_batch(members)}", HINT)
    return TrainFault(f"{found}{_batch(members)}", HINT)


def _gradient(value: Tensor, weight: Tensor) -> Tensor | None:
    if not value.requires_grad:
        return None
    return torch.autograd.grad(value, weight, retain_graph=True, allow_unused=True)[0]


def _finite(gradient: Tensor | None) -> bool:
    return gradient is None or bool(gradient.isfinite().all())


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
    scored = {name: one for name, one in arguments.items() if not name.startswith("noise_")}
    with torch.no_grad():
        if hasattr(model, "encode"):
            encoded = model.encode(**arguments)  # type: ignore[operator]
            yield from ((f, getattr(encoded, f)) for f in encoded._fields if f.startswith("q_"))
            scored |= {f: getattr(encoded, f) for f in encoded._fields if not f.startswith("q_")}
        if not hasattr(model, "score"):
            return
        result = model.score(**scored)  # type: ignore[operator]
        yield from ((f, getattr(result, f)) for f in result._fields if f.startswith("p_"))


def _own_head(part: str, framed: bool) -> str:
    """The conditional that a part is the log-density or divergence of; all its parameters are finite."""
    for kind, said in (("log_p_", "p({}), whose parameters are finite"), ("kl_", "q({}) against p({})")):
        if part.startswith(kind):
            variable = part.removeprefix(kind) + ("_t" if framed else "")
            return said.replace("{}", variable)
    return part
