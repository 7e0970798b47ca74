"""The whole chain on specs of the whole language: page, derivations against both oracles, drawings, module, TorchScript.

100 specs, 2,000 in the nightly profile. Broken pages are refused with a place, whatever else.
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, assume, given, settings

from dvaec.compiler import run_text
from dvaec.derive.derivation import derive
from dvaec.derive.horizon import posterior_at
from dvaec.derive.model import Derivation
from dvaec.diagnostics import Fault
from dvaec.emit.derivation_text import derivation_text
from dvaec.emit.diagram_set import all_sources
from dvaec.spec.model import Inference, InferenceKind, Spec
from dvaec.spec.read import read_text
from dvaec.testing import properties
from dvaec.testing.derivation import DERIVED
from dvaec.testing.legality import unlawful
from dvaec.testing.oracles.nodes import chain
from dvaec.testing.sets import name_of
from dvaec.testing.strategies import BrokenPage, broken_pages, page_of, specs
from dvaec.testing.strategies.broken import changed_specs
from dvaec.testing.strategies.conditionals import general_specs
from tests.oracles import separation

LENGTHS = (1, 2, 3)

whole = settings(max_examples=2 * settings().max_examples, suppress_health_check=list(HealthCheck))


@whole
@given(specs(python=True))
def test_specs_of_the_whole_language_have_every_property(spec: Spec) -> None:
    text = page_of(spec)
    known = run_text(text, "page.yaml", allow_python=True)
    assert known.spec == spec
    assert known.elbo is not None
    assert isinstance(known.derivation, Derivation)
    check_derivations(spec)
    assert all("digraph" in source for source in all_sources(spec, known.derivation).values())
    assert derivation_text(spec, known.derivation, known.elbo)
    properties.check_all(spec)


def check_derivations(spec: Spec) -> None:
    """The list of `dvaec verify`, and D-separation candidate by candidate."""
    for frames in LENGTHS if spec.frames is None else (spec.frames,):
        for one in DERIVED:
            one.holds(spec, frames)
    frames = spec.frames or LENGTHS[-1]
    found = posterior_at(spec, frames)
    for dot in chain(spec, frames):
        wanted = {name_of(spec, one) for one in separation.minimal_set(spec, frames, dot)}
        assert set(found[name_of(spec, dot)]) == wanted


@given(broken_pages())
def test_broken_pages_are_refused_at_a_place(page: BrokenPage) -> None:
    try:
        run_text(page.text, "broken.yaml", until="plan")
    except Fault as fault:
        rows = page.text.splitlines()
        for found in fault.diagnostics:
            assert found.span.file == "broken.yaml"
            assert 1 <= found.span.line <= len(rows)
            assert 1 <= found.span.column <= len(rows[found.span.line - 1]) + 1
    else:
        raise AssertionError(f"accepted, though {page.why}:\n{page.text}")


# What nothing in p's and q's unrolled networks shows: what nobody reads, frames 0 that are not needed.
BESIDE = {"DV069", "DV070"}
SHORT = {"DV043", "DV078"}  # with T on the page: windows that are empty, and lines of no frame


@given(changed_specs())
def test_what_is_legal_node_by_node_is_accepted(spec: Spec) -> None:
    assume(unlawful(spec) is None)
    refused = refusals(page_of(spec), "development")
    assert refused <= (BESIDE if spec.frames is None else BESIDE | SHORT)
    assume(not refused)
    assert run_text(page_of(spec), "page.yaml", until="development").spec == spec


def refusals(text: str, until: str) -> set[str]:
    """Return the codes of what refuses the page."""
    try:
        run_text(text, "page.yaml", until=until)
    except Fault as fault:
        return {found.code for found in fault.diagnostics}
    return set()


@given(general_specs(kinds=(InferenceKind.EXACT,)))
def test_an_exact_posterior_pasted_as_conditionals_is_the_same_q(spec: Spec) -> None:
    assume(spec.latents)
    derived = derive(spec).inference
    lines = tuple(one for one in derived if one.frame is None)
    numbered = tuple(one for one in derived if one.frame is not None)
    pasted = replace(spec, inference=Inference(InferenceKind.CONDITIONALS, 0, lines, numbered))
    again, _ = read_text(page_of(pasted), "page.yaml")
    assert again.order == spec.order
    assert derive(again).inference == derived
