"""The canonical layout: a fixed point, with every comment, and of the same meaning."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dvaec.diagnostics import Fault
from dvaec.spec import layout
from dvaec.spec.canonical import canonical_hash, layout_hash
from dvaec.spec.layout import LayoutError, formatted
from dvaec.spec.layout_read import comments_in
from dvaec.spec.read import read_text
from dvaec.testing.strategies import pages
from tests.program import dvaec
from tests.shipped import SHIPPED, SPECS
from tests.spelling import spelled

FEW = settings(max_examples=max(12, settings().max_examples // 4))

PAGE = """\
# the header

dvaec: 1
model: M                             # a name
cites: ["one", "two, three"]

variables:
  x: {role: observed, dim: 3}
  # the latent
  z: {role: latent, dim: 2}

generation:                          # p
  - z_t | z_<t-1>                    # the transition
  - x_t | z_t

inference: exact

networks:
  p(z_t): {reads: z_<t-1>, layers: [8 tanh]}                             # (1)
  p(x_t): {reads: z_t, layers: [8 tanh]}

  # of q
  q(z_t):
    reads: "z_<t-1>, b_t"
    layers:
      - 8 tanh                                                           # first
      - 4 tanh
    # the end of it

states:
  b_t: {rnn: gru, units: 4, runs: backward, reads: x_t}

# the footer
"""

LAID = PAGE.replace('    reads: "z_<t-1>, b_t"', "    reads: z_<t-1>, b_t")
STATES = LAID[LAID.index("states:") : LAID.index("# the footer")]
LAID = LAID.replace(STATES, "").replace("networks:", STATES + "networks:")


def test_the_layout_of_a_page() -> None:
    assert formatted(PAGE, "page") == LAID
    assert formatted(LAID, "page") == LAID


@pytest.mark.parametrize(
    ("other", "laid"),
    [
        ("  x: {dim: 3, role: 'observed'}", "  x: {role: observed, dim: 3}"),
        ("  x: { role: observed , dim: 3 }", "  x: {role: observed, dim: 3}"),
        ("  x:\n    role: observed\n    dim: 3", "  x: {role: observed, dim: 3}"),
        ("  x:\n    role: observed\n    dim: 3 # wide", "  x:\n    role: observed\n    dim: 3                           # wide"),
        ("  x: {role: observed, # seen\n    dim: 3}", "  x:\n    role: observed                   # seen\n    dim: 3"),
        ("  x: {role: observed,\n    dim: 3} # seen", "  x: {role: observed, dim: 3}        # seen"),
    ],
)  # fmt: skip
def test_entries_are_written_on_one_line_unless_comments_part_them(other: str, laid: str) -> None:
    usual = "  x: {role: observed, dim: 3}"
    assert formatted(LAID.replace(usual, other), "page") == LAID.replace(usual, laid)


@pytest.mark.parametrize(
    ("other", "laid"),
    [
        ("  - 'x_t|z_t'", "  - x_t | z_t"),
        ('  - "x_t   | z_t "', "  - x_t | z_t"),
        ("  - x_t | z_{t}", "  - x_t | z_{t}"),
        ("  -   x_t | z_t#", None),
    ],
)
def test_conditionals_lose_quotes_and_spaces_and_keep_their_notation(other: str, laid: str | None) -> None:
    page = LAID.replace("  - x_t | z_t", other)
    if laid is None:
        with pytest.raises(Fault, match=r"error\[DV"):
            formatted(page, "page")
    else:
        assert formatted(page, "page") == LAID.replace("  - x_t | z_t", laid)


@pytest.mark.parametrize(
    "about",
    [
        "'yes'",
        '"5"',
        '"a: b"',
        "'a #b'",
        '"null"',
        '"tab\\t and \\"quotes\\""',
        "'- a'",
        "'[a]'",
        '"\\u2028"',
    ],
)
def test_words_that_need_quotes_keep_them(about: str) -> None:
    page = LAID.replace("model: M ", f"about: {about}\nmodel: M ")
    laid = formatted(page, "page")
    assert read_text(laid, "page")[0] == read_text(page, "page")[0]
    line = next(line for line in laid.split("\n") if line.startswith("about:"))
    assert line[7] in "\"'"


def test_running_text_keeps_its_lines_and_a_comment_behind_its_sign() -> None:
    page = LAID.replace("cites:", "about: >-   # folded\n    one\n     deeper\n\n    two\ncites:")
    laid = formatted(page, "page")
    wanted = "about: >-                            # folded\n  one\n   deeper\n\n  two\ncites:"
    assert laid == LAID.replace("cites:", wanted)
    assert formatted(laid, "page") == laid


@pytest.mark.parametrize("change", ["\r\n", "\r", "bom", "no newline", "dashes"])
def test_line_ends_and_marks_of_other_systems_are_mended(change: str) -> None:
    page = LAID.replace("\n", change) if change[0] == "\r" else LAID
    page = "\ufeff" + page if change == "bom" else page.rstrip() if change == "no newline" else page
    assert formatted("---\n" + page if change == "dashes" else page, "page") == LAID


def test_what_does_not_fit_is_written_one_key_a_line() -> None:
    layers = ", ".join(["128 tanh"] * 12)
    laid = formatted(LAID.replace("layers: [8 tanh]}  ", f"layers: [{layers}]}}  ", 1), "page")
    lines = laid.split("\n")
    at = lines.index("    reads: z_<t-1>")
    assert lines[at - 1].split() == ["p(z_t):", "#", "(1)"]
    assert (
        lines[at + 1 : at + 3] == ["    layers:", "      - 128 tanh"]
        or lines[at + 1] == f"    layers: [{layers}]"
    )
    assert formatted(laid, "page") == laid


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_pages_are_in_canonical_layout(name: str) -> None:
    text = (SPECS / f"{name}.yaml").read_text(encoding="utf-8")
    assert formatted(text, name) == text


@FEW
@given(st.data())
def test_any_page_is_laid_out_once_and_for_all_with_its_meaning_and_comments(data: st.DataObject) -> None:
    page = data.draw(pages())
    other, comments = data.draw(spelled(page, False))
    laid = formatted(other, "page")
    assert formatted(laid, "page") == laid
    assert sorted(comments_in(laid)) == sorted(comments)
    assert all(comment in laid for comment in comments)
    specs = [read_text(one, "page")[0] for one in (page, other, laid)]
    assert len({layout_hash(spec) for spec in specs}) == len({canonical_hash(spec) for spec in specs}) == 1


@FEW
@given(st.data())
def test_shuffled_lines_stay_shuffled(data: st.DataObject) -> None:
    other, comments = data.draw(spelled(data.draw(pages()), True))
    laid = formatted(other, "page")
    assert sorted(comments_in(laid)) == sorted(comments)
    assert layout_hash(read_text(laid, "page")[0]) == layout_hash(read_text(other, "page")[0])


def test_a_layout_that_would_change_anything_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    real = layout._laid
    for old, new in (("dim: 2", "dim: 3"), ("# (1)", ""), ("dvaec: 1", "dvaec: [")):
        monkeypatch.setattr(layout, "_laid", lambda text, old=old, new=new: real(text).replace(old, new))
        with pytest.raises(LayoutError, match="page: cannot be laid out without a change"):
            formatted(PAGE, "page")


def test_a_set_of_sizes_is_part_of_what_must_not_change(monkeypatch: pytest.MonkeyPatch) -> None:
    page = PAGE + "\nsizes:\n  small: {x.dim: 2, b_t.units: 3}\n"
    real = layout._laid
    assert "  small: {x.dim: 2, b_t.units: 3}" in formatted(page, "page")
    monkeypatch.setattr(layout, "_laid", lambda text: real(text).replace("b_t.units: 3", "b_t.units: 2"))
    with pytest.raises(LayoutError):
        formatted(page, "page")


@pytest.fixture
def ugly(tmp_path: Path) -> Path:
    path = tmp_path / "ugly.yaml"
    path.write_text(PAGE, encoding="utf-8")
    return path


def test_fmt_writes_what_changes_and_says_so(ugly: Path) -> None:
    ugly.chmod(0o640)
    link = ugly.with_name("link.yaml")
    link.symlink_to(ugly.name)
    done = dvaec("fmt", str(link), str(SPECS / "srnn.yaml"))
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{link}\n", "")
    assert ugly.read_text(encoding="utf-8") == LAID
    assert link.is_symlink()
    assert ugly.stat().st_mode & 0o777 == 0o640
    assert sorted(p.name for p in ugly.parent.iterdir()) == ["link.yaml", "ugly.yaml"]
    again = dvaec("fmt", "--check", str(ugly))
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


def test_fmt_check_names_and_diff_shows_and_neither_writes(ugly: Path) -> None:
    done = dvaec("fmt", "--check", ugly.name, cwd=ugly.parent)
    assert (done.returncode, done.stdout) == (1, "ugly.yaml\n")
    done = dvaec("fmt", "--diff", ugly.name, cwd=ugly.parent)
    assert done.returncode == 0
    assert done.stdout.startswith("--- ugly.yaml\n+++ ugly.yaml (fmt)\n@@")
    assert '\n-    reads: "z_<t-1>, b_t"\n' in done.stdout
    assert "\n+    reads: z_<t-1>, b_t\n" in done.stdout
    assert dvaec("fmt", "--check", "--diff", ugly.name, cwd=ugly.parent).returncode == 1
    assert ugly.read_text(encoding="utf-8") == PAGE


def test_fmt_leaves_faulty_pages_and_writes_the_others(ugly: Path) -> None:
    bad = ugly.with_name("bad.yaml")
    bad.write_text(PAGE.replace("x_t | z_t", "x_t | w_t"), encoding="utf-8")
    done = dvaec("fmt", bad.name, "none.yaml", ugly.name, cwd=ugly.parent)
    assert (done.returncode, done.stdout) == (1, "ugly.yaml\n")
    assert "bad.yaml:14:11: error[DV060]" in done.stderr
    assert "none.yaml:1:1: error[DV001]" in done.stderr
    assert "w_t" in bad.read_text(encoding="utf-8")
    assert ugly.read_text(encoding="utf-8") == LAID
    assert dvaec("fmt").returncode == 2


def test_fmt_prints_the_page_of_standard_input(ugly: Path) -> None:
    done = dvaec("fmt", "-", given=PAGE)
    assert (done.returncode, done.stdout, done.stderr) == (0, LAID, "")
    done = dvaec("fmt", "--check", "-", given=PAGE)
    assert (done.returncode, done.stdout) == (1, "standard input\n")
    assert dvaec("fmt", "--check", "-", given=LAID).returncode == 0
    assert dvaec("fmt", "--diff", "-", given=PAGE).stdout.startswith("--- standard input\n")
    done = dvaec("fmt", "-", given=PAGE.replace("x_t | z_t", "x_t | w_t"))
    assert (done.returncode, done.stdout) == (1, "")
    assert "standard input:14:11: error[DV060]" in done.stderr
    assert dvaec("fmt", "-", str(ugly), given=PAGE).returncode == 2
    assert ugly.read_text(encoding="utf-8") == PAGE


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_fmt_says_where_it_may_not_write(ugly: Path) -> None:
    ugly.parent.chmod(0o500)
    done = dvaec("fmt", str(ugly))
    ugly.parent.chmod(0o700)
    assert done.returncode == 1
    assert done.stderr == f"error: {ugly}: Permission denied\n"
