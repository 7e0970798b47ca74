"""Pages damaged at random: whatever is wrong with a page, what comes of it is a `Fault` with positions."""

from __future__ import annotations

import random
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from dvaec.compiler import run_text
from dvaec.diagnostics import Fault
from tests.shipped import ROOT, SPECS

FOLDERS = (SPECS, ROOT / "tests" / "bad", ROOT / "tests" / "regressions")
PAGES = [p.read_text(encoding="utf-8", errors="replace") for f in FOLDERS for p in sorted(f.glob("*.yaml"))]
WORDS = (
    "x_t",
    "z_t",
    "h_t",
    "x_<t-1>",
    "z_<<t>",
    "x_<t+1>",
    "g_t",
    "k_t",
    "16",
    "-1",
    "tanh",
    "lstm",
    "gru",
    "reads",
)
MUTATIONS = 20  # pages per example


def damaged(page: str, chance: random.Random) -> str:
    """Delete, insert or repeat a character or a line, or exchange two words."""
    for _ in range(chance.randint(1, 3)):
        lines = page.split("\n")
        row, at = chance.randrange(len(lines)), chance.randrange(len(page) + 1)
        kind = chance.randrange(5)
        if kind == 0:
            page = page[:at] + page[at + 1 :]
        elif kind == 1:
            page = page[:at] + chance.choice('xzhgpq_<>tT12:{}[]|,-" \n') + page[at:]
        elif kind == 2:
            page = "\n".join(lines[:row] + lines[row + 1 :])
        elif kind == 3:
            page = "\n".join([*lines[:row], chance.choice(lines), *lines[row:]])
        else:
            page = page.replace(chance.choice(WORDS), chance.choice(WORDS), 1)
    return page


@given(st.integers(0, 2**32))
def test_a_damaged_page_compiles_or_is_refused(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(MUTATIONS):
        page = damaged(chance.choice(PAGES), chance)
        with suppress(Fault):
            assert run_text(page, "damaged.yaml", until="plan").plan is not None
