"""The whole language against the oracles: sweeps, sequence level, numbered frames, any causality, all words."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import assume, given
from hypothesis import strategies as st

from dvaec.derive.beyond import beyond
from dvaec.derive.chain import chain, chain_of_q
from dvaec.derive.compare import redundant
from dvaec.derive.derivation import derive
from dvaec.derive.given import windows_given
from dvaec.derive.horizon import posterior_at
from dvaec.network.finite import Finite
from dvaec.network.separation import judge
from dvaec.network.template import evidence, template_of
from dvaec.network.unrolled import Node, unroll
from dvaec.network.windows import stationary_windows
from dvaec.spec.model import LAST, Conditional, InferenceKind, Spec
from dvaec.testing.derived import derived
from dvaec.testing.oracles import nodes, prime_field
from dvaec.testing.oracles.nodes import Dot, dots, given_to
from dvaec.testing.strategies.conditionals import general_specs
from tests.oracles import separation

WORDS: tuple[tuple[int | None, bool], ...] = ((None, True), (0, True), (1, True), (3, True), (None, False))
"""Evidence: all; up to t + delay; no latents."""


def framed(spec: Spec, dot: Dot) -> int | None:
    """Return the frame of a node, None at sequence level."""
    return dot[1] if spec.variable(dot[0]).framed else None


def upto(dot: Dot, delay: int | None) -> int | None:
    """Return the last frame that a delay lets a latent see."""
    return None if delay is None else dot[1] + delay


def as_dots(nodes: Iterable[Node]) -> set[Dot]:
    """Return nodes as the oracles write them."""
    return {(node.name, node.frame or 0) for node in nodes}


def of_factor(spec: Spec, conditional: Conditional, frames: int) -> list[Dot]:
    """Return the nodes that one factor serves."""
    name = conditional.target
    if not spec.variable(name).framed:
        return [(name, 0)]
    first, left = derived(spec).posterior.served_by(name)
    if conditional.frame == LAST:
        return [(name, frames)] if frames >= first else []
    if conditional.frame is not None:
        return [(name, conditional.frame)]
    return [(name, frame) for frame in range(first, frames + 1 - left)]


def plain(spec: Spec) -> bool:
    """Whether nothing stands at the ends of the sequence: neither numbered lines nor absolute reads."""
    return not spec.numbered and all(p.frame is None for c in spec.generation for p in c.parents)


def length(spec: Spec, frames: int) -> int:
    """Return T: the page's own, if it fixes it."""
    return frames if spec.frames is None else spec.frames


@given(general_specs(), st.integers(1, 4), st.sampled_from(WORDS))
def test_the_closed_form_at_every_node(spec: Spec, frames: int, word: tuple[int | None, bool]) -> None:
    """Node by node and by bits, the minimal set is that of both oracles."""
    frames = length(spec, frames)
    delay, latents = word
    template = template_of(spec)
    network, bits = unroll(template, frames), Finite(template, frames)
    for dot in nodes.chain(spec, frames):
        frame = framed(spec, dot)
        seen = delay if frame is not None else None
        windows = evidence(template, dot[0], seen, latents, frame)
        node = Node(dot[0], frame)
        found = as_dots(judge(network, node, network.given(frame, windows)).minimal)
        limit = upto(dot, seen)
        assert found == separation.minimal_set(spec, frames, dot, limit, latents)
        assert found == prime_field.minimal_set(spec, frames, dot, limit, latents)
        assert found == as_dots(bits.nodes(bits.minimal(node, windows)))


@given(general_specs(), st.integers(1, 5))
def test_the_horizon_is_the_true_minimum(spec: Spec, frames: int) -> None:
    frames = length(spec, frames)
    found = posterior_at(spec, frames)
    assert len(found) == len(nodes.chain(spec, frames))
    for dot in nodes.chain(spec, frames):
        frame = framed(spec, dot)
        expected = sorted(prime_field.minimal_set(spec, frames, dot))
        names = [str(Node(name, framed(spec, (name, place)))) for name, place in expected]
        assert found[str(Node(dot[0], frame))] == names


@given(general_specs(), st.integers(1, 8))
def test_every_factor_holds_at_every_frame(spec: Spec, frames: int) -> None:
    """The exact posterior's factors read, of what comes before them, at least the minimum."""
    frames = length(spec, frames)
    for factor in derive(spec).posterior.factors:
        conditional = factor.conditional
        for dot in of_factor(spec, conditional, frames):
            read = set(dots(spec, conditional.parents, framed(spec, dot), frames))
            assert prime_field.minimal_set(spec, frames, dot) <= read


@given(general_specs(kinds=(InferenceKind.FILTERING, InferenceKind.LOOKAHEAD, InferenceKind.MEAN_FIELD)))
def test_words_restrict_the_evidence(spec: Spec) -> None:
    """Filtering, look-ahead and mean field: sound at every frame, and nothing beyond what they may see."""
    frames = length(spec, 5)
    delay = None if spec.inference.kind is InferenceKind.MEAN_FIELD else spec.inference.delay
    own = {(c.target, c.frame) for c in (*spec.inference.conditionals, *spec.inference.numbered)}
    for q in derive(spec).inference:
        if (q.target, q.frame) in own:
            assert q in (*spec.inference.conditionals, *spec.inference.numbered)
            continue
        for dot in of_factor(spec, q, frames):
            frame = framed(spec, dot)
            limit = upto(dot, delay if frame is not None else None)
            latents = spec.inference.kind is not InferenceKind.MEAN_FIELD
            allowed = given_to(spec, frames, dot, limit, latents)
            read = set(dots(spec, q.parents, frame, frames))
            assert separation.minimal_set(spec, frames, dot, limit, latents) <= read
            relative = set(dots(spec, [p for p in q.parents if p.frame is None], frame, frames))
            assert q.frame is not None or frame is None or relative <= allowed


@given(general_specs(longest=4), st.sampled_from(WORDS))
def test_windows_are_exact_far_from_the_ends(spec: Spec, word: tuple[int | None, bool]) -> None:
    """Where nothing stands at the ends, each member of the windows is attained in a long network."""
    assume(plain(spec) and spec.frames is None)
    template = template_of(spec)
    delay, latents = word
    for name in template.latents:
        if name in template.static:
            continue
        windows = evidence(template, name, delay, latents)
        found = stationary_windows(template, name, windows)
        reach = found.searched // 2
        frame, frames = 4 * reach + 1, 8 * reach + 1
        bits = Finite(template, frames)
        exact = bits.minimal(Node(name, frame), windows)
        read = bits.places(found.parents, frame)
        near = ((1 << (2 * reach + 1)) - 1) << (frame - reach)
        for variable in template.names:
            shown = -1 if variable in template.static else near
            assert exact[variable] & shown == read[variable] & shown


@given(general_specs(), st.integers(1, 3))
def test_the_chain_rule_has_one_factor_for_every_latent_node(spec: Spec, frames: int) -> None:
    frames = length(spec, frames)
    derivation = derive(spec)
    keys = [(f.conditional.target, f.conditional.frame) for f in derivation.posterior.factors]
    assert keys == list(chain(spec))
    assert [(q.target, q.frame) for q in derivation.inference] == list(chain_of_q(spec, keys))
    assert keys == [(c.target, c.frame) for c in derivation.comparisons]
    served = [dot for f in derivation.posterior.factors for dot in of_factor(spec, f.conditional, frames)]
    assert len(served) == len(set(served))
    assert set(nodes.chain(spec, frames)) <= set(served)


@given(general_specs(kinds=(InferenceKind.CONDITIONALS,)), st.integers(2, 5))
def test_redundant_links_tell_nothing_at_any_frame(spec: Spec, frames: int) -> None:
    """Each redundant link is D-separated from its target by the rest, at every frame of every T."""
    frames = length(spec, frames)
    graph = separation.graph_of(spec, frames)
    comparisons = {(c.target, c.frame): c for c in derive(spec).comparisons}
    for q in derive(spec).inference:
        comparison = comparisons[q.target, q.frame]
        kept = beyond(q, Conditional(q.target, comparison.redundant, q.frame), spec.zero)
        for dot in of_factor(spec, q, frames):
            frame = framed(spec, dot)
            read = set(dots(spec, q.parents, frame, frames)) - {dot}
            idle = set(dots(spec, comparison.redundant, frame, frames)) - {dot}
            assert idle <= read
            idle -= set(dots(spec, kept, frame, frames))  # z_1 may be z_{t-1}, which is read, too
            assert not idle & separation.needed(graph, dot, read)


@given(general_specs(kinds=(InferenceKind.CONDITIONALS,), numbered=False))
def test_all_redundant_links_are_found_far_from_the_ends(spec: Spec) -> None:
    assume(plain(spec) and spec.frames is None)
    template = template_of(spec)
    for q in spec.inference.conditionals:
        if q.target in template.static:
            continue
        idle = redundant(spec, q)
        frame, frames = 60, 119
        network = unroll(template, frames)
        read = frozenset(network.reads(q, frame))
        minimal = set(judge(network, Node(q.target, frame), read).minimal)
        expected = {n for n in read - minimal if n.frame is None or abs(n.frame - frame) <= 6}
        found = set(network.reads(Conditional(q.target, idle), frame))
        assert {n for n in found if n.frame is None or abs(n.frame - frame) <= 6} == expected


@given(general_specs())
def test_factors_without_a_frame_are_tight_where_they_can_say_so(spec: Spec) -> None:
    """Of what has no frame t: a name that is not read is not needed, and one frame is read only if it is."""
    template = template_of(spec)
    frames = length(spec, 9)
    bits = Finite(template, frames)
    for name, frame in chain(spec):
        if frame is None and name not in template.static:
            continue
        given_there = evidence(template, name, frame=frame)
        found = windows_given(spec, template, (name, frame), given_there)
        at = frames if frame == LAST else frame
        exact, read = bits.minimal(Node(name, at), given_there), bits.places(found.parents, at)
        for variable in template.names:
            assert not exact[variable] & ~read[variable]
            if spec.frames is None and plain(spec):
                assert bool(exact[variable]) == bool(read[variable])


@given(general_specs())
def test_factors_of_frames_0_and_1_are_exact_in_long_sequences(spec: Spec) -> None:
    """They count frames, and so can say what is needed; single reads of frame T aside."""
    assume(spec.frames is None)
    template, frames = template_of(spec), 40
    assume(not any(p.frame == LAST for c in (*spec.generation, *spec.numbered) for p in c.parents))
    assume(not any(c.frame == LAST for c in spec.numbered))
    for name in (n for n in spec.latents if n not in template.static):
        for frame in (0, 1)[1 - (name in template.zero) :]:
            given_there = evidence(template, name, frame=frame)
            found = windows_given(spec, template, (name, frame), given_there)
            bits = Finite(template, frames)
            exact, read = bits.minimal(Node(name, frame), given_there), bits.places(found.parents, frame)
            near = (1 << frames // 2) - 1  # what is left out there has its reasons near frame T
            assert {n: places & near for n, places in exact.items()} == {n: p & near for n, p in read.items()}
            assert not any(exact[n] & ~read[n] for n in exact)
