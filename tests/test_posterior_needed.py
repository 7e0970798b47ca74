"""Every offset of a printed window is needed by some frame t of some T, however far from the ends it is.

Every offset of those that are enough inside is needed by a frame that they serve.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import assume, given

from dvaec.derive.posterior import exact_posterior
from dvaec.emit.words import proof_words
from dvaec.network.finite import Finite
from dvaec.network.template import evidence, singles, template_of
from dvaec.network.unrolled import Node
from dvaec.spec.model import Conditional, InferenceKind, Spec
from dvaec.spec.read import read_text
from dvaec.testing.strategies.conditionals import general_specs

SHORT, LONG = range(1, 13), (24, 25, 26)
NEAR = 6  # offsets that are looked at: what is farther needs longer sequences
PAGES = Path(__file__).parent / "regressions"
TIGHT = (
    "counted_from_last_backward",
    "first_frame_by_its_number_alone",
    "last_frame_behind_a_gap",
    "last_frame_by_its_number_alone",
    "windows_by_the_parity_of_t",
)


INSIDE, INSIDE_OF = (8, 7), range(27, 31)  # the first t, how many are left out at the end, and T


def idle(spec: Spec, conditional: Conditional, served: tuple[int, int], lengths: Iterable[int]) -> set[str]:
    """Return the near offsets, and absolute frames, that no frame t of these lengths needs."""
    template, name = template_of(spec), conditional.target
    given, absolute = evidence(template, name), singles(template, name, None)
    left = {(p.name, p.frame): p.offsets for p in conditional.parents if p.name not in template.static}
    waiting = {
        (parent, frame, d)
        for (parent, frame), window in left.items()
        for d in ((0,) if window is None else window.within(-NEAR, NEAR))
    }
    for frames in lengths:
        network = Finite(template, frames)
        for t in range(served[0], frames + 1 - served[1]):
            sets = network.minimal(Node(name, t), given, absolute)
            for parent, frame, d in tuple(waiting):
                at = t + d if frame is None else frames if frame < 0 else frame
                if 0 <= at <= frames and sets[parent] >> at & 1:
                    waiting.discard((parent, frame, d))
    return {f"{parent}_{'t' if frame is None else frame}{d:+d}" for parent, frame, d in waiting}


def all_needed(spec: Spec) -> None:
    """Look at the factors of every frame t."""
    posterior = exact_posterior(spec)
    for factor in posterior.factors:
        one = factor.conditional
        if one.frame is None and spec.variable(one.target).framed:
            served = posterior.served_by(one.target)
            assert not idle(spec, one, served, SHORT) or not idle(spec, one, served, (*SHORT, *LONG))
            enough, frames = one, INSIDE
            if (inside := factor.interior) is not None:
                enough, frames = inside.conditional, (inside.first, inside.left)
            assert not idle(spec, enough, frames, INSIDE_OF)


@given(general_specs(kinds=(InferenceKind.EXACT,), latents=2))
def test_no_window_holds_what_no_frame_needs(spec: Spec) -> None:
    assume(spec.frames is None)
    all_needed(spec)


@pytest.mark.parametrize("name", TIGHT)
def test_no_window_of_these_pages_does(name: str) -> None:
    spec, _ = read_text((PAGES / f"{name}.yaml").read_text(), name)
    all_needed(spec)


def test_what_is_enough_inside_is_said() -> None:
    page = "needed_near_the_last_frame_alone"
    spec, _ = read_text((PAGES / f"{page}.yaml").read_text(), page)
    factors = {f.conditional.target: f for f in exact_posterior(spec).factors if f.conditional.frame is None}
    enough = "; for t = 1 to T-4, a_t | x_<1:t-2:3>, x_t, z_t, u_<1:t-2:3> is enough"
    assert proof_words(factors["a"], spec.zero).endswith(enough)


@pytest.mark.parametrize("page", ["enough_inside_beside_frame_0", "enough_inside_beside_frames_1_and_t"])
def test_what_is_enough_inside_is_said_of_every_t(page: str) -> None:
    spec, _ = read_text((PAGES / f"{page}.yaml").read_text(), page)
    said = [(f.conditional.target, f.conditional.frame) for f in exact_posterior(spec).factors if f.interior]
    assert said == [("z", None), ("a", None)]
