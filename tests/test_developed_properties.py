"""Random developed forms and the pages that once went wrong: the whole list of properties of an emitted module."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings

from dvaec.compiler import run, run_text
from dvaec.spec.canonical import canonical_hash
from dvaec.spec.model import Spec
from dvaec.spec.read import read_spec
from dvaec.testing.properties import check_all
from dvaec.testing.sets import windows_are_the_posterior
from dvaec.testing.strategies.page_text import page_of
from tests.developed_strategies import developed_specs

REGRESSIONS = sorted((Path(__file__).parent / "regressions").glob("*.yaml"))


@settings(max_examples=3 * settings().max_examples // 5)  # each takes more than a second
@given(developed_specs())
def test_random_developed_forms_have_every_property(spec: Spec) -> None:
    compilation = run_text(page_of(spec), "random.yaml")
    assert compilation.spec == spec
    assert canonical_hash(compilation.spec) == canonical_hash(spec)
    check_all(spec)


@pytest.mark.parametrize("path", REGRESSIONS, ids=lambda path: path.stem)
def test_what_once_went_wrong_has_every_property(path: Path) -> None:
    check_all(read_spec(path)[0])  # which compiles it; its texts are looked at elsewhere


@pytest.mark.parametrize("frames", [5, 23, 24])
def test_a_numbered_line_says_for_which_lengths_it_reads_too_much(frames: int) -> None:
    """Lengths beyond those that were compared alternate as these do."""
    spec = run(next(path for path in REGRESSIONS if path.stem == "windows_by_the_parity_of_t")).spec
    assert windows_are_the_posterior(spec, frames).compared == frames
