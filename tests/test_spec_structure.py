"""Pages of the harder structures: values of the sequence, numbered frames, causality, sweeps, T, starts."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvaec.compiler import run_text
from dvaec.diagnostics import Severity
from dvaec.spec import notation
from dvaec.spec.canonical import canonical_hash
from dvaec.spec.model import (
    LAST,
    Causality,
    Conditional,
    Dense,
    InferenceKind,
    Parent,
    Side,
    Spec,
    Sweep,
)
from dvaec.spec.offsets import ALL, NOW, of, window
from dvaec.spec.read import read_text
from dvaec.testing.strategies.conditionals import general_specs
from dvaec.testing.strategies.page_text import page_of
from tests.test_spec_read import fault_in, only_faults, spec_of
from tests.test_spec_time import drawn_at, unrolled

HEAD = "dvaec: 1\nmodel: M\nvariables:\n  x: {role: observed, dim: 3}\n  z: {role: latent, dim: 2}\n"
V = "  v: {role: latent, dim: 2}\n"
A = "  a: {role: latent, dim: 2}\n"
U = "  u: {role: input, dim: 1}\n"

DSAE = (
    HEAD
    + V
    + """
generation: [v, "z_t | z_<<t>", "x_t | z_t, v"]
inference: ["v | x_<1:T>", "z_t | v, x_<1:T>"]
states:
  h_t: {rnn: lstm, units: 8, reads: z_<t-1>}
  gf_t: {rnn: lstm, units: 8, reads: x_t}
  gb_t: {rnn: lstm, units: 8, runs: backward, reads: x_t, layers: 2}
  gz_t: {rnn: lstm, units: 8, runs: both, reads: "x_t, v"}
  r_t: {rnn: rnn, units: 8, reads: gz_t}
networks:
  q(v): {reads: "gf_<T>, gb_<1>"}
  q(z_t): {reads: r_t}
  p(z_t): {reads: h_t}
  p(x_t): {reads: "z_t, v", layers: [32 tanh]}
"""
)

DSSM = (
    HEAD
    + U
    + """
generation: [z_0, "z_1 | z_0, u_1", "z_t | z_<0:t-1>, u_t", "x_t | z_t"]
inference: ["z_0 | x_<1:T>, u_<1:T>", "z_t | z_<t-1>, x_<t:T>, u_<t:T>"]
states:
  b_t: {rnn: gru, units: 4, runs: backward, reads: "x_t, u_t", starts: {reads: u_<T>}}
networks:
  p(z_0): {learned: true}
  p(z_1): {reads: "z_0, u_1"}
  q(z_0): {reads: b_<1>}
  q(z_t): {reads: "z_<t-1>, b_t"}
"""
)


def line(spec: Spec, target: str) -> Conditional:
    return next(c for c in spec.generation if c.target == target)


def test_values_of_the_sequence_have_no_subscript() -> None:
    spec = spec_of(DSAE)
    assert [(v.name, v.framed, v.first) for v in spec.variables] == [
        ("x", True, 1), ("z", True, 1), ("v", False, 1),
    ]  # fmt: skip
    assert line(spec, "v") == Conditional("v", ())
    assert line(spec, "x").parents == (Parent("z", NOW), Parent("v", None))
    own_v, own_z = spec.inference.conditionals
    assert own_v == Conditional("v", (Parent("x", ALL),))
    assert own_z == Conditional("z", (Parent("x", ALL), Parent("v", None)))
    assert spec.order == (Sweep(("v",)), Sweep(("z",)))
    head = spec.head(Side.Q, "v")
    assert head is not None
    assert head.block == Dense((Parent("gf", None, LAST), Parent("gb", None, 1)), ())
    assert [s.layers for s in spec.states] == [1, 1, 2, 1, 1]


def test_a_level_can_be_said_and_both_ways_of_writing_are_a_fault() -> None:
    said = DSAE.replace("v: {role: latent, dim: 2}", "v: {role: latent, dim: 2, level: sequence}")
    assert spec_of(said) == spec_of(DSAE)
    mixed = DSAE.replace("x_t | z_t, v", "x_t | z_t, v_t")
    assert {d.code for d in fault_in(lambda: spec_of(mixed)).diagnostics} == {"DV052"}
    wrong = DSAE.replace("v: {role: latent, dim: 2}", "v: {role: latent, dim: 2, level: frame}")
    assert {d.code for d in fault_in(lambda: spec_of(wrong)).diagnostics} == {"DV052"}


def test_numbered_lines_give_single_frames_conditionals_of_their_own() -> None:
    spec = spec_of(DSSM)
    assert [(v.name, v.first) for v in spec.variables] == [("x", 1), ("z", 0), ("u", 1)]
    assert spec.numbered == (
        Conditional("z", (), 0),
        Conditional("z", (Parent("z", None, 0), Parent("u", None, 1)), 1),
    )
    assert [c.frame for c in spec.generation] == [None, None]
    assert line(spec, "z").of("z") == Parent("z", window(None, -1))
    assert spec.inference.numbered == (Conditional("z", (Parent("x", ALL), Parent("u", ALL)), 0),)
    assert [(h.side, h.target, h.frame) for h in spec.heads] == [
        (Side.P, "z", 0), (Side.P, "z", 1), (Side.Q, "z", 0), (Side.Q, "z", None),
    ]  # fmt: skip
    assert spec.head(Side.P, "z", 0) != spec.head(Side.P, "z")
    assert spec.states[0].start_reads == (Parent("u", None, LAST),)
    relation = DSSM.replace("z_<0:t-1>", "z_<<t>")
    assert spec_of(relation) == spec


def test_a_conditional_keeps_each_name_and_frame_once_relative_before_absolute() -> None:
    text = HEAD + U + 'generation: ["z_1 | u_<T>, u_1, u_<1:T>", z_t, "x_t | z_t, z_<t-1>"]\n'
    spec = spec_of(text, "causality=noncausal")
    assert spec.numbered[0].parents == (Parent("u", ALL),)
    assert line(spec, "x").parents == (Parent("z", of(-1, 0)),)


def test_the_places_of_numbered_lines() -> None:
    source = read_text(DSSM, "page.yaml")[1]
    span = source.span(("generation", "z_1", "u"))
    text = DSSM.splitlines()[span.line - 1]
    assert text[span.column - 1 : span.column - 1 + span.width] == "u_1"
    assert source.span(("generation", "z")).column != source.span(("generation", "z_0")).column


def test_a_network_is_placed_however_its_name_is_spaced() -> None:
    source = read_text(DSAE.replace("q(v):", "q( v ):").replace("p(z_t):", "p(z_<t>):"), "page.yaml")[1]
    for path in (("networks", "q(v)", "reads"), ("networks", "p(z_t)", "reads"), ("networks", "q(z_t)")):
        assert source.span(path).line == source.span(path[:2]).line
        assert path in source.spans


@pytest.mark.parametrize("word", list(Causality))
def test_causality(word: Causality) -> None:
    earlier, later = Parent("z", of(-1)), Parent("z", of(1))
    text = HEAD + f"causality: {word}\n"
    for parent, window_text, allowed in (
        (earlier, "z_<t-1>", word is not Causality.ANTICAUSAL),
        (later, "z_<t+1>", word is not Causality.CAUSAL),
    ):
        page = text + f'generation: ["z_t | {window_text}", "x_t | z_t"]\n'
        if allowed:
            spec = spec_of(page)
            assert spec.causality is word
            assert line(spec, "z").parents == (parent,)
        else:
            codes = {d.code for d in fault_in(lambda page=page: spec_of(page)).diagnostics}  # type: ignore[misc]
            assert codes == {"DV073" if word is Causality.ANTICAUSAL else "DV068"}


def test_static_observations_and_a_given_number_of_frames() -> None:
    text = HEAD + 'T: 10\ngeneration: [z_t, "x | z_<1:T>"]\ninference: ["z_t | z_<<t>, x"]\n'
    spec = spec_of(text)
    assert spec.frames == 10
    assert not spec.variable("x").framed
    assert line(spec, "x").parents == (Parent("z", ALL),)
    assert spec_of(text, "T=12").frames == 12


P_OF_TWO = 'generation: [v, "z_t | z_<t-1>, a_<t-1>", "a_t | z_t, v", "x_t | a_t"]\n'
TWO = HEAD + A + V + P_OF_TWO


@pytest.mark.parametrize(
    ("order", "sweeps"),
    [
        ("", (Sweep(("v",)), Sweep(("z", "a")))),
        ("[v, a, z]", (Sweep(("v",)), Sweep(("a",)), Sweep(("z",)))),
        ("[[a, z], v]", (Sweep(("a", "z")), Sweep(("v",)))),
        ("[[a], {backward: z}, v]", (Sweep(("a",)), Sweep(("z",), backward=True), Sweep(("v",)))),
        ("[v, {backward: [z, a]}]", (Sweep(("v",)), Sweep(("z", "a"), backward=True))),
    ],
)
def test_orders(order: str, sweeps: tuple[Sweep, ...]) -> None:
    spec = spec_of(TWO + (f"order: {order}\n" if order else ""))
    assert spec.order == sweeps
    assert spec.latents == tuple(name for sweep in sweeps for name in sweep.latents)


@pytest.mark.parametrize(
    ("own", "sweeps"),
    [
        ('["v | x_<1:T>", "a_t | x_t", "z_t | a_<1:T>"]', (Sweep(("v",)), Sweep(("a",)), Sweep(("z",)))),
        ('["v | z_<1:T>", "a_t | x_t", "z_t | a_t"]', (Sweep(("a", "z")), Sweep(("v",)))),
        ('["v | x_<1:T>", "a_t | z_t", "z_t | z_<t+1>"]', (Sweep(("v",)), Sweep(("z", "a"), backward=True))),
        ('[exact, "z_t | v, a_<t+3>"]', (Sweep(("v",)), Sweep(("a",)), Sweep(("z",)))),
        ('[{lookahead: 2}, "v | x_<1:T>, z_1"]', (Sweep(("z", "a")), Sweep(("v",)))),
    ],
)
def test_q_of_ones_own_fixes_the_order_where_it_reads_latents(own: str, sweeps: tuple[Sweep, ...]) -> None:
    assert spec_of(TWO + f"inference: {own}\n").order == sweeps


def test_the_networks_of_q_fix_the_order_through_states_and_single_frames() -> None:
    networks = """
states:
  s_t: {rnn: gru, units: 4, runs: both, reads: a_t}
  l_t: {rnn: gru, units: 4, reads: "z_t, x_t"}
  k_t: {rnn: gru, units: 4, runs: backward, reads: "z_<t+1>, s_t"}
networks:
  q(a_t): {reads: x_t}
  q(z_t): {reads: "k_t, x_t"}
  q(v): {reads: l_<T>}
"""
    spec = spec_of(TWO + networks)
    assert spec.inference.kind is InferenceKind.NETWORKS
    assert spec.order == (Sweep(("a",)), Sweep(("z",), backward=True), Sweep(("v",)))


@pytest.mark.parametrize(
    ("order", "kept"),
    [
        ("[v, a, z]", True),
        ("[v, [a, z]]", False),
        ("[a, {backward: z}, v]", True),
        ("[z, a, v]", False),
        ("[v, {backward: [a, z]}]", False),
    ],
)
def test_an_order_that_the_networks_of_q_cannot_keep_is_a_fault_at_them(order: str, kept: bool) -> None:
    networks = """
states: {s_t: {rnn: gru, units: 4, runs: both, reads: a_t}, e_t: {rnn: gru, units: 4, reads: x_t}}
networks: {q(v): {reads: e_<T>}, q(a_t): {reads: x_t}, q(z_t): {reads: "s_t, x_t"}}
"""
    page = f"{TWO}order: {order}\n{networks}"
    if kept:
        assert spec_of(page).inference.kind is InferenceKind.NETWORKS
        return
    fault = fault_in(lambda: spec_of(page))
    assert {d.code for d in fault.diagnostics} == {"DV071"}
    line_of = next(n for n, text in enumerate(page.splitlines(), start=1) if "q(z_t)" in text)
    assert {d.span.line for d in fault.diagnostics} == {line_of}


START = """
states: {h_t: {rnn: gru, units: 4, reads: x_t, starts: {reads: START}}, b_t: {rnn: gru, units: 4, reads: x_t}}
networks: {q(z_0): {reads: b_<T>}, q(z_t): {reads: h_t}}
"""


def test_a_start_from_z_0_lets_q_be_drawn_and_one_from_z_1_does_not() -> None:
    page = HEAD + 'generation: [z_0, "z_t | z_<t-1>", "x_t | z_t"]' + START
    assert spec_of(page.replace("START", "z_0")).order == (Sweep(("z",)),)
    fault = fault_in(lambda: run_text(page.replace("START", "z_1"), "page.yaml"))
    assert [d.code for d in fault.diagnostics] == ["DV304"]
    assert "h_t reads z_1" in fault.diagnostics[0].message


def test_a_q_that_no_plain_loop_draws_is_legal() -> None:
    own = '["a_t | a_<t-1>, z_<t-2>, x_t", "z_t | z_<t-1>, a_<t+1>"]'
    text = HEAD + A + f'generation: ["z_t | z_<t-1>", "a_t | z_t", "x_t | a_t"]\ninference: {own}\n'
    assert spec_of(text).order == (Sweep(("a", "z"), shifts=(0, 1)),)
    blocked = fault_in(lambda: spec_of(text + "order: [[a, z]]\n")).diagnostics
    assert [d.code for d in blocked] == ["DV071"]


@pytest.mark.parametrize(
    ("said", "kind", "delay", "own"),
    [
        ("mean_field", InferenceKind.MEAN_FIELD, 0, 0),
        ('[filtering, "v | x_<1:T>"]', InferenceKind.FILTERING, 0, 1),
        ('[{lookahead: 3}, "v | x_<1:T>", "a_t | x_t"]', InferenceKind.LOOKAHEAD, 3, 2),
        ('[exact, "v | x_<1:T>"]', InferenceKind.EXACT, 0, 1),
        ("[mean_field]", InferenceKind.MEAN_FIELD, 0, 0),
    ],
)
def test_words_for_q_alone_or_before_conditionals(
    said: str, kind: InferenceKind, delay: int, own: int
) -> None:
    inference = spec_of(TWO + f"inference: {said}\n").inference
    assert (inference.kind, inference.delay, len(inference.conditionals)) == (kind, delay, own)


def test_predictions_of_states() -> None:
    text = (
        HEAD
        + """
generation: ["z_t | z_<t-1>", "x_t | z_t"]
states: {b_t: {rnn: lstm, units: 4, runs: backward, reads: x_t}, h_t: {rnn: lstm, units: 4, reads: z_<t-1>}}
networks: {q(z_t): {reads: "h_t, b_t"}}
auxiliary: ["b_t | h_t, z_<t-1>, z_t"]
"""
    )
    assert spec_of(text).auxiliary == (Conditional("b", (Parent("z", of(-1, 0)), Parent("h", NOW))),)


@given(general_specs())
def test_a_page_of_the_whole_language_is_read_as_what_it_means(spec: Spec) -> None:
    assert spec_of(page_of(spec)) == spec


@given(general_specs(kinds=(InferenceKind.CONDITIONALS,)))
def test_q_can_be_drawn_in_the_order_that_is_found_for_it(spec: Spec) -> None:
    spec_of(page_of(spec))
    lines = [one for one in page_of(spec).splitlines() if not one.startswith("order:")]
    found = spec_of("\n".join(lines))
    assert replace(found, order=spec.order) == spec
    own = (*found.inference.conditionals, *found.inference.numbered)
    static = [v.name for v in found.variables if not v.framed]
    zero = [v.name for v in found.variables if v.first == 0]
    when = drawn_at(found.order, static, zero, 7)
    held = {(one.target, p.name, 7 if p.frame == LAST else p.frame) for one in own for p in one.parents}
    for child, parents in unrolled(own, static, zero, 7).items():
        for parent in parents:  # of a frame by its number q reads at that frame what has been drawn by then
            at_its_own = (child[0], *parent) in held and parent[1] == child[1]
            assert when[parent] < when[child] or at_its_own


def test_frames_that_nothing_links_are_remarked_on() -> None:
    vae = HEAD + 'generation: [z_t, "x_t | z_t"]\n'
    spec, source = read_text(vae, "page.yaml")
    assert [(n.code, n.severity) for n in source.notes] == [("DV104", Severity.NOTE)]
    assert spec.latents == ("z",)
    for linked in ('["z_t", "x_t | z_<t-1>"]', '[z_1, z_t, "x_t | z_t"]'):
        assert not read_text(HEAD + f"generation: {linked}\n", "page.yaml")[1].notes
    assert not read_text(HEAD.replace("latent", "observed") + "generation: [z_t, x_t]\n", "p")[1].notes
    assert not read_text(HEAD + V + 'generation: [v, z_t, "x_t | z_t, v"]\n', "p")[1].notes


def test_a_promise_that_is_kept_anyway_is_remarked_on() -> None:
    def notes(generation: str) -> list[str]:
        page = f"{HEAD}causality: noncausal\ngeneration: {generation}\n"
        return [note.code for note in read_text(page, "page.yaml")[1].notes]

    assert notes('["z_t | z_<t-1>", "x_t | z_t"]') == ["DV105"]
    assert notes('["z_t | z_<t+1>", "x_t | z_t"]') == []
    assert notes('["z_t", "x_t | z_<1:T>"]') == []


def test_every_part_of_the_structure_is_part_of_the_meaning() -> None:
    pages = [
        TWO,
        TWO + "order: [v, a, z]\n",
        TWO + "order: [v, {backward: [z, a]}]\n",
        TWO + "causality: noncausal\n",
        TWO + "inference: mean_field\n",
        TWO + 'inference: [mean_field, "v | x_1"]\n',
        TWO + 'inference: [mean_field, "v | x_<T>"]\n',
        TWO.replace("[v,", "[v, z_1,"),
        TWO.replace("[v,", "[v, z_0,"),
        DSAE,
        DSAE.replace("layers: 2", "layers: 3"),
        DSAE.replace("layers: 2", "starts: {reads: v}"),
    ]
    assert len({canonical_hash(spec_of(page)) for page in pages}) == len(pages)


PREDICTING = (
    HEAD
    + """generation: ["z_t | z_<t-1>", "x_t | z_t"]
states: {h_t: {rnn: gru, units: 4, reads: z_<t-1>}, b_t: {rnn: gru, units: 4, reads: "x_t, h_t"}}
networks: {q(z_t): {reads: b_t}}
auxiliary: ["b_t | z_t, h_t"]
"""
)
PIECES = [
    "z_t", "z_0", "z_1", "z_<T>", "v", "v_t", "h_t", "h_<T>", "z_<0:T>", "z_<1:T>", "z_<t+1>", "x_<<t>", "q(z_0)", "p(z_1)",
    "[", "]", "{", "}", ",", "|", ": ", "\n", "- ", "exact", "filtering", "{lookahead: 2}", "T: 10\n", "order: [[z, a]]\n",
    "order: [{backward: z}]\n", "causality: noncausal\n", "causality: anticausal\n", "starts: {reads: v}, ", "layers: 2, ",
]  # fmt: skip


@given(st.sampled_from([DSAE, DSSM, TWO, PREDICTING]), st.integers(0, 2**32))
def test_a_damaged_structure_gives_a_spec_or_a_fault(text: str, seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(10):
        page = text
        for _ in range(dice.randint(1, 4)):
            old, new, start = dice.choice(PIECES), dice.choice(PIECES), dice.randrange(len(page))
            cut = start + dice.choice([0, 0, 1, 2, 5])
            page = page.replace(old, new, 1) if dice.random() < 0.7 else page[:start] + new + page[cut:]
        only_faults(page)


def test_a_prediction_from_a_state_whose_name_is_faulty_is_no_crash() -> None:
    fault = fault_in(lambda: spec_of(PREDICTING.replace("h_t: {", "h_th: {")))
    assert "DV030" in {d.code for d in fault.diagnostics}


COUNTED = HEAD + U + A + "causality: noncausal\n"


@pytest.mark.parametrize(
    ("read", "parents"),
    [
        ("u_<1:3>", (Parent("u", of(0, 1, 2)),)),
        ("u_<2:T>", (Parent("u", window(1, None)),)),
        ("u_<1:T:2>", (Parent("u", window(0, None, 2)),)),
        ("u_<2:T:3>, u_T", (Parent("u", window(1, None, 3)), Parent("u", None, LAST))),
        ("u_3", (Parent("u", of(2)),)),
        ("u_<3>, u_1", (Parent("u", of(0, 2)),)),
        ("u_<1:1>", (Parent("u", None, 1),)),
        ("u_1, u_<2:T>, u_T", (Parent("u", ALL),)),
        ("a_<1:T>", (Parent("a", window(0, None)),)),
        ("a_<0:T>", (Parent("a", ALL),)),
        ("a_0, a_<1:T>", (Parent("a", ALL),)),
        ("a_<0:1>", (Parent("a", None, 0), Parent("a", None, 1))),
        ("a_<0:2>", (Parent("a", of(-1, 0, 1)),)),
    ],
)
def test_windows_of_frame_1_count_frames_and_have_one_form(read: str, parents: tuple[Parent, ...]) -> None:
    lines = f'generation: [a_0, a_t | a_<t-1>, "z_1 | {read}", z_t | z_<t-1>, "x_t | z_t, a_t, u_t"]\n'
    spec = spec_of(COUNTED + lines)
    (first,) = (c for c in spec.numbered if c.frame == 1)
    assert first.parents == parents
    again = f'"{notation.line(first, zeros=("a",))}"'
    assert spec_of(COUNTED + lines.replace(f'"z_1 | {read}"', again)) == spec


def test_windows_of_frame_0_count_frames_from_there() -> None:
    lines = (
        'generation: [a_0, a_t | a_<t-1>, "z_0 | a_<1:T>, a_3, u_<1:2>", z_t | z_<t-1>, "x_t | z_t, a_t"]\n'
    )
    codes = [d.code for d in fault_in(lambda: spec_of(COUNTED + lines)).diagnostics]
    assert codes == ["DV080"]
    spec = spec_of(COUNTED + lines.replace("a_3, ", ""))
    (first,) = (c for c in spec.numbered if c.target == "z")
    assert set(first.parents) == {Parent("a", window(1, None)), Parent("u", of(1, 2))}
