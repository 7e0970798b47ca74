"""The developed form against the declared windows: silent on good pages, exact on bad ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dvaec.derive.derivation import derive
from dvaec.derive.development_check import check_developed
from dvaec.diagnostics import Diagnostic
from dvaec.network.ends import Lost
from dvaec.spec.model import Dense, Spec
from dvaec.spec.partial import PageFault
from dvaec.spec.read import read_text
from dvaec.spec.source import Source
from dvaec.testing.strategies.developed import means_the_same, whole_specs
from dvaec.testing.strategies.page_text import page_of
from tests.strategies import specs, to_page

SPECS = Path(__file__).parent.parent / "specs"
FOUR = ("dkf", "storn", "vrnn", "srnn")


def found(model: str, old: str = "", new: str = "") -> list[Diagnostic]:
    """Check a page of `specs/` with one place changed."""
    text = (SPECS / f"{model}.yaml").read_text(encoding="utf-8")
    assert old in text
    spec, source = read_text(text.replace(old, new), f"{model}.yaml")
    return check_developed(spec, derive(spec), source)


@pytest.mark.parametrize("model", FOUR)
def test_good_pages_are_silent(model: str) -> None:
    assert found(model) == []


@pytest.mark.parametrize(
    ("model", "old", "new", "messages"),
    [
        ("srnn", "runs: backward, ", "", ["DV210 q(z_t) does not see x_<t+1:T>"]),
        (
            "srnn",
            "reads: x_<t-1>",
            "reads: x_<t-2>",
            [
                "DV210 p(z_t) does not see x_<t-1>",
                "DV210 p(x_t) does not see x_<t-1>",
                "DV212 q(z_t) loses frames at an end of the sequence",  # q(z_T) does not see x_{T-1}
            ],
        ),
        ("srnn", '"z_<t-1>, h_t"', "h_t", ["DV210 p(z_t) does not see z_<t-1>"]),
        ("vrnn", '{reads: "fz_t, h_t"}', "{reads: fz_t}", ["DV210 p(x_t) does not see x_<<t>, z_<<t>"]),
        ("dkf", "reads: u_t, units: 16", 'reads: "u_t, u_<t-1>", units: 16', ["DV211 p(z_t) sees u_<t-1>"]),
        (
            "dkf",
            "runs: backward, ",
            "",
            ["DV210 q(z_t) does not see x_<t+1:T>, u_<t+1:T>", "DV211 q(z_t) sees x_<<t>, u_<<t>"],
        ),
    ],
)
def test_differences_are_errors_at_what_the_head_reads(
    model: str, old: str, new: str, messages: list[str]
) -> None:
    diagnostics = found(model, old, new)
    short = [
        f"{d.code} {d.message.removeprefix('the network ').partition(', which')[0].partition(': of')[0]}"
        for d in diagnostics
    ]
    assert short == messages
    text = (SPECS / f"{model}.yaml").read_text(encoding="utf-8").replace(old, new).splitlines()
    for diagnostic in diagnostics:
        head = diagnostic.message.removeprefix("the network ").split()[0]
        line = text[diagnostic.span.line - 1]
        assert line.strip().startswith(head)
        assert line[: diagnostic.span.column - 1].rstrip(' "').endswith(("reads:", "of:", "{"))
        assert diagnostic.hint


def test_q_s_networks_alone_are_the_declaration() -> None:
    text = (SPECS / "vrnn.yaml").read_text(encoding="utf-8")
    start = text.index("inference:")
    spec, source = read_text(text[:start] + text[text.index("features:") :], "vrnn.yaml")
    assert check_developed(spec, derive(spec), source) == []


LESS = """dvaec: 1
model: M
variables:
  x: {role: observed, dim: 3}
  z: {role: latent, dim: 2}
generation: ["z_t | z_<t-1>", "x_t | z_t"]
states:
  b_t: {rnn: gru, units: 4, runs: backward, reads: x_<t-1>}
networks:
  q(z_t): {reads: "z_<t-1>, z_<t-2>, b_t"}
"""


def test_where_networks_alone_declare_q_what_they_lose_is_said_and_nothing_called_redundant() -> None:
    spec, source = read_text(LESS, "page.yaml")
    derivation = derive(spec)
    assert check_developed(spec, derivation, source) == []
    (comparison,) = derivation.comparisons
    assert comparison.unseen == tuple(Lost("x", t, 13, (13,)) for t in range(1, 14))
    assert comparison.redundant == ()
    sound, _ = read_text(LESS.replace("reads: x_<t-1>", "reads: x_t"), "page.yaml")
    (comparison,) = derive(sound).comparisons
    assert [p.name for p in comparison.redundant] == ["z"]
    assert comparison.unseen == ()


@pytest.mark.parametrize(("frames", "lost"), [(1, (1,)), (2, ()), (40, ())])
def test_of_a_fixed_length_only_that_one_is_looked_at(frames: int, lost: tuple[int, ...]) -> None:
    page = LESS.split("states:", maxsplit=1)[0] + (
        "features:\n"
        "  f_t: {reads: x_<t-1>, layers: [4 tanh]}\n"
        "  k_t: {reads: x_<t+1>, layers: [4 tanh]}\n"
        "networks:\n"
        '  q(z_t): {reads: "z_<t-1>, f_<t+1>, k_<t-1>"}\n'
    )
    (comparison,) = derive(replace(read_text(page, "page.yaml")[0], frames=frames)).comparisons
    assert [one.missing for one in comparison.unseen] == ([lost] if lost else [])


def test_states_without_a_direction_of_time_are_found_at_their_line() -> None:
    text = (SPECS / "srnn.yaml").read_text(encoding="utf-8")
    turned = text.replace("inference: exact", "").replace("reads: x_<t-1>", 'reads: "x_<t-1>, g_<t-1>"')
    spec, source = read_text(turned, "srnn.yaml")
    (diagnostic,) = check_developed(spec, derive(spec), source)
    assert diagnostic.code == "DV202"
    assert turned.splitlines()[diagnostic.span.line - 1].strip().startswith(("h_t:", "g_t:"))


@given(specs())
def test_a_random_page_means_its_spec(spec: Spec) -> None:
    read, source = read_text(to_page(spec), "random.yaml")
    assert read == spec
    assert derive(read) == derive(spec)
    assert check_developed(read, derive(read), source) == []
    assert isinstance(source, Source)


@given(whole_specs())
def test_a_random_page_of_of_the_whole_language_means_its_spec(spec: Spec) -> None:
    """What it is made of sees what is declared, so that the check is silent; and the page is read as it is."""
    try:
        read, source = read_text(page_of(spec), "random.yaml")
    except PageFault:  # whether every such page is legal is another test's concern
        assume(False)
    assert read == spec
    assert check_developed(read, derive(read), source) == []


@given(whole_specs(), st.data())
def test_a_head_that_reads_less_is_found(spec: Spec, data: st.DataObject) -> None:
    """Without one of its reads, a head of a declared conditional does not see something, or all is seen twice."""
    heads = [h for h in spec.heads if isinstance(h.block, Dense) and len(h.block.reads) > 1]
    assume(heads)
    head = data.draw(st.sampled_from(heads))
    assert isinstance(head.block, Dense)
    left = data.draw(st.sampled_from(head.block.reads))
    reads = tuple(r for r in head.block.reads if r != left)
    poorer = replace(head, block=replace(head.block, reads=reads))
    wrong = replace(spec, heads=tuple(poorer if h == head else h for h in spec.heads))
    found = check_developed(wrong, derive(spec), Source("page.yaml", {}, {"page.yaml": ""}))
    unchanged = means_the_same(spec, wrong)
    assert (found == []) == unchanged
    assert {d.code for d in found} <= {"DV210", "DV212"}
