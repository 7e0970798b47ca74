"""What changed between two specs: nothing if and only if the canonical hash is equal, else every difference."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dvaec.compiler import compile_text
from dvaec.derive.changes import Change, Section, changes
from dvaec.emit.changes_text import change_lines, changes_json
from dvaec.plan.comparing import comparable
from dvaec.spec.canonical import canonical_hash, layout_hash
from dvaec.spec.developed_text import developed_text
from dvaec.spec.model import LAST, Conditional, Spec
from dvaec.spec.offsets import NONE, NOW, Offsets, window
from dvaec.spec.read import read_text
from dvaec.testing.strategies import pages
from tests.program import dvaec
from tests.shipped import ROOT, SHIPPED, SPECS, shipped
from tests.spelling import spelled

FEW = settings(max_examples=max(10, settings().max_examples // 5))

PAGE = """\
dvaec: 1
model: M
variables:
  x: {role: observed, dim: 3}
  z: {role: latent, dim: 2}
  u: {role: input, dim: 1}
generation:
  - z_t | z_<t-1>, u_t
  - x_t | z_t
inference: exact
states:
  b_t: {rnn: gru, units: 4, runs: backward, reads: "x_t, u_t"}
features:
  f_t: {reads: b_t, layers: [3 tanh]}
networks:
  p(x_t): {reads: z_t, layers: [5 tanh]}
  q(z_t): {reads: "z_<t-1>, f_t"}
"""


def spec_of(text: str) -> Spec:
    return read_text(text, "page")[0]


def between(a: str | Spec, b: str | Spec) -> tuple[Change, ...]:
    """The differences between two pages."""
    one, other = (spec_of(x) if isinstance(x, str) else x for x in (a, b))
    return changes(*comparable(one, other))


def said(a: str, b: str) -> list[str]:
    """The differences as they are printed."""
    models = comparable(spec_of(a), spec_of(b))
    lines = change_lines(*models, changes(*models))
    return [f"{'  ' * line.depth}{line.mark}{' ' if line.mark else ''}{line.text}" for line in lines]


@FEW
@given(st.data())
def test_two_spellings_do_not_differ_unless_the_hash_does(data: st.DataObject) -> None:
    page = data.draw(pages())
    shuffle = data.draw(st.booleans())
    other, _ = data.draw(spelled(page, shuffle))
    equal = canonical_hash(spec_of(page)) == canonical_hash(spec_of(other))
    assert equal == (not between(page, other))
    assert equal or shuffle


@FEW
@given(pages(), pages())
def test_links_that_came_and_went_lead_from_one_to_the_other(a: str, b: str) -> None:
    found, back = between(a, b), between(b, a)
    assert bool(found) == (canonical_hash(spec_of(a)) != canonical_hash(spec_of(b)))
    mirrored = {(c.section, c.key): c for c in back}
    assert set(mirrored) == {(c.section, c.key) for c in found}
    for change in found:
        other = mirrored[change.section, change.key]
        assert (len(change.added), len(change.removed)) == (len(other.removed), len(other.added))
        for side in (change.before, change.after):
            assert isinstance(side, type(change.before)) or None in (change.before, change.after)
        if isinstance(change.before, Conditional) or isinstance(change.after, Conditional):
            at = next(c.frame for c in (change.before, change.after) if isinstance(c, Conditional))
            before, after = _links(change.before), _links(change.after)
            came, went = (_links(Conditional("", some, at)) for some in (change.added, change.removed))
            for key in dict.fromkeys([*before, *after, *came, *went]):
                assert (before.get(key, NONE) - went.get(key, NONE)) | came.get(key, NONE) == after.get(
                    key, NONE
                )
                assert not came.get(key, NONE) & before.get(key, NONE)
                assert went.get(key, NONE) <= before.get(key, NONE)


def _links(conditional: object) -> dict[object, Offsets]:
    """Links as sets of offsets, those without a window as the set of 0; lines of one frame read what there is."""
    if not isinstance(conditional, Conditional):
        return {}
    found: dict[object, Offsets] = {}
    for p in conditional.parents:
        there = NOW if p.offsets is None else p.offsets
        key: tuple[object, ...] = (p.name, p.frame, p.offsets is None)
        if conditional.frame == LAST and (p.offsets is not None or p.frame == LAST):
            key, there = (p.name, LAST), there & window(None, 0)
        elif conditional.frame is not None and p.offsets is not None:
            there &= window(-conditional.frame, None)  # frames 0, 1, ... as they are there
        found[key] = found.get(key, NONE) | there
    return found


EDITS = {
    "name": ("model: M", "model: N", [Section.PAGE]),
    "frames": ("model: M", "model: M\ndevelop: separate", [Section.PAGE]),
    "dim": ("dim: 3}", "dim: 4}", [Section.VARIABLES]),
    "family": ("dim: 3}", "dim: 3, distribution: bernoulli}", [Section.VARIABLES]),
    "option": ("dim: 3}", "dim: 3, distribution: student_t, degrees: 5}", [Section.VARIABLES]),
    "axes": ("dim: 3}", "dim: [1, 3]}", [Section.VARIABLES]),
    "causality": ("model: M", "model: M\ncausality: noncausal", [Section.PAGE]),
    "keyword": ("inference: exact", "inference: {lookahead: 2}", [Section.DECLARATION, Section.INFERENCE, Section.GOLDEN]),
    "own words": ("inference: exact", "inference: ['z_t | z_<t-1>, x_<t:T>, u_<t:T>']", [Section.DECLARATION]),
    "units": ("units: 4", "units: 5", [Section.STATES]),
    "layers": ("[3 tanh]", "[3 relu]", [Section.FEATURES]),
    "head": ("[5 tanh]", "[]", [Section.NETWORKS]),
    "variance": ("[5 tanh]", "[5 tanh], variance: shared", [Section.NETWORKS]),
    "link": ("z_t | z_<t-1>, u_t", "z_t | z_<t-2:t-1>, u_t", [Section.GENERATION, Section.INFERENCE, Section.POSTERIOR]),
    "first frame": ("  - x_t | z_t", "  - x_t | z_t\n  - z_1", [Section.GENERATION, Section.ELBO]),
}  # fmt: skip


@pytest.mark.parametrize("name", EDITS)
def test_every_edit_is_found_where_it_is(name: str) -> None:
    old, new, sections = EDITS[name]
    page = (
        PAGE.replace("features:\n  f_t: {reads: b_t, layers: [3 tanh]}\n", "")
        if name in ("keyword", "link")
        else PAGE
    )
    if name in ("keyword", "link"):
        page = page[: page.index("states:")]
    other = page.replace(old, new)
    assert canonical_hash(spec_of(page)) != canonical_hash(spec_of(other))
    there = {change.section for change in between(page, other)}
    assert there >= set(sections)
    assert not between(other, other)
    if len(sections) == 1 and name != "first frame":
        assert there == set(sections)


def test_every_field_of_a_spec_is_compared() -> None:
    """A pair of pages for each field, and nothing else in the value differs: what is new must come here."""
    from dataclasses import fields

    known = {
        "name", "variables", "generation", "inference", "order", "states", "features", "heads", "numbered",
        "causality", "frames", "auxiliary", "separate",
    }  # fmt: skip
    told = {"about", "cites", "objective", "unswept"}  # the last follows from q's lines
    assert {f.name for f in fields(Spec)} - told == known


@pytest.mark.parametrize("name", SHIPPED)
def test_a_page_and_its_complete_developed_form_mean_the_same_and_say_so_differently(name: str) -> None:
    """Pasting the default development changes what is given, and no node."""
    spec = shipped(name)
    one, other = comparable(spec, spec)
    assert not changes(one, other)
    found = changes(*comparable(spec, one.developed))
    assert bool(found) == (canonical_hash(spec) != canonical_hash(one.developed))
    for change in found:
        assert change.section in (Section.STATES, Section.FEATURES, Section.NETWORKS, Section.DECLARATION)
        assert change.before == change.after or change.section is Section.DECLARATION


def test_a_pasted_development_is_told_as_such() -> None:
    page = PAGE[: PAGE.index("states:")]
    developed = comparable(spec_of(page), spec_of(page))[0].developed
    lines = said(page, page + developed_text(developed))
    assert lines[0] == "States"
    assert all(
        line.endswith("(developed by default -> given on the page)") or line in ("States", "Networks")
        for line in lines
    )


def test_what_is_printed() -> None:
    page = PAGE[: PAGE.index("states:")]
    other = page.replace("x_t | z_t", "x_t | z_t, x_<t-1>").replace("exact", "filtering")
    assert said(page, other) == PRINTED.splitlines()


PRINTED = """\
Generative model
  ~ p(x_t | x_{t-1}, z_t)
    + x_t <- x_<t-1>
How q is declared
  - declared: exact
  + declared: filtering
Inference model
  ~ q(z_t | z_{t-1}, x_{t-1:t}, u_t)
    - z_t <- x_<t+1:T>
    - z_t <- u_<t+1:T>
    + z_t <- x_<t-1>
Exact posterior
  ~ p(z_t | x_{t-1:T}, z_{t-1}, u_{t:T})
    + z_t <- x_<t-1>
Golden links (in the exact posterior, not in q)
  + z_t <- x_<t+1:T>
  + z_t <- u_<t+1:T>
Terms of the evidence lower bound
  - reconstruction: sum_t E_q[log p(x_t | z_t)]   (Monte Carlo, over sequential draws of z)
  + reconstruction: sum_t E_q[log p(x_t | x_{t-1}, z_t)]   (Monte Carlo, over sequential draws of z)
  - divergence: sum_t E_q[KL(q(z_t | z_{t-1}, x_{t:T}, u_{t:T}) || p(z_t | z_{t-1}, u_t))]   \
(analytic, over sequential draws of z)
  + divergence: sum_t E_q[KL(q(z_t | z_{t-1}, x_{t-1:t}, u_t) || p(z_t | z_{t-1}, u_t))]   \
(analytic, over sequential draws of z)
States
  - xufuture_t: {rnn: lstm, units: 128, runs: backward, reads: "x_t, u_t"}   (developed by default)
Networks
  - p(x_t): {reads: z_t, layers: [128 tanh]}   (developed by default)
  + p(x_t): {reads: "x_<t-1>, z_t", layers: [128 tanh]}   (developed by default)
  - q(z_t): {reads: "z_<t-1>, xufuture_t", layers: [128 tanh]}   (developed by default)
  + q(z_t): {reads: "x_<t-1:t>, z_<t-1>, u_t", layers: [128 tanh]}   (developed by default)
"""


ORDERS = """\
dvaec: 1
model: M
variables:
  a: {role: latent, dim: 1}
  z: {role: latent, dim: 2}
  x: {role: observed, dim: 3}
generation: [a_t, z_t, "x_t | a_t, z_t"]
inference: exact
"""


def test_an_order_of_lines_that_changes_q_is_a_difference() -> None:
    """Of independent latents q draws first what stands first: another factorization of the posterior."""
    other = ORDERS.replace("[a_t, z_t,", "[z_t, a_t,")
    assert canonical_hash(spec_of(ORDERS)) != canonical_hash(spec_of(other))
    lines = said(ORDERS, other)
    assert lines[:3] == [
        "Order of q's chain rule",
        "  - by the chain rule along a and z frame by frame, forward in time",
        "  + by the chain rule along z and a frame by frame, forward in time",
    ]
    assert "    + a_t <- z_t" in lines
    fixed = [page.replace("inference:", "order: [[a, z]]\ninference:") for page in (ORDERS, other)]
    assert canonical_hash(spec_of(fixed[0])) == canonical_hash(spec_of(fixed[1]))
    assert not between(*fixed)


def test_the_order_of_what_a_class_of_ones_own_reads_means_something() -> None:
    page = PAGE.replace(
        "{reads: b_t, layers: [3 tanh]}", '{python: "torch.nn:Linear", reads: "b_t, u_t", units: 3}'
    )
    other = page.replace('reads: "b_t, u_t"', 'reads: "u_t, b_t"')
    assert [c.section for c in between(page, other)] == [Section.FEATURES]
    assert not between(PAGE, PAGE.replace('"x_t, u_t"', '"u_t, x_t"'))


def test_weights_are_stored_beside_a_hash_that_minds_the_order_of_lines() -> None:
    """Parameters, and an optimizer's state, stand in the order of the page's lines."""
    lines = PAGE[PAGE.index("  p(x_t)") :]
    first, second = lines.splitlines(keepends=True)
    other = PAGE.replace(lines, second + first)
    one, two = (compile_text(page, "page").card for page in (PAGE, other))
    assert canonical_hash(spec_of(PAGE)) == canonical_hash(spec_of(other))
    assert one["hash"] == layout_hash(spec_of(PAGE)) != two["hash"]


def test_json_holds_what_is_printed() -> None:
    other = PAGE.replace("z_t | z_<t-1>, u_t", "z_t | z_<t-1>, u_<t-1:t>").replace(
        'reads: "x_t, u_t"', 'reads: "x_t, u_t"'
    )
    other = other[: other.index("states:")]
    models = comparable(spec_of(PAGE), spec_of(other))
    value = changes_json(*models, changes(*models), ("a.yaml", "b.yaml"))
    assert json.loads(json.dumps(value)) == value
    assert value["same"] is False
    assert value["a"] == {"file": "a.yaml", "model": "M", "hash": canonical_hash(spec_of(PAGE))}
    told = value["changes"]
    assert isinstance(told, list)
    assert told[0] == {
        "section": "generation",
        "name": "z",
        "frame": None,
        "change": "changed",
        "before": "p(z_t | z_{t-1}, u_t)",
        "after": "p(z_t | z_{t-1}, u_{t-1:t})",
        "removed": [],
        "added": [
            {
                "name": "u",
                "text": "u_<t-1>",
                "windows": [{"start": -1, "stop": -1, "stride": 1}],
                "frame": None,
            }
        ],
        "differing": [],
    }


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    paths = tmp_path / "a.yaml", tmp_path / "b.yaml"
    for path, text in zip(paths, (PAGE, PAGE.replace("units: 4", "units: 6")), strict=True):
        path.write_text(text, encoding="utf-8")
    return paths


def test_diff_from_outside(two: tuple[Path, Path]) -> None:
    a, b = map(str, two)
    done = dvaec("diff", a, b)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == (
        'States\n  - b_t: {rnn: gru, units: 4, runs: backward, reads: "x_t, u_t"}\n'
        '  + b_t: {rnn: gru, units: 6, runs: backward, reads: "x_t, u_t"}\n'
    )
    assert json.loads(dvaec("diff", a, b, "--json").stdout)["same"] is False
    two[1].write_text("# a comment\nabout: 'other words'\n" + PAGE.replace("z_<t-1>, u_t", "u_t, z_{t-1}"))
    done = dvaec("diff", a, b)
    assert (done.returncode, done.stdout, done.stderr) == (0, "no difference\n", "")
    assert json.loads(dvaec("diff", a, b, "--json").stdout)["changes"] == []


def test_diff_has_a_status_of_its_own_for_trouble(two: tuple[Path, Path]) -> None:
    folder = two[0].parent
    two[0].write_text(PAGE.replace("x_t | z_t", "x_t | w_t"))
    two[1].write_text(PAGE.replace("dim: 3", "dims: 3"))
    done = dvaec("diff", "a.yaml", "b.yaml", cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    heads = [line.split(": error")[0] for line in done.stderr.splitlines() if ": error[DV" in line]
    assert heads[0] == "a.yaml:9:11"
    assert any(head.startswith("b.yaml:4:") for head in heads)
    srnn = str(SPECS / "srnn.yaml")
    assert dvaec("diff", srnn, "none.yaml", cwd=folder).returncode == 2
    assert dvaec("diff", srnn).returncode == 2
    done = dvaec("diff", srnn, srnn, "-o", "a.gif", cwd=folder)
    assert done.returncode == 2
    assert ".svg, .png, .pdf, .dot" in " ".join(done.stderr.replace("│", " ").split())
    done = dvaec("diff", srnn, srnn, "-o", "nowhere/a.svg", cwd=folder)
    assert done.returncode == 2
    assert done.stderr == "error: nowhere/a.svg: No such file or directory\n"
    assert sorted(p.name for p in folder.iterdir()) == ["a.yaml", "b.yaml"]


def test_help_says_what_the_status_means() -> None:
    text = " ".join(dvaec("diff", "--help").stdout.split())
    assert "0 no difference, 1 differences, 2 trouble" in text
    assert "dvaec diff" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert "dvaec fmt" in (ROOT / "README.md").read_text(encoding="utf-8")
