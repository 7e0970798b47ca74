"""Judgements carry their reasons: active trails that are active, blockers that block."""

from __future__ import annotations

from itertools import pairwise

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvaec.network.separation import Judgement, Trail, judge
from dvaec.network.template import evidence, template_of
from dvaec.network.unrolled import MOST_NODES, Node, TooLargeError, Unrolled, unroll
from dvaec.spec.model import Role, Spec, Variable
from dvaec.spec.offsets import NOW, of
from tests.models import DKF, STORN, VRNN, U, X, Z, line, page
from tests.strategies import specs


def judged(spec: Spec, frames: int, frame: int, name: str = "z") -> Judgement:
    """Judge one latent of an unrolled spec."""
    template = template_of(spec)
    network = unroll(template, frames)
    return judge(network, Node(name, frame), network.given(frame, evidence(template, name)))


def active(network: Unrolled, trail: Trail, given_nodes: frozenset[Node]) -> bool:
    """Check a trail by the definition of D-separation, arrow by arrow."""
    if any(step.tail not in network.parents[step.head] for step in trail.steps):
        return False
    opened = {o.collider: o.descent for o in trail.opened}
    for before, after in pairwise(trail.steps):
        if before.end != after.start:
            return False
        if not before.against and after.against:
            way = opened[before.end]
            down = all(a in network.parents[b] for a, b in pairwise(way))
            if way[0] != before.end or way[-1] not in given_nodes or not down:
                return False
        elif before.end in given_nodes:
            return False
    return True


def skeleton(network: Unrolled) -> nx.Graph:
    """Return the network without directions."""
    graph = nx.Graph()
    graph.add_nodes_from(network.parents)
    graph.add_edges_from((p, child) for child, parents in network.parents.items() for p in parents)
    return graph


@given(specs(latents=2), st.integers(2, 5), st.data())
def test_every_judgement_has_its_reason(spec: Spec, frames: int, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(spec.latents))
    judgement = judged(spec, frames, data.draw(st.integers(1, frames)), name)
    graph = skeleton(judgement.network)
    for node in judgement.network.parents:
        if node in judgement:
            trail = judgement.witness(node)
            assert trail.steps[0].start == judgement.target
            assert trail.steps[-1].end == node
            assert active(judgement.network, trail, judgement.evidence - {node})
        elif node in judgement.evidence:
            blocking = [b.node for b in judgement.blockers(node)]
            assert node not in blocking
            assert judgement.target not in blocking
            rest = graph.copy()
            rest.remove_nodes_from(blocking)
            assert not nx.has_path(rest, judgement.target, node)
            assert bool(blocking) == nx.has_path(graph, judgement.target, node)


def test_the_future_is_reached_through_the_chain() -> None:
    trail = judged(DKF, 5, 2).witness(Node("x", 4))
    assert [str(step.start) for step in trail.steps] == ["z_2", "z_3", "z_4"]
    assert not trail.opened


def test_an_observed_collider_is_named() -> None:
    trail = judged(STORN, 4, 3).witness(Node("z", 1))
    assert [str(opened.collider) for opened in trail.opened] == ["x_3"]
    assert trail.opened[0].descent == (Node("x", 3),)


def test_a_collider_is_opened_by_its_descendant() -> None:
    trail = judged(DKF, 4, 2).witness(Node("u", 3))
    assert [tuple(map(str, o.descent)) for o in trail.opened] == [("z_3", "x_3")]


def test_the_markov_chain_blocks_the_past() -> None:
    (blocker,) = judged(DKF, 4, 3).blockers(Node("x", 2))
    assert (str(blocker.node), blocker.collider) == ("z_2", False)


def test_a_closed_collider_blocks() -> None:
    """z and u meet in a, which is observed two frames later: not at the last frames."""
    spec = page(
        line("z"),
        line("a", z=NOW, u=NOW),
        line("x", z=NOW, a=of(-2)),
        variables=(X, Z, Variable("a", Role.LATENT, 1), U),
        order=("z", "a"),
    )
    (blocker,) = judged(spec, 4, 3).blockers(Node("u", 3))
    assert (str(blocker.node), blocker.collider) == ("a_3", True)
    assert Node("u", 2) in judged(spec, 4, 2)


def test_only_members_have_a_witness() -> None:
    with pytest.raises(KeyError, match="no active trail"):
        judged(DKF, 4, 3).witness(Node("x", 1))


def test_a_network_has_a_size_bound() -> None:
    template = template_of(VRNN)
    with pytest.raises(TooLargeError, match="smaller number"):
        unroll(template, 3000)
    with pytest.raises(TooLargeError, match="smaller number"):
        unroll(template, MOST_NODES)
    with pytest.raises(ValueError, match="at least one frame"):
        unroll(template, 0)
