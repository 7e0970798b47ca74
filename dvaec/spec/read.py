"""Reading a spec: file -> text -> tree -> sound page -> parsed notation -> checked `Spec` with positions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dvaec.diagnostics import Fault, Span
from dvaec.spec.assemble import assemble
from dvaec.spec.build import Parsed, parse_page
from dvaec.spec.check import check
from dvaec.spec.check_blocks import check_blocks
from dvaec.spec.codes import Code
from dvaec.spec.model import Spec
from dvaec.spec.overrides import apply_overrides, choose_sizes
from dvaec.spec.page import spans_of, validate
from dvaec.spec.partial import PageFault, sound_part
from dvaec.spec.report import Report
from dvaec.spec.sizes import SET_NAME, names_of_sets
from dvaec.spec.source import Source
from dvaec.spec.unswept import ChainRule
from dvaec.spec.yaml_tree import Entries, parse_tree

LARGEST_FILE = 100_000  # bytes; a spec is a page


def read_spec(path: Path, overrides: Sequence[str] = ()) -> tuple[Spec, Source]:
    """Read the spec in a file; raises `Fault` with every diagnostic."""
    return read_text(file_text(path), str(path), overrides)


def file_text(path: Path) -> str:
    """Return the text of a page's file, without a byte order mark; raises `Fault` if it is no such file."""
    file = str(path)
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST_FILE + 1)
    except OSError as error:
        raise _fault(file, Code.FILE_UNREADABLE, f"cannot read the file: {error.strerror or error}") from None
    except ValueError as error:  # a NUL in the path
        raise _fault(file, Code.FILE_UNREADABLE, f"cannot read the file: {error}") from None
    return decoded(data, file)


def decoded(data: bytes, file: str) -> str:
    """Return a page's bytes as text, without a byte order mark; raises `Fault` if they are no such text."""
    if len(data) > LARGEST_FILE:
        raise _fault(file, Code.FILE_TOO_LARGE, f"a spec has at most {LARGEST_FILE} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig").split("\n")
        message = f"the file is not UTF-8 text: byte 0x{data[error.start]:02x}"
        hint, at = "save it in the encoding UTF-8", Span(file, len(before), len(before[-1]) + 1)
        raise _fault(file, Code.FILE_NOT_UTF8, message, hint, at) from None


def read_text(text: str, file: str, overrides: Sequence[str] = ()) -> tuple[Spec, Source]:
    """Read the spec in a text that is called `file` in diagnostics; raises `Fault` with every diagnostic.

    Where the page parses, the fault is a `PageFault` and carries the sound part.
    """
    report = Report()
    texts = {file: text}
    tree = parse_tree(text, file, report)
    if isinstance(tree, Entries):
        tree = apply_overrides(tree, overrides, texts, report)
    elif not report.found:
        span = tree.span if tree is not None else Span(file, 1, 1)
        hint = "it begins with the lines dvaec: 1 and model: NAME"
        if "=" in text.partition("\n")[0]:
            hint += ", with colons"
        report.add(Code.YAML_NOT_MAPPING, "a spec is a mapping of keys", span, hint)
    source = Source(file, spans_of(tree) if isinstance(tree, Entries) else {}, texts)
    if not isinstance(tree, Entries):
        raise Fault(report.found, source.sources())
    spans = dict(source.spans)
    parsed = parse_page(tree, validate(tree, report), spans, report)
    levels, chain = _judge(parsed, report)
    if not report.found and not overrides:
        _judge_sizes(tree, report)
    source = Source(file, spans, texts)
    if report.found:
        sound = sound_part(parsed, levels, chain, report.found)
        raise PageFault(report.found, source.sources(), source, sound)
    return assemble(parsed, levels, chain), replace(source, notes=tuple(report.notes))


def _judge_sizes(tree: Entries, report: Report) -> None:
    """Report what is wrong with the page as it stands under each of its sets of sizes."""
    for name in names_of_sets(tree):
        if not SET_NAME.match(name.text):
            message = f"a set of sizes is chosen by its name, and '{name.text[:40]}' is none"
            report.add(Code.SIZES, message, name.span, "write a word: letters, digits, _ and -")
        trial = Report()  # what is remarked on is said once, of the page itself
        sized = choose_sizes(tree, name, trial)
        if not trial.found:
            _judge(parse_page(sized, validate(sized, trial), spans_of(sized), trial), trial)
        report.found += [
            replace(one, message=f"with sizes={name.text[:40]}: {one.message}") for one in trial.found
        ]


def _judge(parsed: Parsed, report: Report) -> tuple[dict[str, bool], ChainRule]:
    """Report every fault of meaning, and where there is none whether sizes fit."""
    levels, chain = check(parsed, report)
    if not report.found:
        check_blocks(assemble(parsed, levels, chain), parsed, report)
    return levels, chain


def _fault(file: str, code: Code, message: str, hint: str | None = None, at: Span | None = None) -> Fault:
    report = Report()
    report.add(code, message, at or Span(file, 1, 1), hint)
    source = Source(file, {}, {})
    return Fault(report.found, source.sources())
