"""The printed developed form, pasted into the page, is the same model; what is printed is read again."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dvaec.compiler import run_text
from dvaec.diagnostics import Fault
from dvaec.spec.developed_text import developed_text
from dvaec.spec.model import InferenceKind, Spec
from dvaec.testing.strategies.conditionals import general_specs
from dvaec.testing.strategies.page_text import page_of

SPECS = sorted((Path(__file__).parent.parent / "specs").glob("*.yaml"))
WORDS = (InferenceKind.EXACT, InferenceKind.FILTERING, InferenceKind.LOOKAHEAD, InferenceKind.MEAN_FIELD)
DEVELOPED = ("states", "features", "networks")
ABOUT_IT = ("sizes", "auxiliary")  # blocks that name what the page develops


def pasted(page: str, developed: str, without: tuple[str, ...] = ()) -> str:
    """Return a page with its developed form replaced, and without some more of its blocks."""
    kept, skipping = [], False
    for row in page.splitlines():
        if re.match(r"[A-Za-z]", row):
            skipping = row.partition(":")[0] in (*DEVELOPED, *without)
        kept += [] if skipping else [row]
    return "\n".join([*kept, developed]) + "\n"


def without_hash(module: str) -> str:
    """Return a module without the hash of its page."""
    return re.sub(r"from spec [0-9a-f]+", "from spec", module)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
@pytest.mark.parametrize("stripped", [False, True], ids=["as it is", "without its developed form"])
def test_a_shipped_page_s_developed_form_can_stand_on_it(path: Path, stripped: bool) -> None:
    text = path.read_text(encoding="utf-8")
    if stripped:
        text = pasted(text, "", ABOUT_IT)
        text += "" if "\ninference:" in text else "inference: exact\n"
    before = run_text(text, "page.yaml")
    assert before.developed is not None
    assert before.module is not None
    after = run_text(pasted(text, developed_text(before.developed)), "page.yaml")
    assert after.developed is not None
    assert after.module is not None
    assert after.spec.heads
    assert (after.developed.states, after.developed.heads) == (
        before.developed.states,
        before.developed.heads,
    )
    assert without_hash(after.module) == without_hash(before.module)


@given(general_specs(kinds=WORDS), st.booleans())
def test_a_random_page_s_developed_form_can_stand_on_it(spec: Spec, separate: bool) -> None:
    spec = replace(spec, separate=separate)
    try:
        before = run_text(page_of(spec), "page.yaml", until="development")
    except Fault:  # whether every such page is legal is another test's concern
        assume(False)
    assert before.spec == spec
    assert before.developed is not None
    after = run_text(page_of(before.developed), "pasted.yaml", until="development")
    assert after.spec == replace(before.developed, heads=after.spec.heads)
    assert after.developed == before.developed
    assert after.derivation == before.derivation
