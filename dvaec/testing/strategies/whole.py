"""Any legal spec of the language: structure, families, inference, and a developed form or none."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from dvaec.spec.model import Spec
from dvaec.testing.strategies.blocks import block_specs
from dvaec.testing.strategies.conditionals import general_specs
from dvaec.testing.strategies.developed import whole_specs
from dvaec.testing.strategies.families import with_families
from dvaec.testing.strategies.page_text import page_of
from dvaec.testing.strategies.turned import turned_specs
from dvaec.testing.strategies.unswept import unswept_specs


@st.composite
def _undeveloped(draw: st.DrawFn) -> Spec:
    """Draw a spec whose networks are left to the default development."""
    spec = draw(general_specs())
    return replace(draw(with_families(spec)), separate=draw(st.booleans()))


def specs(python: bool = False) -> st.SearchStrategy[Spec]:
    """Return any legal spec; with `python` some that name a class of their own (compiled by allow_python).

    Levels, roles, families, windows of every kind, any causality, numbered lines, orders, all words of
    inference and conditionals of one's own; frame 1 in an order of its own; networks left to the compiler,
    developed with states and features of their own, or made of blocks.
    """
    return st.one_of(
        _undeveloped(), whole_specs(plain=False), block_specs(python), turned_specs(), unswept_specs()
    )


def pages() -> st.SearchStrategy[str]:
    """Return the page of any legal spec, as YAML text."""
    return specs().map(page_of)
