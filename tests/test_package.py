"""The wheel: what travels in it, and that it works where there is no checkout."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.shipped import ROOT, SHIPPED


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel, with the build backend that the test extra installs."""
    out = tmp_path_factory.mktemp("wheel")
    run(
        ROOT,
        "-m",
        "pip",
        "wheel",
        str(ROOT),
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "-q",
        "-w",
        str(out),
    )
    [path] = out.glob("dvaec-*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel to a folder of its own; what it depends on is there already."""
    target = tmp_path_factory.mktemp("installed")
    run(target, "-m", "pip", "install", "--no-deps", "--no-index", "-q", "--target", str(target), str(wheel))
    return target


def run(folder: Path, *words: str) -> str:
    done = subprocess.run([sys.executable, *words], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def dvaec(installed: Path, folder: Path, *words: str) -> str:
    """Run the command out of the installed folder, which stands before everything else on the path."""
    program = (
        f"import sys; sys.path.insert(0, {str(installed)!r}); sys.argv[0] = 'dvaec'\n"
        f"import dvaec.cli.app as app; assert app.__file__.startswith({str(installed)!r}), app.__file__\n"
        "app.main()"
    )
    return run(folder, "-I", "-c", program, *words)


def test_the_wheel_holds_all_that_the_package_reads(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = {f"dvaec/specs/{name}.yaml" for name in SHIPPED}
    wanted |= {"dvaec/py.typed", "dvaec/spec/schema.json"}
    templates = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "dvaec" / "emit" / "templates").iterdir()
        if path.is_file()
    }
    assert templates
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "dvaec").rglob("*.py")}
    assert wanted | templates | modules <= names
    outside = [name for name in names if not name.startswith("dvaec/") and ".dist-info/" not in name]
    assert not outside
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_the_wheel_is_small(wheel: Path) -> None:
    assert wheel.stat().st_size < 900_000


def test_installed_without_the_checkout_it_starts_checks_and_compiles_a_page(
    installed: Path, tmp_path: Path
) -> None:
    listed = [line.split()[0] for line in dvaec(installed, tmp_path, "new", "--list").splitlines()]
    assert listed == list(SHIPPED)
    assert dvaec(installed, tmp_path, "new", "foo", "--from", "srnn") == "foo.yaml\n"
    assert "model: foo\n" in (tmp_path / "foo.yaml").read_text(encoding="utf-8")
    assert dvaec(installed, tmp_path, "check", "foo.yaml") == ""
    dvaec(installed, tmp_path, "compile", "foo.yaml")
    made = sorted(path.name for path in (tmp_path / "generated" / "foo").iterdir())
    assert "foo.pt" in made
    assert "class foo(nn.Module):" in (tmp_path / "generated" / "foo" / "model.py").read_text(
        encoding="utf-8"
    )


def test_installed_without_the_checkout_it_writes_the_committed_texts(
    installed: Path, tmp_path: Path
) -> None:
    page = installed / "dvaec" / "specs" / "srnn.yaml"
    assert dvaec(installed, tmp_path, "compile", str(page), "--emit", "module") == text_of("model.py")
    assert dvaec(installed, tmp_path, "compile", str(page), "--emit", "plan") == text_of("plan.txt")


def text_of(name: str) -> str:
    return (ROOT / "generated" / "srnn" / name).read_text(encoding="utf-8")


def test_the_readme_says_what_the_checks_run() -> None:
    """The two commands that a newcomer is told are, to the letter, those of .ci/run."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = readme.split("```sh\n")[1:3]
    commands = [block.split("\n```")[0] for block in blocks]
    assert "pip install -e . &&\n" in commands[0]
    assert 'pip install -e ".[test]"' in commands[1]
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for command in commands:
        assert f"\n{command}\n" in script
