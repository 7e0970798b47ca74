"""q's that keep no order of sweeps: what they lack of the exact posterior, and their passes."""

from __future__ import annotations

import networkx as nx
from hypothesis import HealthCheck, assume, given, settings

from dvaec.compiler import run_text
from dvaec.derive.inexact import examples, examples_at, nodes_in_words
from dvaec.emit.diagram_set import all_sources
from dvaec.plan.model import Passes
from dvaec.spec.model import Role, Side, Spec
from dvaec.spec.read import read_text
from dvaec.testing.built import Built, build
from dvaec.testing.oracles.nodes import Dot, parents_of
from dvaec.testing.sites import reads, sites
from dvaec.testing.strategies.unswept import unswept_specs

PAGE = """dvaec: 1
model: M
variables:
  x: {role: observed, dim: 2}
  a: {role: latent, dim: 2}
generation: [%s, "x_t | a_t"]
inference: [%s]
"""


def of_page(generation: str, inference: str) -> Spec:
    return read_text(PAGE % (generation, inference), "page.yaml")[0]


def passes_of(spec: Spec) -> list[int]:
    steps = build(spec).plan.entry("encode").steps
    return [step.times for step in steps if isinstance(step, Passes)]


@settings(max_examples=max(10, settings().max_examples // 2), suppress_health_check=list(HealthCheck))
@given(unswept_specs())
def test_what_a_q_without_an_order_lacks_is_what_d_separation_says(spec: Spec) -> None:
    assume(not spec.swept)
    known = build(spec)
    for frames in (1, 2, 5):
        found = examples_at(known.spec, known.derivation.inference, frames).values()
        assert any(one.golden for one in found) is by_separation(
            known, frames
        )  # which lines lack it, the order tells


def by_separation(known: Built, frames: int) -> bool:
    """Whether what a line reads does not separate some latent from all else that is drawn before it."""
    spec = known.spec
    network = nx.DiGraph(
        (parent, child) for child, some in parents_of(spec, frames).items() for parent in some
    )
    network.add_nodes_from(parents_of(spec, frames))
    latents = {v.name for v in spec.having(Role.LATENT)}
    read: dict[Dot, set[Dot]] = {}
    for site in (site for site in sites(known, frames) if site.side is Side.Q):
        dot = site.target, site.frame or 0
        read[dot] = {(name, frame or 0) for name, frame in reads(known, site, frames)}
    drawn = nx.DiGraph((one, dot) for dot, some in read.items() for one in some if one[0] in latents)
    drawn.add_nodes_from(read)
    before = {dot for dot in network if dot[0] not in latents}
    for dot in nx.topological_sort(drawn):
        rest = before - read[dot]
        if rest and not nx.is_d_separator(network, {dot}, rest, read[dot]):
            return True
        before.add(dot)
    return False


def test_a_q_without_an_order_may_be_the_exact_posterior() -> None:
    spec = of_page('"a_t"', '"a_t | x_t, a_<t-2>", "a_1 | x_1, a_2"')
    assert not spec.swept
    assert not any(one.golden for one in examples(spec, build(spec).derivation.inference).values())
    found = examples(spec, build(of_page('"a_t"', '"a_t | a_<t-2>", "a_1 | x_1, a_2"')).derivation.inference)
    said = [(key, str(e.reader), *map(nodes_in_words, (e.golden, e.silver))) for key, e in found.items()]
    assert said == [(("a", None), "a_4", "x_4", "a_2"), (("a", 1), "a_1", "", "a_2")]


def test_as_many_passes_as_single_frames_wait_and_one_more() -> None:
    assert passes_of(of_page('"a_t | a_<t-1>"', '"a_t | a_<t-2>", "a_1 | x_1, a_2"')) == [2]
    both = '"a_t | a_<t-2>", "a_1 | x_1, a_4", "a_T | a_<T-2>, x_T"'
    assert passes_of(of_page('"a_t | a_<t-1>"', both)) == [2]
    assert not passes_of(of_page('"a_t | a_<t-1>"', '"a_t | a_<t-2>, x_t"'))


def test_a_picture_of_a_q_without_an_order_says_nothing_of_the_posterior() -> None:
    known = run_text(PAGE % ('"a_t | a_<t-1>"', '"a_t | a_<t-2>", "a_1 | x_1, a_2"'), "page.yaml")
    assert known.derivation is not None
    pictures = all_sources(known.spec, known.derivation)
    assert pictures
    assert not any("what the exact posterior sees" in picture for picture in pictures.values())
