"""The module's entry points as bindings of one network: the same planner makes them all."""

from __future__ import annotations

from dataclasses import dataclass

from dvaec.derive.model import Elbo, Estimator, TermKind
from dvaec.plan.feedback import NO_FEEDBACK, elbo_fed
from dvaec.plan.first_needs import waits_for_all
from dvaec.plan.holding import with_holds
from dvaec.plan.model import Entry, HeadNode, Network, Origin, Plan, value_name
from dvaec.plan.network import build_network
from dvaec.plan.schedule import schedule
from dvaec.plan.streaming import stream
from dvaec.spec.model import Causality, Role, Spec


def plan(spec: Spec, elbo: Elbo) -> Plan:
    """Return the data flow of a developed spec and the schedule of every entry point.

    The bound's terms say what the entry point `elbo` computes: a closed-form KL reads parameters, not draws.

    Raises UnschedulableError where the developed form has a cycle without a direction of time.
    """
    network = build_network(spec)
    infer = _binding(network, Origin.Q, Origin.GIVEN)
    generate = _binding(network, Origin.P, Origin.P)
    network = with_holds(spec, network, infer, generate)
    score = _binding(network, Origin.GIVEN, Origin.GIVEN)
    drawn = tuple(v.name for v in network.values if v.variable.role is Role.LATENT)
    seen = tuple(v.name for v in spec.having(Role.OBSERVED))
    p_observed = tuple(f"p_{name}" for name in seen)
    p_latent, q_latent = (tuple(f"{side}_{name}" for name in drawn) for side in ("p", "q"))
    wanted = [
        ("elbo", infer, _in_bound(network, elbo)),
        ("encode", infer, drawn + q_latent),
        ("score", score, q_latent + p_latent + p_observed),
        ("reconstruct", infer, p_observed),
        ("generate", generate, drawn + seen + p_latent + p_observed),
    ]
    refused: dict[str, str | None] = {"forecast": no_forecast(spec, network)}
    if refused["forecast"] is None:
        known = {v.name for v in network.values if v.variable.role is Role.INPUT or not v.framed}
        mixed = {v.name: Origin.GIVEN if v.name in known else Origin.MIXED for v in network.values}
        behind = tuple(name for name, origin in mixed.items() if origin is Origin.MIXED)
        wanted.append(("forecast", mixed, behind + tuple(f"p_{name}" for name in behind)))
    if not drawn:  # a model without latents has nothing to infer
        wanted = [entry for entry in wanted if entry[0] != "encode"]
    entries = tuple(
        Entry(name, tuple(binding.items()), schedule(network, binding, outputs), outputs)
        for name, binding, outputs in wanted
    )
    fed = elbo_fed(network, _in_bound(network, elbo))
    refused["elbo_fed"] = None if fed else NO_FEEDBACK
    entries += (fed,) if fed else ()
    streamed, reasons = stream(spec, network, infer, generate)
    reasons |= {name: why for name, why in refused.items() if why}
    return Plan(network, entries, spec.frames, tuple(sorted(reasons.items())), streamed)


def no_forecast(spec: Spec, network: Network) -> str | None:
    """Return why the model cannot continue a sequence, or None."""
    if spec.causality is not Causality.CAUSAL:
        return f"generation is {spec.causality}: what stands before a frame depends on what comes after it"
    if not any(v.framed for v in spec.having(Role.OBSERVED)):
        return "no observed variable has frames to continue"
    if spec.frames is not None:
        return f"the page fixes T = {spec.frames}"
    return waits_for_all(network) or None


@dataclass(frozen=True)
class Part:
    """One output of `elbo`: the terms of one value, those of frame 1 among those of all frames."""

    value: str
    divergence: bool
    estimator: Estimator

    @property
    def field(self) -> str:
        """Its name among the fields of `elbo`."""
        return f"{'kl' if self.divergence else 'log_p'}_{self.value}"


def parts(elbo: Elbo) -> tuple[Part, ...]:
    """Return the parts of the bound in the order of its terms.

    A value whose terms are computed in two ways, one at frame 1 and another behind it, is sampled at all.
    """
    found: dict[str, Part] = {}
    for term in elbo.terms:
        name = value_name(term.target, term.p.frame)
        part = Part(name, term.kind is TermKind.DIVERGENCE, term.estimator)
        if name in found and found[name].estimator is not Estimator.ANALYTIC:
            part = found[name]
        found[name] = part
    return tuple(found.values())


def sampled(elbo: Elbo) -> list[str]:
    """Return the fields of those divergences that have no closed form: log q - log p of what was drawn."""
    return [p.field for p in parts(elbo) if p.divergence and p.estimator is not Estimator.ANALYTIC]


def _binding(network: Network, latents: Origin, observed: Origin) -> dict[str, Origin]:
    origins = {Role.LATENT: latents, Role.OBSERVED: observed, Role.INPUT: Origin.GIVEN}
    return {value.name: origins[value.variable.role] for value in network.values}


def _in_bound(network: Network, elbo: Elbo) -> tuple[str, ...]:
    wanted: list[str] = []
    for part in parts(elbo):
        prior, analytic = network.node(f"p_{part.value}"), part.estimator is Estimator.ANALYTIC
        if part.divergence:
            wanted += [f"q_{part.value}"] if analytic else [part.value, f"q_{part.value}"]
        if not (analytic and isinstance(prior, HeadNode) and prior.standard):
            wanted.append(prior.name)
    for head in (h for h in network.heads if h.auxiliary):
        wanted += [head.name, head.variable.name]
    return tuple(wanted)
