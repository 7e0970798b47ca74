"""The derivation on a terminal: formulas broken at operators, no line wider than asked for, nothing lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvaec.compiler import run
from dvaec.emit.derivation_text import derivation_text
from dvaec.emit.folding import folded
from tests.shipped import SHIPPED, SPECS

REGRESSIONS = Path(__file__).parent / "regressions"
PAGES = [SPECS / f"{name}.yaml" for name in SHIPPED] + sorted(REGRESSIONS.glob("*.yaml"))


def test_the_terms_of_a_sum_have_lines_of_their_own() -> None:
    line = "  = 𝔼[q(z | x, u)] [ log p(x | z) − log q(z | x, u) − KL( q(a | z) ‖ p(a) ) ]"
    assert folded(line, 60) == [
        "  = 𝔼[q(z | x, u)] [ log p(x | z)",
        "      − log q(z | x, u)",
        "      − KL( q(a | z) ‖ p(a) ) ]",
    ]
    assert folded(line, len(line)) == [line]


def test_factors_stay_whole_where_they_can() -> None:
    line = "p(x, z, a | u) = ∏ₜ p(zₜ | zₜ₋₁, uₜ) p(aₜ | zₜ) p(xₜ | aₜ)"
    assert folded(line, 45) == ["p(x, z, a | u) = ∏ₜ p(zₜ | zₜ₋₁, uₜ)", "    p(aₜ | zₜ) p(xₜ | aₜ)"]
    assert folded(line, 25) == [
        "p(x, z, a | u)", "    = ∏ₜ p(zₜ | zₜ₋₁, uₜ)", "    p(aₜ | zₜ) p(xₜ | aₜ)"
    ]  # fmt: skip


WORDS = st.text(alphabet="abpq()[]|,+−=‖∏", min_size=1, max_size=9)


@given(st.lists(WORDS, min_size=1, max_size=40), st.integers(0, 6), st.integers(60, 90))
def test_folding_keeps_every_word_and_the_width(words: list[str], indent: int, width: int) -> None:
    lines = folded(" " * indent + " ".join(words), width)
    assert " ".join(lines).split() == words
    assert lines[0].startswith(" " * indent)
    for line in lines:
        room = len(line) - len(line.lstrip()) + 10
        assert len(line) <= max(width, room)
    assert not any(line.endswith(" ") for line in lines)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_no_line_of_a_derivation_is_wider_than_asked_for(page: Path) -> None:
    known = run(page, until="elbo")
    assert known.derivation is not None
    assert known.elbo is not None
    wide = derivation_text(known.spec, known.derivation, known.elbo, 100_000)
    for width in (60, 100):
        text = derivation_text(known.spec, known.derivation, known.elbo, width)
        assert max(map(len, text.splitlines())) <= width
        assert text.split() == wide.split()


@pytest.mark.parametrize("name", ["vrae", "babaeizadeh", "fhvae"])
def test_what_would_only_change_places_is_not_called_regrouped(name: str) -> None:
    known = run(SPECS / f"{name}.yaml", until="elbo")
    assert known.derivation is not None
    assert known.elbo is not None
    assert "regrouped" not in derivation_text(known.spec, known.derivation, known.elbo)


@pytest.mark.parametrize("name", ["dsae_full", "dsae_factorized", "dssm"])
def test_what_is_gathered_under_one_mean_is(name: str) -> None:
    known = run(SPECS / f"{name}.yaml", until="elbo")
    assert known.derivation is not None
    assert known.elbo is not None
    assert "taken last (11.24)" in derivation_text(known.spec, known.derivation, known.elbo)
