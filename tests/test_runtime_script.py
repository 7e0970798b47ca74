"""From text to class to archive, and back in a process that knows nothing of dvaec."""

from __future__ import annotations

import hashlib
import inspect
import linecache
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch

from dvaec.runtime.faults import StoreFault
from dvaec.runtime.script import load_script, save_script, script
from dvaec.runtime.source import load_class
from tests.runtime_stand_in import SOURCE, small

ELSEWHERE = """
import sys, warnings
warnings.simplefilter("ignore")
import torch
assert not any(name.startswith("dvaec") for name in sys.modules)
model = torch.jit.load(sys.argv[1])
data = torch.load(sys.argv[2], weights_only=True)
result = model.elbo(data["x"], data["u"], lengths=data["lengths"], noise_z=data["noise"])
torch.testing.assert_close(result.elbo, data["elbo"], rtol=1e-12, atol=1e-12)
means = model.reconstruct(data["x"], data["u"], noise_z=data["noise"])
torch.testing.assert_close(means.x, data["means"], rtol=1e-12, atol=1e-12)
z = model.encode(data["x"], data["u"], noise_z=data["noise"]).z
print(tuple(z.shape), sorted(set(dir(model)) & {"elbo", "encode", "reconstruct", "generate"}))
"""

WRITE = """
import sys
from pathlib import Path
from dvaec.runtime.script import save_script
from tests.runtime_stand_in import small
save_script(small(), Path(sys.argv[1]))
"""


def test_the_text_becomes_one_class_with_its_source() -> None:
    first, again = load_class(SOURCE, "Small"), load_class(SOURCE, "Small")
    assert first is again
    assert sys.modules[first.__module__].Small is first
    linecache.checkcache()
    assert inspect.getsource(first).startswith("class Small(nn.Module):")
    file = inspect.getsourcefile(first)
    assert file == f"<dvaec Small {hashlib.sha256(SOURCE.encode()).hexdigest()[:12]}>"
    with pytest.raises(ValueError, match=r"no nn\.Module named Large"):
        load_class(SOURCE, "Large")
    with pytest.raises(ZeroDivisionError):
        load_class("1 / 0", "Small")


def test_scripted_equals_eager_and_shares_parameters() -> None:
    model = small().double()
    scripted = script(model)
    x, u = torch.randn(3, 5, 2).double(), torch.randn(3, 5, 1).double()
    noise, lengths = torch.randn(3, 5, 2).double(), torch.tensor([5, 1, 3])
    for _ in range(3):  # the profiling executor changes its code after the first runs
        ours = model.elbo(x, u, lengths, noise)  # type: ignore[operator]
        theirs = scripted.elbo(x, u, lengths, noise)
        for name in ours._fields:
            torch.testing.assert_close(getattr(theirs, name), getattr(ours, name), rtol=1e-9, atol=1e-12)
    with torch.no_grad():
        next(model.parameters()).add_(1.0)
    assert torch.equal(next(model.parameters()), next(iter(scripted.parameters())))


def test_an_archive_loads_where_dvaec_is_not_installed(tmp_path: Path) -> None:
    model = small().double()
    save_script(model, tmp_path / "model.pt")
    x, u = torch.randn(3, 5, 2).double(), torch.randn(3, 5, 1).double()
    noise, lengths = torch.randn(3, 5, 2).double(), torch.tensor([5, 1, 3])
    data = {"x": x, "u": u, "noise": noise, "lengths": lengths}
    data["elbo"] = model.elbo(x, u, lengths, noise).elbo.detach()  # type: ignore[operator]
    data["means"] = model.reconstruct(x, u, None, noise).x.detach()  # type: ignore[operator]
    torch.save(data, tmp_path / "data.pt")
    done = subprocess.run(
        [sys.executable, "-I", "-c", ELSEWHERE, str(tmp_path / "model.pt"), str(tmp_path / "data.pt")],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["(3,", "5,", "2)", "['elbo',", "'encode',", "'reconstruct']"]


def test_an_archive_holds_no_path_of_this_machine_and_is_the_same_every_time(tmp_path: Path) -> None:
    root = Path(__file__).parent.parent
    # Torch itself lists a layer's constants in the order of a set, hence the fixed seed of string hashes.
    fixed = {"PYTHONPATH": str(root), "PATH": "", "PYTHONHASHSEED": "0"}
    for name in ("a.pt", "b.pt"):
        command = [sys.executable, "-c", WRITE, str(tmp_path / name)]
        subprocess.run(command, cwd=root, check=True, env=fixed)
    assert (tmp_path / "a.pt").read_bytes() == (tmp_path / "b.pt").read_bytes()
    home = str(Path(torch.__file__).parent.parent).encode()
    with zipfile.ZipFile(tmp_path / "a.pt") as archive:
        records = {name: archive.read(name) for name in archive.namelist()}
    positions = b"".join(content for name, content in records.items() if name.endswith(".debug_pkl"))
    assert b"torch/nn/modules/linear.py" in positions
    assert b"<dvaec Small" in positions
    for name, content in records.items():
        for place in (home, str(tmp_path).encode(), str(root).encode(), b"/site-packages/"):
            assert place not in content, name


def test_an_error_in_a_loaded_archive_still_shows_the_source(tmp_path: Path) -> None:
    save_script(small(), tmp_path / "model.pt")
    loaded = load_script(tmp_path / "model.pt")
    with pytest.raises(RuntimeError, match=r"torch/nn/modules/linear\.py"):
        loaded.elbo(torch.zeros(1, 2, 7), torch.zeros(1, 2, 1))


def test_faulty_archives(tmp_path: Path) -> None:
    with pytest.raises(StoreFault, match="no such file"):
        load_script(tmp_path / "none.pt")
    (tmp_path / "bad.pt").write_bytes(b"nonsense")
    with pytest.raises(StoreFault, match="not a TorchScript archive"):
        load_script(tmp_path / "bad.pt")
