"""The LaTeX of the bound: TeX sets every shipped model's document, and no row runs off the page."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from dvaec.emit.latex_rows import WIDTH, rows, visible

GENERATED = sorted((Path(__file__).parent.parent / "generated").glob("*/elbo.tex"))
ENGINE = shutil.which("pdflatex")


@pytest.mark.parametrize("path", GENERATED, ids=lambda path: path.parent.name)
@pytest.mark.skipif(ENGINE is None, reason="no LaTeX engine")
def test_tex_sets_the_bound_within_the_page(path: Path, tmp_path: Path) -> None:
    assert ENGINE is not None
    asked = [
        ENGINE,
        "-interaction=nonstopmode",
        "-halt-on-error",
        "-output-directory",
        str(tmp_path),
        str(path),
    ]
    done = subprocess.run(asked, capture_output=True, timeout=120, check=False)
    log = done.stdout.decode(errors="replace")
    assert done.returncode == 0, log[-2000:]
    assert "Overfull" not in log


@pytest.mark.parametrize("path", GENERATED, ids=lambda path: path.parent.name)
def test_rows_are_short_and_their_brackets_match(path: Path) -> None:
    for block in re.findall(r"\\begin\{align\*\}(.*?)\\end\{align\*\}", path.read_text(), re.DOTALL):
        lines = [line.removesuffix(r" \\") for line in block.strip().splitlines()]
        assert all(visible(line) <= WIDTH + 20 for line in lines)
        assert all(line.count(r"\left") == line.count(r"\right") for line in lines)
        assert sum(line.count(r"\Bigl[") - line.count(r"\Bigr]") for line in lines) == 0


def test_a_long_mean_is_broken_at_its_own_signs() -> None:
    term = r"\log p(\mathbf{x}_t \mid \mathbf{z}_t)"
    inner = rf"\sum_{{t=1}}^{{T}} \left( {term} + {term} \right)"
    line = rf"\mathbb{{E}}_{{q(\mathbf{{z}}_{{1:T}})}}\left[ {term} - {inner} + {term} \right]"
    assert rows(line) == (line,)
    assert rows(line, 50) == (
        rf"\mathbb{{E}}_{{q(\mathbf{{z}}_{{1:T}})}}\Bigl[ {term}",
        f"- {inner}",
        rf"+ {term} \Bigr]",
    )


def test_a_sum_of_means_is_no_single_mean() -> None:
    one = r"\mathbb{E}_{q}\left[ a - b \right]"
    assert rows(f"{one} + {one}", 12) == (one, f"+ {one}")
