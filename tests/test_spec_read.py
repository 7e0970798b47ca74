"""Reading specs: what pages mean, overrides, the order of the latents, and that only `Fault` is ever raised."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dvaec.diagnostics import Fault
from dvaec.spec import offsets as sets
from dvaec.spec.canonical import canonical, canonical_hash
from dvaec.spec.model import Dense, Family, InferenceKind, Parent, Role, SharedVariance, Side, Spec
from dvaec.spec.read import read_spec, read_text

SPECS = sorted((Path(__file__).parent.parent / "specs").glob("*.yaml"))
TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in SPECS}
BAD = sorted((Path(__file__).parent / "bad").glob("*.yaml"))

PAGE = """
dvaec: 1
model: M
variables:
  x: {role: observed, dim: 3}
  y: {role: observed, dim: 2, distribution: gamma, shape: 1}
  z: {role: latent, dim: 2}
  a: {role: latent, dim: 2}
  c: {role: input, dim: 4}
generation:
  - z_t | z_<t-1>, c
  - a_t | z_t
  - x_t | a_t, y_<<t>, x_<t-2>, x_<t-1>
  - y_t | a_t
"""


def fault_in(call: Callable[[], object]) -> Fault:
    """Return the fault that a call must raise."""
    with pytest.raises(Fault) as caught:
        call()
    return caught.value


def spec_of(text: str, *overrides: str) -> Spec:
    """Read a page that must be good."""
    return read_text(text, "page.yaml", overrides)[0]


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_the_shipped_specs_read(path: Path) -> None:
    spec, source = read_spec(path)
    assert sorted(spec.latents) == sorted(v.name for v in spec.having(Role.LATENT))
    assert source.span(("model",)).line == 3
    assert source.file == str(path)


def test_a_page_becomes_values() -> None:
    spec = spec_of(PAGE)
    assert [(v.name, v.role, v.family, v.framed) for v in spec.variables] == [
        ("x", Role.OBSERVED, Family.GAUSSIAN, True),
        ("y", Role.OBSERVED, Family.GAMMA, True),
        ("z", Role.LATENT, Family.GAUSSIAN, True),
        ("a", Role.LATENT, Family.GAUSSIAN, True),
        ("c", Role.INPUT, Family.GAUSSIAN, False),
    ]
    z, _, x, _ = spec.generation
    assert z.parents == (Parent("z", sets.of(-1)), Parent("c", None))
    assert x.of("x") == Parent("x", sets.of(-2, -1))
    assert x.of("y") == Parent("y", sets.window(None, -1))
    assert [p.name for p in x.parents] == ["x", "y", "a"]
    assert spec.inference.kind is InferenceKind.EXACT
    assert spec.latents == ("z", "a")


def test_the_order_follows_own_conditionals_or_the_block_order() -> None:
    own = "inference:\n  - z_t | a_t, x_<<=t>\n  - a_t | x_t\n"
    assert spec_of(PAGE + own).latents == ("a", "z")
    assert spec_of(PAGE + "order: [[a, z]]\n").latents == ("a", "z")
    assert spec_of(PAGE + "order: [[z, a]]\n").latents == ("z", "a")


def test_the_order_follows_the_networks_of_q_through_states_and_features() -> None:
    networks = """
features: {f_t: {reads: a_t, layers: [4 tanh]}}
states: {h_t: {rnn: gru, units: 4, reads: f_t}}
networks: {q(z_t): {reads: "h_t, x_t"}, q(a_t): {reads: x_t}}
"""
    spec = spec_of(PAGE + networks)
    assert spec.inference.kind is InferenceKind.NETWORKS
    assert spec.latents == ("a", "z")


def test_inference_by_keyword() -> None:
    assert spec_of(PAGE + "inference: filtering\n").inference.kind is InferenceKind.FILTERING
    ahead = spec_of(PAGE + "inference: {lookahead: 3}\n").inference
    assert (ahead.kind, ahead.delay) == (InferenceKind.LOOKAHEAD, 3)


def test_heads() -> None:
    text = (
        PAGE
        + """
inference: exact
networks:
  p(z_t): {reads: "z_<t-1>, c", variance: shared}
  p(x_t): {reads: z_t, variance: 0.25, mean: {layers: [8 relu]}}
  q(z_t): {reads: x_t, variance: {layers: [4 elu], link: softplus}}
"""
    )
    spec = spec_of(text)
    p, x = spec.head(Side.P, "z"), spec.head(Side.P, "x")
    assert p is not None
    assert x is not None
    assert p.block == Dense((Parent("z", sets.of(-1)), Parent("c", None)), ())
    assert p.variance == SharedVariance()
    assert x.block == Dense((Parent("z", sets.of(0)),), ())
    assert x.variance == 0.25


def test_a_model_without_latents_and_one_without_time_are_legal() -> None:
    head = "dvaec: 1\nmodel: M\nvariables:\n  x: {role: observed, dim: 3}\n"
    assert spec_of(head + "generation: [x_t | x_<<t>]\n").latents == ()
    vae = head + "  y: {role: latent, dim: 2}\ngeneration: [y_t, x_t | y_t]\n"
    assert spec_of(vae).latents == ("y",)


def test_a_learned_prior() -> None:
    text = TEXTS["storn"].replace("\nsizes:", "  p(z_t): {learned: true}\n\nsizes:")
    head = spec_of(text).head(Side.P, "z")
    assert head is not None
    assert head.learned


def test_places() -> None:
    source = read_text(TEXTS["srnn"], "srnn.yaml")[1]
    lines = TEXTS["srnn"].splitlines()

    def shown(*path: str | int) -> str:
        span = source.span(path)
        return lines[span.line - 1][span.column - 1 : span.column - 1 + span.width]

    assert shown("generation", "z") == "z_t | z_<t-1>, x_<<t>"
    assert shown("generation", "z", "x") == "x_<<t>"
    assert shown("variables", "x") == "x"
    assert shown("variables", "x", "dim") == "88"
    assert shown("states", "g_t", "reads") == '"h_t, x_t"'
    assert shown("networks", "q(z_t)") == "q(z_t)"
    assert shown("networks", "q(z_t)", "layers", 1) == "32 tanh"
    assert shown("networks", "q(z_t)", "nothing", "here") == "q(z_t)"


def test_overrides() -> None:
    text = TEXTS["srnn"]
    spec = spec_of(
        text, "x.dim=513", "h_t.units=256", "p(x_t).layers=[64 tanh]", "inference=filtering", "q(z_t).variance=shared",
        "g_t.through.0=32 relu", "about=another", "networks.p(z_t).layers=[]", "x.distribution=gaussian",
    )  # fmt: skip
    assert spec.variable("x").dim == 513
    assert spec.states[0].units == 256
    assert spec.states[1].through[0].units == 32
    assert spec.inference.kind is InferenceKind.FILTERING
    head = spec.head(Side.P, "x")
    assert head is not None
    assert isinstance(head.block, Dense)
    assert [layer.units for layer in head.block.layers] == [64]
    assert spec_of(text, "inference.lookahead=2").inference.delay == 2
    assert spec_of(text, "x.dim=5", "x.dim=6").variable("x").dim == 6


def test_an_override_of_a_missing_head_adds_it() -> None:
    head = spec_of(TEXTS["storn"], "p(z_t).learned=true").head(Side.P, "z")
    assert head is not None
    assert head.learned


def test_the_hash_is_that_of_the_meaning() -> None:
    text = TEXTS["vrnn"]
    same = text.replace("z_t | z_<<t>, x_<<t>", "'z_t|x_{1:t-1},z_< 1 : t-1 >'").replace(
        "about: ", "about: more "
    )
    assert same != text
    assert canonical_hash(spec_of(text)) == canonical_hash(spec_of(same))
    hashes = {canonical_hash(spec_of(one)) for one in TEXTS.values()}
    assert len(hashes) == len(TEXTS)
    assert canonical_hash(spec_of(text, "z.dim=17")) != canonical_hash(spec_of(text))
    assert "about" not in canonical(spec_of(text))


def test_what_is_wrong_in_several_blocks_is_said_in_one_run() -> None:
    text = PAGE.replace("dim: 3", "dim: -3").replace("a_t | z_t", "a_t | z_<=t>") + "inference: exakt\n"
    codes = [d.code for d in fault_in(lambda: spec_of(text)).diagnostics]
    assert codes == ["DV022", "DV041", "DV022"]


def test_importing_the_reader_is_quick_and_takes_neither_torch_nor_sympy() -> None:
    code = "import sys; import dvaec.spec.read; print(sorted({'torch', 'sympy', 'numpy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def only_faults(text: str, overrides: Sequence[str] = ()) -> None:
    """Read a text; anything but a spec or a `Fault` is a failure."""
    fault = None
    try:
        read_text(text, "fuzz.yaml", overrides)
    except Fault as raised:
        fault = raised
    assert fault is None or (fault.diagnostics and str(fault))


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=80))
@example("? [a]: b\n: c")
@example("a: !!float nan\n--- b")
@example('"\\UFFFFFFFF"')
@example("%YAML 9.9\n---\na: 1")
@example("[" * 5000)
@example("{a: " * 5000)
@example("dvaec: " + "9" * 5000)
@example("dvaec: 1\nvariables: {x: {dim: .inf, role: [latent]}}\ngeneration: {}\norder: {}\nnetworks: []")
def test_any_text_gives_a_spec_or_a_fault(text: str) -> None:
    only_faults(text)


PIECES = [
    "z_t", "x_<<t>", "<", ">", "{", "}", "|", ",", ": ", "\n", "  ", "- ", "[", "]", '"', "'", "null", "no", "1e9", "-1",
    "p(z_t)", "reads", "&a ", "*a", "!!str ", "#", "\t", "²", "T", "t:T:2", "block", "variance: ", "order: [[z, z]]\n",
]  # fmt: skip


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(sorted(TEXTS)), st.integers(0, 2**32), st.lists(st.sampled_from(PIECES), max_size=4))
def test_a_mutated_spec_gives_a_spec_or_a_fault(name: str, seed: int, pieces: list[str]) -> None:
    text, dice = TEXTS[name], random.Random(seed)
    for piece in [*pieces, ""]:
        start = dice.randrange(len(text))
        text = text[:start] + piece + text[start + dice.choice([0, 0, 1, 2, 8, 30]) :]
    only_faults(text)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(TEXTS)), st.data())
def test_a_spec_with_a_strange_value_gives_a_spec_or_a_fault(name: str, data: st.DataObject) -> None:
    lines = TEXTS[name].splitlines()
    keys = [n for n, line in enumerate(lines) if ":" in line]
    values = [
        "",
        "3",
        "[]",
        "{}",
        "[x_t]",
        "{a: {b: c}}",
        "true",
        "-.5",
        "~",
        "x",
        "[[z]]",
        "{block: 3}",
        "{lookahead: x}",
    ]
    for _ in range(2):
        at = data.draw(st.sampled_from(keys))
        key = lines[at].split(":")[0]
        lines[at] = f"{key}: {data.draw(st.sampled_from(values))}"
    only_faults("\n".join(lines))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text("xzhp()_t.=[]{}: 0abc", max_size=14), max_size=3))
def test_any_override_gives_a_spec_or_a_fault(overrides: list[str]) -> None:
    only_faults(TEXTS["srnn"], overrides)
