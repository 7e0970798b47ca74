"""Pictures in TikZ: the same nodes and arrows as in DOT, and documents that a LaTeX engine takes."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from dvaec.derive.derivation import derive
from dvaec.derive.explain import explain
from dvaec.derive.question import parse_question
from dvaec.emit.diagram import Diagram, Form
from dvaec.emit.diagram_build import THREE, Extent, diagram
from dvaec.emit.diagram_changes import changes_diagram
from dvaec.emit.diagram_highlight import highlighted
from dvaec.emit.diagram_set import picture_of
from dvaec.emit.diagram_tex import math, text
from dvaec.emit.diagram_tikz import tikz_source
from dvaec.plan.comparing import comparable
from tests import diagram_specs as specs
from tests.shipped import SHIPPED, shipped
from tests.test_diagram_boxes import COLUMN, PAGE

ENGINES = ("pdflatex", "lualatex", "xelatex", "tectonic")


@cache
def _engine() -> str | None:
    """A LaTeX engine that finds TikZ and the class `standalone`."""
    for name in ENGINES:
        if shutil.which(name) is None:
            continue
        if name == "tectonic":
            return name
        files = ["standalone.cls", "tikz.sty", "fix-cm.sty"]
        found = subprocess.run(["kpsewhich", *files], capture_output=True, text=True, check=False).stdout
        if len(found.split()) == len(files):
            return name
    return None


def _pictures(name: str, extent: Extent = THREE) -> list[Diagram]:
    spec = shipped(name)
    forms = [form for form in Form if spec.latents or not form.of_q]
    return [picture_of(spec, derive(spec), form, extent) for form in forms]


@pytest.mark.parametrize(
    ("label", "tex"),
    [
        ("zₜ₋₁", r"\mathbf{z}_{t-1}"),
        ("x₁:ₜ₋₂", r"\mathbf{x}_{1:t-2}"),
        ("⊆xₜ₊₂:ᴛ", r"\subseteq \mathbf{x}_{t+2:T}"),
        ("g⃗zₜ", r"\overrightarrow{\mathbf{g}}\mathbf{z}_{t}"),
        ("g⃖ᴛ₊₁", r"\overleftarrow{\mathbf{g}}_{T+1}"),
        ("v", r"\mathbf{v}"),
        ("⋯", r"\cdots"),
    ],
)
def test_labels(label: str, tex: str) -> None:
    assert math(label) == tex


def test_titles() -> None:
    names = frozenset({"x", "z", "v"})
    assert text("p(x, v) = p(v) ∏ₜ₌₂..ᴛ p(zₜ | v)", names) == (
        r"$p$($\mathbf{x}$, $\mathbf{v}$) $=$ $p$($\mathbf{v}$) $\prod_{t=2}^{T}$ "
        r"$p$($\mathbf{z}_{t}$ $\mid$ $\mathbf{v}$)"
    )
    assert text("zₜ ← x₁:ᴛ: yes", names) == r"$\mathbf{z}_{t}$ $\leftarrow$ $\mathbf{x}_{1:T}$: yes"
    assert text("−  q(zₜ)", names) == r"$-$  $q$($\mathbf{z}_{t}$)"
    assert text("A_B, generative model, T = 4", frozenset()) == r"A\_B, generative model, T = 4"
    assert text("xₜ: 2 layers, p | q", frozenset()) == r"$\mathbf{x}_{t}$: 2 layers, p | q"


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("extent", [THREE, Extent(frames=3)], ids=["slices", "unrolled"])
def test_every_node_and_arrow_is_there_once_and_all_is_plain_tex(name: str, extent: Extent) -> None:
    for picture in _pictures(name, extent):
        source = tikz_source(picture)
        assert source == tikz_source(picture)
        assert source.isascii(), "every letter of Unicode is turned into TeX"
        assert source.count("{") == source.count("}")
        assert source.count("$") % 2 == 0
        drawn = source[: source.index("% the title")]
        names = re.findall(r"\\node\S* ?[^(]*\(([^)]+)\) at", drawn)
        assert len(names) == len(set(names)) == len(picture.places)
        assert drawn.count(r"\fill[") == len(picture.arrows)
        for tone in {a.tone for a in picture.arrows}:
            painted = sum(a.tone is tone for a in picture.arrows)
            assert drawn.count(rf"\path[{tone}]") == painted
            (head,) = re.findall(rf"^  {tone} head/.style={{(.*)}},$", source, re.MULTILINE)
            assert ("fill=white" in head) is picture.form.draws_q(tone)


@pytest.mark.skipif(_engine() is None, reason="no LaTeX engine with TikZ and the class standalone here")
@pytest.mark.parametrize(
    "picture",
    [
        *_pictures("vrnn"),
        *_pictures("rvae_noncausal")[1:2],
        *_pictures("slds", Extent(frames=3))[3:],
        *_pictures("draw")[1:2],
        diagram(specs.switching(), specs.derived(specs.switching()), Form.INFERENCE),
    ],
    ids=lambda p: f"{p.name}-{p.form.value}",
)
def test_a_latex_engine_takes_it(tmp_path: Path, picture: Diagram) -> None:
    _compiled(tmp_path, picture)


@pytest.mark.skipif(_engine() is None, reason="no LaTeX engine with TikZ and the class standalone here")
def test_a_latex_engine_takes_a_painted_one(tmp_path: Path) -> None:
    spec = shipped("dkf")
    derivation = derive(spec)
    answer = explain(spec, derivation, parse_question("z_t <- x_<1:T>", spec))
    _compiled(tmp_path, highlighted(spec, derivation, answer))


@pytest.mark.skipif(_engine() is None, reason="no LaTeX engine with TikZ and the class standalone here")
def test_a_latex_engine_takes_two_models_compared(tmp_path: Path) -> None:
    _compiled(tmp_path, changes_diagram(*comparable(shipped("srnn"), shipped("srnn_filtering"))))


def _compiled(folder: Path, picture: Diagram) -> None:
    engine = _engine()
    assert engine is not None
    (folder / "picture.tex").write_text(tikz_source(picture), encoding="utf-8")
    strict = [] if engine == "tectonic" else ["-interaction=nonstopmode", "-halt-on-error"]
    done = subprocess.run(
        [engine, *strict, "picture.tex"], cwd=folder, capture_output=True, timeout=300, check=False
    )
    said = done.stdout.decode(errors="replace")
    assert done.returncode == 0, said[-2000:]
    assert "Missing character" not in said
    assert (folder / "picture.pdf").read_bytes().startswith(b"%PDF")
    if shutil.which("pdfinfo"):
        info = subprocess.run(
            ["pdfinfo", "picture.pdf"], cwd=folder, capture_output=True, text=True, check=True
        )
        assert re.search(r"Pages:\s+1$", info.stdout, re.MULTILINE)
        size = re.search(r"^Page size:\s+([\d.]+) x", info.stdout, re.MULTILINE)
        assert size is not None
        assert float(size[1]) <= (PAGE if picture.singles or picture.unrolled else COLUMN)
