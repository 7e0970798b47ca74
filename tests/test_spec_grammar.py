"""The grammar of the notation: what each form means, where faults stand, and the round trip with the printer."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from dvaec.diagnostics import Span
from dvaec.spec import offsets as sets
from dvaec.spec.conditionals import parse_conditional, parse_reads
from dvaec.spec.notation import page
from dvaec.spec.offsets import ALL, NOW, Offsets
from dvaec.spec.report import Report
from dvaec.spec.subscripts import parse_reference
from dvaec.spec.tokens import NotationError
from dvaec.spec.yaml_tree import Entries, Scalar, parse_tree
from tests.test_offsets import unions

MEANINGS: list[tuple[str, Offsets | None]] = [
    ("t", NOW),
    ("<t>", NOW),
    ("<t-1>", sets.of(-1)),
    ("{t-1}", sets.of(-1)),
    ("<t + 2>", sets.of(2)),
    ("<1:t-1>", sets.window(None, -1)),
    ("<<t>", sets.window(None, -1)),
    ("{<t}", sets.window(None, -1)),
    ("<<=t>", sets.window(None, 0)),
    ("{<=t}", sets.window(None, 0)),
    ("<<t-1>", sets.window(None, -2)),
    ("<<=t+1>", sets.window(None, 1)),
    ("<>t>", sets.window(1, None)),
    ("<>=t>", sets.window(0, None)),
    ("{>t+1}", sets.window(2, None)),
    ("<t:T>", sets.window(0, None)),
    ("<1:T>", ALL),
    ("<t-2:t>", sets.window(-2, 0)),
    ("<t:T:2>", sets.window(0, None, 2)),
    ("<1:t-1:2>", sets.window(None, -1, 2)),
    ("<t-5:t:3>", sets.window(-5, 0, 3)),
]


@pytest.mark.parametrize(("subscript", "offsets"), MEANINGS)
def test_what_a_subscript_means(subscript: str, offsets: Offsets) -> None:
    text = f"x_{subscript}"
    reference = parse_reference(text, 0, len(text))
    assert (reference.name, reference.offsets, reference.frame) == ("x", offsets, None)


@pytest.mark.parametrize(
    ("text", "frame"),
    [("x", None), ("x_0", "0"), ("z_<0>", "0"), ("g_T", "T"), ("g_<T>", "T"), ("b_{1}", "1"), ("x_12", "12")],
)
def test_absolute_frames_and_the_sequence_level(text: str, frame: str | None) -> None:
    reference = parse_reference(text, 0, len(text))
    assert (reference.offsets, reference.frame) == (None, frame)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("x_<=t>", "did you mean x_<<=t>?"),
        ("x_<=t", "did you mean x_<<=t>?"),
        ("x_<= t-1>", "did you mean x_<<=t-1>?"),
        ("x_>t>", "did you mean x_<>t>?"),
        ("x_≤t", "did you mean x_<<=t>?"),
        ("x_<t", "did you mean x_<<t> (the frames before t) or x_t (frame t)?"),
        ("x_<<t", "did you mean x_<<t>?"),
        ("x_{t-1", "did you mean x_{t-1}?"),
        ("x_t-1", "did you mean x_<t-1>?"),
        ("x_1:T", "did you mean x_<1:T>?"),
        ("x_<t+1:t-1>", "did you mean t-1:t+1?"),
        ("x<t>", "did you mean x_<<t> (the frames before t) or x_t (frame t)?"),
    ],
)
def test_near_misses_are_answered(text: str, hint: str) -> None:
    with pytest.raises(NotationError) as caught:
        parse_reference(text, 0, len(text))
    assert caught.value.hint == hint


@given(unions)
def test_the_printed_form_reads_as_the_same_set(offsets: Offsets) -> None:
    assume(offsets)
    report = Report()
    text = page("x", offsets)
    reads = parse_reads(Scalar(text, True, Span("f", 1, 1)), report)
    assert report.found == []
    assert reads is not None
    assert sets.union(r.offsets for r in reads.references if r.offsets is not None) == offsets


@given(st.text("xzt<>={}_:+-T019 ,|\t²−≤", max_size=12))
@example("x_<" + "9" * 50 + ">")
@example("x_<t-" + "9" * 50 + ">")
def test_any_text_is_a_reference_or_a_fault_within_it(text: str) -> None:
    try:
        parse_reference(text, 0, len(text))
    except NotationError as error:
        where = (error.start, error.stop)
    else:
        where = (0, 1)
    assert 0 <= where[0] <= len(text)
    assert where[0] < where[1] <= len(text) + 1


@pytest.mark.parametrize(
    ("line", "column", "width"),
    [
        ("k: z_t | y_t, x_<t-a>", 20, 1),
        ("k: 'z_t | y_t, x_<t-a>'", 21, 1),
        ('k: "z_t | y_t, x_<t-a>"', 21, 1),
        ("k: 'it''s | x_<t-a>'", 7, 3),
    ],
)
def test_faults_stand_at_their_columns(line: str, column: int, width: int) -> None:
    report = Report()
    tree = parse_tree(line, "f", report)
    assert isinstance(tree, Entries)
    scalar = tree.get("k")
    assert isinstance(scalar, Scalar)
    assert parse_conditional(scalar, report) is None
    assert report.found[0].span == Span("f", 1, column, width)


def test_where_the_columns_are_not_one_to_one_the_whole_text_is_shown() -> None:
    report = Report()
    tree = parse_tree('k: "z_t \\u007c x_<t-a>"', "f", report)
    assert isinstance(tree, Entries)
    scalar = tree.get("k")
    assert isinstance(scalar, Scalar)
    assert parse_conditional(scalar, report) is None
    assert report.found[0].span == scalar.span


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("FALSE", False), ("~", None), ("", None), ("012", "012"), ("0", 0), ("1.5", 1.5), ("1e3", 1000.0), ("0x1F", "0x1F"),
     ("1_000", "1_000"), ("1:30", "1:30"), ("y", "y"), ("N", "N"), ("'3'", "3"), ("2024-01-01", "2024-01-01")],
)  # fmt: skip
def test_scalars_are_resolved_as_in_yaml_1_2(text: str, value: object) -> None:
    report = Report()
    tree = parse_tree(f"k: {text}", "f", report)
    assert isinstance(tree, Entries)
    scalar = tree.get("k")
    assert isinstance(scalar, Scalar)
    assert (scalar.value(), report.found) == (value, [])


@given(st.from_regex(r"[xz](_|)[ ]?[\[({<^]?[-+:<=>tTms0-9. ,/]{0,8}[\])}>]?(_t)?", fullmatch=True))
@example("x_<1:t")
@example("x[t:0]")
def test_what_was_perhaps_meant_can_be_written(text: str) -> None:
    try:
        parse_reference(text, 0, len(text))
    except NotationError as error:
        meant = re.fullmatch(r"(?:.*: )?did you mean ([a-z]_[^(]+)\?", error.hint or "")
        if meant is not None:
            parse_reference(meant[1], 0, len(meant[1]))
