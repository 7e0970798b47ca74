"""The review's own posteriors, inference models and bounds against the derived ones, and what it says beside them.

What docs/review.yaml transcribes must be what dvaec derives, unless it is listed there as a difference: then it must
differ.
"""

from __future__ import annotations

import re

import pytest

from dvaec.derive.horizon import posterior_at
from dvaec.spec.model import Spec
from dvaec.testing.oracles.nodes import Dot, dots, places
from dvaec.testing.oracles.prime_field import minimal_set
from tests.review import (
    Entry,
    Statement,
    bound_terms,
    conditionals,
    derived,
    entries,
    exact_factors,
    latex,
    links,
    q_factors,
    regrouped,
    squeezed,
)
from tests.review_page import PAGE, review_page
from tests.shipped import SHIPPED, shipped

ENTRIES = entries()
STATED = [(entry, part) for entry in ENTRIES for part in ("exact", "q") if getattr(entry, part) is not None]
LINKS = [
    (entry, part) for entry in ENTRIES for part in ("golden", "silver") if getattr(entry, part) is not None
]
BOUNDS = [entry for entry in ENTRIES if entry.bound is not None]


def test_every_shipped_page_stands_in_the_table_once() -> None:
    assert sorted(entry.page for entry in ENTRIES) == sorted(SHIPPED)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_page_cites_chapter_and_equations(name: str) -> None:
    cited = [one for one in shipped(name).cites if one.startswith("Girin et al. 2021, ch. ")]
    assert cited
    assert all(re.search(r"\(\d+\.\d+\)", one) or one.endswith("without equations") for one in cited)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda one: one.page)
def test_chapters_5_to_11_come_in_two_sets_of_sizes(entry: Entry) -> None:
    """Appendix B's, for speech, and C's, for motion."""
    number = re.match(r"\d+", entry.chapter)
    assert number is not None
    if 5 <= int(number[0]) <= 11:
        for size, wide, narrow in (("speech", 513, 16), ("motion", 96, 10)):
            spec = derived(entry.page, (f"sizes={size}",)).spec
            assert (spec.variable("x").dim, spec.variable("z").dim) == (wide, narrow)


@pytest.mark.parametrize(("entry", "part"), STATED, ids=lambda one: getattr(one, "page", one))
def test_the_reviews_factors_are_the_derived_ones_or_a_listed_difference(entry: Entry, part: str) -> None:
    said: Statement = getattr(entry, part)
    stated = conditionals(entry.page, said.lines)
    known = derived(entry.page)
    found = exact_factors(known) if part == "exact" else q_factors(known)
    assert stated
    assert set(stated) <= set(found)
    same = all(found[key] == one for key, one in stated.items())
    assert same == (said.differs is None)


@pytest.mark.parametrize(("entry", "part"), LINKS, ids=lambda one: getattr(one, "page", one))
def test_the_links_that_the_review_calls_missing_or_superfluous_are_so(entry: Entry, part: str) -> None:
    said: Statement = getattr(entry, part)
    assert conditionals(entry.page, said.lines) == links(derived(entry.page), part)


def test_what_the_review_states_is_minimal_at_every_frame() -> None:
    """Windows that touch an end are clipped there; none of the review's is larger than needed at any frame."""
    for entry in ENTRIES:
        if entry.exact is None or entry.exact.differs is not None:
            continue
        known = derived(entry.page)
        assert known.derivation is not None
        for factor in known.derivation.posterior.factors:
            assert (factor.loose.first, factor.loose.last) == ((), ()), entry.page
            assert not factor.loose.inside, entry.page


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda one: one.page)
def test_every_page_and_what_the_review_states_of_it_by_numbers(entry: Entry) -> None:
    """At every frame, for 1 to 5 of them, by a random linear-Gaussian model over a prime field."""
    spec = derived(entry.page).spec
    lines = entry.exact.lines if entry.exact is not None and entry.exact.differs is None else ()
    stated = conditionals(entry.page, lines)
    for frames in range(1, 6):
        found = posterior_at(spec, frames)
        for name in spec.latents:
            framed = spec.variable(name).framed
            for place in places(spec, name, frames):
                expected = minimal_set(spec, frames, (name, place))
                shown = {shown_as(spec, dot) for dot in expected}
                assert set(found[shown_as(spec, (name, place))]) == shown
                if (name, None) in stated and not (framed and place == 0):
                    parents = stated[name, None].parents
                    assert set(dots(spec, parents, place if framed else None, frames)) == expected


def shown_as(spec: Spec, dot: Dot) -> str:
    name, place = dot
    return f"{name}_{place}" if spec.variable(name).framed else name


@pytest.mark.parametrize("entry", BOUNDS, ids=lambda one: one.page)
def test_the_reviews_bound_is_the_derived_one_or_a_listed_difference(entry: Entry) -> None:
    said = entry.bound
    assert said is not None
    if said.regrouped:
        forms = [squeezed(form) for form in regrouped(derived(entry.page))]
        assert (squeezed(latex(" ".join(said.means))) in forms) == (said.differs is None)
        return
    stated = sorted(squeezed(latex(term)) for term in said.means)
    found = sorted(squeezed(term) for term in bound_terms(derived(entry.page)))
    assert (stated == found) == (said.differs is None)


def test_the_page_of_the_models_is_well_formed() -> None:
    text = review_page()
    for formula in re.findall(r"\$`(.*?)`\$", text):
        assert formula.count("{") == formula.count("}"), formula
        assert len(re.findall(r"\\left[\[(]", formula)) == len(re.findall(r"\\right[\])]", formula)), formula
    columns = 0
    for row in text.splitlines():
        if not row.startswith("|"):
            columns = 0
            continue
        columns = columns or row.count("|")
        assert row.count("|") == columns, row
    for link in re.findall(r"\]\((\.\./[^)#]+|[a-z]+\.yaml)\)", text):
        assert (PAGE.parent / link).is_file(), link
