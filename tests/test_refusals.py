"""What a model cannot do: each refusal is one short reason."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from dvaec.derive.derivation import derive
from dvaec.derive.elbo import elbo_terms
from dvaec.plan.aligning import UnschedulableError, aligned
from dvaec.plan.develop import develop
from dvaec.plan.entries import plan
from dvaec.plan.model import Dependence, Plan
from dvaec.spec.model import Spec
from dvaec.spec.read import read_spec
from tests.shipped import SHIPPED, shipped

REGRESSIONS = Path(__file__).parent / "regressions"


def planned(spec: Spec) -> Plan:
    derivation = derive(spec)
    return plan(develop(spec, derivation.inference), elbo_terms(spec, derivation.inference))


@pytest.mark.parametrize("name", [*SHIPPED, *(path.stem for path in sorted(REGRESSIONS.glob("*.yaml")))])
def test_what_a_model_cannot_do_has_one_short_reason(name: str) -> None:
    for entry, why in planned(page_of(name)).refused:
        assert len(why) < 160, entry
        assert why.count("<-") <= 1, entry


def page_of(name: str) -> Spec:
    return shipped(name) if name in SHIPPED else read_spec(REGRESSIONS / f"{name}.yaml")[0]


def refusal(name: str, entry: str = "step") -> str:
    return dict(planned(page_of(name)).refused)[entry]


def test_a_stream_is_refused_by_what_runs_backward_and_what_waits_for_it() -> None:
    assert refusal("srnn") == "q(z_t) waits for g, which runs backward from frame T (g_t <- g_<t+1>)"
    assert refusal("two_sweeps_two_ways") == "q draws a backward from frame T (q(a_t) <- a_<t+1>)"
    assert refusal("read_behind_its_frame").startswith("q(z_t) waits for f, e and b, which run backward from")
    assert refusal("label_at_the_end") == "q draws v from the whole sequence"
    assert refusal("first_frame_observed").startswith("q(z_1) waits for yfuture, which runs backward from")
    assert refusal("frame_0_after_frame_1") == "q draws a_0 from the whole sequence"
    assert refusal("label_at_the_end", "forecast") == (
        "y is generated from the frames of z: more of them make another"
    )


def test_one_link_for_each_direction_stands_for_all_that_have_no_schedule() -> None:
    nodes = ("a", "b", "c", "d", "e", "q_a")
    ring = [Dependence(one, other, 0) for one, other in pairwise((*nodes[:5], "a"))]
    with pytest.raises(UnschedulableError) as raised:
        aligned(nodes, (*ring, Dependence("b", "a", -1), Dependence("c", "a", 2), Dependence("a", "q_a", 0)))
    assert raised.value.message == (
        "a_t, b_t, c_t and 2 more wait for each other in no one direction of time: "
        "b_t <- a_<t-1>, c_t <- a_<t+2> and 5 links more"
    )


def test_a_stream_does_not_know_its_last_frame_before_it_is_there() -> None:
    said = "q(z_1) reads x at frame T, which a stream does not know"
    assert refusal("windows_by_the_parity_of_t") == said
    assert refusal("last_frame_beside_a_first").startswith("q(z_1) waits for xfuture, which runs backward")
    assert ("imagine" in dict(planned(page_of("last_frame_beside_a_first")).refused)) is False
    assert refusal("last_frame_in_a_loop", "forecast").startswith("generation is anticausal")
