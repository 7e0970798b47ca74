"""Properties of the numbers that a module gives: against the frame-by-frame oracle, and of its parts."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from dvaec.derive.model import Estimator
from dvaec.plan.entries import Part, parts
from dvaec.plan.model import HeadNode
from dvaec.runtime.script import script
from dvaec.spec.model import LAST, Conditional, Family, Role, Side
from dvaec.testing.built import Built, head_fields, sample_values, some_fed
from dvaec.testing.closeness import Gap, ViolationError
from dvaec.testing.frame_by_frame import FrameByFrame
from dvaec.testing.laws import density, draw
from dvaec.testing.oracles import nodes
from dvaec.testing.sites import Site, head_of, place, reads, sites

Values = dict[str, Tensor]


def row_of(values: Values, row: int) -> Values:
    """Return one sequence of a batch."""
    return {name: value[row] for name, value in values.items()}


def score_is_frame_by_frame(built: Built, frames: int) -> Gap:
    """The scheduled whole-sequence evaluation equals one frame at a time, conditional by conditional."""
    gap, values = Gap(), sample_values(built, 2, frames)
    result = built.call("score", values)
    for row in range(2):
        oracle = FrameByFrame(built, frames, row_of(values, row))
        for site in sites(built, frames):
            head = head_of(built, site)
            wanted = oracle.head(head, 0 if site.frame is None else site.frame)
            for name, got in head_fields(result, head).items():
                gap.close(got[(row, *place(site))], wanted[name], f"parameter {name} of {site}")
    return gap


def encode_is_frame_by_frame(built: Built, frames: int) -> Gap:
    """The latents are drawn along the chain rule, each from q's parameters at what was drawn before."""
    gap, values = Gap(), sample_values(built, 1, frames)
    latents = built.values(Role.LATENT)
    result = built.call("encode", values)
    drawn = row_of(values, 0)
    for name in latents:
        drawn[name] = torch.full_like(drawn[name], torch.nan)
    for name, t in chain(built, frames):
        head = built.plan.network.node(f"q_{name}")
        assert isinstance(head, HeadNode)
        noise = values[f"noise_{name}"][0]
        found = FrameByFrame(built, frames, drawn).head(head, t)
        value = draw(built, head, found, noise[t - 1] if head.framed else noise)
        (drawn[name][t - 1] if head.framed else drawn[name]).copy_(value.detach())
    for name in latents:
        gap.close(getattr(result, name)[0], drawn[name], f"{name} drawn from q")
    return gap


def chain(built: Built, frames: int) -> Iterator[tuple[str, int]]:
    """Yield the latents in q's chain-rule order, each with its frame (0 for a static one).

    Where q reads a latent of its own sweep at frames to come, what is read goes before what reads it.
    """
    waiting = list(_swept(built, frames))
    while waiting:
        ready = (site for site in waiting if not _reads(built, site, frames).intersection(waiting))
        site = next(ready, waiting[0])  # there is none but in a cycle, which `check` refuses
        waiting.remove(site)
        yield site


def _swept(built: Built, frames: int) -> Iterator[tuple[str, int]]:
    for name, t in nodes.chain(built.spec, frames):
        yield (f"{name}_0" if t == 0 and built.spec.variable(name).framed else name), t


def _reads(built: Built, site: tuple[str, int], frames: int) -> set[tuple[str, int]]:
    """The latents at frames relative to its own that q's conditional of a site reads."""
    node, t = site
    head = built.plan.network.node(f"q_{node}")
    assert isinstance(head, HeadNode)
    lines = {c.frame: c for c in built.derivation.inference if c.target == head.variable.name}
    there = (t, *(LAST,) * (t == frames), None) if head.framed else (head.head.frame,)
    line = next(lines[frame] for frame in there if frame in lines)
    if not built.spec.swept:
        return _reads_of_all(built, line, t, frames) - {site}
    parents = [p for p in line.parents if p.offsets is not None]
    latents = {v.name: v.first for v in built.spec.having(Role.LATENT) if v.framed}
    return {
        (f"{p.name}_0" if frame == 0 else p.name, frame)
        for p in parents
        if p.name in latents and p.offsets is not None
        for frame in (t + d for d in p.offsets.within(latents[p.name] - t, _FAR - t))
    } - {site}


def _reads_of_all(built: Built, line: Conditional, t: int, frames: int) -> set[tuple[str, int]]:
    """The same of a q that is not swept: the absolute frames as well."""
    at = None if not built.spec.variable(line.target).framed else t
    drawn = reads(built, Site(Side.Q, line, at), frames)
    latents = {v.name: v.framed for v in built.spec.having(Role.LATENT)}
    return {
        (f"{name}_0" if frame == 0 and latents[name] else name, frame or 0)
        for name, frame in drawn
        if name in latents
    }


_FAR = 64  # no module under test runs over more frames


def with_draws(built: Built, values: Values) -> Values:
    """Return the values with the latents that `encode` draws from their noise."""
    latents = built.values(Role.LATENT)
    encoded = built.call("encode", values) if latents else None
    return values | {name: getattr(encoded, name) for name in latents}


def bound_is_its_parts(built: Built, frames: int) -> Gap:
    """The parts of the bound are those of `score` at latents drawn from the same noise, and add up to it.

    A log-density that the last digits of its draws decide, where a scale is far below them, is no number to
    compare: it is left out.
    """
    gap, values = Gap(), sample_values(built, 2, frames)
    bound = built.call("elbo", values)
    drawn = with_draws(built, values)
    score = built.call("score", drawn)
    total = torch.zeros(2, dtype=torch.float64)
    for part in parts(built.elbo):
        got = getattr(bound, part.field)
        if not part.divergence or part.estimator is not Estimator.ANALYTIC:
            wanted, what = (
                _of_score(score, part),
                f"log {'q - log p' if part.divergence else 'p'} of {part.value}",
            )
            if not torch.allclose(got, wanted, gap.relative, gap.absolute):
                moved = _of_score(built.call("score", _nudged(built, drawn)), part)
                clear = torch.isclose(moved, wanted, gap.relative, gap.absolute)
                gap.close(torch.where(clear, got, wanted), wanted, what)
            else:
                gap.close(got, wanted, what)
        summed = got.sum(1) if got.dim() == 2 else got
        total = total - summed if part.divergence else total + summed
    gap.close(bound.elbo, total, "the bound")
    return gap


def _of_score(score: Any, part: Part) -> Tensor:
    """What `score` says of one part of the bound: log q - log p, or log p of what is observed."""
    log_p: Tensor = getattr(score, f"log_p_{part.value}")
    return getattr(score, f"log_q_{part.value}") - log_p if part.divergence else log_p


def _nudged(built: Built, values: Values) -> Values:
    """Return the values with the last digits of the latents changed up and down, but for choices."""
    found = dict(values)
    for name in built.values(Role.LATENT):
        if built.spec.variable(name.partition("_")[0]).family is not Family.CATEGORICAL:
            ways = torch.arange(found[name].numel()).reshape(found[name].shape) % 3 - 1
            found[name] = found[name] * (1.0 + ways.to(found[name].dtype) * 2.0**-48)
    return found


def closed_forms_by_sampling(built: Built, frames: int) -> Gap:
    """Each closed-form divergence agrees with draws from q within five standard errors."""
    gap, values, draws = Gap(5.0, unit="standard errors"), sample_values(built, 2, frames), 2000
    bound = built.call("elbo", values)
    score = built.call("score", with_draws(built, values))
    torch.manual_seed(0)
    for part in parts(built.elbo):
        if not part.divergence or part.estimator is not Estimator.ANALYTIC:
            continue
        q, p = (built.plan.network.node(f"{side}_{part.value}") for side in "qp")
        assert isinstance(q, HeadNode)
        assert isinstance(p, HeadNode)
        of_q, of_p = (
            {n: f.detach().expand(draws, *f.shape) for n, f in head_fields(score, h).items()} for h in (q, p)
        )
        z = draw(built, q, of_q)
        ratio = density(built, q, z, of_q) - density(built, p, z, of_p)
        error = ratio.std(0) / draws**0.5
        off = (ratio.mean(0) - getattr(bound, f"kl_{part.value}")).abs()
        worst = float((off / (5.0 * error + 1e-9)).detach().max())
        gap.worst, gap.compared = max(gap.worst, worst), gap.compared + off.numel()
        if worst > 1.0:
            raise ViolationError(f"KL of {part.value}: {worst * 5:.1f} standard errors from {draws} draws")
    return gap


METHODS = ("elbo", "encode", "score", "reconstruct", "elbo_fed", "generate")


def scripted_is_eager(built: Built, frames: int) -> Gap:
    """Eager = scripted = saved and loaded, on the same draws, and for other sizes without compiling again.

    torch optimises a method in its second run, and the third is that of what it has made. What is loaded is
    run three times; before it is saved it is the same code, and is run as it was compiled. The bounds keep
    what their gradients need, as in training; the rest is run without gradients, as in inference.
    """
    gap = Gap()
    scripted = script(built.module)
    buffer = io.BytesIO()
    torch.jit.save(scripted, buffer)
    buffer.seek(0)
    loaded = torch.jit.load(buffer)
    for run, (batch, length) in enumerate(((2, frames), (1, 2), (3, frames + 2))):
        length = built.spec.frames or length
        values = sample_values(built, batch, length)
        for method in (m for m in METHODS if built.has(m)):
            more: dict[str, Any] = {"batch": batch, "frames": length} if method == "generate" else {}
            more |= {"fed": some_fed(batch, length)} if method == "elbo_fed" else {}
            with torch.set_grad_enabled(method.startswith("elbo")):
                eager = built.call(method, values, **more)
                _same(gap, built.call(method, values, loaded, **more), eager, f"loaded {method}")
                if run == 0:
                    with torch.jit.optimized_execution(False):  # type: ignore[attr-defined]
                        _same(gap, built.call(method, values, scripted, **more), eager, f"scripted {method}")
    return gap


def _same(gap: Gap, got: tuple[Tensor, ...], wanted: tuple[Tensor, ...], where: str) -> None:
    for name, one, other in zip(wanted._fields, got, wanted, strict=True):  # type: ignore[attr-defined]
        gap.close(one, other, f"{where}: {name}")
