"""Pictures: every format through pygraphviz's own Graphviz or the `dot` program, whole or not at all."""

from __future__ import annotations

import stat
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from dvaec.derive.derivation import derive
from dvaec.emit import render
from dvaec.emit.diagram import Form
from dvaec.emit.diagram_palette import LIGHT
from dvaec.emit.diagram_set import picture_source
from dvaec.spec.read import read_spec

SPEC = Path(__file__).parent.parent / "specs" / "vrnn.yaml"


@pytest.fixture(scope="module")
def source() -> str:
    """The inference model of VRNN, with golden arrows."""
    spec = read_spec(SPEC)[0]
    return picture_source(spec, derive(spec), Form.INFERENCE)


@pytest.fixture
def no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without the `dot` program."""
    monkeypatch.setattr("shutil.which", lambda _name: None)


@pytest.mark.usefixtures("no_program")
@pytest.mark.parametrize(
    ("suffix", "magic"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF"), ("dot", b"//")]
)
def test_every_format_without_the_program(tmp_path: Path, source: str, suffix: str, magic: bytes) -> None:
    path = tmp_path / f"picture.{suffix}"
    render.write_picture(source, path)
    assert path.read_bytes().startswith(magic)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.usefixtures("no_program")
def test_svg_holds_the_labels_and_the_colours_and_is_the_same_twice(source: str) -> None:
    first, again = render.picture(source, "svg"), render.picture(source, "svg")
    assert first == again
    tree = ElementTree.fromstring(first)
    labels = list(tree.iter("{http://www.w3.org/2000/svg}text"))
    texts = ["".join(node.itertext()) for node in labels]
    assert {"zt−1", "zt", "zt+1", "ht", "xt+1"} <= set(texts)
    (line,) = [node for node in labels if "".join(node.itertext()).startswith("q(z1:T | x1:T)")]
    lowered = [part.text for part in line if part.get("font-size") == "62%"]
    assert lowered == ["1:T", "1:T", "t", "t", "1:t−1", "1:t"], "the subscripts, and they alone"
    assert "VRNN, inference model q in developed form" in texts
    strokes = {node.get("stroke", "").upper() for node in tree.iter("{http://www.w3.org/2000/svg}path")}
    assert LIGHT.golden in strokes


@pytest.mark.usefixtures("no_program")
def test_nothing_of_graphviz_reaches_standard_error(source: str, capfd: pytest.CaptureFixture[str]) -> None:
    render.picture(source, "png")
    assert capfd.readouterr().err == ""


@pytest.mark.usefixtures("no_program")
def test_source_that_is_no_graph_is_refused() -> None:
    with pytest.raises(render.RenderError):
        render.picture("digraph {", "svg")


@pytest.mark.usefixtures("no_program")
def test_without_any_graphviz_the_error_says_what_to_install(
    source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    with pytest.raises(render.RenderError, match=r"install Graphviz .* or ask for a \.dot file"):
        render.picture(source, "svg")


def test_the_program_is_used_where_there_is_one(
    tmp_path: Path, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "dot"
    program.write_text("#!/bin/sh\necho called with $1\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert render.picture(source, "svg") == b"called with -Tsvg\n"
    program.write_text("#!/bin/sh\necho no such plugin >&2\nexit 1\n")
    with pytest.raises(render.RenderError, match="no such plugin"):
        render.picture(source, "svg")


def test_an_unknown_suffix_is_refused_and_a_missing_folder_named(tmp_path: Path, source: str) -> None:
    with pytest.raises(render.RenderError, match=r"\.svg, \.png, \.pdf, \.dot, \.tex"):
        render.write_picture(source, tmp_path / "picture.gif")
    with pytest.raises(OSError, match=r"nowhere/picture\.dot"):
        render.write_picture(source, tmp_path / "nowhere" / "picture.dot")


def test_a_failed_picture_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "picture.dot"
    render.write_whole(path, b"old")

    def fail(_self: Path, _target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="No space left"):
        render.write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["picture.dot"]
