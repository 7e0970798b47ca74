"""Streams: what is drawn, or observed, once a sequence is taken up in the first step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from dvaec.plan.model import Loop, Once
from dvaec.spec.model import LAST, Role
from dvaec.spec.read import read_spec, read_text
from dvaec.testing.batches import stream_is_batch
from dvaec.testing.built import Built, build, sample_values
from tests.shipped import shipped

REGRESSIONS = Path(__file__).parent / "regressions"


def built(name: str) -> Built:
    return build(read_spec(REGRESSIONS / f"{name}.yaml")[0])


def draws(made: Built, name: str) -> tuple[Once, ...]:
    """What single steps of an entry point draw, each with what it is made of."""
    assert made.plan.stream is not None
    return next(entry.once for entry in made.plan.stream.entries if entry.name == name)


def once(made: Built, name: str) -> Once:
    """What one step of an entry point draws, where no other draws any."""
    (step,) = draws(made, name)
    return step


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("streams_that_draw_once", ("step", "imagine")),
        ("stream_observed_once", ("step", "imagine")),
        ("frame_0_of_x_1_while_looking_ahead", ("step", "imagine")),
        ("frame_0_of_a_latent_drawn_ahead", ("step", "imagine")),
        ("frame_0_of_three_frames_in_a_stream", ("step", "imagine")),
        ("frame_0_after_frame_1_in_a_stream", ("step", "imagine")),
        ("frame_0_of_states_in_a_stream", ("step", "imagine")),
        ("frame_0_of_draws_in_a_stream", ("step", "imagine")),
        ("frame_0_of_a_state_twice_in_a_stream", ("step", "imagine")),
        ("frame_0_ahead_of_a_value_of_the_sequence", ("step", "imagine")),
        ("frame_1_ahead_of_what_is_drawn_once", ("step", "imagine")),
        ("frame_1_in_another_order_before_what_is_drawn_once", ("step", "imagine")),
        ("frames_1_and_0_ahead_in_a_stream", ("step", "imagine")),
        ("frame_0_attends_in_a_stream", ("step", "imagine")),
        ("frame_1_before_what_is_drawn_once", ("step", "imagine")),
        ("frame_1_in_another_order_behind_draws_made_once", ("step", "imagine")),
        ("frame_1_in_another_order_before_frame_0_ahead", ("step", "imagine")),
        ("frame_1_in_another_order_and_frames_ahead_of_frame_0", ("step", "imagine")),
        ("frame_1_of_what_is_drawn_once_held_in_a_stream", ("step", "imagine")),
        ("frame_0_drawn_behind_a_frame_1_that_runs_ahead", ("step", "imagine")),
        ("frame_0_behind_a_frame_1_that_waits_for_a_later_feature", ("step", "imagine")),
        ("frame_0_of_a_feature_drawn_behind_its_frame_2", ("step", "imagine")),
        ("frame_t_where_t_is_1_before_what_is_drawn_once_in_a_stream", ("step", "imagine")),
    ],
)
@pytest.mark.parametrize("frames", [1, 3, 5])
def test_what_there_is_once_a_sequence_is_that_of_the_batch(
    name: str, steps: tuple[str, ...], frames: int
) -> None:
    """The very draws of `encode` and `generate`, and behind them those of all frames."""
    made = built(name)
    assert [made.has(entry) for entry in ("step", "imagine")] == [n in steps for n in ("step", "imagine")]
    assert stream_is_batch(made, frames).compared > 0
    values = sample_values(made, 2, frames)
    for entry, whole in (("step", made.call("encode", values)), ("imagine", generated(made, values, frames))):
        if entry not in steps:
            continue
        after = first(made, entry, values)
        if after is None:
            continue
        for value in (v for v in made.plan.network.values if not v.framed and hasattr(whole, v.name)):
            torch.testing.assert_close(getattr(after, value.name), getattr(whole, value.name))


def generated(made: Built, values: dict[str, torch.Tensor], frames: int) -> object:
    return made.call("generate", values, batch=2, frames=frames)


def first(made: Built, entry: str, values: dict[str, torch.Tensor]) -> object:
    """The state behind the step that draws what there is once; None where there are fewer frames."""
    still = {v.name: values[v.name] for v in made.plan.network.values if not v.framed}
    state = made.module.begin(2, **{n: value for n, value in still.items() if made.takes("begin", n)})
    given = {name: value for name, value in values.items() if made.takes(entry, name)}
    late = lateness(made, entry)
    for k in range(max(once.after for once in draws(made, entry)) + 1):
        if k == values["x"].size(1):
            return None
        alone = {
            n: v if n.removeprefix("noise_") in still else v[:, max(0, k - late.get(n, 0))]
            for n, v in given.items()
        }
        state, _ = getattr(made.module, entry)(state, **alone)
    return state


def lateness(made: Built, entry: str) -> dict[str, int]:
    """By how many frames each draw of a step is behind the frame that comes; by its noise."""
    loop = loop_of(made, entry)
    return {f"noise_{name}": max(loop.ahead) - loop.frame_of(name) for name in loop.nodes}


FROM_A_LATER_FRAME = """
dvaec: 1
model: ZeroFromALaterFrame
variables:
  x: {role: observed, dim: 2}
  a: {role: latent, dim: 2}
  b: {role: latent, dim: 2}
  z: {role: latent, dim: 2}
generation: [a_t | a_<t-1>, b_0, b_t | b_<t-1>, "z_t | z_<t-1>, a_t", "x_t | a_t, b_t, z_t"]
inference:
  - a_t | b_<t-3>, x_<t:t+1>
  - z_t | x_<t-1:t>
  - b_t | b_<t-1>, x_<t-1:t>, z_1
  - a_1 | x_1
  - z_1 | a_1, x_3
  - b_1 | z_1, a_2, x_1, b_0
  - b_0 | z_2
"""


@pytest.mark.parametrize("frames", [1, 2, 5])
def test_frame_0_may_see_a_frame_that_does_not_wait_for_it(frames: int) -> None:
    """z_2 does not wait for b_0, though z_1 waits for a, and a_3 for b_0."""
    made = build(read_text(FROM_A_LATER_FRAME, "page.yaml")[0])
    assert once(made, "step").ahead == (("z", 2),)
    assert stream_is_batch(made, frames).compared > 0


def test_q_draws_from_features_and_states_at_frame_1() -> None:
    made = built("streams_that_draw_once")
    assert once(made, "step").nodes == ("q_v", "v", "f", "q_w", "w", "g", "q_z_0", "z_0")
    assert once(made, "imagine").nodes == ("p_v", "v", "p_w", "w", "p_z_0", "z_0")


def test_q_waits_for_the_frames_that_it_looks_at() -> None:
    """z_0 | x_<1:3>: two steps later, and so are all draws behind it."""
    made = built("frame_0_of_three_frames_in_a_stream")
    assert once(made, "step").after == 2
    assert made.plan.stream is not None
    assert made.plan.stream.delay == 2
    assert dict(made.plan.stream.carried)["x"] == 2


def test_q_waits_for_features_states_and_draws_of_later_frames() -> None:
    """What is made without z_0 runs as far ahead as z_0 looks; the frames 1 of a given x are made with it."""
    states, latents = built("frame_0_of_states_in_a_stream"), built("frame_0_of_draws_in_a_stream")
    assert once(states, "step").ahead == (("f", 1), ("g", 4))
    assert once(latents, "step").ahead == (("a", 1), ("a", 2), ("a", 3))
    assert states.plan.stream is not None
    assert latents.plan.stream is not None
    assert (states.plan.stream.delay, latents.plan.stream.delay) == (3, 3)


def test_frame_1_may_come_before_what_is_drawn_once() -> None:
    """q: z_1, a_0, z_0, a_1, then frame after frame; p: z_1, y, then all others."""
    zero, vector = built("frame_0_after_frame_1_in_a_stream"), built("frame_1_before_what_is_drawn_once")
    assert once(zero, "step").nodes == ("q_a_0", "a_0", "q_z_0", "z_0")
    assert once(zero, "step").ahead == once(vector, "imagine").ahead == (("z", 1),)


@pytest.mark.parametrize("name", ["label_at_the_end", "first_frame_held"])
def test_what_only_the_end_makes_is_left_out_of_imagined_streams(name: str) -> None:
    """y | z_<1:T>, a label, which no frame needs: the frames are those of `generate`."""
    made = built(name)
    assert made.plan.stream is not None
    assert not made.has("step")
    assert "y" not in made.plan.stream.static
    assert "y" in made.values(Role.OBSERVED)
    assert stream_is_batch(made, 4).compared > 0


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("label_that_q_reads", ("y",)),
        ("labels_of_all_frames_in_a_stream", ("y", "w")),
        ("labels_of_all_frames_while_looking_ahead", ("y", "w")),
    ],
)
def test_what_q_alone_needs_of_the_whole_sequence_is_left_as_it_is_by_imagine(
    name: str, labels: tuple[str, ...]
) -> None:
    """p goes on from what was drawn; q, which would need the label, does not come behind it."""
    made = built(name)
    assert made.plan.stream is not None
    assert made.has("step")
    assert made.has("imagine")
    for frames in (1, 2, 4):
        assert stream_is_batch(made, frames).compared > 0
    state = observed(made)
    further, _ = made.module.imagine(state)
    for label in labels:
        assert getattr(state, label).any()
        assert torch.equal(getattr(further, label), getattr(state, label))
    values = sample_values(made, 2, 1)
    with pytest.raises(ValueError, match="begin another to observe"):
        made.module.step(further, values["x"][:, 0])
    alone, _ = made.module.imagine(begun(made))
    with pytest.raises(ValueError, match="begin another to observe"):
        made.module.step(alone, values["x"][:, 0], values["y"])


def begun(made: Built) -> Any:
    """The state of two streams before their first frame."""
    values = sample_values(made, 2, 1)
    return made.module.begin(2, **{n: values[n] for n in made.names(Role.INPUT) if made.takes("begin", n)})


def observed(made: Built) -> Any:
    """The state behind one frame."""
    values = sample_values(made, 2, 1)
    assert made.plan.stream is not None
    state, _ = made.module.step(begun(made), values["x"][:, 0], values["y"])
    for _ in range(made.plan.stream.delay):
        state, _ = made.module.finish(state)
    return state


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("counted_windows_of_networks", "q(a_1) attends to all later frames"),
        ("windows_by_the_parity_of_t", "q(z_1) reads x at frame T, which a stream does not know"),
        ("attention_backward", "q draws z backward from frame T (q(z_t) <- z_<t+1>)"),
        (
            "frame_1_turned_in_a_run_backward_through_a_state",
            "q draws a and z backward from frame T (g_t <- g_<t+1>)",
        ),
        (
            "later_frames_out_of_their_order",
            "q draws a_1 behind a_4, and a stream draws the others of a in their order",
        ),
        (
            "frame_t_in_an_order_that_depends_on_t",
            "with q(a_T), the order of the frames depends on T, and a stream learns that last",
        ),
        ("strided_stacks", "q(z_t) waits for g, which runs backward from frame T (g_t <- g_<t+1>)"),
        ("counted_windows_backward", "q draws z_0 from z_2, which waits for the whole sequence"),
    ],
)
def test_a_refusal_speaks_of_what_stands_on_the_page(name: str, why: str) -> None:
    assert dict(built(name).plan.refused)["step"] == why


def test_a_latent_that_q_draws_from_an_input_alone_has_a_stream() -> None:
    """FHVAE's w | i: the chapter's own encoder runs on a stream of segments."""
    made = build(shipped("fhvae"))
    assert once(made, "step").nodes == ("q_w", "w")
    assert stream_is_batch(made, 3).compared > 0


def test_a_stream_keeps_the_draw_of_its_first_step() -> None:
    made = built("stream_observed_once")
    values = sample_values(made, 2, 1)
    state = made.module.begin(2)
    assert not state.v.any()
    after, _ = made.module.step(state, values["x"][:, 0], values["y"], values["w"])
    assert after.v.all()
    later, _ = made.module.step(after, values["x"][:, 0])
    torch.testing.assert_close(later.v, after.v)
    imagined, _ = made.module.imagine(later)
    torch.testing.assert_close(imagined.v, after.v)
    torch.testing.assert_close(imagined.y, values["y"])


LOOKING_AHEAD = [
    "attention_in_a_stream",
    "dilated_and_strided_lookahead",
    "first_frame_while_looking_ahead",
    "frame_1_in_another_order_while_looking_ahead",
    "frame_0_of_three_frames_in_a_stream",
    "held_while_looking_ahead",
    "last_frame_attends",
]


@pytest.mark.parametrize("name", LOOKING_AHEAD)
@pytest.mark.parametrize("frames", [1, 2, 5])
def test_finish_draws_the_frames_that_q_still_looked_ahead_of(name: str, frames: int) -> None:
    """Behind T frames and k times `finish`, what q has drawn is what `encode` draws, up to frame T."""
    made = built(name)
    assert made.plan.stream is not None
    delay = made.plan.stream.delay
    values = sample_values(made, 2, frames)
    whole = made.call("encode", values)
    state, drawn = made.module.begin(2), []
    for k in range(frames + delay):
        entry = "step" if k < frames else "finish"
        given = {n: v for n, v in values.items() if made.takes(entry, n)}
        still = [v.name for v in made.plan.network.values if not v.framed]
        at = {
            n: min(max(0, k - delay), frames - 1) if n.startswith("noise_") else k
            for n in given
            if n.removeprefix("noise_") not in still
        }
        state, result = getattr(made.module, entry)(
            state, **{n: v[:, at[n]] if n in at else v for n, v in given.items()}
        )
        drawn.append(result)
    assert (state.frame, state.frame_drawn) == (frames, frames)
    for t in range(frames):
        torch.testing.assert_close(drawn[t + delay].z, whole.z[:, t])
        torch.testing.assert_close(drawn[t + delay].q_z_mean, whole.q_z_mean[:, t])


@pytest.mark.parametrize("name", LOOKING_AHEAD)
@pytest.mark.parametrize("frames", [1, 4])
def test_where_q_looks_ahead_a_finished_stream_goes_on_as_a_forecast(name: str, frames: int) -> None:
    """And one of which nothing is observed as `generate`."""
    made = built(name)
    assert made.has("imagine")
    assert stream_is_batch(made, frames).compared > 0


@pytest.mark.parametrize(
    ("name", "delay"),
    [("last_frame_attends", 1), ("last_frame_in_a_stream", 3), ("last_frame_behind_draws_made_once", 3)],
)
@pytest.mark.parametrize("frames", [1, 2, 3, 4])
def test_a_line_of_frame_t_is_drawn_by_finish(name: str, delay: int, frames: int) -> None:
    """`step` is one frame late at least, also of what is drawn two frames ahead, and makes no line of frame T."""
    made = built(name)
    assert made.plan.stream is not None
    assert made.plan.stream.delay == delay
    assert stream_is_batch(made, frames).compared > 0
    step, finish = (loop_of(made, entry).nodes for entry in ("step", "finish"))
    assert set(finish) - set(step) >= {h.name for h in made.plan.network.heads if h.head.frame == LAST}


@pytest.mark.parametrize(
    ("name", "delay"),
    [
        ("frame_1_in_another_order_while_looking_ahead", 3),
        ("frame_1_in_another_order_beside_a_last", 3),
        ("frame_1_in_another_order_behind_draws_made_once", 3),
        ("frame_1_in_another_order_before_frame_0_ahead", 2),
        ("frame_1_turned_by_attention_while_looking_ahead", 1),
        ("frame_1_turned_and_waiting_in_a_stream", 2),
    ],
)
@pytest.mark.parametrize("frames", [1, 2, 3, 5])
def test_frame_1_has_its_own_order_in_the_step_that_comes_to_it(name: str, delay: int, frames: int) -> None:
    """All frames that it sees are there; what is made of it runs equally far ahead."""
    made = built(name)
    assert made.plan.stream is not None
    assert made.plan.stream.delay == delay
    assert stream_is_batch(made, frames).compared > 0


@pytest.mark.parametrize(
    ("name", "delay", "held"),
    [
        ("frame_1_in_another_order_drawn_ahead", 1, ("q_z_first", "z")),
        ("frame_1_three_turned_while_drawn_ahead", 4, ("q_w_first", "w", "q_z_first", "z")),
        ("frame_1_turned_and_held_while_drawn_ahead", 1, ("q_z_first", "z")),
        ("frame_1_turned_and_read_there_while_drawn_ahead", 2, ("q_z_first", "z", "a")),
        ("frame_1_turned_behind_draws_made_once_while_ahead", 1, ("q_z_first", "z")),
        ("frame_1_turned_beside_a_last_while_drawn_ahead", 2, ("q_z_first", "z")),
        ("frame_1_of_what_is_drawn_once_held_in_a_stream", 3, ("q_z_first", "z")),
        ("frame_1_in_another_order_and_frames_ahead_of_frame_0", 1, ()),
    ],
)
@pytest.mark.parametrize("frames", [1, 2, 3, 5])
def test_frame_1_is_held_where_later_one_latent_runs_ahead_of_another(
    name: str, delay: int, held: tuple[str, ...], frames: int
) -> None:
    """It is made in the step of the foremost, and takes its place when the stream comes to it."""
    made = built(name)
    assert made.plan.stream is not None
    assert (made.plan.stream.delay, made.plan.stream.held) == (delay, held)
    assert stream_is_batch(made, frames).compared > 0


@pytest.mark.parametrize(
    ("name", "delay", "late"),
    [
        ("frame_1_drawn_behind_frame_2", 1, {"q_z": 1, "z": 1, "q_w": 1, "w": 1}),
        ("frame_0_read_through_a_feature_by_a_late_frame_1", 3, {"q_a": 1, "a": 1, "q_z": 2, "z": 2}),
        (
            "frame_1_behind_later_frames_through_states",
            1,
            {"q_z": 1, "z": 1, "h": 1, "q_w": 1, "w": 1},
        ),
        ("frame_0_behind_frames_that_do_not_reach_it", 2, {"q_a": 1, "a": 1}),
        ("frame_1_turned_by_states_while_drawn_ahead", 1, {"q_a": 1, "a": 1}),
        ("frame_1_held_and_waiting_for_a_later_frame", 1, {"q_a": 1, "a": 1}),
        ("frame_1_held_and_waiting_for_a_later_feature", 1, {"q_a": 1, "a": 1}),
    ],
)
@pytest.mark.parametrize("frames", [1, 2, 3, 5])
def test_frame_1_comes_behind_later_frames_where_it_waits_for_them(
    name: str, delay: int, late: dict[str, int], frames: int
) -> None:
    """It takes its place behind them, with the noise of its own step; what is handed out waits for it."""
    made = built(name)
    assert made.plan.stream is not None
    assert made.plan.stream.delay == delay
    entries = {entry.name: entry.late for entry in made.plan.stream.entries}
    assert (entries["step"], entries["finish"]) == (late, late)
    assert stream_is_batch(made, frames).compared > 0


@pytest.mark.parametrize("frames", [1, 2, 3, 5])
def test_what_is_drawn_once_comes_in_the_step_that_has_what_q_reads_for_it(frames: int) -> None:
    """z_0 in the first step, v in the third: all values, and what follows, are those of the batch."""
    made = built("draws_made_once_in_several_steps")
    assert [(one.nodes, one.after) for one in draws(made, "step")] == [
        (("q_z_0", "z_0"), 0),
        (("q_v", "v"), 2),
    ]
    assert [(one.nodes, one.after) for one in draws(made, "imagine")] == [(("p_v", "v", "p_z_0", "z_0"), 0)]
    assert stream_is_batch(made, frames).compared > 0


def test_what_frame_t_alone_attends_to_is_gathered_by_step_and_attended_to_by_finish() -> None:
    made = built("last_frame_attends")
    assert set(loop_of(made, "finish").nodes) - set(loop_of(made, "step").nodes) == {
        "attention_q_z_T",
        "q_z_last",
    }
    assert "attention_q_z_T_keys" in loop_of(made, "step").nodes


def loop_of(made: Built, name: str) -> Loop:
    assert made.plan.stream is not None
    *_, loop = next(one for one in made.plan.stream.entries if one.name == name).steps
    assert isinstance(loop, Loop)
    return loop


def test_a_stream_that_looks_ahead_says_what_must_come_first() -> None:
    made = built("held_while_looking_ahead")
    values = sample_values(made, 2, 3)
    x, u = values["x"], {n: values[n][:, 0] for n in made.names(Role.INPUT)}
    begun = made.module.begin(2)
    with pytest.raises(ValueError, match="q has drawn every frame that was observed"):
        made.module.finish(begun)
    one, _ = made.module.step(begun, x[:, 0], **u)
    with pytest.raises(ValueError, match="q has not drawn every frame that was observed: finish first, once"):
        made.module.imagine(one, **u)
    finished, _ = made.module.finish(one)
    with pytest.raises(ValueError, match="this stream is finished: begin another to observe"):
        made.module.step(finished, x[:, 1], **u)
    with pytest.raises(ValueError, match="q has drawn every frame that was observed"):
        made.module.finish(finished)
    further, _ = made.module.imagine(finished, **u)
    assert (further.frame, further.frame_drawn) == (2, 2)


def test_what_is_observed_once_must_come_with_the_first_frame() -> None:
    made = built("stream_observed_once")
    values = sample_values(made, 2, 1)
    with pytest.raises(ValueError, match="y is observed once a sequence: the first step needs it"):
        made.module.step(made.module.begin(2), values["x"][:, 0])


def test_begin_says_who_draws_what_there_is_once() -> None:
    said = " ".join(built("stream_observed_once").module.begin.__doc__.split())
    assert said.endswith(
        "Zeros stand here for y, w and v; at frame 1 `imagine` draws y, w and v from p, `step` draws v from q "
        "and takes y and w."
    )
