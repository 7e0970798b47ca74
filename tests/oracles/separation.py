"""The minimal conditioning set candidate by candidate: one question of D-separation each, asked of networkx."""

from __future__ import annotations

import networkx as nx

from dvaec.spec.model import Conditional, Role, Spec

Dot = tuple[str, int]  # a variable at a frame; frame 0 stands for the sequence level


def dots(conditional: Conditional, frame: int, frames: int) -> list[Dot]:
    """Return the parents of one frame as nodes, those outside 1..T left out."""
    found: list[Dot] = []
    for parent in conditional.parents:
        if parent.offsets is None:
            found.append((parent.name, 0))
        else:
            found += [(parent.name, s) for s in range(1, frames + 1) if s - frame in parent.offsets]
    return found


def graph_of(spec: Spec, frames: int) -> nx.DiGraph:
    """Return the unrolled network."""
    graph = nx.DiGraph()
    for variable in spec.variables:
        graph.add_nodes_from((variable.name, s) for s in (range(1, frames + 1) if variable.framed else [0]))
    for conditional in spec.generation:
        for frame in range(1, frames + 1):
            for parent in dots(conditional, frame, frames):
                graph.add_edge(parent, (conditional.target, frame))
    return graph


def chain(spec: Spec, frames: int) -> list[Dot]:
    """Return all latents in the chain-rule order."""
    return [(name, frame) for frame in range(1, frames + 1) for name in spec.latents]


def always_given(spec: Spec, frames: int, upto: int | None = None) -> set[Dot]:
    """Return the observed variables and the inputs, those after frame `upto` left out."""
    last = frames if upto is None else min(upto, frames)
    found: set[Dot] = set()
    for variable in spec.variables:
        if variable.role is not Role.LATENT:
            places = range(1, last + 1) if variable.framed else range(1)
            found |= {(variable.name, place) for place in places}
    return found


def minimal_set(spec: Spec, frames: int, target: Dot, upto: int | None = None) -> set[Dot]:
    """Return the members of what is given that the target depends on, given all the others."""
    graph = graph_of(spec, frames)
    latents = chain(spec, frames)
    given = always_given(spec, frames, upto) | set(latents[: latents.index(target)])
    return {one for one in given if not nx.is_d_separator(graph, {target}, {one}, given - {one})}
