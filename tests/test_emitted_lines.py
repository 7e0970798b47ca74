"""Lines of emitted modules: names that share a line, lists that are folded, and what nothing reads."""

from __future__ import annotations

import re

from dvaec.compiler import run_text
from dvaec.emit.pruning import pruned
from dvaec.emit.writer import MANY, ROOM, folded_call

PAGE = """dvaec: 1
model: LONG
variables:
  x: {{role: observed, dim: 1}}
  z: {{role: latent, dim: 1}}
generation:
  - z_t | z_<t-{lag}:t-1>
  - x_t | z_t, z_<t-{lag}>
inference:
  - z_t | z_<t-1>, x_t
"""


def test_of_names_that_share_a_line_those_are_left_out_that_nothing_reads() -> None:
    lines = ["a, b, c = s.a, s.b, s.c", "d = a + c", "e = f = a", "g = h = k = a", "return d + f"]
    assert pruned(lines, ()) == ("a, c = s.a, s.c", "d = a + c", "e = f = a", "g = h = k = a", "return d + f")


def test_values_are_not_parted_at_the_commas_of_a_call() -> None:
    lines = ["a, b = made(x, y)", "return b"]
    assert pruned(lines, ()) == tuple(lines)


def test_a_list_that_is_too_long_is_filled() -> None:
    names = [f"z_prev{k}" for k in range(60)]
    folded = folded_call(f"a = torch.cat([{', '.join(names)}], -1)", ROOM)
    assert all(len(line) <= ROOM for line in folded)
    assert re.findall(r"z_prev\d+", " ".join(folded)) == names
    assert len(folded) < 14


def test_many_lags_share_lines_and_few_have_a_line_each() -> None:
    few, many = (
        str(run_text(PAGE.format(lag=lag), "p.yaml").module).splitlines() for lag in (MANY, 8 * MANY)
    )
    assert any(re.fullmatch(r"\s*z_prev2 = z_prev", line) for line in few)
    assert not any(re.match(r"\s*z_prev\d*(, | = z_prev\d+ = )", line) for line in few if "near" not in line)
    assert all(len(line) <= 110 for line in many)
    assert len(many) < len(few) + 6 * 28  # each of the 28 frames more would have twelve lines of its own
