"""Any legal spec of the language: structure, families, inference, and a developed form or none."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import assume
from hypothesis import strategies as st

from dvaec.spec.graph import reachable
from dvaec.spec.model import Causality, Spec
from dvaec.testing.strategies.blocks import block_specs
from dvaec.testing.strategies.conditionals import general_specs
from dvaec.testing.strategies.developed import whole_specs
from dvaec.testing.strategies.families import with_families
from dvaec.testing.strategies.page_text import page_of


@st.composite
def _undeveloped(draw: st.DrawFn) -> Spec:
    """Draw a spec whose networks are left to the default development."""
    spec = draw(general_specs())
    assume(not _turned_in_time(spec))
    return replace(draw(with_families(spec)), separate=draw(st.booleans()))


def _turned_in_time(spec: Spec) -> bool:
    """Whether frame 1 has an order of its own where p may run backward: states there have none (DV302)."""
    if spec.causality is Causality.CAUSAL:
        return False
    here = {
        line.target: [p.name for p in line.parents if p.offsets is not None and 0 in p.offsets]
        for line in spec.generation
    }
    return any(
        line.frame == 1 and line.target in reachable(parent.name, here)
        for line in spec.numbered
        for parent in line.parents
        if parent.frame == 1
    )


def specs(python: bool = False) -> st.SearchStrategy[Spec]:
    """Return any legal spec; with `python` some that name a class of their own (compiled by allow_python).

    Levels, roles, families, windows of every kind, any causality, numbered lines, orders, all words of
    inference and conditionals of one's own; networks left to the compiler, developed with states and
    features of their own, or made of blocks.
    """
    return st.one_of(_undeveloped(), whole_specs(plain=False), block_specs(python))


def pages() -> st.SearchStrategy[str]:
    """Return the page of any legal spec, as YAML text."""
    return specs().map(page_of)
