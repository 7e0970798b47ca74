"""`compile --emit=STAGE`: the value of one stage as text, windows in the language's own notation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dvaec.compiler import Compilation

_SPACE = "  "


def _spec(known: Compilation) -> str:
    return _dump(known.spec)


def _network(known: Compilation) -> str:
    from dvaec.network.template import template_of

    return _dump(template_of(known.spec))


def _posterior(known: Compilation) -> str:
    assert known.derivation is not None
    return _dump(known.derivation.posterior)


def _inference(known: Compilation) -> str:
    assert known.derivation is not None
    both = (*known.derivation.inference, *known.derivation.comparisons)
    return "\n".join(_dump(one) for one in both)


def _elbo(known: Compilation) -> str:
    return _dump(known.elbo)


def _development(known: Compilation) -> str:
    return _dump(known.developed)


def _plan(known: Compilation) -> str:
    return plan_of(known)


def _module(known: Compilation) -> str:
    assert known.module is not None
    return known.module


def plan_of(known: Compilation) -> str:
    """Return plan.txt: the developed form's equations and the schedule of every entry point."""
    from dvaec.emit.plan_text import plan_text

    assert known.developed is not None
    assert known.plan is not None
    assert known.derivation is not None
    return plan_text(known.developed, known.plan, known.derivation.inference)


STAGES: dict[str, tuple[str, Callable[[Compilation], str]]] = {
    "spec": ("spec", _spec),
    "network": ("spec", _network),
    "posterior": ("posterior", _posterior),
    "inference": ("posterior", _inference),
    "elbo": ("elbo", _elbo),
    "development": ("development", _development),
    "plan": ("plan", _plan),
    "module": ("module", _module),
}
"""By stage: the compiler's pass that makes it, and its printer."""

STAGE_NAMES = tuple(STAGES)


def _dump(value: object, depth: int = 0) -> str:
    """Lay out a value as `field: value` lines, indented by depth; what is empty is left out."""
    short = _short(value)
    pad = _SPACE * depth
    if short is not None:
        return pad + short
    if isinstance(value, tuple):
        return "\n".join(_dump(one, depth) for one in value)
    lines = [pad + type(value).__name__]
    for field in fields(value):  # type: ignore[arg-type]
        inner = getattr(value, field.name)
        if inner is None or inner == ():
            continue
        text = _short(inner)
        if text is not None:
            lines.append(f"{pad}{_SPACE}{field.name}: {text}")
        else:
            lines += [f"{pad}{_SPACE}{field.name}:", _dump(inner, depth + 2)]
    return "\n".join(lines)


def _short(value: object) -> str | None:
    """Return the one-line form of a value, or None if it takes several lines."""
    from dvaec.spec import notation
    from dvaec.spec.model import Conditional, Layer, Parent

    if isinstance(value, Parent):
        return notation.page(value.name, value.offsets)
    if isinstance(value, Conditional):
        return notation.line(value)
    if isinstance(value, Layer):
        return f"{value.units} {value.activation}"
    if isinstance(value, tuple):
        if any(isinstance(one, Conditional) for one in value):
            return None
        parts = [_short(one) for one in value]
        if any(part is None for part in parts):
            return None
        return ", ".join(str(part) for part in parts)
    return None if is_dataclass(value) else str(value)
