"""The schedules: what is batched, one library call or in a loop; and that every read is made before it is read."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import networkx as nx
import pytest
from hypothesis import given

from dvaec.cli.stages import plan_of
from dvaec.compiler import run_text
from dvaec.derive.derivation import derive
from dvaec.derive.elbo import elbo_terms
from dvaec.network.ends import ends
from dvaec.network.unfold import unfold
from dvaec.plan.aligning import UnschedulableError
from dvaec.plan.dependences import dependences
from dvaec.plan.develop import develop
from dvaec.plan.entries import plan
from dvaec.plan.model import (
    Batched,
    Dependence,
    FirstFrame,
    HeadNode,
    HoldNode,
    Loop,
    Network,
    Origin,
    Passes,
    Plan,
    StateNode,
    Step,
    ValueNode,
    WholeSequence,
    nodes_of,
)
from dvaec.spec.model import Attention, Block, Dense, Direction, Parent, Side, Spec, reads_of
from dvaec.spec.offsets import of
from dvaec.spec.read import read_spec, read_text
from tests.developed_strategies import developed_specs
from tests.shipped import shipped
from tests.strategies import specs

REGRESSIONS = Path(__file__).parent / "regressions"
FRAMES = 7


def planned(spec: Spec) -> Plan:
    derivation = derive(spec)
    return plan(develop(spec, derivation.inference), elbo_terms(spec, derivation.inference))


def steps(spec: Spec, entry: str) -> dict[str, Step]:
    """The step that makes each node."""
    made: dict[str, Step] = {}
    for step in planned(spec).entry(entry).steps:
        made.update(dict.fromkeys(nodes_of(step), step))
    return made


def loops(spec: Spec, entry: str) -> list[tuple[str, ...]]:
    return [step.nodes for step in planned(spec).entry(entry).steps if isinstance(step, Loop)]


def test_srnn_has_one_call_a_state_a_batched_decoder_and_only_z_in_the_loop() -> None:
    made = steps(shipped("srnn"), "elbo")
    for state, direction in (("h", Direction.FORWARD), ("g", Direction.BACKWARD)):
        step = made[state]
        assert isinstance(step, WholeSequence)
        assert step.direction is direction
    assert isinstance(made["p_x"], Batched)
    assert isinstance(made["p_z"], Batched)
    assert loops(shipped("srnn"), "elbo") == [("q_z", "z")]


def test_vrnn_loops_over_its_state_and_z() -> None:
    assert loops(shipped("vrnn"), "elbo") == [("h", "q_z", "z", "fz")]
    made = steps(shipped("vrnn"), "elbo")
    assert all(isinstance(made[name], Batched) for name in ("fx", "p_z", "p_x"))
    assert isinstance(steps(shipped("vrnn"), "score")["h"], WholeSequence)


def test_storn_needs_no_loop_but_to_generate() -> None:
    assert loops(shipped("storn"), "elbo") == []
    assert loops(shipped("storn"), "encode") == []
    (generated,) = loops(shipped("storn"), "generate")
    assert "x" in generated
    assert "z" not in generated


def test_dkf_draws_z_in_a_loop_behind_one_backward_call() -> None:
    step = steps(shipped("dkf"), "elbo")["b"]
    assert isinstance(step, WholeSequence)
    assert step.direction is Direction.BACKWARD
    assert loops(shipped("dkf"), "elbo") == [("g", "q_z", "z")]
    made = steps(shipped("dkf"), "generate")
    assert isinstance(made["p_x"], Batched)
    assert isinstance(made["x"], Batched)


def page(states: str, reads: str = "h_t") -> Spec:
    text = (
        "dvaec: 1\nmodel: PAGE\nvariables:\n  x: {role: observed, dim: 2}\n  z: {role: latent, dim: 2}\n"
        "generation:\n  - z_t\n  - x_t | z_t\n"
        f"states:\n  {states}\nnetworks:\n  q(z_t): {{reads: {reads}}}\n"
    )
    return run_text(text, "page.yaml", until="spec").spec


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn", "sum"])
def test_every_cell_is_one_call_unless_it_is_strided(cell: str) -> None:
    assert isinstance(steps(page(f"h_t: {{rnn: {cell}, units: 3, reads: x_t}}"), "elbo")["h"], WholeSequence)
    strided = steps(page(f"h_t: {{rnn: {cell}, units: 3, reads: x_t, lag: 2}}"), "elbo")["h"]
    assert isinstance(strided, Loop)
    assert strided.nodes == ("h",)
    assert strided.ahead == (0,)


def test_a_state_of_both_directions_is_two_calls_and_their_pair() -> None:
    made = steps(page("h_t: {rnn: gru, units: 3, reads: x_t, runs: both}"), "elbo")
    ahead, back = made["h_forward"], made["h_backward"]
    assert isinstance(ahead, WholeSequence)
    assert ahead.direction is Direction.FORWARD
    assert isinstance(back, WholeSequence)
    assert back.direction is Direction.BACKWARD
    assert isinstance(made["h"], Batched)


@pytest.mark.parametrize(
    ("name", "nodes", "ahead"),
    [("read_before_its_frame", ("f", "h", "q_z", "z"), (1, 0, 0, 0)), ("read_behind_its_frame", None, None)],
)
def test_nodes_run_ahead_of_the_loop_where_they_are_read_early(
    name: str, nodes: tuple[str, ...] | None, ahead: tuple[int, ...] | None
) -> None:
    spec = read_spec(REGRESSIONS / f"{name}.yaml")[0]
    found = [s for s in planned(spec).entry("encode").steps if isinstance(s, Loop) and any(s.ahead)]
    assert len(found) == 1
    if nodes is None:
        assert found[0].direction is Direction.BACKWARD
        assert dict(zip(found[0].nodes, found[0].ahead, strict=True)) == {"b": 0, "f": 1, "e": 2}
    else:
        assert (found[0].nodes, found[0].ahead) == (nodes, ahead)


def check_schedules(spec: Spec) -> None:
    """Execute every schedule on frames: nothing is read before it is made, and components are minimal."""
    whole = planned(spec)
    for entry in whole.entries:
        edges = dependences(whole.network, dict(entry.binding))
        values = [node for node in whole.network.nodes if isinstance(node, ValueNode)]
        given = {value.name for value in values if entry.origin(value.name) is Origin.GIVEN}
        done = {(name, t) for name in given for t in range(FRAMES)}
        begun = frozenset[str]()
        for step in entry.steps:
            begun |= frozenset(step.nodes if isinstance(step, FirstFrame) else ())
            for name, frame in order_of(step):
                for edge in edges:
                    if edge.reader != name or not there(whole.network, edge, frame, begun):
                        continue
                    at = 0 if edge.offset is None else frame + edge.offset
                    assert not 0 <= at < FRAMES or (edge.source, at) in done, (entry.name, edge, frame)
                assert (name, frame) not in done or name in begun
                done.add((name, frame))
        assert {(name, t) for name in entry.outputs for t in range(FRAMES)} <= done
        if begun:
            continue
        needs = nx.DiGraph([(e.source, e.reader) for e in edges])
        for step in entry.steps:
            nodes = set(nodes_of(step))
            assert nodes in [set(component) for component in nx.strongly_connected_components(needs)] or (
                len(nodes) == 1 and nodes.isdisjoint(needs)
            )
            cyclic = any(e.reader in nodes and e.source in nodes for e in edges)
            assert cyclic is not isinstance(step, Batched)
            if isinstance(step, WholeSequence):
                node = whole.network.node(step.node)
                assert isinstance(node, StateNode)
                assert node.state.lag == 1


def there(network: Network, edge: Dependence, frame: int, begun: Collection[str]) -> bool:
    """Whether a dependence is one at this frame: a line of frame 1 has that frame alone, and takes its place."""
    source, reader = network.node(edge.source), network.node(edge.reader)
    if not begun:
        return True
    if isinstance(source, HeadNode) and source.head.frame == 1:
        return frame == 0
    if isinstance(reader, HeadNode) and frame == 0 and reader.begins:
        return False
    if isinstance(source, HeadNode) and edge.reader in begun:
        return not (frame == 0 and source.begins)
    return not (isinstance(reader, HoldNode) and reader.source in begun and edge.source == reader.source)


def order_of(step: Step) -> list[tuple[str, int]]:
    """What a step computes, one frame of one node after another; passes go over a frame several times."""
    assert not isinstance(step, Passes)
    if isinstance(step, Batched):
        return [(step.node, t) for t in range(FRAMES)]
    if isinstance(step, FirstFrame):
        return [(name, 0) for name in step.nodes]
    backward = step.direction is Direction.BACKWARD
    if isinstance(step, WholeSequence):
        return [(step.node, t) for t in (range(FRAMES - 1, -1, -1) if backward else range(FRAMES))]
    most = max(step.ahead)
    times = range(FRAMES - 1 + most, -1, -1) if backward else range(-most, FRAMES)
    made = [(name, t + step.frame_of(name)) for t in times for name in step.nodes]
    return [(name, frame) for name, frame in made if 0 <= frame < FRAMES]


@given(developed_specs())
def test_schedules_of_random_developed_forms_hold(spec: Spec) -> None:
    check_schedules(spec)


@given(specs())
def test_schedules_of_default_developments_hold(spec: Spec) -> None:
    check_schedules(spec)


@given(specs())
def test_the_default_development_sees_the_declared_windows_everywhere(spec: Spec) -> None:
    """On the endless line and at both ends."""
    inference = derive(spec).inference
    developed = develop(spec, inference)
    unfolded, finite = unfold(developed), ends(developed)
    assert finite is not None
    for side, lines in ((Side.P, spec.generation), (Side.Q, inference)):
        for conditional in lines:
            head = developed.head(side, conditional.target)
            reads = reads_of(head.block if head else None)
            assert unfolded.seen(reads) == conditional.parents
            assert list(finite.lost(side, reads, conditional)) == []


@pytest.mark.parametrize(
    ("name", "made", "streams"),
    [
        ("first_frame_in_another_order", ["x"], ["step", "imagine"]),
        ("first_frame_of_three_in_another_order", ["a", "x", "z"], ["step", "imagine"]),
        ("first_frame_before_a_backward_run", ["x", "z"], []),
        ("first_frame_while_looking_ahead", ["a", "z"], ["step", "finish", "imagine"]),
    ],
)
def test_frame_1_is_made_first_where_its_order_is_its_own(
    name: str, made: list[str], streams: list[str]
) -> None:
    spec = read_spec(REGRESSIONS / f"{name}.yaml")[0]
    check_schedules(spec)
    whole = planned(spec)
    (first,) = (step for step in whole.entry("generate").steps if isinstance(step, FirstFrame))
    values = [node.name for node in whole.network.values]
    assert [node for node in first.nodes if node in values] == made
    found = whole.stream.entries[1:] if whole.stream is not None else ()
    assert {entry.name for entry in found} == set(streams)
    for entry in (entry for entry in found if entry.name == "imagine"):
        assert isinstance(entry.steps[0], FirstFrame)


EARLIER, LATER = Parent("e", of(-1)), Parent("f", of(1))


@pytest.mark.parametrize(
    ("block", "links"),
    [
        (Dense((LATER, EARLIER), ()), "q(z_t) <- e_<t-1>, q(z_t) <- f_<t+1> and 2 links more"),
        (Attention((LATER,), (EARLIER,), 4, 1), "q(z_t) <- e_<t-1>, q(z_t) <- f_<t+1> and 2 links more"),
        (Attention((EARLIER,), (LATER,), 4, 1), "q(z_t) <- e_<t-1>, q(z_t) <- f_<t+1> and 2 links more"),
    ],
)
def test_cycles_without_a_direction_are_refused_with_what_waits_for_what(block: Block, links: str) -> None:
    page = (Path(__file__).parent / "bad" / "sees_itself.yaml").read_text()
    page = page.replace("f_<t+1>, e_<t-1>", "f_<t-1>, e_<t-1>").replace("z_<t-1>", "z_t")
    spec = read_text(page.replace("z_<t+1>", "z_t"), "legal.yaml")[0]
    (head,) = (h for h in spec.heads if h.target == "z")
    spec = replace(spec, heads=(replace(head, block=block),))  # a page with this is refused before
    with pytest.raises(UnschedulableError) as raised:
        planned(spec)
    assert raised.value.code == "DV302"
    assert set(raised.value.nodes) >= {"z", "f", "e", "q_z"}
    assert raised.value.message.partition(": ")[2] == links


def test_features_above_one_another_are_planned_in_no_more_ways_than_there_are_features() -> None:
    """Each reads the one below twice: told from above, 2 to the power of 40 ways lead down."""
    chain = [f'  f{k}_t: {{reads: "f{k - 1}_t, f{k - 1}_<t-1>", layers: [2 tanh]}}' for k in range(1, 40)]
    page = [
        "dvaec: 1", "model: M", "variables:", "  x: {role: observed, dim: 2}", "  z: {role: latent, dim: 2}",
        "generation: [z_t | z_<t-1>, x_t | z_t]", "features:", "  f0_t: {reads: x_t, layers: [2 tanh]}", *chain,
        "networks:", '  q(z_t): {reads: "z_<t-1>, f39_t"}',
    ]  # fmt: skip
    assert run_text("\n".join(page), "page.yaml", until="plan").plan is not None


def test_the_plan_says_which_latents_a_stream_draws_before_they_are_handed_out() -> None:
    page = """dvaec: 1
model: M
variables:
  x: {role: observed, dim: 2}
  a: {role: latent, dim: 1}
  l: {role: latent, dim: 1}
generation:
  - a_t | a_<t-1>
  - l_t | l_<t-1>
  - x_t | a_t, l_t
inference:
  - a_t | a_<t-1>, x_<t:t+2>
  - l_t | l_<t-1>, a_<t+1>
"""
    lines = plan_of(run_text(page, "p.yaml", until="plan")).splitlines()
    at = lines.index("  what step draws is 3 frames behind the frame it is given")
    assert lines[at + 1] == "  drawn before it is handed out, with the noise of its own frame: a by 1 frame"
