"""Every diagnostic has its bad spec with the exact text; `python -m tests.bad_specs` rewrites the texts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dvaec.diagnostics import Diagnostic, Severity, Sources, Span, ordered, render
from dvaec.spec.codes import Code
from dvaec.spec.read import LARGEST_FILE, read_spec
from tests.bad_specs import FOLDER, found_in, names, text_of
from tests.test_spec_read import fault_in

# No text in a repository has the first two; the last is a page of the test of `python:` blocks.
ELSEWHERE = {Code.FILE_UNREADABLE, Code.FILE_TOO_LARGE, Code.PYTHON_NOT_ALLOWED}


@pytest.mark.parametrize("name", names())
def test_a_bad_spec_says_exactly_this(name: str) -> None:
    assert text_of(name) == (FOLDER / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", names())
def test_a_bad_spec_is_refused_with_spans_inside_its_text(name: str) -> None:
    found, sources = found_in(name)
    refused = any(diagnostic.severity is Severity.ERROR for diagnostic in found)
    assert found
    assert refused is not name.startswith("remark_"), "a page that is right is remarked upon, not refused"
    for diagnostic in found:
        span = diagnostic.span
        lines = sources.lines(span.file)
        if lines:
            assert 1 <= span.line <= len(lines)
            assert 1 <= span.column <= len(lines[span.line - 1]) + 1
        assert span.width >= 1
        assert diagnostic.message
        assert len(diagnostic.message) < 200


def test_every_code_of_the_spec_room_has_a_bad_spec() -> None:
    said = "".join((FOLDER / f"{name}.txt").read_text(encoding="utf-8") for name in names())
    missing = [code.name for code in Code if f"[{code.value}]" not in said and code not in ELSEWHERE]
    assert missing == []


def test_every_code_is_used_and_none_is_given_twice() -> None:
    room = Path(__file__).parent.parent / "dvaec" / "spec"
    files = [*sorted(room.glob("*.py")), room.parent / "compiler.py"]
    source = "".join(path.read_text(encoding="utf-8") for path in files)
    unused = [code.name for code in Code if f"Code.{code.name}" not in source]
    assert unused == []
    values = [code.value for code in Code]
    assert len(set(values)) == len(values) == len(Code.__members__)
    assert all(re.fullmatch(r"DV[01]\d\d", value) for value in values)


def test_a_missing_file_is_a_diagnostic(tmp_path: Path) -> None:
    fault = fault_in(lambda: read_spec(tmp_path / "none.yaml"))
    assert [d.code for d in fault.diagnostics] == [Code.FILE_UNREADABLE]
    assert "No such file" in str(fault)


def test_a_folder_is_a_diagnostic(tmp_path: Path) -> None:
    fault = fault_in(lambda: read_spec(tmp_path))
    assert [d.code for d in fault.diagnostics] == [Code.FILE_UNREADABLE]


def test_a_huge_file_is_a_diagnostic(tmp_path: Path) -> None:
    path = tmp_path / "huge.yaml"
    path.write_bytes(b"#" * (LARGEST_FILE + 1))
    fault = fault_in(lambda: read_spec(path))
    assert [d.code for d in fault.diagnostics] == [Code.FILE_TOO_LARGE]


def test_the_layout_of_one_diagnostic() -> None:
    text = "first\n\tsecond line\nthird\n"
    shown = render(
        [Diagnostic("DV999", "it is wrong", Span("a.yaml", 2, 9, 4), "mend it", Severity.WARNING)],
        Sources({"a.yaml": text}),
    )
    assert shown == (
        "a.yaml:2:9: warning[DV999]: it is wrong\n"
        " 1 | first\n"
        " 2 | \tsecond line\n"
        "   | \t       ^^^^\n"
        "   = hint: mend it"
    )


def test_diagnostics_are_sorted_by_position_and_not_repeated() -> None:
    late = Diagnostic("DV001", "b", Span("f", 10, 1))
    early = Diagnostic("DV002", "a", Span("f", 9, 5))
    first = Diagnostic("DV003", "a", Span("f", 9, 4))
    assert ordered([late, early, late, first]) == (first, early, late)
