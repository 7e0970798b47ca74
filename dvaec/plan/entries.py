"""The module's entry points as bindings of one network: the same planner makes them all."""

from __future__ import annotations

from dvaec.derive.model import Elbo, Estimator, TermKind
from dvaec.plan.model import Entry, HeadNode, Network, Origin, Plan
from dvaec.plan.network import build_network
from dvaec.plan.schedule import schedule
from dvaec.spec.model import Role, Spec


def plan(spec: Spec, elbo: Elbo) -> Plan:
    """Return the data flow of a developed spec and the schedule of every entry point.

    The bound's terms say what the entry point `elbo` computes: a closed-form KL reads parameters, not draws.

    Raises UnschedulableError where the developed form has a cycle without a direction of time.
    """
    network = build_network(spec)
    infer = _binding(network, Origin.Q, Origin.GIVEN)
    score = _binding(network, Origin.GIVEN, Origin.GIVEN)
    generate = _binding(network, Origin.P, Origin.P)
    p_observed = tuple(f"p_{v.name}" for v in spec.having(Role.OBSERVED))
    p_latent = tuple(f"p_{v.name}" for v in spec.having(Role.LATENT))
    q_latent = tuple(f"q_{v.name}" for v in spec.having(Role.LATENT))
    drawn = tuple(v.name for v in spec.having(Role.LATENT))
    seen = tuple(v.name for v in spec.having(Role.OBSERVED))
    wanted = [
        ("elbo", infer, _in_bound(network, elbo)),
        ("encode", infer, drawn + q_latent),
        ("score", score, q_latent + p_latent + p_observed),
        ("reconstruct", infer, p_observed),
        ("generate", generate, drawn + seen + p_latent + p_observed),
    ]
    if not drawn:  # a model without latents has nothing to infer
        wanted = [entry for entry in wanted if entry[0] != "encode"]
    entries = tuple(
        Entry(name, tuple(binding.items()), schedule(network, binding, outputs), outputs)
        for name, binding, outputs in wanted
    )
    return Plan(network, entries)


def _binding(network: Network, latents: Origin, observed: Origin) -> dict[str, Origin]:
    origins = {Role.LATENT: latents, Role.OBSERVED: observed, Role.INPUT: Origin.GIVEN}
    return {value.name: origins[value.variable.role] for value in network.values}


def _in_bound(network: Network, elbo: Elbo) -> tuple[str, ...]:
    wanted: list[str] = []
    for term in elbo.terms:
        prior = network.node(f"p_{term.target}")
        analytic = term.kind is TermKind.DIVERGENCE and term.estimator is Estimator.ANALYTIC
        if term.kind is TermKind.DIVERGENCE:
            wanted += [f"q_{term.target}"] if analytic else [term.target, f"q_{term.target}"]
        if not (analytic and isinstance(prior, HeadNode) and prior.standard):
            wanted.append(prior.name)
    return tuple(wanted)
