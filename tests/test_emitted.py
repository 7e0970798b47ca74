"""Design section 5 for emitted modules: one list of properties, over the four models and over generated specs."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from hypothesis import given
from torch import Tensor
from torch.distributions import Distribution

from dvaec.derive.model import Estimator, TermKind
from dvaec.runtime.script import script
from dvaec.spec.model import Conditional, Role, Side, Spec
from dvaec.testing import properties
from tests.emitted import Built, build, forget, head_fields, sample_values
from tests.family_laws import LATENT_LAWS, divergence, latent_draw
from tests.oracles.naive import Naive
from tests.shipped import SHIPPED, shipped
from tests.strategies import specs

FRAMES = 5
BATCH = 2


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def close(a: Tensor, b: Tensor, rtol: float = 1e-9) -> None:
    torch.testing.assert_close(a, b, rtol=rtol, atol=1e-11, equal_nan=False)


def _backward(values: Tensor) -> None:
    torch.autograd.backward(values.sum())


def all_close(a: Any, b: Any) -> None:
    assert a._fields == b._fields
    for name in a._fields:
        close(getattr(a, name), getattr(b, name))


def factors(built: Built) -> list[tuple[Side, Conditional]]:
    return [(Side.P, c) for c in built.spec.generation] + [(Side.Q, c) for c in built.derivation.inference]


def _methods(built: Built, *names: str) -> list[str]:
    """Of these entry points, those that the module has: without latents there is no `encode`."""
    return [name for name in names if name != "encode" or built.names(Role.LATENT)]


def _drawn_from_q(built: Built, values: dict[str, Tensor]) -> dict[str, Tensor]:
    """Draw the latents as `encode` does, from the noise in `values`."""
    latents = built.names(Role.LATENT)
    encoded = built.call("encode", values) if latents else None
    return {name: getattr(encoded, name) for name in latents}


# The properties. Each takes a built module, so that every source of specs runs the same list.


def check_score_is_naive(built: Built) -> None:
    """5: the scheduled whole-sequence evaluation equals one frame at a time, conditional by conditional."""
    values = sample_values(built, BATCH, FRAMES)
    result = built.call("score", values)
    for row in range(BATCH):
        naive = Naive(built.module, built.spec, FRAMES, {k: v[row] for k, v in values.items()})
        for side, conditional in factors(built):
            fields = head_fields(result, side, conditional.target)
            for t in range(1, FRAMES + 1):
                for got, want in zip(fields.values(), naive.head(side, conditional.target, t), strict=True):
                    close(got[row, t - 1], want)


def check_encode_is_naive(built: Built) -> None:
    """5: the latents are drawn along the chain rule, each from q's parameters at what was drawn before."""
    latents = built.names(Role.LATENT)
    if not latents:
        assert not hasattr(built.module, "encode")
        return
    values = sample_values(built, 1, FRAMES)
    result = built.call("encode", values)
    drawn = {k: v[0] for k, v in values.items()}
    for name in latents:
        drawn[name] = torch.full_like(drawn[name], torch.nan)
    for t in range(1, FRAMES + 1):
        for conditional in built.derivation.inference:
            target = conditional.target
            made = Naive(built.module, built.spec, FRAMES, drawn).head(Side.Q, target, t)
            noise = values[f"noise_{target}"][0, t - 1]
            drawn[target][t - 1] = latent_draw(built.spec.variable(target), made, noise)
    for name in latents:
        close(getattr(result, name)[0], drawn[name])


def check_elbo_parts(built: Built) -> None:
    """4: the parts of the ELBO are those of `score` at the latents that `encode` draws from the same noise."""
    values = sample_values(built, BATCH, FRAMES)
    bound = built.call("elbo", values)
    values |= _drawn_from_q(built, values)
    score = built.call("score", values)
    total = torch.zeros(BATCH, dtype=torch.float64)
    for term in built.elbo.terms:
        if term.kind is TermKind.RECONSTRUCTION:
            part = getattr(bound, f"log_p_{term.target}")
            close(part, getattr(score, f"log_p_{term.target}"))
            total = total + part.sum(1)
            continue
        part = getattr(bound, f"kl_{term.target}")
        if term.estimator is Estimator.ANALYTIC:
            q, p = (law(built, score, side, term.target) for side in (Side.Q, Side.P))
            close(part, divergence(q, p))
        else:
            close(part, getattr(score, f"log_q_{term.target}") - getattr(score, f"log_p_{term.target}"))
        total = total - part.sum(1)
    close(bound.elbo, total)


def check_closed_form_by_sampling(built: Built) -> None:
    """4: each closed-form divergence agrees with draws from q within five standard errors."""
    values = sample_values(built, BATCH, FRAMES)
    bound = built.call("elbo", values)
    values |= _drawn_from_q(built, values)
    score = built.call("score", values)
    draws = 2000
    torch.manual_seed(0)
    for term in built.elbo.terms:
        if term.kind is TermKind.DIVERGENCE and term.estimator is Estimator.ANALYTIC:
            q, p = (law(built, score, side, term.target) for side in (Side.Q, Side.P))
            z = q.sample(torch.Size([draws]))
            ratio = q.log_prob(z) - p.log_prob(z)
            error = ratio.std(0) / draws**0.5
            gap = (ratio.mean(0) - getattr(bound, f"kl_{term.target}")).abs()
            assert bool((gap <= 5.0 * error + 1e-9).all())


def law(built: Built, result: Any, side: Side, target: str) -> Distribution:
    """A latent's conditional by torch.distributions, over its last axis."""
    return LATENT_LAWS[built.spec.variable(target).family](*head_fields(result, side, target).values())


def check_jacobian(built: Built, again: Spec) -> None:
    """2: a conditional's parameters depend on a frame iff the frame is in its window."""
    reached: set[tuple[Side, str, int, str, int]] = set()
    for seed in (0, 1, 2):
        reached |= _dependences(build(again, seed) if seed else built, seed)
    expected: set[tuple[Side, str, int, str, int]] = set()
    for side, conditional in factors(built):
        for t in range(1, FRAMES + 1):
            for parent in conditional.parents:
                at = (0,) if parent.offsets is None else parent.offsets.within(1 - t, FRAMES - t)
                expected |= {
                    (side, conditional.target, t, parent.name, 0 if parent.offsets is None else t + d)
                    for d in at
                }
    assert reached == expected


def _dependences(built: Built, seed: int) -> set[tuple[Side, str, int, str, int]]:
    values = sample_values(built, 1, FRAMES, seed)
    leaves = built.names(Role.OBSERVED, Role.LATENT, Role.INPUT)
    for name in leaves:
        values[name] = torch.randn_like(values[name]).requires_grad_()
    result = built.call("score", values)
    found = set()
    for side, conditional in factors(built):
        for t in range(1, FRAMES + 1):
            fields = head_fields(result, side, conditional.target).values()
            total = sum((field[0, t - 1] * torch.randn_like(field[0, t - 1])).sum() for field in fields)
            assert isinstance(total, Tensor)
            if not total.requires_grad:
                continue
            slopes = torch.autograd.grad(
                total, [values[n] for n in leaves], retain_graph=True, allow_unused=True
            )
            for name, slope in zip(leaves, slopes, strict=True):
                if slope is None:
                    continue
                frames = slope[0].abs().sum(-1).reshape(-1).nonzero().reshape(-1).tolist()
                static = not built.spec.variable(name).framed
                found |= {(side, conditional.target, t, name, 0 if static else s + 1) for s in frames}
    return found


def check_scripted(built: Built) -> None:
    """5: eager = scripted = saved and loaded, on the same draws, and for other sizes without compiling again."""
    scripted = script(built.module)
    buffer = io.BytesIO()
    torch.jit.save(scripted, buffer)
    buffer.seek(0)
    loaded = torch.jit.load(buffer)
    for batch, frames in ((BATCH, FRAMES), (1, 2), (3, 7)):
        values = sample_values(built, batch, frames)
        for method in _methods(built, "elbo", "encode", "score", "reconstruct"):
            eager = built.call(method, values)
            all_close(built.call(method, values, scripted), eager)
            all_close(built.call(method, values, loaded), eager)
        eager = built.call("generate", values, batch=batch, frames=frames)
        all_close(built.call("generate", values, scripted, batch=batch, frames=frames), eager)


def check_ragged(built: Built) -> None:
    """6: NaN in the padding changes no value and no gradient; a ragged batch equals its sequences one by one."""
    lengths = torch.tensor([FRAMES, 2, 1])
    values = sample_values(built, 3, FRAMES)
    framed = {k for k, v in values.items() if v.dim() == 3}
    padded = {k: v.clone() for k, v in values.items()}
    for row, length in enumerate(lengths.tolist()):
        for name in framed:
            padded[name][row, length:] = torch.nan
    bound = built.call("elbo", padded, lengths=lengths)
    _backward(bound.elbo)
    slopes = {n: p.grad.clone() for n, p in built.module.named_parameters() if p.grad is not None}
    built.module.zero_grad(set_to_none=True)
    alone = []
    for row, length in enumerate(lengths.tolist()):
        own = {k: v[row : row + 1, :length] if k in framed else v[row : row + 1] for k, v in values.items()}
        alone.append(built.call("elbo", own).elbo)
    close(bound.elbo, torch.cat(alone))
    _backward(torch.cat(alone))
    for name, parameter in built.module.named_parameters():
        assert (parameter.grad is None) == (name not in slopes)
        if parameter.grad is not None:
            close(slopes[name], parameter.grad, 1e-7)
    built.module.zero_grad(set_to_none=True)
    order = torch.tensor([2, 0, 1])
    turned = built.call("elbo", {k: v[order] for k, v in padded.items()}, lengths=lengths[order])
    close(turned.elbo, bound.elbo[order])


def check_gradients(built: Built, again: Spec) -> None:
    """6: every parameter receives a gradient once T is at least the longest lag + 2.

    A ReLU may rest, and a gate of one unit with it: so for one of a dozen seeds, tried until none is left. Lags add up
    along a path: what a weight multiplies may come from that far, and is 0 before frame 1.
    """
    nodes = built.plan.network.nodes
    longest = sum(max([abs(r.offset or 0) for port in n.ports for r in port.reads], default=0) for n in nodes)
    longest += sum(state.lag for state in built.spec.states)
    dead = {name for name, _ in built.module.named_parameters()}
    for seed in range(12):
        module = build(again, seed)
        _backward(module.call("elbo", sample_values(module, BATCH, longest + 2)).elbo)
        for name, parameter in module.module.named_parameters():
            if parameter.grad is not None and bool(parameter.grad.abs().sum() > 0):
                dead.discard(name)
        if not dead:
            return
    assert not dead


def check_inference_reads_no_later_frame(built: Built) -> None:
    """7: where q's windows end at t + k, what is drawn at t and the bound's parts do not move with later frames."""
    offsets = [p.offsets for c in built.derivation.inference for p in c.parents if p.offsets is not None]
    if any(o.reaches_future for o in offsets):
        return
    ahead = max([0] + [d for o in offsets for d in o.within(-FRAMES, FRAMES)])
    cut = FRAMES - 1
    values = sample_values(built, BATCH, FRAMES)
    changed = {k: v.clone() for k, v in values.items()}
    for value in changed.values():
        if value.dim() == 3:
            value[:, cut:] += 0.37
    kept = max(0, cut - ahead)
    for method in _methods(built, "encode", "elbo"):
        before, after = built.call(method, values), built.call(method, changed)
        for name in before._fields[0 if method == "encode" else 1 :]:
            assert torch.equal(getattr(before, name)[:, :kept], getattr(after, name)[:, :kept])


def check_generation_is_causal(built: Built) -> None:
    """7: what p draws at t reads no later input; 9: scored, it reproduces its own parameters."""
    values = sample_values(built, BATCH, FRAMES)
    drawn = built.call("generate", values, batch=BATCH, frames=FRAMES)
    for name in built.names(Role.OBSERVED, Role.LATENT):
        values[name] = getattr(drawn, name)
    score = built.call("score", values)
    for conditional in built.spec.generation:
        fields = head_fields(drawn, Side.P, conditional.target)
        for name, field in fields.items():
            close(field, head_fields(score, Side.P, conditional.target)[name])
    cut = FRAMES // 2
    changed = {k: v.clone() for k, v in values.items()}
    for name in [*built.names(Role.INPUT), *(k for k in values if k.startswith("noise_"))]:
        if changed[name].dim() == 3:
            changed[name][:, cut:] += 0.37
    moved = built.call("generate", changed, batch=BATCH, frames=FRAMES)
    for name in built.names(Role.OBSERVED, Role.LATENT):
        assert torch.equal(getattr(moved, name)[:, :cut], getattr(drawn, name)[:, :cut])


def check_text_is_stable(built: Built, again: Spec) -> None:
    """8: the same spec gives the same text."""
    assert build(again).text == built.text


def check_all(spec: Spec) -> None:
    built = build(spec)
    check_score_is_naive(built)
    check_encode_is_naive(built)
    check_elbo_parts(built)
    check_closed_form_by_sampling(built)
    check_inference_reads_no_later_frame(built)
    check_jacobian(built, spec)
    check_scripted(built)
    check_ragged(built)
    check_gradients(built, spec)
    check_generation_is_causal(built)
    check_text_is_stable(built, spec)
    forget(built)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_models_have_every_property(name: str) -> None:
    properties.check_all(shipped(name))


@given(specs())
def test_generated_specs_score_what_their_networks_give_one_by_one(spec: Spec) -> None:
    built = build(spec)
    check_score_is_naive(built)
    check_encode_is_naive(built)
    forget(built)
