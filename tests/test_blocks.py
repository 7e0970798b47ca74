"""Blocks in emitted modules: equal to their formulas frame by frame, and under every numerical property."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from typer.testing import CliRunner

import dvaec
import dvaec.compiler
from dvaec.cli.app import app
from dvaec.derive.derivation import derive
from dvaec.derive.development_check import check_developed
from dvaec.diagnostics import Fault
from dvaec.plan.model import Loop, StateNode
from dvaec.runtime.script import script
from dvaec.spec.model import Side, Spec
from dvaec.spec.read import read_text
from dvaec.testing import properties
from dvaec.testing.batches import padding_changes_nothing
from dvaec.testing.built import build, forget, sample_values
from dvaec.testing.strategies.blocks import block_specs
from dvaec.testing.strategies.page_text import page_of
from dvaec.testing.values import scripted_is_eager
from tests.oracles.blocks import BlockNaive
from tests.scores import BATCH, FRAMES, check_score, close


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def page(variables: str, generation: str, inference: str, states: str, features: str, networks: str) -> Spec:
    """Read a page from its parts; the developed form must show exactly the declared windows."""
    text = page_text(variables, generation, inference, states, features, networks)
    spec, source = read_text(text, "page.yaml")
    assert check_developed(spec, derive(spec), source) == []
    return spec


def page_text(
    variables: str, generation: str, inference: str, states: str, features: str, networks: str
) -> str:
    text = f"dvaec: 1\nmodel: M\nvariables: {{{variables}}}\ngeneration: [{generation}]\n"
    text += f"inference: [{inference}]\n"
    for key, block in (("states", states), ("features", features), ("networks", networks)):
        text += f"{key}: {{{block}}}\n" if block else ""
    return text


def check_all(spec: Spec) -> None:
    """Equal to the blocks' formulas, printed as it is read, and under the whole list of properties."""
    again, _ = read_text(page_of(spec), "again.yaml")
    assert again == spec
    built = build(spec)
    built.module.eval()
    check_score(built, BlockNaive, BATCH)
    properties.check_all(spec)
    forget(built)


XZ = "x: {role: observed, dim: 3}, z: {role: latent, dim: 2}"


@pytest.mark.parametrize(
    "layers",
    [
        "5 tanh norm, 4 relu dropout 0.2 norm, 3 linear norm",
        "5 mish, 4 selu, 6 softsign, 3 exp",
        "5 hardtanh, 4 softmax, 3 elu dropout 0.5",
    ],
)
def test_layers(layers: str) -> None:
    check_all(
        page(
            XZ,
            '"z_t | z_<t-1>", "x_t | z_t"',
            '"z_t | z_<t-1>, x_<1:t>"',
            f"h_t: {{rnn: gru, units: 4, reads: x_t, through: [{layers}]}}",
            f"f_t: {{reads: z_<t-1>, layers: [{layers}]}}",
            f"p(z_t): {{reads: z_<t-1>, mean: {{layers: [{layers}]}}, variance: {{layers: [{layers}]}}}}, "
            f'p(x_t): {{reads: z_t, layers: [{layers}]}}, q(z_t): {{reads: "f_t, h_t", layers: [{layers}]}}',
        )
    )


def test_mixture() -> None:
    check_all(
        page(
            "x: {role: observed, dim: 3}, z: {role: latent, dim: 2}, u: {role: input, dim: 2}",
            '"z_t | z_<t-1>, u_t, x_<<t>", "x_t | z_t, x_<<t>"',
            '"z_t | z_<t-1>, x_<1:t>"',
            "d_t: {rnn: lstm, units: 4, reads: x_<t-1>}, e_t: {rnn: gru, units: 4, reads: x_t}",
            "alpha_t: {reads: d_t, layers: [3 softmax]}, "
            'm_t: {block: linear_mixture, weights: alpha_t, of: "z_t", units: 4}',
            'p(z_t): {mean: {block: linear_mixture, weights: alpha_t, of: "z_<t-1>, u_t"}, variance: shared}, '
            "p(x_t): {reads: m_t, mean: {block: linear_mixture, weights: alpha_t, of: z_t}}, "
            'q(z_t): {reads: "z_<t-1>, e_t"}',
        )
    )


def test_parameters_that_read_on_their_own() -> None:
    check_all(
        page(
            "x: {role: observed, dim: 3}, z: {role: latent, dim: 2}, "
            "u: {role: input, dim: 2, distribution: categorical}",
            '"z_t | z_<t-1>, u_t", "x_t | z_<t-1:t>"',
            '"z_t | z_<t-1>, x_t, u_t"',
            "",
            "",
            "p(z_t): {mean: z_<t-1>, variance: {by: u_t}}, "
            "p(x_t): {mean: {reads: z_<t-1:t>, layers: [4 tanh norm]}, "
            "variance: {reads: z_t, layers: [4 tanh, 3 tanh], link: softplus}}, "
            'q(z_t): {mean: {reads: "x_t, z_<t-1>, u_t"}, variance: 0.3}',
        )
    )


@pytest.mark.parametrize(
    ("kernel", "dilation", "layers", "window"),
    [(2, "1", 2, 3), (3, "doubling", 2, 7), (2, "doubling", 3, 8)],
)
def test_convolution(kernel: int, dilation: str, layers: int, window: int) -> None:
    channels = ", ".join(["4 tanh norm", "3 softmax", "5 tanh dropout 0.1"][:layers])
    shape = f"channels: [{channels}], kernel: {kernel}, dilation: {dilation}"
    check_all(
        page(
            XZ,
            f'"z_t | z_<t-{window}:t-1>", "x_t | z_t, x_<t-{window}:t-1>"',
            f'"z_t | z_<t-{window}:t-1>, x_<t-1:t+{window - 2}>"',
            "",
            f"c_t: {{block: convolution, reads: x_<t-{window}:t-1>, {shape}}}",
            f"p(z_t): {{block: convolution, reads: z_<t-{window}:t-1>, {shape}}}, "
            'p(x_t): {reads: "z_t, c_t"}, '
            f'q(z_t): {{block: convolution, reads: "x_<t-1:t+{window - 2}>, z_<t-{window}:t-1>", {shape}}}',
        )
    )


IMAGES = "x: {role: observed, dim: [2, 5, 7], distribution: bernoulli}, y: {role: observed, dim: [4, 6]}"


def test_images() -> None:
    check_all(
        page(
            f"{IMAGES}, z: {{role: latent, dim: 2}}",
            '"z_t | z_<t-1>", "x_t | z_t", "y_t | z_t, y_<t-1>"',
            '"z_t | x_<t-1:t>, y_t"',
            "",
            "e_t: {block: image_encoder, reads: x_<t-1:t>, channels: [3, 4], kernel: 3, units: 3, "
            "activation: tanh}, "
            "i_t: {block: image_encoder, reads: y_t, channels: [3], kernel: 2, stride: 1, units: 3, "
            "activation: softplus}",
            "p(x_t): {block: image_decoder, reads: z_t, channels: [4, 3], kernel: 3, activation: tanh}, "
            'p(y_t): {block: image_decoder, reads: "z_t, y_<t-1>", channels: [3], kernel: 4, activation: tanh}, '
            'q(z_t): {reads: "e_t, i_t"}',
        )
    )


@pytest.mark.parametrize("over", [0, 1])
def test_recurrence_over_an_axis(over: int) -> None:
    check_all(
        page(
            "y: {role: observed, dim: [3, 2]}, w: {role: observed, dim: [3, 2, 2]}, z: {role: latent, dim: 2}",
            '"z_t | z_<t-1>", "y_t | z_t", "w_t | z_t, y_t"',
            '"z_t | z_<t-1>, y_t, w_t"',
            "",
            f'f_t: {{over: {over}, rnn: gru, units: 3, reads: "y_t, z_<t-1>"}}',
            f"p(y_t): {{over: {over}, rnn: lstm, units: 4, reads: z_t}}, "
            f'p(w_t): {{over: {over}, rnn: rnn, units: 3, reads: "z_t, y_t", variance: shared}}, '
            f'q(z_t): {{over: {over}, rnn: lstm, units: 3, reads: "w_t, f_t"}}',
        )
    )


class Own(torch.nn.Module):
    """A network of one's own."""

    def __init__(self, in_features: int, units: int) -> None:
        super().__init__()
        self.inner = torch.nn.Linear(in_features, units)

    def forward(self, a: torch.Tensor) -> torch.Tensor:
        return torch.sin(self.inner(a))


OWN = (
    XZ,
    '"z_t | z_<t-1>", "x_t | z_t, x_<t-1>"',
    '"z_t | z_<t-1>, x_t"',
    "",
    'f_t: {python: tests.test_blocks:Own, reads: "x_t, z_<t-1>", units: 4}',
    "p(z_t): {python: tests.test_blocks:Own, reads: z_<t-1>, units: 3}, "
    'p(x_t): {reads: "z_t, x_<t-1>"}, q(z_t): {reads: f_t, layers: [3 tanh]}',
)


def test_a_network_of_ones_own() -> None:
    check_all(page(*OWN))


def test_a_network_of_ones_own_needs_permission(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(page_text(*OWN), encoding="utf-8")
    with pytest.raises(Fault) as caught:
        dvaec.compile(file)
    assert [d.code for d in caught.value.diagnostics] == ["DV121", "DV121"]
    assert "allow_python" in str(caught.value.diagnostics[0].hint)
    assert dvaec.compiler.run(file, until="plan").plan is not None  # looking at it runs nothing
    module: Any = dvaec.compile(file, allow_python=True)()
    assert isinstance(module.f_own, Own)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("runs", ["forward", "backward", "both"])
def test_stacked_layers_are_those_of_torch(cell: str, runs: str) -> None:
    """As one call of torch's own layers, whole sequence at once."""
    window = {"forward": "<1:t>", "backward": "<t:T>", "both": "<1:T>"}[runs]
    spec = page(
        XZ,
        '"z_t | z_<t-1>", "x_t | z_t"',
        f'"z_t | x_{window}"',
        f"h_t: {{rnn: {cell}, units: 4, layers: 3, runs: {runs}, reads: x_t}}",
        "",
        "p(z_t): {reads: z_<t-1>}, p(x_t): {reads: z_t}, q(z_t): {reads: h_t}",
    )
    built = build(spec)
    names = [n.name for n in built.plan.network.nodes if isinstance(n, StateNode)]
    assert len(names) == (6 if runs == "both" else 3)
    make = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}[cell]
    whole = make(
        built.spec.variable("x").dim, 4, num_layers=3, bidirectional=runs == "both", batch_first=True
    ).double()
    with torch.no_grad():
        for number, name in enumerate(names):
            layer, turned = (number // 2, number % 2) if runs == "both" else (number, 0)
            for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                mine = getattr(getattr(built.module, f"{name}_rnn"), f"{kind}_l0")
                getattr(whole, f"{kind}_l{layer}{'_reverse' if turned else ''}").copy_(mine)
    values = sample_values(built, BATCH, FRAMES)
    x = values["x"].flip(1) if runs == "backward" else values["x"]
    h = whole(x)[0]
    h = h.flip(1) if runs == "backward" else h
    layer = built.module.q_z_1
    want = torch.nn.functional.linear(h, layer.weight, layer.bias)
    score = built.call("score", values)
    close(score.q_z_mean, want[..., :2])
    close(score.q_z_logvar, 30.0 * torch.tanh(want[..., 2:] / 30.0))


@pytest.mark.parametrize("runs", ["forward", "backward"])
@pytest.mark.parametrize("extra", ["", ", starts: learned", ", lag: 2", ", through: [3 tanh]"])
def test_stacked_layers_in_a_loop(runs: str, extra: str) -> None:
    """Drawn latents that the layers read put the whole stack into the time loop."""
    side, now = ("<t-1>", "<1:t-1>") if runs == "forward" else ("<t+1>", "<t+1:T>")
    stride = now.replace(">", ":2>") if "lag" in extra else now
    text = page_text(
        XZ,
        '"z_t", "x_t | z_t"',
        f'"z_t | z_{stride}, x_t"',
        f"h_t: {{rnn: lstm, units: 3, layers: 2, runs: {runs}, reads: z_{side}{extra}}}",
        "",
        'p(x_t): {reads: z_t}, q(z_t): {reads: "h_t, x_t"}',
    )
    if runs == "backward":
        text += "order: [{backward: z}]\n"
    spec, source = read_text(text, "page.yaml")
    assert check_developed(spec, derive(spec), source) == []
    built = build(spec)
    loops = [s for e in built.plan.entries if e.name == "encode" for s in e.steps if isinstance(s, Loop)]
    assert "h_layer1" in loops[0].nodes
    values = sample_values(built, BATCH, FRAMES)
    drawn = built.call("encode", values)
    values["z"] = drawn.z
    score = built.call("score", values)  # there the stack is whole-sequence calls
    close(score.q_z_mean, drawn.q_z_mean)
    close(score.q_z_logvar, drawn.q_z_logvar)
    scripted_is_eager(built, FRAMES)
    padding_changes_nothing(built, FRAMES)


@pytest.mark.parametrize(
    ("past", "around", "query"),
    [
        ("<1:t-1>", "<1:T>", ", query: z_<t-1>"),
        ("<1:t-2:2>", "<t:T>", ""),
        ("<t-2:t-1>", "<1:t>", ", query: z_<t-1>"),
    ],
)
def test_attention_to_data(past: str, around: str, query: str) -> None:
    """Open windows, strided and finite ones; with a query of what is drawn, inside the time loop."""
    check_all(
        page(
            "x: {role: observed, dim: 3}, y: {role: observed, dim: 2}, z: {role: latent, dim: 2}",
            f'"z_t | z_<t-1>", "x_t | z_t, x_{past}, y_{past}", "y_t | z_t"',
            f'"z_t | z_<t-1>, x_{around}, y_t"',
            "",
            f'a_t: {{block: attention, of: "x_{past}, y_{past}", query: z_t, units: 4, heads: 2}}',
            'p(z_t): {reads: z_<t-1>}, p(x_t): {reads: "z_t, a_t"}, p(y_t): {reads: z_t}, '
            f"q(z_t): {{mean: {{block: attention, of: x_{around}{query}, units: 6, heads: 3}}, "
            'variance: {reads: "z_<t-1>, y_t", layers: [3 tanh]}}',
        )
    )


def test_attention_to_what_is_drawn() -> None:
    """Keys and values of drawn frames are gathered in the loop, for p's latents and what p generates."""
    spec = page(
        XZ,
        '"z_t | z_<1:t-1>, x_<1:t-1>", "x_t | z_<1:t>, x_<t-1>"',
        '"z_t | z_<1:t-1>, x_<1:T>"',
        "h_t: {rnn: gru, units: 3, runs: both, reads: x_t}",
        'e_t: {reads: "z_t, x_t", layers: [3 tanh]}, '
        "b_t: {block: attention, of: z_<1:t-1>, query: h_t, units: 4}",
        "p(z_t): {block: attention, of: e_<1:t-1>, units: 4, heads: 2}, "
        "p(x_t): {block: attention, of: z_<1:t>, query: x_<t-1>, units: 4, heads: 2}, "
        'q(z_t): {reads: "b_t, h_t"}',
    )
    check_all(spec)
    loops = [
        s for e in build(spec).plan.entries if e.name == "encode" for s in e.steps if isinstance(s, Loop)
    ]
    assert "b_keys" in loops[0].nodes


def test_attention_backward() -> None:
    """A latent drawn from T to 1 attends to the later ones."""
    text = page_text(
        XZ,
        '"z_t", "x_t | z_t"',
        '"z_t | z_<t+1:T>, x_t"',
        "",
        "",
        "p(x_t): {reads: z_t}, q(z_t): {mean: {block: attention, of: z_<t+1:T>, query: x_t, units: 4, heads: 2}, "
        "variance: {reads: x_t}}",
    )
    spec, source = read_text(text + "order: [{backward: z}]\n", "page.yaml")
    assert check_developed(spec, derive(spec), source) == []
    built = build(spec)
    check_score(built, BlockNaive, BATCH)
    properties.check_all(spec)
    values = sample_values(built, BATCH, FRAMES)
    drawn = built.call("encode", values)
    values["z"] = drawn.z
    score = built.call("score", values)
    close(score.q_z_mean, drawn.q_z_mean)


def test_attention_of_a_whole_sequence() -> None:
    """Where the target has no frame, the last frame asks; what is attended to is all of the sequence."""
    text = page_text(
        "x: {role: observed, dim: 3}, v: {role: latent, dim: 2}",
        '"v", "x_t | v"',
        '"v | x_<1:T>"',
        "",
        "",
        "p(x_t): {reads: v}, q(v): {block: attention, of: x_<1:T>, units: 4, heads: 2}",
    )
    spec, source = read_text(text, "page.yaml")
    assert check_developed(spec, derive(spec), source) == []
    built = build(spec)
    values = sample_values(built, 3, FRAMES)
    lengths = torch.tensor([FRAMES, 2, 1])
    score = built.call("score", values, lengths=lengths)
    for row, length in enumerate(lengths.tolist()):
        naive = BlockNaive(built.module, built.spec, length, {"x": values["x"][row, :length]})
        head = spec.head(Side.Q, "v")
        assert head is not None
        mean, logvar = naive.parameters(head, spec.variable("v"), "q_v", length)
        close(score.q_v_mean[row], mean)
        close(score.q_v_logvar[row], logvar)
    scripted_is_eager(built, FRAMES)
    padding_changes_nothing(built, FRAMES)


@given(block_specs())
@settings(max_examples=8)
def test_any_blocks_together(spec: Spec) -> None:
    read, source = read_text(page_of(spec), "page.yaml")
    assert read == spec
    assert check_developed(spec, derive(spec), source) == []
    check_all(spec)


def test_images_come_with_their_axes_or_flat() -> None:
    spec = page(
        "x: {role: observed, dim: [2, 4, 4], distribution: bernoulli}, "
        "c: {role: input, dim: [3, 2], level: sequence}, z: {role: latent, dim: 2}",
        '"z_t | z_<t-1>", "x_t | z_t, c"',
        '"z_t | x_t, c"',
        "",
        "e_t: {block: image_encoder, reads: x_t, channels: [3], units: 3}, "
        "k_t: {over: 0, rnn: gru, units: 3, reads: c}",
        'p(x_t): {block: image_decoder, reads: "z_t, c", channels: [3]}, q(z_t): {reads: "e_t, k_t"}',
    )
    built = build(spec)
    check_score(built, BlockNaive, BATCH)
    values = sample_values(built, BATCH, FRAMES)
    flat = built.call("elbo", values)
    shaped = dict(values, x=values["x"].reshape(BATCH, FRAMES, 2, 4, 4), c=values["c"].reshape(BATCH, 3, 2))
    for module in (built.module, script(built.module)):
        close(built.call("elbo", shaped, module).elbo, flat.elbo)
    shaped["x"] = values["x"].reshape(BATCH, FRAMES, 4, 2, 4)
    with pytest.raises(ValueError, match=r"x must have shape \(batch, time, 32\)"):
        built.call("elbo", shaped)


def test_axes_can_be_set() -> None:
    text = page_text(XZ, '"z_t", "x_t | z_t"', '"z_t | x_t"', "", "", "p(x_t): {reads: z_t}")
    spec, _ = read_text(text, "page.yaml", ["x.dim=[1, 4, 4]"])
    assert (spec.variable("x").dim, spec.variable("x").axes) == (16, (1, 4, 4))
    assert read_text(text, "page.yaml", ["x.dim=[3]"])[0] == read_text(text, "page.yaml")[0]


def test_dropout_rests_in_evaluation() -> None:
    spec = page(
        XZ,
        '"z_t | z_<t-1>", "x_t | z_t"',
        '"z_t | x_t"',
        "",
        "",
        "p(z_t): {reads: z_<t-1>}, p(x_t): {reads: z_t}, "
        "q(z_t): {reads: x_t, layers: [64 tanh dropout 0.5, 64 tanh]}",
    )
    module = build(spec, small=False)
    values = sample_values(module, BATCH, FRAMES)
    scripted = script(module.module)
    for one in (module.module, scripted):
        assert not torch.equal(module.call("encode", values, one).z, module.call("encode", values, one).z)
        one.eval()
        assert torch.equal(module.call("encode", values, one).z, module.call("encode", values, one).z)


def test_the_command_line_asks_before_it_imports(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(page_text(*OWN), encoding="utf-8")
    refused = CliRunner().invoke(app, ["compile", str(file), "-o", str(tmp_path / "out")])
    assert isinstance(refused.exception, Fault)
    assert not (tmp_path / "out").exists()
    done = CliRunner().invoke(app, ["compile", str(file), "-o", str(tmp_path / "out"), "--allow-python"])
    assert done.exit_code == 0, done.output
    text = (tmp_path / "out" / "model.py").read_text(encoding="utf-8")
    assert "from tests.test_blocks import Own as Own_tests_test_blocks_Own" in text
