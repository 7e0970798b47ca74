"""p's own outputs in the place of the data that it reads: `elbo_fed`, generation mode and its mixtures (4.4).

The latents are those that q draws from the data, as `encode` does: an evaluation of the same network apart.
Were q to read what p makes, q(z_t | x_{1:T}) would wait for outputs at t and behind it, which wait for z_t.
So here the latents are given, and what p reads of the observed frames is bound to p itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from dvaec.plan.dependences import dependences
from dvaec.plan.model import Entry, HeadNode, Network, Origin
from dvaec.plan.schedule import needed_by, schedule
from dvaec.spec.model import Role

NO_FEEDBACK = "p reads no observed frame, so nothing that it makes comes back: elbo is the same in both modes"


def elbo_fed(network: Network, in_bound: Sequence[str]) -> Entry | None:
    """Return the entry point, None where p reads no observed frame; `in_bound` is what `elbo` computes.

    It has a schedule wherever `generate` has one, which waits for the latents besides. Auxiliary predictions
    speak of q's states, and are made from the data before.
    """
    heads = [head for head in network.heads if head.head.side == "p" and not head.auxiliary]
    outputs = tuple(
        head.name for head in heads if head.name in in_bound or head.variable.role is Role.OBSERVED
    )
    given = {value.name: Origin.GIVEN for value in network.values}
    seen = [v.name for v in network.values if v.framed and v.variable.role is Role.OBSERVED]
    needed = needed_by(dependences(network, given | dict.fromkeys(seen, Origin.FED)), outputs)
    fed = [name for name in seen if name in needed]
    if not fed:
        return None
    binding = given | dict.fromkeys(fed, Origin.FED)
    steps = schedule(network, binding, outputs)
    return Entry("elbo_fed", tuple(binding.items()), steps, outputs, _predictions(network, given))


def _predictions(network: Network, given: dict[str, Origin]) -> Entry | None:
    """The auxiliary predictions with the states that they are of, from the data and q's draws."""
    heads = [node for node in network.nodes if isinstance(node, HeadNode) and node.auxiliary]
    outputs = tuple(name for head in heads for name in (head.name, head.variable.name))
    if not outputs:
        return None
    return Entry("elbo_fed", tuple(given.items()), schedule(network, given, outputs), outputs)
