"""The JSON schema: current, valid Draft 7, accepts the good pages, refuses bad ones, explains every key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from dvaec.spec.schema import PageShape
from dvaec.spec.write_schema import json_schema, schema_text
from tests.test_spec_read import PAGE, SPECS

COMMITTED = Path(__file__).parent.parent / "dvaec" / "spec" / "schema.json"
GOOD: dict[str, Any] = yaml.safe_load(PAGE)


def validator() -> jsonschema.Draft7Validator:
    """A validator of the committed schema."""
    return jsonschema.Draft7Validator(json.loads(COMMITTED.read_text(encoding="utf-8")))


def test_the_committed_schema_is_current() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == schema_text()


def test_the_schema_is_valid_draft_7() -> None:
    jsonschema.Draft7Validator.check_schema(json_schema())


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_the_shipped_specs_fit_and_name_the_schema(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert list(validator().iter_errors(yaml.safe_load(text))) == []
    assert text.startswith("# yaml-language-server: $schema=../dvaec/spec/schema.json")


@pytest.mark.parametrize(
    "inference",
    ["exact", "filtering", {"lookahead": 2}, ["z_t | x_t", "a_t | z_t"]],
    ids=["exact", "filtering", "lookahead", "own"],
)
def test_every_form_of_inference_fits(inference: object) -> None:
    assert validator().is_valid({**GOOD, "inference": inference})


@pytest.mark.parametrize(
    "change",
    [
        {"dvaec": 2},
        {"model": "my model"},
        {"colour": "red"},
        {"variables": {}},
        {"variables": {"x": {"role": "observd", "dim": 3}}},
        {"variables": {"x": {"role": "observed", "dim": 0}}},
        {"variables": {"x_t": {"role": "observed", "dim": 3}}},
        {"generation": "x_t"},
        {"generation": []},
        {"inference": "exakt"},
        {"inference": {"lookahead": -1}},
        {"order": ["a", 3]},
        {"states": {"h": {"rnn": "lstm", "units": 3, "reads": "x_t"}}},
        {"states": {"h_t": {"rnn": "lstm", "units": 3}}},
        {"states": {"h_t": {"rnn": "lstm", "units": 3, "reads": "x_t", "through": ["64"]}}},
        {"features": {"f_t": {"block": "combiner", "of": "z_t"}}},
        {"networks": {"x_t": {"reads": "z_t"}}},
        {"networks": {"p(x_t)": {"reads": "z_t", "layers": ["64 tan"]}}},
        {"networks": {"p(x_t)": {"reads": "z_t", "variance": -1}}},
        {"networks": {"p(x_t)": {"reads": "z_t", "variance": {"link": "log"}}}},
    ],
    ids=str,
)
def test_bad_pages_do_not_fit(change: dict[str, object]) -> None:
    assert validator().is_valid(GOOD)
    assert not validator().is_valid({**GOOD, **change})


def test_every_key_is_explained() -> None:
    schema = json_schema()
    blocks = [schema, *schema["$defs"].values()]
    silent = [
        key
        for block in blocks
        for key, its in block.get("properties", {}).items()
        if not its.get("description")
    ]
    assert silent == []
    assert set(schema["properties"]) == set(PageShape.model_fields)


def test_nothing_stands_beside_a_reference_where_draft_7_would_not_see_it() -> None:
    def visit(node: object) -> None:
        if isinstance(node, dict):
            assert "$ref" not in node or len(node) == 1
            for value in node.values():
                visit(value)
        elif isinstance(node, list):
            for value in node:
                visit(value)

    visit(json_schema())
