"""The rooms hold apart: imports go one way, each library has its room, files and functions stay small."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.shipped import ROOT

PACKAGE = ROOT / "dvaec"
LINES_OF_A_FILE = 260
LINES_OF_A_FUNCTION = 65

ROOMS: dict[str, tuple[str, ...]] = {
    "diagnostics": (),
    "spec": ("diagnostics",),
    "network": ("diagnostics", "spec"),
    "derive": ("diagnostics", "spec", "network"),
    "plan": ("diagnostics", "spec", "network", "derive"),
    "emit": ("diagnostics", "spec", "network", "derive", "plan"),
    "compiler": ("diagnostics", "spec", "network", "derive", "plan", "emit"),
    "runtime": ("diagnostics",),
    "testing": ("diagnostics", "spec", "network", "derive", "plan", "emit", "compiler", "runtime"),
    "api": ("diagnostics", "emit", "compiler", "runtime"),
    "cli": (
        *(
            "diagnostics",
            "spec",
            "network",
            "derive",
            "plan",
            "emit",
            "compiler",
            "runtime",
            "testing",
            "api",
        ),
    ),
    "__init__": ("diagnostics", "api"),
    "__main__": ("cli",),
}
"""By room: what it may import besides itself."""

ACCUMULATORS = {
    "dvaec.emit.loop_maps.Writing",
    "dvaec.emit.writer.Body",
    "dvaec.spec.build.Parsed",
    "dvaec.spec.report.Report",
}
"""Public dataclasses that one pass fills; no other room sees them."""

LIBRARIES = {
    "spec": {"yaml", "pydantic", "pydantic_core"},
    "network": {"networkx"},
    "derive": {"sympy"},
    "emit": {"jinja2", "markupsafe", "graphviz", "pygraphviz"},
    "runtime": {
        *("torch", "lightning", "numpy", "safetensors"),
        *(
            "matplotlib",
            "music21",
            "pesq",
            "polars",
            "ray",
            "pystoi",
            "scipy",
            "soundfile",
            "torchmetrics",
        ),  # extras
    },
    "testing": {"torch", "numpy", "hypothesis"},
    "cli": {"typer", "rich", "click"},
}
"""By room: the libraries that it imports; only the checks of compiled modules share theirs. api.py names torch for the type checker alone."""


@dataclass(frozen=True)
class Import:
    """One import: the importing module, what it names, whether only type checkers see it, whether on top."""

    module: str
    name: str
    typing_only: bool
    on_top: bool

    @property
    def room(self) -> str:
        return room_of(self.module)


def room_of(module: str) -> str:
    """Return the room of a module of the package: the part behind `dvaec.`."""
    return [*module.split("."), "__init__"][1]


@cache
def sources() -> dict[str, tuple[Path, ast.Module]]:
    """Return every module of the package by dotted name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = (path, ast.parse(path.read_text(encoding="utf-8")))
    return found


@cache
def imports() -> tuple[Import, ...]:
    """Return every import of the package, wherever it stands."""
    return tuple(one for module, (_, tree) in sources().items() for one in _walk(module, tree, False, True))


def _walk(module: str, node: ast.AST, typing_only: bool, on_top: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(module, alias.name, typing_only, on_top) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, f"{module} imports relatively"
            base = str(child.module)
            for alias in child.names:
                full = f"{base}.{alias.name}"
                yield Import(module, full if full in sources() else base, typing_only, on_top)
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            for inner in child.body:
                yield from _walk(module, ast.Module([inner], []), True, on_top)
            for inner in child.orelse:
                yield from _walk(module, ast.Module([inner], []), typing_only, on_top)
        else:
            nested = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _walk(module, child, typing_only, on_top and not nested)


def functions() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for module, (_, tree) in sources().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield module, node


def test_the_package_is_read() -> None:
    assert {room_of(module) for module in sources()} >= set(ROOMS) - {"__init__"}
    assert {room_of(module) for module in sources()} <= set(ROOMS)
    assert any(one.typing_only for one in imports())
    assert any(not one.on_top for one in imports())


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_rooms_above_it(room: str) -> None:
    own = [one for one in imports() if one.room == room and one.name.split(".")[0] == "dvaec"]
    # `from dvaec import __version__` names the package itself, which has no logic.
    wrong = [one for one in own if room_of(one.name) not in (room, "__init__", *ROOMS[room])]
    assert not wrong
    assert room not in ROOMS[room]


def test_each_library_has_its_room() -> None:
    for one in imports():
        top = one.name.split(".")[0]
        if top == "dvaec" or top in sys.stdlib_module_names:
            continue
        if one.room == "api" and top == "torch" and one.typing_only:
            continue
        assert top in LIBRARIES.get(one.room, ()), f"{one.module} imports {one.name}"


def test_heavy_libraries_are_imported_late_outside_their_room() -> None:
    """sympy and torch load only with the modules that need them, and no room's front door is such a module."""
    heavy = {
        one.module
        for one in imports()
        if one.on_top and not one.typing_only and one.name.split(".")[0] in ("torch", "lightning", "sympy")
    }
    graph = {
        module: {
            o.name
            for o in imports()
            if o.module == module and o.on_top and not o.typing_only and o.name in sources()
        }
        for module in sources()
    }
    for start in (
        "dvaec",
        "dvaec.compiler",
        "dvaec.cli.app",
        "dvaec.derive.derivation",
        "dvaec.emit.diagram_set",
    ):
        seen, todo = set(), [start]
        while todo:
            module = todo.pop()
            if module not in seen:
                seen.add(module)
                todo += graph[module]
        assert not seen & heavy, start


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = {
        module: {
            one.name
            for one in imports()
            if one.module == module and one.name in sources() and not one.typing_only
        }
        for module in sources()
    }
    try:
        TopologicalSorter({m: names - {"dvaec"} for m, names in graph.items()}).prepare()
    except CycleError as error:
        pytest.fail(f"modules import each other: {' -> '.join(error.args[1])}")


def test_files_are_small() -> None:
    long = {}
    for module, (path, _) in sources().items():
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > LINES_OF_A_FILE:
            long[module] = lines
    assert not long


def test_functions_are_small() -> None:
    long = {}
    for module, node in functions():
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if lines > LINES_OF_A_FUNCTION:
            long[f"{module}.{node.name}"] = lines
    assert not long


def test_packages_have_no_logic_of_their_own() -> None:
    """An __init__.py holds a docstring, imports, __all__ and __version__."""
    for module, (path, tree) in sources().items():
        if path.name != "__init__.py":
            continue
        for node in tree.body:
            plain = isinstance(node, ast.Import | ast.ImportFrom)
            words = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            names = isinstance(node, ast.Assign) and all(
                isinstance(t, ast.Name) and t.id in ("__all__", "__version__") for t in node.targets
            )
            assert plain or words or names, f"{module}, line {node.lineno}"


def test_only_the_command_line_prints_or_leaves() -> None:
    for module, (_, tree) in sources().items():
        if room_of(module) in ("cli", "__main__"):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Name):
                assert node.id not in ("print", "exit", "quit", "SystemExit", "input"), (
                    f"{module}, line {node.lineno}"
                )
            if isinstance(node, ast.Attribute):
                written = ast.unparse(node)
                assert written not in ("sys.exit", "os._exit", "sys.stdout", "sys.stderr"), (
                    f"{module}: {written}"
                )


def test_values_do_not_change() -> None:
    """Dataclasses that flow from room to room are frozen, and no function rebinds a name of its module."""
    for module, (_, tree) in sources().items():
        for node in ast.walk(tree):
            assert not isinstance(node, ast.Global), f"{module}, line {node.lineno}"
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                marks = [ast.unparse(mark) for mark in node.decorator_list]
                loose = any("dataclass" in mark and "frozen=True" not in mark for mark in marks)
                assert not loose or f"{module}.{node.name}" in ACCUMULATORS, f"{module}.{node.name}"


def test_nothing_is_keyed_on_the_name_of_a_model() -> None:
    """No text in the package equals a shipped model's name, save in docstrings and examples of longer texts."""
    names = {path.stem for path in (ROOT / "specs").glob("*.yaml")}
    for module, (_, tree) in sources().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert node.value.lower() not in names, f"{module}, line {node.lineno}"
