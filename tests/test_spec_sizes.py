"""Sets of sizes: the appendices' B and C for one structure."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvaec.derive.derivation import derive
from dvaec.diagnostics import Fault
from dvaec.spec.canonical import canonical_hash
from dvaec.spec.model import Dense, Family, Layer, Side, Spec
from dvaec.spec.overrides import apply_overrides
from dvaec.spec.read import read_text
from dvaec.spec.report import Report
from dvaec.spec.sizes import names_of_sets
from dvaec.spec.yaml_tree import Entries, parse_tree
from tests.shipped import SHIPPED, SPECS

PAGE = """
dvaec: 1
model: Model
variables: {x: {role: observed, dim: 3}, z: {role: latent, dim: 2}}
generation: [z_t | z_<t-1>, x_t | z_t]
states: {h_t: {rnn: gru, units: 8, reads: x_t, through: [8 tanh]}}
networks:
  q(z_t): {reads: "z_<t-1>, h_t", layers: [8 tanh]}
sizes:
  small: {x.dim: 2, x.distribution: bernoulli, h_t.units: 4, h_t.through: [], q(z_t).layers: [5 relu, 4 relu]}
  sure: {networks.q(z_t).variance: 0.5, z.dim: 7}
"""


def spec_of(text: str, *overrides: str) -> Spec:
    return read_text(text, "page.yaml", overrides)[0]


def sets_of(name: str) -> list[str]:
    tree = parse_tree((SPECS / f"{name}.yaml").read_text(encoding="utf-8"), name, Report())
    assert isinstance(tree, Entries)
    return [key.text for key in names_of_sets(tree)]


SIZED = [(name, size) for name in SHIPPED for size in sets_of(name)]


def test_a_set_takes_the_place_of_the_pages_values() -> None:
    spec = spec_of(PAGE, "sizes=small")
    x, state = spec.variable("x"), spec.states[0]
    assert (x.dim, x.family, spec.variable("z").dim) == (2, Family.BERNOULLI, 2)
    assert (state.units, state.through) == (4, ())
    head = spec.head(Side.Q, "z")
    assert head is not None
    assert isinstance(head.block, Dense)
    assert head.block.layers == (Layer(5, "relu"), Layer(4, "relu"))


def test_what_is_set_behind_it_comes_last_and_sets_add_up() -> None:
    assert spec_of(PAGE, "sizes=small", "x.dim=9").variable("x").dim == 9
    assert spec_of(PAGE, "x.dim=9", "sizes=small").variable("x").dim == 9
    both = spec_of(PAGE, "sizes=small", "sizes=sure")
    assert (both.variable("x").dim, both.variable("z").dim) == (2, 7)
    head = both.head(Side.Q, "z")
    assert head is not None
    assert head.variance == 0.5


def test_sizes_that_nobody_chooses_mean_nothing() -> None:
    without = PAGE[: PAGE.index("sizes:")]
    assert canonical_hash(spec_of(PAGE)) == canonical_hash(spec_of(without))


def test_the_tree_keeps_its_positions() -> None:
    report = Report()
    tree = parse_tree(PAGE, "page.yaml", report)
    assert isinstance(tree, Entries)
    sized = apply_overrides(tree, ["sizes=small"], {}, report)
    variables = sized.get("variables")
    assert isinstance(variables, Entries)
    x = variables.get("x")
    assert isinstance(x, Entries)
    dim = x.get("dim")
    assert dim is not None
    assert (dim.span.file, dim.span.line, dim.span.column) == ("page.yaml", 10, 18)
    assert report.found == []


@pytest.mark.parametrize(("name", "size"), SIZED, ids=lambda one: str(one))
def test_one_structure_has_many_sizes(name: str, size: str) -> None:
    """What depends on what, and so every derivation, is the same under each set of a shipped page."""
    text = (SPECS / f"{name}.yaml").read_text(encoding="utf-8")
    plain, sized = spec_of(text), spec_of(text, f"sizes={size}")
    for part in ("generation", "numbered", "inference", "order", "causality", "frames"):
        assert getattr(plain, part) == getattr(sized, part)
    assert [replace(s, units=0, through=()) for s in plain.states] == [
        replace(s, units=0, through=()) for s in sized.states
    ]
    assert derive(plain) == derive(sized)
    assert canonical_hash(plain) != canonical_hash(sized)


@pytest.mark.parametrize("name", ["dkf_undriven", "storn", "vrnn", "srnn"])
def test_the_appendices_are_there(name: str) -> None:
    assert sets_of(name) == ["speech", "motion"]
    text = (SPECS / f"{name}.yaml").read_text(encoding="utf-8")
    speech, motion = spec_of(text, "sizes=speech"), spec_of(text, "sizes=motion")
    assert (speech.variable("x").dim, speech.variable("z").dim) == (513, 16)  # 13.1
    assert (motion.variable("x").dim, motion.variable("z").dim) == (96, 10)
    assert {state.units for state in speech.states} == {128}
    assert {state.units for state in motion.states} == {64}
    assert speech.variable("x").family is Family.GAMMA
    head = motion.head(Side.P, "x")
    assert head is not None
    assert head.variance == 1  # 13.2.2: the identity


PLACES = st.sampled_from(
    ["x", "z", "h_t", "q(z_t)", "p(x_t)", "g_t", "", "networks", "states", "sizes", "x_t", "T"]
)
WORDS = st.sampled_from(
    ["dim", "units", "through", "layers", "variance", "distribution", "0", "", "link", "T", "reads", "mean"]
)
VALUES = st.sampled_from(
    [
        "3",
        "0",
        "-1",
        "2.5",
        "gamma",
        "[8 tanh]",
        "[]",
        "[8]",
        "shared",
        "{dim: 3}",
        "true",
        "'4'",
        "1e9",
        "[[8 tanh]]",
    ]
)


@given(st.dictionaries(st.lists(st.one_of(PLACES, WORDS), min_size=1, max_size=3).map(".".join), VALUES))
def test_any_set_gives_a_spec_or_a_fault_that_shows_where(one: dict[str, str]) -> None:
    rows = "".join(f"    '{path}': {value}\n" for path, value in one.items())
    text = f"{PAGE}  mine:\n{rows}" if rows else f"{PAGE}  mine: {{}}\n"
    faults = []
    for overrides in ((), ("sizes=mine",)):
        try:
            read_text(text, "page.yaml", overrides)
        except Fault as fault:
            faults.append(str(fault))
    assert len(faults) in (0, 2), "a set is judged before it is chosen"
    assert all("page.yaml:" in shown for shown in faults)
