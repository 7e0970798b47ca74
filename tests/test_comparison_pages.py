"""dvaec compare: names of pages, and what is said of one of them alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from dvaec.cli.compare_pages import own_settings, pages_of
from dvaec.cli.front import RefusalError
from dvaec.runtime.store import load_card
from tests.comparisons import SHORT, compare, material, runs

A, B = Path("pages/a.yaml"), Path("b.c.yaml")


def test_changes_are_of_all_pages_or_of_one() -> None:
    pages = pages_of([A, B, Path("pages/a.yaml@a-2")], ["x.dim=3", "a-2:z.dim=1", "b.c:z.dim=2"], [])
    assert [(page.label, page.path) for page in pages] == [("a", A), ("b.c", B), ("a-2", A)]
    assert {page.overrides for page in pages} == {("x.dim=3",)}
    assert [page.own for page in pages] == [(), ("z.dim=2",), ("z.dim=1",)]
    assert own_settings(pages) == ["b.c: b.c.yaml --set z.dim=2.", "a-2: a.yaml --set z.dim=1."]


def test_a_schedule_is_of_all_pages_or_of_one() -> None:
    pages = pages_of([A, B], [], ["0.2/50", "a:0.5/1/2"])
    assert [(page.schedule, page.alone) for page in pages] == [("0.5/1/2", True), ("0.2/50", False)]
    assert [page.schedule for page in pages_of([A, B], [], ["a:0.5/1"])] == ["0.5/1", None]


def test_a_key_with_a_colon_further_on_is_a_key() -> None:
    for said in ("q(x | y_<1:T>).layers=[4 tanh]", "networks.x.python=mine:Class", "objective={beta: 2}"):
        (page,) = pages_of([A], [said], [])
        assert (page.overrides, page.own) == ((said,), ())
    (page,) = pages_of([A], ["a:p(x_t).python=mine:Class"], [])
    assert page.own == ("p(x_t).python=mine:Class",)


@pytest.mark.parametrize(
    ("specs", "changes", "fed", "said"),
    [
        ([A, A], [], [], "two specs are called 'a'"),
        ([A, Path("b.c.yaml@a")], [], [], "two specs are called 'a'"),
        ([Path("a.yaml@")], [], [], "'' cannot name a model"),
        ([Path("a.yaml@.x")], [], [], "'.x' cannot name a model"),
        ([Path("a.yaml@x:y")], [], [], "'x:y' cannot name a model"),
        ([A], ["c:z.dim=1"], [], "--set c:z.dim=1: no page here is called 'c'"),
        ([A], [], ["c:0.2/5"], "--scheduled c:0.2/5: no page here is called 'c'"),
    ],
)
def test_names_that_do_not_fit_are_refused(
    specs: list[Path], changes: list[str], fed: list[str], said: str
) -> None:
    with pytest.raises(RefusalError) as refusal:
        pages_of(specs, changes, fed)
    assert said in refusal.value.message


def test_a_file_with_an_at_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "a@b.yaml").write_text("")
    (page,) = pages_of([tmp_path / "a@b.yaml"], [], [])
    assert (page.label, page.path) == ("a@b", tmp_path / "a@b.yaml")


def test_two_variants_of_one_page_in_one_table(tmp_path: Path) -> None:
    chain, _, *data = material(tmp_path)
    out = tmp_path / "out"
    words = (chain, f"{chain}@wide", *data, *SHORT, "--seeds", "1", "--jobs", "1", "-o", str(out))
    done = compare(*words, "--set", "z.dim=3", "--set", "wide:z.dim=5")
    assert done.exit_code == 0, done.output
    assert [row["model"] for row in runs(out)] == ["chain", "wide"]
    assert [load_card(out / name / "0").latents for name in ("chain", "wide")] == [{"z": 3}, {"z": 5}]
    assert "wide: chain.yaml --set z.dim=5.\n" in done.output
    refused = compare(*words, "--set", "wide:y.dim=5")
    assert refused.exit_code == 1
    assert "nothing on the page is called 'y'" in refused.stderr
