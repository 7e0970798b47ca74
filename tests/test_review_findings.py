"""Every finding of docs/models.md, what the review says and its graphs do not, proved under its name."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from dvaec.derive.expression import KullbackLeibler
from dvaec.derive.horizon import posterior_at
from dvaec.derive.model import Estimator, TermKind
from dvaec.derive.regroup import regroupings
from dvaec.network.unfold import unfold
from dvaec.spec.model import Parent, Role, Side
from dvaec.spec.offsets import ALL, NONE, NOW, Offsets, window
from tests.review import (
    bound_terms,
    derived,
    entries,
    exact_factors,
    findings,
    q_factors,
)

ENTRIES = entries()
FINDINGS = {one.name: one for one in findings()}
PAST = window(None, -1)


def parents_of(page: str, target: str, overrides: tuple[str, ...] = ()) -> dict[str, Offsets | None]:
    """Return the exact posterior's windows of one latent, by variable."""
    factor = exact_factors(derived(page, overrides))[target, None]
    return {parent.name: parent.offsets for parent in factor.parents}


def silver_of(page: str) -> dict[str, Offsets | None]:
    known = derived(page)
    assert known.derivation is not None
    return {p.name: p.offsets for one in known.derivation.comparisons for p in one.silver}


def overrides_of(name: str) -> tuple[str, ...]:
    return next(probe.overrides for probe in FINDINGS[name].probes if probe.overrides)


def minimal(page: str, target: str, frames: int, overrides: tuple[str, ...] = ()) -> set[str]:
    return set(posterior_at(derived(page, overrides).spec, frames)[target])


# The DKF of four frames for the review's sentence on head-to-head nodes, with nothing of dvaec's in it.

FRAMES = 4
CHILDREN = {
    **{f"z_{t}": [f"x_{t}", *([f"z_{t + 1}"] if t < FRAMES else [])] for t in range(1, FRAMES + 1)},
    **{f"u_{t}": [f"z_{t}"] for t in range(1, FRAMES + 1)},
    **{f"x_{t}": list[str]() for t in range(1, FRAMES + 1)},
}


def paths(start: str, stop: str, way: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    way = (*way, start)
    if start == stop:
        yield way
        return
    for other, children in CHILDREN.items():
        if other not in way and (other in CHILDREN[start] or start in children):
            yield from paths(other, stop, way)


def below(node: str) -> set[str]:
    return {node}.union(*(below(child) for child in CHILDREN[node]))


def blocked(way: tuple[str, ...], given: set[str], *, with_descendants: bool) -> bool:
    for before, node, after in zip(way, way[1:], way[2:], strict=False):
        if node in CHILDREN[before] and node in CHILDREN[after]:
            opens = below(node) if with_descendants else {node}
            if not opens & given:
                return True
        elif node in given:
            return True
    return False


def needed(target: str, given: set[str], *, with_descendants: bool) -> set[str]:
    return {
        one
        for one in given
        if not all(
            blocked(way, given - {one}, with_descendants=with_descendants) for way in paths(target, one)
        )
    }


def head_to_head() -> None:
    given = {f"{name}_{t}" for name in "xu" for t in range(1, FRAMES + 1)} | {"z_1"}
    exact = minimal("dkf", "z_2", FRAMES)
    assert exact == {"z_1", "x_2", "x_3", "x_4", "u_2", "u_3", "u_4"}
    assert needed("z_2", given, with_descendants=True) == exact
    assert needed("z_2", given, with_descendants=False) == exact - {"u_3", "u_4"}


def only_dsae() -> None:
    expected = {
        "dkf_local": {"x", "u"},
        "dkf_past": {"x", "u"},
        "dkf_whole": {"x", "u"},
        "dkf_st_l": {"x"},
        "dkf_st_lr": {"x"},
        "dkf_mf_lr": {"x"},
    }
    assert [probe.page for probe in FINDINGS["only_dsae"].probes] == [*expected, "fhvae"]
    for page, names in expected.items():
        assert set(silver_of(page)) == names
    assert set(silver_of("dsae_full")) == {"x"}
    assert "i" in silver_of("fhvae")


def driven() -> None:
    predictive, with_input = parents_of("srnn", "z"), parents_of("srnn", "z", overrides_of("driven"))
    assert predictive["x"] == ALL
    assert with_input == {"x": window(0, None), "z": window(-1, -1), "u": ALL}


def rssm() -> None:
    assert parents_of("vrnn", "z") == {"x": ALL, "z": PAST}
    found = parents_of("rssm", "z")
    assert (found["x"], found["z"], found["u"]) == (window(0, None), PAST, ALL)


def goyal() -> None:
    text = overrides_of("goyal")
    assert parents_of("vrnn_goyal", "z") == {"x": ALL, "z": PAST}
    assert minimal("vrnn_goyal", "z_4", 4) == {"x_1", "x_2", "x_3", "x_4", "z_1", "z_2", "z_3"}
    assert minimal("vrnn_goyal", "z_4", 4, text) == {"x_1", "x_2", "x_3", "z_1", "z_2", "z_3"}
    x = next(c for c in derived("vrnn_goyal", text).spec.generation if c.target == "x")
    assert {p.name: p.offsets for p in x.parents} == {"x": PAST, "z": PAST}


def recursive() -> None:
    """The pages all of whose draws are made at once."""
    free = set()
    for entry in ENTRIES:
        known = derived(entry.page)
        assert known.elbo is not None
        if known.spec.latents and not any(term.sequential for term in known.elbo.terms):
            free.add(entry.page)
    said = {"storn", "dsae_full", "dsae_factorized", "svg_fp", "svg_lp"}
    assert said | {"dkf_instant", "dkf_local", "dkf_past", "dkf_whole", "dkf_mf_lr"} <= free
    assert not free & {"dkf", "vrnn", "srnn", "rvae_causal"}


def general_bound() -> None:
    for entry in ENTRIES:
        known = derived(entry.page)
        assert known.elbo is not None
        ratios = [term.target for term in known.elbo.terms if term.estimator is Estimator.LOG_RATIO]
        framed = [sweep for sweep in known.spec.order if known.spec.variable(sweep.latents[0]).framed]
        assert ratios == (["a"] if entry.page in ("kvae", "kvae_mixture") else []), entry.page
        assert not ratios or len(framed) > 1


def decoding_link() -> None:
    for page, without in (("kvae", "z"), ("dssm", "v"), ("fhvae", "w"), ("slds", "s")):
        spec = derived(page).spec
        seen = {v.name for v in spec.having(Role.OBSERVED)}
        assert all(c.of(without) is None for c in spec.generation if c.target in seen)
        assert spec.variable(without).role is Role.LATENT


def temporal_link() -> None:
    for page, linked in (
        ("fhvae", False),
        ("dkf", True),
        ("vrnn", True),
        ("storn", True),
        ("rvae_causal", True),
    ):
        windows = [
            p.offsets for c in derived(page).spec.generation for p in c.parents if p.offsets is not None
        ]
        assert any(found & PAST for found in windows) is linked


def rvae_versions() -> None:
    for page, future in (("rvae_causal", False), ("rvae_noncausal", True)):
        x = next(c for c in derived(page).spec.generation if c.target == "x")
        seen = x.of("z")
        assert seen is not None
        assert seen.offsets is not None
        assert bool(seen.offsets & window(1, None)) is future


def bank() -> None:
    assert parents_of("kvae", "z") == {"a": window(0, None), "u": window(0, None), "z": window(-1, -1)}
    assert parents_of("kvae_mixture", "z")["a"] == ALL
    a = next(c for c in derived("kvae_mixture").spec.generation if c.target == "a")
    assert a.of("a") is not None


def salimans() -> None:
    last, every = (probe.overrides for probe in FINDINGS["salimans"].probes)
    assert parents_of("draw", "z", last) == {"x": None, "z": window(-1, -1)}
    assert parents_of("draw", "z", every) == {"x": None, "z": PAST}


def dsae_v() -> None:
    assert parents_of("dsae_full", "z") == {"v": None, "z": PAST, "x": window(0, None)}


def rvae_window() -> None:
    x = next(c for c in derived("rvae_causal").spec.generation if c.target == "x")
    assert [(p.name, p.offsets) for p in x.parents] == [("z", window(None, 0))]
    changed = overrides_of("rvae_window")
    assert parents_of("rvae_causal", "z", changed)["x"] == window(1, None)
    assert minimal("rvae_causal", "z_4", 4, changed) == set()


def dks_start() -> None:
    for frames in (1, 2, 4):
        assert f"x_{frames}" in minimal("dkf_undriven", f"z_{frames}", frames)
    spec = derived("dkf_undriven").spec
    seen = unfold(spec).seen((Parent("b", NOW),))
    assert [(p.name, p.offsets) for p in seen] == [("x", window(0, None))]


def kvae_exact() -> None:
    assert parents_of("kvae", "a") == {"x": window(0, None), "a": PAST, "u": ALL}


def kvae_bound() -> None:
    """(6.18) as signed log-densities: its log p(a | z) stands in the divergence, the derived one beside log q(a | x)."""
    known = derived("kvae")
    assert known.derivation is not None
    assert known.elbo is not None
    (form,) = regroupings(known.spec, known.derivation.inference, known.elbo)
    (divergence,) = form.expression.atoms(KullbackLeibler)
    assert [[one.name for one in factor.of] for factor in divergence.p] == [["a"], ["z"]]
    found = {("+", Side.P, term.target) for term in known.elbo.terms}
    found |= {("-", Side.Q, term.target) for term in known.elbo.terms if term.kind is TermKind.DIVERGENCE}
    assert found == {("+", Side.P, one) for one in "xaz"} | {("-", Side.Q, one) for one in "az"}
    assert [term.estimator for term in known.elbo.terms if term.q] == [
        Estimator.LOG_RATIO,
        Estimator.ANALYTIC,
    ]


def fhvae_product() -> None:
    spec = derived("fhvae").spec
    assert sorted(c.target for c in spec.generation) == ["v", "w", "x", "z"]
    terms = [term for term in bound_terms(derived("fhvae")) if r"p(\mathbf{z}_t)" in term]
    assert len(terms) == 1
    assert terms[0].count(r"\sum") == 1


def fhvae_posterior() -> None:
    assert parents_of("fhvae", "w") == {"x": ALL}
    assert set(parents_of("fhvae", "v")) == {"w", "x"}


def baseline() -> None:
    assert parents_of("babaeizadeh_baseline", "z") == {"x": window(None, 0)}
    assert parents_of("babaeizadeh", "z") == {"x": ALL}


def example() -> None:
    assert parents_of("example_shared", "z") == {"x": window(None, 0), "u": window(0, 0)}
    assert parents_of("example_separate", "z") == parents_of("example_shared", "z")
    assert parents_of("general", "z") == {"x": ALL, "z": PAST, "u": ALL}
    for t in range(1, 5):  # (4.20) cannot be simplified at any frame
        past = {f"z_{k}" for k in range(1, t)}
        assert minimal("general", f"z_{t}", 4) == past | {f"{n}_{k}" for n in "xu" for k in range(1, 5)}


def cut() -> None:
    """Which pages' exact posterior, its future observations and inputs removed, is not what filtering derives."""
    differing = {}
    for entry in ENTRIES:
        spec = derived(entry.page).spec
        if not spec.latents or not all(v.framed for v in spec.variables):
            continue
        known = derived(entry.page, ("inference=filtering",))
        given = {v.name for v in spec.variables if v.role is not Role.LATENT}
        for key, exact in exact_factors(known).items():
            parents = {p.name: p.offsets for p in exact.parents}
            past = {
                name: offsets & window(None, 0) if name in given and offsets is not None else offsets
                for name, offsets in parents.items()
            }
            kept = {name: offsets for name, offsets in past.items() if offsets is None or offsets}
            found = {p.name: p.offsets for p in q_factors(known)[key].parents}
            if kept != found:
                differing[entry.page] = {name for name in kept if kept[name] != found.get(name)}
    assert differing == {"rssm_past_action": {"u"}}


def indexing() -> None:
    known = parents_of("dkf_instant", "z", overrides_of("indexing"))
    assert known["u"] == window(-1, None)
    for t in (
        1,
        3,
        5,
    ):  # u_5, the last of five, acts on nothing where the action is indexed by its time of choice
        acts = {f"u_{k}" for k in range(1, 6)}
        assert acts & minimal("rssm", f"z_{t}", 5) == acts
        assert acts & minimal("rssm_past_action", f"z_{t}", 5) == acts - {"u_5"}
        assert minimal("dkf_instant", f"z_{t}", 5, overrides_of("indexing")) & acts == {
            f"u_{k}" for k in range(max(1, t - 1), 5)
        }


def lds_noise() -> None:
    assert parents_of("lds", "z").get("u", NONE) == window(0, None)
    assert "u" not in parents_of("latent_lds", "z")


PROOFS: tuple[Callable[[], None], ...] = (
    head_to_head, only_dsae, driven, rssm, goyal, recursive, general_bound, decoding_link, temporal_link, bank, kvae_bound,
    rvae_versions, fhvae_product, lds_noise,
    salimans, dsae_v, rvae_window, dks_start, kvae_exact, fhvae_posterior, baseline, example, cut, indexing,
)  # fmt: skip


def test_no_finding_is_without_its_proof() -> None:
    assert [proof.__name__ for proof in PROOFS] == list(FINDINGS)


@pytest.mark.parametrize("proof", PROOFS, ids=lambda one: one.__name__)
def test_what_is_found_in_the_text(proof: Callable[[], None]) -> None:
    proof()
