"""docs/language.md: every key of the language is there, with its default; every example is what it says."""

from __future__ import annotations

import re
from typing import Any, get_args

import pytest
import torch
from pydantic import BaseModel, Tag
from pydantic.fields import FieldInfo

from dvaec.compiler import Compilation, run_text
from dvaec.derive.model import Comparison
from dvaec.spec import notation, schema_blocks, schema_heads, schema_order
from dvaec.spec.conditionals import ACTIVATIONS
from dvaec.spec.model import Conditional, Family, Parent, Spec
from dvaec.spec.names import RESERVED
from dvaec.spec.read import read_text
from dvaec.spec.schema import ObjectiveShape, PageShape, StateShape, VariableShape
from dvaec.spec.schema_base import BLOCK_TAGS
from dvaec.spec.schema_blocks import FeatureShape
from dvaec.spec.sizes import CHANGED_BY_SETS
from dvaec.spec.subscripts import parse_reference
from dvaec.spec.write_schema import json_schema
from tests.language_page import Example, Table, blocks, code, examples, tables, text
from tests.shipped import ROOT

SHAPES: dict[str, tuple[type[BaseModel], ...]] = {
    "The page": (PageShape,),
    "Variables": (VariableShape,),
    "Inference": (schema_order.LookaheadShape,),
    "Order": (schema_order.BackwardShape,),
    "States": (StateShape,),
    "Starts": (schema_order.StartShape,),
    "Features and blocks": (schema_blocks.DenseShape,),
    "Combiner": (schema_blocks.CombinerShape,),
    "Linear mixture": (schema_blocks.MixtureFeatureShape,),
    "Convolution": (schema_blocks.ConvolutionShape,),
    "Attention": (schema_blocks.AttentionShape,),
    "Image encoder": (schema_blocks.ImageEncoderShape,),
    "Image decoder": (schema_blocks.ImageDecoderShape,),
    "Recurrence over an axis": (schema_blocks.ScanShape,),
    "A network of one's own": (schema_blocks.CustomShape,),
    "Networks": (schema_heads.DenseHeadShape,),
    "Mean": (schema_heads.OutputShape,),
    "Variance": (schema_heads.VarianceShape, schema_heads.TableShape),
    "Gated transition": (schema_heads.GatedHeadShape,),
    "Objective": (ObjectiveShape,),
}
"""The tables of keys, by their headings: what they document."""

KEYS = ("key", "meaning", "default")
EXAMPLES = examples()
PLACES = [
    (shape, table)
    for section, shapes in SHAPES.items()
    for shape, table in zip(
        shapes, [one for one in tables() if one.section == section and one.columns == KEYS], strict=True
    )
]


def test_every_property_of_the_schema_is_named() -> None:
    schema = json_schema()
    keys = {key for block in (schema, *schema["$defs"].values()) for key in block.get("properties", {})}
    assert len(keys) > 50
    assert sorted(key for key in keys if f"`{key}`" not in text()) == []


def test_every_word_that_a_key_can_take_is_named() -> None:
    words = set(_words(json_schema())) - {"number", "word"}
    assert {"doubling", "anticausal", "mean_field"} <= words
    assert sorted(word for word in words if not re.search(rf"\b{word}\b", text())) == []


def _words(node: Any) -> list[str]:
    if isinstance(node, list):
        return [word for item in node for word in _words(item)]
    if not isinstance(node, dict):
        return []
    own = [*node.get("enum", ()), node.get("const")]
    inner = [word for value in node.values() for word in _words(value)]
    return [word for word in own if isinstance(word, str)] + inner


def test_every_table_of_keys_belongs_to_a_shape() -> None:
    assert {table.section for table in tables() if table.columns == KEYS} == set(SHAPES)


@pytest.mark.parametrize(("shape", "table"), PLACES, ids=[shape.__name__ for shape, _ in PLACES])
def test_a_table_has_each_key_once_with_its_default(shape: type[BaseModel], table: Table) -> None:
    fields = {field.alias or name: field for name, field in shape.model_fields.items()}
    assert sorted(code(row[0]) for row in table.rows) == sorted(fields)
    wrong = [row for row in table.rows if not _is_default(row[2], fields[code(row[0])])]
    assert wrong == []


def _is_default(cell: str, field: FieldInfo) -> bool:
    """Whether a cell says a key's default: what stands for a value that is left out is said in words."""
    if field.is_required():
        return cell == "required"
    if field.default in ("", [], {}):
        return cell == "none"
    if field.default is None:
        return cell not in ("", "required") and not code(cell)
    return code(cell) == str(field.default).lower()


@pytest.mark.parametrize("example", EXAMPLES, ids=[f"{n}-{e.section}" for n, e in enumerate(EXAMPLES)])
def test_an_example_compiles_and_is_what_it_says(example: Example) -> None:
    known = run_text(example.page, "page.yaml", allow_python=True)
    assert known.module is not None
    assert known.derivation is not None
    spec = known.spec
    if example.said("q"):
        declared = {_line(spec, q.target, q.frame, q.parents) for q in known.derivation.inference}
        assert declared == {_sorted(line, spec) for line in example.said("q")}
    if example.said("order"):
        assert _order(spec) == example.said("order")[0]
    if any(example.said(word) for word in ("golden", "silver", "redundant", "q")):
        _check_comparisons(known, example)


def _check_comparisons(known: Compilation, example: Example) -> None:
    """Links are golden, silver or redundant where the example says so, and nowhere else."""
    assert known.derivation is not None
    for word in ("golden", "silver", "redundant"):
        found = {
            _line(known.spec, one.target, one.frame, _links(one, word))
            for one in known.derivation.comparisons
            if _links(one, word)
        }
        assert found == {_sorted(line, known.spec) for line in example.said(word)}, word


def _links(one: Comparison, word: str) -> tuple[Parent, ...]:
    return tuple(getattr(one, word))


def _line(spec: Spec, target: str, frame: int | None, parents: tuple[Parent, ...]) -> str:
    """Write a conditional as the language does, its parents sorted."""
    zeros = [v.name for v in spec.variables if v.framed and v.first == 0]
    left = target if not spec.variable(target).framed else notation.target(Conditional(target, (), frame))
    return f"{left} | {', '.join(sorted(notation.parents(parents, zeros, frame).split(', ')))}"


def _sorted(line: str, spec: Spec) -> str:
    left, _, right = line.partition(" | ")
    assert left.split("_")[0] in [v.name for v in spec.variables]
    return f"{left} | {', '.join(sorted(right.split(', ')))}"


def _order(spec: Spec) -> str:
    listed = [
        one.latents[0] if len(one.latents) == 1 else f"[{', '.join(one.latents)}]" for one in spec.order
    ]
    return ", ".join(listed)


def test_parts_are_put_into_the_first_page() -> None:
    assert len(EXAMPLES) > 30
    assert all(example.page.startswith("dvaec: 1\nmodel: ") for example in EXAMPLES)
    claimed = {word for example in EXAMPLES for word, _ in example.claims}
    assert claimed == {"q", "golden", "silver", "redundant", "order"}


def test_subscripts_mean_the_frames_that_the_table_lists() -> None:
    (table,) = (one for one in tables() if one.section == "Subscripts")
    t, last = (int(number) for number in re.findall(r"at t = (\d+) of a sequence of T = (\d+)", text())[0])
    assert len(table.rows) > 12
    for written, _, also, frames in table.rows:
        for shown in (written, also):
            if shown:
                listed = " ".join(str(s) for s in range(1, last + 1) if _holds(code(shown), s, t, last))
                assert listed == frames, shown


def _holds(shown: str, frame: int, t: int, last: int) -> bool:
    reference = parse_reference(shown, 0, len(shown))
    if reference.offsets is not None:
        return frame - t in reference.offsets
    return reference.frame is not None and frame == (last if reference.frame == "T" else int(reference.frame))


def test_blocks_stand_where_the_table_says() -> None:
    (table,) = (one for one in tables() if one.columns[0] == "block" and len(one.columns) == 5)
    tags = [
        {tag.tag for one in get_args(get_args(union)[0]) for tag in get_args(one) if isinstance(tag, Tag)}
        for union in (FeatureShape, schema_heads.HeadShape, schema_heads.MeanShape, schema_heads.Variance)
    ]
    listed = dict.fromkeys(["dense", *BLOCK_TAGS, "over", "python"])
    found = {re.split(r"[`:]", row[0])[0 if row[0].startswith("dense") else 1]: row[1:] for row in table.rows}
    assert found == {block: tuple("yes" if block in kinds else "" for kinds in tags) for block in listed}


def test_lists_of_words_are_complete() -> None:
    assert blocks("text")[0].split() == sorted(RESERVED)
    layers = text().split("### Layers")[1].split("###")[0]
    assert all(f"`{word}`" in layers for word in ACTIVATIONS)
    families = text().split("The families are")[1].split(". Latents")[0]
    assert set(re.findall(r"`(\w+)`", families)) == {family.value for family in Family}
    changed = text().split("A set changes only")[1].split(":")[0]
    assert re.findall(r"`(\w+)`", changed) == list(CHANGED_BY_SETS)


def test_the_set_of_sizes_can_be_chosen() -> None:
    page = EXAMPLES[-1].page
    spec, _ = read_text(page, "page.yaml", ["sizes=small"])
    assert (spec.variable("x").dim, spec.states[0].units) == (3, 8)


def test_the_network_of_ones_own_maps_as_it_says() -> None:
    (source,) = blocks("python")
    names: dict[str, Any] = {}
    exec(compile(source, "mynets.py", "exec"), names)
    own = names["Residual"](5, 3)
    assert own(torch.zeros(2, 7, 5)).shape == (2, 7, 3)


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], ids=lambda p: p.name
)
def test_links_lead_to_files_and_headings(page: Any) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)|<img src=\"([^\"]+)\"", page.read_text(encoding="utf-8")):
        to, _, heading = "".join(link).partition("#")
        if to.startswith(("http:", "https:")):
            continue
        target = (page.parent / to) if to else page
        assert target.exists(), link
        if heading:
            assert heading in _anchors(target.read_text(encoding="utf-8")), link


def _anchors(page: str) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
