"""The meaning of a spec as JSON, and its hash; the hash of a page's layout, which weights are stored beside.

Not part of the meaning: `about`, `cites`, `objective`, comments, how a window is spelled, the order of lines.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from typing import Any

from dvaec.spec.arrange import arranged
from dvaec.spec.model import Spec
from dvaec.spec.notation import page
from dvaec.spec.offsets import Offsets


def canonical(spec: Spec) -> dict[str, Any]:
    """Return the meaning of the spec in JSON's types: the same for every spelling of a model."""
    return _said(arranged(spec))


def canonical_hash(spec: Spec) -> str:
    """Return the SHA-256 of the canonical form, in hexadecimal."""
    return _hash(canonical(spec))


def layout_hash(spec: Spec) -> str:
    """Return the SHA-256 of the meaning with the page's order of lines.

    That is the order of the module's parameters and arguments: weights, and an optimizer's state, belong to
    a module of this very layout.
    """
    return _hash(_said(spec))


def _said(spec: Spec) -> dict[str, Any]:
    meaning = _plain(spec)
    assert isinstance(meaning, dict)
    return {key: value for key, value in meaning.items() if key not in ("about", "cites", "objective")}


def _hash(meaning: dict[str, Any]) -> str:
    text = json.dumps(meaning, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, Offsets):
        return page("", value)
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value):
        said = (f for f in fields(value) if not _default(f, getattr(value, f.name)))
        inner = {field.name: _plain(getattr(value, field.name)) for field in said}
        return {"is": type(value).__name__, **inner}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _default(field: Field[Any], value: Any) -> bool:
    """Whether a field says nothing: what the language learns to say later leaves the hash of others alone."""
    return field.default is not MISSING and bool(field.default == value)
