"""The module's entry points as bindings of one network: the same planner makes them all."""

from __future__ import annotations

from dvaec.plan.model import Entry, Network, Origin, Plan
from dvaec.plan.network import build_network
from dvaec.plan.schedule import schedule
from dvaec.spec.model import Role, Side, Spec


def plan(spec: Spec) -> Plan:
    """Return the data flow of a developed spec and the schedule of every entry point.

    Raises Unschedulable where the developed form has a cycle without a direction of time.
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
    wanted = (
        ("elbo", infer, drawn + q_latent + p_latent + p_observed),
        ("encode", infer, drawn + q_latent),
        ("score", score, q_latent + p_latent + p_observed),
        ("reconstruct", infer, p_observed),
        ("generate", generate, drawn + seen + p_latent + p_observed),
    )
    entries = tuple(
        Entry(name, tuple(binding.items()), schedule(network, binding, outputs), outputs)
        for name, binding, outputs in wanted
    )
    return Plan(network, entries)


def _binding(network: Network, latents: Origin, observed: Origin) -> dict[str, Origin]:
    origins = {Role.LATENT: latents, Role.OBSERVED: observed, Role.INPUT: Origin.GIVEN}
    return {value.name: origins[value.variable.role] for value in network.values}


def sides(spec: Spec) -> tuple[tuple[Side, str], ...]:
    """Return every conditional of p, then of q."""
    latents = tuple(v.name for v in spec.having(Role.LATENT))
    observed = tuple(v.name for v in spec.having(Role.OBSERVED))
    return tuple((Side.P, n) for n in latents + observed) + tuple((Side.Q, n) for n in latents)
