"""Properties of batches and streams: padding, order, missing data, continuation, one frame at a time."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from dvaec.plan.model import Entry, Loop
from dvaec.spec.model import Role
from dvaec.testing.built import Built, sample_values, some_fed
from dvaec.testing.closeness import Gap, ViolationError, close_slopes
from dvaec.testing.values import Values, with_draws


def padding_changes_nothing(built: Built, frames: int) -> Gap:
    """NaN in the padding changes no value and no gradient; a ragged batch equals its sequences one by one."""
    gap = Gap(1e-8)
    if built.spec.frames is not None:
        return gap
    lengths = torch.tensor([frames, max(1, frames // 2), 1])
    values = sample_values(built, 3, frames)
    framed = _framed(built)
    padded = {name: value.clone() for name, value in values.items()}
    for row, length in enumerate(lengths.tolist()):
        for name in framed & set(padded):
            padded[name][row, length:] = torch.nan
    for method in (m for m in ("elbo", "elbo_fed") if built.has(m)):
        fed = {"fed": some_fed(3, frames)} if method == "elbo_fed" else {}
        bound = built.call(method, padded, lengths=lengths, **fed)
        slopes = _slopes(built, bound.elbo)
        alone = []
        for row, length in enumerate(lengths.tolist()):
            one = slice(row, row + 1)
            own = {k: v[one, :length] if k in framed else v[one] for k, v in values.items()}
            alone.append(built.call(method, own, **{k: v[one, :length] for k, v in fed.items()}).elbo)
        gap.close(bound.elbo, torch.cat(alone), f"{method} of a ragged batch")
        close_slopes(gap, slopes, _slopes(built, torch.cat(alone)), f" in {method} of a ragged batch")
        order = torch.tensor([2, 0, 1])
        more = {k: v[order] for k, v in fed.items()} | {"lengths": lengths[order]}
        turned = built.call(method, {k: v[order] for k, v in padded.items()}, **more)
        gap.close(turned.elbo, bound.elbo[order], f"{method} of a batch in another order")
    return gap


def _framed(built: Built) -> set[str]:
    names = {value.name for value in built.plan.network.values if value.framed}
    return names | {f"{kind}_{name}" for name in names for kind in ("noise", "mask")}


def with_holes(built: Built, values: Values, frames: int) -> Values:
    """Let some of what is observed up to a frame be missing: NaN stands there, and a mask says so."""
    found = {name: value.clone() for name, value in values.items()}
    for number, name in enumerate(built.values(Role.OBSERVED)):
        batch, *time = values[name].shape[:-1]
        known = torch.ones([batch, *(min(frames, all_frames) for all_frames in time)], dtype=torch.bool)
        known.view(-1)[number :: 2 + number] = False
        mask = torch.ones([batch, *time], dtype=torch.bool)
        mask[(slice(None), *(slice(frames) for _ in time))] = known
        found[name][~mask], found[f"mask_{name}"] = torch.nan, mask
    return found


def _slopes(built: Built, total: Tensor) -> dict[str, Tensor]:
    built.module.zero_grad(set_to_none=True)
    torch.autograd.backward(total.sum())
    found = {n: p.grad.clone() for n, p in built.module.named_parameters() if p.grad is not None}
    built.module.zero_grad(set_to_none=True)
    return found


def missing_data_are_not_read(built: Built, frames: int) -> Gap:
    """Where a mask says that x_t is missing, it contributes no term and any value may stand there."""
    gap = Gap()
    values = sample_values(built, 2, frames)
    holes = with_holes(built, values, frames)
    zeros = {name: holes[name].nan_to_num(0.0) for name in values}
    for method in (m for m in ("elbo", "elbo_fed") if built.has(m)):
        fed = {"fed": some_fed(2, frames)} if method == "elbo_fed" else {}
        bound = built.call(method, holes, **fed)
        plain = built.call(method, zeros, **fed)
        if bool(bound.elbo.isnan().any()):
            raise ViolationError(f"NaN at a missing place reaches {method}")
        for name in built.values(Role.OBSERVED):
            mask = holes[f"mask_{name}"]
            term = getattr(bound, f"log_p_{name}")
            gap.close(term[~mask], torch.zeros_like(term[~mask]), f"the term of a missing {name}")
            gap.close(term[mask], getattr(plain, f"log_p_{name}")[mask], f"the term of an observed {name}")
        for name in bound._fields:
            if name.startswith("kl_"):
                gap.close(getattr(bound, name), getattr(plain, name), f"{name} with missing data")
    return gap


def forecast_is_encode_then_generate(built: Built, frames: int) -> Gap:
    """`forecast` draws the context's latents as `encode` does; scored, its continuation is p's.

    Of three frames and more some are missing, which all of them read as 0.
    """
    gap, steps = Gap(), 2
    if not built.has("forecast"):
        return gap
    values = sample_values(built, 2, frames + steps)
    values = with_holes(built, values, frames) if frames > 2 else values
    framed = _framed(built)
    context = {k: v[:, :frames] if k in framed else v for k, v in values.items()}
    result = _forecast(built, values, frames, steps)
    inferred = with_draws(built, context)
    for name in built.values(Role.LATENT, Role.OBSERVED):
        got = getattr(result, name, None)
        if got is not None:
            own = got[:, :frames] if name in framed else got
            gap.close(own, inferred[name].nan_to_num(0.0), f"{name} of the context")
            values[name] = got
    score = built.call("score", values)
    for head in built.plan.network.heads:
        if head.framed and head.head.side == "p":
            for field in (f for f in score._fields if f.startswith(f"{head.name}_")):
                if hasattr(result, field):
                    gap.close(getattr(result, field), getattr(score, field), f"forecast: {field}")
    return gap


def _forecast(built: Built, values: Values, frames: int, steps: int) -> Any:
    framed = _framed(built)
    seen = built.values(Role.OBSERVED)
    given = {n: values[n][:, :frames] if n in framed else values[n] for n in seen}
    given |= {n: values[n] for n in built.values(Role.INPUT)}
    drawn = (*built.values(Role.LATENT), *(n for n in seen if n in framed))
    given |= {f"noise_{n}": values[f"noise_{n}"] for n in drawn}
    masks = {f"mask_{n}": values[f"mask_{n}"] for n in seen if f"mask_{n}" in values}
    given |= {name: mask[:, :frames] if name in framed else mask for name, mask in masks.items()}
    return built.module.forecast(steps, **given)


def stream_is_batch(built: Built, frames: int) -> Gap:
    """Step by step, a model draws what it draws for whole sequences from the same noise."""
    gap, stream = Gap(), built.plan.stream
    if stream is None:
        return gap
    values = sample_values(built, 2, frames)
    for method in ("step", "imagine"):
        if not built.has(method):
            continue
        whole = _whole(built, values, method, frames)
        for k, result in enumerate(_streamed(built, values, [method] * frames)):
            _as_in_whole(built, whole, method, k, result, gap)
    _observed_then_imagined(built, frames, gap)
    return gap


def _streamed(built: Built, values: Values, methods: Sequence[str]) -> Iterator[Any]:
    """Run a stream: yield what each step gives; behind the last frame that is observed, q finishes."""
    stream = built.plan.stream
    assert stream is not None
    observed = len([method for method in methods if method == "step"])
    run = [*methods[:observed], *["finish"] * (stream.delay if observed else 0), *methods[observed:]]
    state = built.module.begin(2, **{n: values[n] for n in built.values(Role.INPUT) if n in stream.static})
    for number, method in enumerate(run):
        k = number if method != "imagine" else number - (len(run) - len(methods))
        state, result = getattr(built.module, method)(state, **_arguments(built, values, method, k))
        yield result


def _as_in_whole(built: Built, whole: Values, method: str, k: int, result: Any, gap: Gap) -> None:
    """Compare the result of step k + 1 with those of the frames that it made."""
    late, entry = _lateness(built, method), _entry(built, method)
    for name in (n for n in result._fields if n in whole):
        node = max((node for node in late if name == node or name.startswith(f"{node}_")), key=len)
        at = k - late[node] - entry.late.get(node, 0)
        if 0 <= at < whole[name].size(1):
            gap.close(getattr(result, name), whole[name][:, at], f"{method}: {name} of frame {at + 1}")


def _observed_then_imagined(built: Built, frames: int, gap: Gap) -> None:
    """Observed frames, then imagined ones, are a forecast; where there is none, scored, they are p's.

    Of three frames and more some are missing.
    """
    steps, stream = 2, built.plan.stream
    if stream is None or not all(built.has(method) for method in ("step", "imagine")):
        return
    values = sample_values(built, 2, frames + steps)
    values = with_holes(built, values, frames) if frames > 2 else values
    made = list(_streamed(built, values, ["step"] * frames + ["imagine"] * steps))[-steps:]
    if built.has("forecast"):
        whole = _forecast(built, values, frames, steps)._asdict()
    else:
        whole = _scored_behind(built, values, frames, made)
    for k, result in enumerate(made, frames):
        _as_in_whole(built, whole, "imagine", k, result, gap)


def _scored_behind(built: Built, values: Values, frames: int, made: Sequence[Any]) -> Values:
    """Score a context with what `encode` draws of it, and what a stream has imagined behind it: p's part."""
    framed = _framed(built)
    context = {name: value[:, :frames] if name in framed else value for name, value in values.items()}
    drawn, whole = with_draws(built, context), dict(values)
    for name in built.values(Role.LATENT, Role.OBSERVED):
        whole[name] = drawn[name]
        if name in framed:
            imagined = torch.stack([getattr(result, name) for result in made], 1)
            whole[name] = torch.cat([whole[name], imagined], 1)
    score: Values = built.call("score", whole)._asdict()
    return {field: value for field, value in score.items() if field.startswith("p_")}


def _entry(built: Built, method: str) -> Entry:
    assert built.plan.stream is not None
    return next(entry for entry in built.plan.stream.entries if entry.name == method)


def _lateness(built: Built, method: str) -> dict[str, int]:
    """How many frames behind the frame that is given each node of a step is."""
    *_, loop = _entry(built, method).steps
    assert isinstance(loop, Loop)
    return {name: max(loop.ahead) - loop.frame_of(name) for name in loop.nodes}


def _whole(built: Built, values: Values, method: str, frames: int) -> dict[str, Tensor]:
    """What the entry points for whole sequences make of the same values, by name."""
    if method == "imagine":
        found: dict[str, Tensor] = built.call("generate", values, batch=2, frames=frames)._asdict()
        return found
    heads = [head.name for head in built.plan.network.heads if head.framed and head.head.frame is None]
    score = built.call("score", with_draws(built, values))._asdict()
    found = {field: score[field] for head in heads for field in score if field.startswith(f"{head}_")}
    return found | (built.call("encode", values)._asdict() if built.has("encode") else {})


def _arguments(built: Built, values: Values, method: str, k: int) -> dict[str, Tensor]:
    """What one step takes at frame k + 1 of the sequence; its draws may be some frames behind."""
    found: dict[str, Tensor] = {}
    late = _lateness(built, method)
    still = [v.name for v in built.plan.network.values if not v.framed]
    for name in inspect.signature(getattr(built.module, method)).parameters:
        if name.removeprefix("noise_").removeprefix("mask_") in still:
            found |= {name: values[name]} if name in values else {}
        elif name.startswith("noise_"):
            at = max(0, k - late[name.removeprefix("noise_")])
            found[name] = values[name][:, min(at, values[name].size(1) - 1)]
        elif name in values:
            found[name] = values[name][:, k]
    return found
