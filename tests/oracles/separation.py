"""The minimal conditioning set candidate by candidate: one question of D-separation each, asked of networkx.

The network and the chain-rule order are written out from the spec alone, node by node.
"""

from __future__ import annotations

import networkx as nx

from dvaec.spec.model import Spec
from dvaec.testing.oracles.nodes import Dot, given_to, parents_of


def graph_of(spec: Spec, frames: int) -> nx.DiGraph:
    """Return the unrolled network."""
    graph = nx.DiGraph()
    for node, parents in parents_of(spec, frames).items():
        graph.add_node(node)
        graph.add_edges_from((parent, node) for parent in parents)
    return graph


def minimal_set(
    spec: Spec, frames: int, target: Dot, upto: int | None = None, latents: bool = True
) -> set[Dot]:
    """Return the members of what is given that the target depends on, given all the others."""
    graph = graph_of(spec, frames)
    return needed(graph, target, given_to(spec, frames, target, upto, latents))


def needed(graph: nx.DiGraph, target: Dot, given: set[Dot]) -> set[Dot]:
    """Return the members of `given` that the target depends on, given all the others."""
    return {one for one in given if not nx.is_d_separator(graph, {target}, {one}, given - {one})}
