"""What reaches what: Jacobians and windows, gradients of all weights, entry points that keep to the past."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from dvaec.plan.attention import nearest
from dvaec.plan.first_needs import waits_for_all
from dvaec.plan.idle import idle
from dvaec.plan.network import build_network
from dvaec.spec.model import LAST, Role
from dvaec.testing.built import Built, head_fields, sample_values
from dvaec.testing.closeness import Gap, ViolationError
from dvaec.testing.sites import Seen, Site, head_of, place, reads, sites, surely_reads

SMALL = 0.3  # of the weights: no recursion grows then
LONGEST = 60  # frames that are tried of a page with long lags

Rebuild = Callable[[int], Built]
"""Builds the same module with other weights, from a seed."""


def jacobians_are_windows(built: Built, frames: int, again: Rebuild) -> Gap:
    """A conditional's parameters depend on a frame of a variable iff that frame is in its window.

    Exactly 0 outside for every seed, not 0 inside for at least one of three.
    """
    gap = Gap(0.0)
    reached: dict[Site, set[Seen]] = {}
    for seed in (0, 1, 2):
        for site, seen in _dependences(again(seed) if seed else built, frames, seed).items():
            reached.setdefault(site, set()).update(seen)
    for site in sites(built, frames):
        wanted, got = reads(built, site, frames), reached.get(site, set())
        gap.compared += len(wanted) + 1
        if got - wanted:
            raise ViolationError(
                f"{site} moves with {_list(got - wanted)}, outside its windows (T = {frames})"
            )
        if still := surely_reads(built, site, frames) - got:
            raise ViolationError(f"{site} does not move with {_list(still)}, in its windows (T = {frames})")
    return gap


def _list(seen: set[Seen] | frozenset[Seen]) -> str:
    names = [name if frame is None else f"{name}_{frame}" for name, frame in seen]
    return ", ".join(sorted(names)[:4])


def _dependences(built: Built, frames: int, seed: int) -> dict[Site, set[Seen]]:
    values = sample_values(built, 1, frames, seed)
    leaves = built.values(Role.OBSERVED, Role.LATENT, Role.INPUT)
    for name in leaves:
        values[name] = torch.randn_like(values[name]).requires_grad_()
    result = built.call("score", values)
    found: dict[Site, set[Seen]] = {}
    for site in sites(built, frames):
        fields = [field[(0, *place(site))] for field in head_fields(result, head_of(built, site)).values()]
        total = torch.stack([(field * torch.randn_like(field)).sum() for field in fields]).sum()
        found[site] = set()
        if not total.requires_grad:
            continue
        inputs = [values[name] for name in leaves]
        slopes = torch.autograd.grad(total, inputs, retain_graph=True, allow_unused=True)
        for name, slope in zip(leaves, slopes, strict=True):
            if slope is not None:
                found[site] |= _touched(built, name, slope[0])
    return found


def _touched(built: Built, name: str, slope: Tensor) -> set[Seen]:
    variable, _, zero = name.partition("_")
    if zero:
        return {(variable, 0)} if bool(slope.abs().sum() > 0) else set()
    if not built.spec.variable(variable).framed:
        return {(variable, None)} if bool(slope.abs().sum() > 0) else set()
    return {(variable, k + 1) for k in slope.abs().sum(-1).nonzero().reshape(-1).tolist()}


def frames_beyond_lags(built: Built) -> int:
    """A length at which what is read at the longest lag is there, and not only what stands before it."""
    nodes = built.plan.network.nodes
    reads = [abs(r.offset or 0) for n in nodes for port in n.ports for r in port.reads]
    return min(2 + max([0, *reads, *(state.lag for state in built.spec.states)]), LONGEST)


def frames_to_learn(built: Built) -> int:
    """The length at which every weight can receive a gradient.

    Lags add up along a path: what a weight multiplies may come from that far, and is 0 before frame 1.
    """
    nodes = built.plan.network.nodes
    longest = sum(max([abs(r.offset or 0) for port in n.ports for r in port.reads], default=0) for n in nodes)
    longest += sum(state.lag * state.layers for state in built.spec.states)
    opened = [p.window for n in nodes for p in n.ports if p.window is not None]  # two frames must be seen
    longest += sum(abs(nearest(w)) + 2 * max(len(w.past), len(w.future)) for w in opened)
    longest += any(head.head.frame == LAST for head in built.plan.network.heads)  # frames between 1 and T
    return longest + 2


def every_weight_learns(built: Built, frames: int, again: Rebuild) -> Gap:
    """Every parameter receives a gradient once T is long enough (`frames_to_learn`).

    A ReLU may rest, a gate of one unit with it, and a read frame be all zeros: so for one of a dozen seeds of
    weights and data, tried until none is left. Every other time the weights are small: a linear recursion
    may grow over many frames until what reads it is as good as constant.
    """
    gap = Gap(0.0)
    if built.spec.frames is None and frames < frames_to_learn(built):
        return gap
    dead = {name for name, _ in built.module.named_parameters()}
    if built.spec.frames is not None:  # what is developed by default may be idle in so few frames
        made = [f"{node.name}_" for node, _ in idle(build_network(built.spec), frames)]
        dead = {name for name in dead if not name.startswith(tuple(made))}
    gap.compared = len(dead)
    for seed in range(12):
        other = again(seed)
        with torch.no_grad():
            for weight in other.module.parameters() if seed % 2 else ():
                weight.mul_(SMALL)
        other.module.train()  # a relaxed draw of a discrete latent has a gradient, an exact one has none
        bound = other.call("elbo", sample_values(other, 2, frames, 1 + seed))
        predicted = [getattr(bound, name).sum() for name in bound._fields if name.startswith("aux_")]
        torch.autograd.backward(torch.stack([bound.elbo.sum(), *predicted]).sum())
        for name, parameter in other.module.named_parameters():
            if parameter.grad is not None and bool(parameter.grad.abs().sum() > 0):
                dead.discard(name)
        if not dead:
            return gap
    raise ViolationError(f"no gradient of the bound reaches {', '.join(sorted(dead)[:3])} (T = {frames})")


def inference_reads_no_later_frame(built: Built, frames: int) -> Gap:
    """Where q's windows end at t + k, what is drawn at t does not move with frames behind t + k."""
    gap = Gap(0.0)
    lines = built.derivation.inference
    offsets = [p.offsets for c in lines for p in c.parents if p.offsets is not None]
    latents = built.names(Role.LATENT)
    of_latents = [p.offsets for c in lines for p in c.parents if p.name in latents and p.offsets is not None]
    if any(o.within(1, frames) for o in of_latents):
        return gap  # what is drawn first lies behind: later frames reach everything through it
    static = any(not built.spec.variable(c.target).framed or c.frame is not None for c in lines)
    late = any(p.frame is not None for c in lines for p in c.parents)
    if static or late or not lines or any(o.reaches_future for o in offsets) or frames < 2:
        return gap
    ahead = max([0] + [d for o in offsets for d in o.within(-frames, frames)])
    cut = frames - 1
    values = sample_values(built, 2, frames)
    changed = _changed(values, cut)
    kept = max(0, cut - ahead)
    before, after = built.call("encode", values), built.call("encode", changed)
    for name in before._fields:
        _unmoved(gap, name, getattr(before, name)[:, :kept], getattr(after, name)[:, :kept], "encode")
    return gap


def generation_is_causal(built: Built, frames: int) -> Gap:
    """What p draws at t reads no later input and no later noise."""
    gap = Gap(0.0)
    causal = built.spec.causality == "causal" and not waits_for_all(built.plan.network)
    if not causal or frames < 2 or built.spec.frames is not None:
        return gap
    values = sample_values(built, 2, frames)
    cut = frames // 2
    drawn = built.call("generate", values, batch=2, frames=frames)
    moved = built.call("generate", _changed(values, cut), batch=2, frames=frames)
    for value in built.plan.network.values:
        if value.framed and value.variable.role is not Role.INPUT:
            one, other = (getattr(result, value.name)[:, :cut] for result in (drawn, moved))
            _unmoved(gap, value.name, one, other, "generate")
    return gap


def generation_scores_itself(built: Built, frames: int) -> Gap:
    """`generate`, scored, reproduces its own parameters."""
    gap = Gap()
    values = sample_values(built, 2, frames)
    drawn = built.call("generate", values, batch=2, frames=frames)
    for name in built.values(Role.OBSERVED, Role.LATENT):
        values[name] = getattr(drawn, name)
    score = built.call("score", values)
    for head in built.plan.network.heads:
        if head.head.side == "p" and not head.auxiliary and head.head.frame in (None, 0):
            for name, field in head_fields(drawn, head).items():
                gap.close(field, head_fields(score, head)[name], f"{name} of {head.name}")
    return gap


def _changed(values: dict[str, Tensor], cut: int) -> dict[str, Tensor]:
    """Return the values with everything moved from frame `cut` + 1 on."""
    changed = {name: value.clone() for name, value in values.items()}
    for value in changed.values():
        if value.dim() == 3:
            value[:, cut:] = (value[:, cut:] + 0.37) % 1.0
    return changed


def _unmoved(gap: Gap, name: str, one: Tensor, other: Tensor, where: str) -> None:
    gap.compared += one.numel()
    if not torch.equal(one, other):
        frame = int((one != other).reshape(one.size(0), one.size(1), -1).any(-1).any(0).nonzero()[0]) + 1
        raise ViolationError(f"{where}: {name}_{frame} moves with what comes later")
