"""The closed form and the windows for every T against two independent oracles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvaec.network.separation import judge
from dvaec.network.template import Template, evidence, template_of
from dvaec.network.unrolled import Node, Unrolled, clipped, unroll
from dvaec.network.windows import Windows, stationary_windows
from dvaec.spec.model import Spec
from dvaec.testing.oracles import prime_field
from dvaec.testing.oracles.nodes import Dot
from tests.models import FOUR
from tests.oracles import separation
from tests.strategies import specs

DELAYS = (None, 0, 1, 3)


def closed_form(template: Template, network: Unrolled, target: Dot, delay: int | None) -> set[Dot]:
    """Return the minimal set of one node in the closed form."""
    name, frame = target
    found = judge(network, Node(name, frame), network.given(frame, evidence(template, name, delay)))
    return {(node.name, node.frame or 0) for node in found.minimal}


def clipped_windows(windows: Windows, frame: int, frames: int) -> set[Dot]:
    """Return the windows at one frame, cut to 1..T."""
    nodes = [node for p in windows.parents for node in clipped(p.name, p.offsets, frame, frames)]
    return {(node.name, node.frame or 0) for node in nodes}


def check(spec: Spec, frames: int, delay: int | None) -> None:
    """Compare closed form, both oracles and the clipped windows at every frame."""
    template = template_of(spec)
    network = unroll(template, frames)
    for name in spec.latents:
        windows = stationary_windows(template, name, evidence(template, name, delay))
        for frame in range(1, frames + 1):
            found = closed_form(template, network, (name, frame), delay)
            upto = None if delay is None else frame + delay
            assert found == separation.minimal_set(spec, frames, (name, frame), upto)
            assert found == prime_field.minimal_set(spec, frames, (name, frame), upto)
            assert found <= clipped_windows(windows, frame, frames)


@pytest.mark.parametrize("delay", DELAYS)
@pytest.mark.parametrize("frames", range(1, 8))
@pytest.mark.parametrize("spec", FOUR, ids=lambda spec: spec.name)
def test_four_models_at_every_frame(spec: Spec, frames: int, delay: int | None) -> None:
    check(spec, frames, delay)


@given(specs(), st.integers(1, 6), st.sampled_from(DELAYS))
def test_random_specs_at_every_frame(spec: Spec, frames: int, delay: int | None) -> None:
    check(spec, frames, delay)


@given(specs(latents=2), st.sampled_from(DELAYS))
def test_windows_hold_at_every_horizon(spec: Spec, delay: int | None) -> None:
    """For T = 1..14 the clipped windows contain the exact set at every frame, according to the closed form."""
    template = template_of(spec)
    for name in spec.latents:
        windows = stationary_windows(template, name, evidence(template, name, delay))
        for frames in range(1, 15):
            network = unroll(template, frames)
            for frame in range(1, frames + 1):
                found = closed_form(template, network, (name, frame), delay)
                assert found <= clipped_windows(windows, frame, frames)


@given(specs(), st.sampled_from(DELAYS))
def test_windows_are_exact_far_from_the_ends(spec: Spec, delay: int | None) -> None:
    """What the windows say about the frames around t is attained once the network is long enough."""
    template = template_of(spec)
    for name in spec.latents:
        windows = stationary_windows(template, name, evidence(template, name, delay))
        reach = windows.first + windows.period + template.lag + 2
        frame = 2 * reach + 1
        network = unroll(template, 4 * reach + 1)
        found = closed_form(template, network, (name, frame), delay)
        expected = clipped_windows(windows, frame, network.frames)
        assert near(found, frame, reach) == near(expected, frame, reach)


def near(dots: set[Dot], frame: int, reach: int) -> set[Dot]:
    """Return the nodes around a frame, and those of the sequence level."""
    return {(name, place) for name, place in dots if place == 0 or abs(place - frame) <= reach}


@given(specs(longest=7, latents=2, observed=1, inputs=False))
def test_the_component_repeats_as_its_windows_say(spec: Spec) -> None:
    """K of a long network lies in the eventually periodic K of the proof, and fills it far from the end."""
    template = template_of(spec)
    for name in spec.latents:
        windows = stationary_windows(template, name, evidence(template, name))
        reach = windows.first + 2 * windows.period + template.lag
        network = unroll(template, 4 * reach + 1)
        given_nodes = network.given(reach, evidence(template, name))
        found = {(n.name, n.frame or 0) for n in judge(network, Node(name, reach), given_nodes).component}
        expected = {
            (p.name, reach + d)
            for p in windows.component
            if p.offsets is not None
            for d in p.offsets.within(-reach, 3 * reach + 1)
        }
        assert found <= expected
        assert near(found, reach, reach) == near(expected, reach, reach)
