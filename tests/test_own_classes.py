"""Classes of the user's own that do not fit: one clear message, and no fault of dvaec's."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import dvaec
from dvaec.compiler import run_text
from dvaec.diagnostics import Fault
from dvaec.runtime.faults import OwnFault
from dvaec.runtime.script import script
from tests.program import dvaec as program

PAGE = """dvaec: 1
model: Own
variables:
  x: {role: observed, dim: 3}
  y: {role: observed, dim: 2}
  z: {role: latent, dim: 2}
generation:
  - z_1
  - z_t | z_<t-1>
  - x_t | z_t
  - y | x_1
networks:
  p(z_t): {reads: z_<t-1>}
  p(y): {python: "tests.test_own_classes:CLASS", reads: x_1, units: 4}
  q(z_1): {python: "tests.test_own_classes:CLASS", reads: x_1, units: 5}
  q(z_t): {reads: "z_<t-1>, x_t"}
"""


class Fits(nn.Module):
    """Maps (..., in_features) to (..., units)."""

    def __init__(self, in_features: int, units: int) -> None:
        super().__init__()
        self.map = nn.Linear(in_features, units)

    def forward(self, value: Tensor) -> Tensor:
        made: Tensor = self.map(value)
        return made


class Wider(Fits):
    """One unit too many."""

    def __init__(self, in_features: int, units: int) -> None:
        super().__init__(in_features, units + 1)


class OfTwoAxes(Fits):
    """Has no use for frames in a row."""

    def forward(self, value: Tensor) -> Tensor:
        made: Tensor = torch.mm(value, self.map.weight.T)
        return made


class WithoutSizes(nn.Module):
    """Takes no sizes."""

    def __init__(self) -> None:
        super().__init__()


class NoModule:
    """Is none."""

    def __init__(self, in_features: int, units: int) -> None:
        self.sizes = in_features, units


class NotScriptable(Fits):
    """Does what TorchScript does not know."""

    def forward(self, value: Tensor) -> Tensor:
        import math

        made: Tensor = self.map(value) * math.sqrt(1.0)
        return made


def written(folder: Path, name: str) -> Path:
    page = folder / "own.yaml"
    page.write_text(PAGE.replace("CLASS", name), encoding="utf-8")
    return page


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Nowhere", "tests.test_own_classes has no such class"),
        ("NoModule", "tests.test_own_classes:NoModule is no nn.Module"),
        ("WithoutSizes", "fails: TypeError: WithoutSizes.__init__() takes 1 positional"),
        ("Wider", r"Wider(3, 4) makes [2, 5] of [2, 3], not [2, 4]"),
        ("OfTwoAxes", "OfTwoAxes(3, 4) fails: RuntimeError: "),
    ],
)
def test_a_class_that_does_not_fit_is_refused(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(OwnFault) as caught:
        dvaec.compile(written(tmp_path, name), allow_python=True)
    assert said in caught.value.message
    assert "in_features, units" in str(caught.value.hint)


def test_a_class_that_torchscript_refuses_is_named(tmp_path: Path) -> None:
    module = dvaec.compile(written(tmp_path, "NotScriptable"), allow_python=True)()
    with pytest.raises(OwnFault, match="test_own_classes:NotScriptable is not scriptable: import statements"):
        script(module)


def test_a_class_that_fits_draws_the_weights_of_the_model_as_if_it_had_not_been_tried(tmp_path: Path) -> None:
    page = written(tmp_path, "Fits")
    torch.manual_seed(0)
    first = dvaec.compile(page, ["model=First"], allow_python=True)()
    torch.manual_seed(0)
    again = dvaec.compile(page, ["model=First"], allow_python=True)()  # nothing is tried a second time
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))


def test_permission_is_asked_for_where_the_class_is_named() -> None:
    with pytest.raises(Fault) as caught:
        run_text(PAGE.replace("CLASS", "Fits"), "own.yaml")
    assert [(d.code, d.span.line, d.span.column) for d in caught.value.diagnostics] == [
        ("DV121", 14, 18),
        ("DV121", 15, 20),
    ]


@pytest.mark.parametrize("command", ["compile", "verify"])
def test_the_program_blames_the_class_and_writes_nothing(tmp_path: Path, command: str) -> None:
    page = tmp_path / "own.yaml"
    page.write_text(PAGE.replace("tests.test_own_classes:CLASS", "no_such_module:Net"), encoding="utf-8")
    done = program(command, "own.yaml", "--allow-python", cwd=tmp_path)
    assert done.returncode == 1
    assert "error: no_such_module:Net cannot be imported: ModuleNotFoundError" in done.stderr
    assert "hint: no_such_module is looked for as Python does" in done.stderr
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["own.yaml"]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("import nn\nclass Net(nn.Module\n", "mend {file}:2:"),
        ("import no_such_module\n", "Python finds {name}, and fails in what it imports or runs"),
    ],
)
def test_a_file_at_fault_is_told_from_one_that_is_not_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, hint: str
) -> None:
    name = f"faulty_{len(text)}"
    file = tmp_path / f"{name}.py"
    file.write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    page = tmp_path / "own.yaml"
    page.write_text(PAGE.replace("tests.test_own_classes:CLASS", f"{name}:Net"), encoding="utf-8")
    with pytest.raises(OwnFault, match=f"{name}:Net cannot be imported") as caught:
        dvaec.compile(page, allow_python=True)
    assert str(caught.value.hint).startswith(hint.format(file=file, name=name))
