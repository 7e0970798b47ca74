"""A model in a notebook: what a cell shows, by running one; and that showing changes nothing else."""

from __future__ import annotations

import copy
import os
import re
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import torch

import dvaec
from dvaec.emit import render
from dvaec.runtime.script import script
from tests.html_page import Page
from tests.program import dvaec as command
from tests.shipped import ROOT, SPECS

CELLS = (
    "import torch, dvaec\nmodel = dvaec.compile({spec!r})()\nmodel",
    "loaded = dvaec.load({run!r})\nloaded",
    "torch.jit.script(model).elbo(torch.zeros(1, 3, 88))[0].shape",
)


def bundle_of(model: Any) -> dict[str, Any]:
    """Ask for what is shown as IPython does."""
    found: dict[str, Any] = model._repr_mimebundle_(include=None, exclude=None)
    return found


def shown(output: dict[str, Any]) -> Page:
    """Return the HTML of a cell's output, after the checks that hold for each."""
    made = Page(output["text/html"])
    assert not made.having("script")
    assert not made.loaded
    assert len(made.having("svg", "diagram")) == 2
    for formula in re.findall(r"<math.*?</math>", made.source, flags=re.DOTALL):
        ElementTree.fromstring(formula)
    assert len(made.having("math")) == 5
    return made


def test_a_notebook_shows_diagrams_and_formulas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
    pytest.importorskip("ipykernel", reason="no kernel is installed")
    spec, run = str(SPECS / "srnn.yaml"), str(tmp_path / "run")
    trained = command("train", spec, "--data", "pendulum-ring", "--epochs", "1", "-o", run)
    assert trained.returncode == 0, trained.stderr
    # A kernel that is this interpreter, whatever is installed for the user, and nothing in the home folder.
    kernel = tmp_path / "kernels" / "here"
    kernel.mkdir(parents=True)
    argv = f'["{sys.executable}", "-m", "ipykernel_launcher", "-f", "{{connection_file}}"]'
    (kernel / "kernel.json").write_text(f'{{"argv": {argv}, "display_name": "here", "language": "python"}}')
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    cells = [nbformat.v4.new_code_cell(text.format(spec=spec, run=run)) for text in CELLS]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="here").execute()
    nbformat.validate(notebook)
    fresh, loaded, scripted = (cell.outputs[-1].data for cell in notebook.cells)
    assert shown(fresh).source == shown(loaded).source
    assert "SRNN" in shown(fresh).elements[0].text
    assert fresh["text/plain"].startswith("SRNN(")
    assert scripted["text/plain"] == "torch.Size([1])"


def test_the_bundle_is_the_model_s_own() -> None:
    model = dvaec.compile(SPECS / "srnn.yaml", ["z.dim=3"])()
    bundle = bundle_of(model)
    text = shown(bundle).elements[0].text
    size = sum(one.numel() for one in model.parameters())
    assert f"{size:,}".replace(",", "\N{NARROW NO-BREAK SPACE}") + " trained values" in text
    assert r"\mathbf{z}_t \mid \mathbf{z}_{t-1}, \mathbf{x}_{1:T}" in bundle["text/latex"]
    assert bundle["text/latex"].startswith(r"$\displaystyle \begin{array}{l}")
    other = bundle_of(dvaec.compile(SPECS / "kvae.yaml")())
    assert other["text/html"] != bundle["text/html"]


def test_a_model_without_latents_and_a_machine_without_graphviz(monkeypatch: pytest.MonkeyPatch) -> None:
    model = dvaec.compile(SPECS / "grnn.yaml")()
    assert len(Page(bundle_of(model)["text/html"]).having("svg")) == 1

    def refuse(*_: object) -> bytes:
        raise render.RenderError("no Graphviz here")

    monkeypatch.setattr("dvaec.emit.report_pictures.picture", refuse)
    bare = Page(bundle_of(model)["text/html"])
    assert not bare.having("svg")
    assert len(bare.having("math")) == 3


def test_a_model_that_can_be_shown_is_copied_and_scripted_as_before() -> None:
    model: Any = dvaec.compile(SPECS / "vae.yaml")()
    twin = copy.deepcopy(model)
    x = torch.zeros(2, 3, 88)
    noise = torch.zeros(2, 3, 16)
    with torch.no_grad():
        scripted = script(twin).score(x, noise)
        assert all(torch.equal(a, b) for a, b in zip(model.score(x, noise), scripted, strict=True))
    assert "_repr_mimebundle_" not in model.state_dict()
