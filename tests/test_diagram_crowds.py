"""Pictures of very many arrows: drawn all the same, in a time that grows with their number."""

from __future__ import annotations

from typing import Any

import pytest

from dvaec.compiler import run_text
from dvaec.emit import diagram_layout, diagram_route
from dvaec.emit.diagram_set import all_sources

CHAIN = [f"z{k}" for k in range(10)]


def page_of_lags() -> str:
    """Ten latents, one above the other, each with a lag of its own of 41 to 50 frames."""
    variables = "".join(f"  {name}: {{role: latent, dim: 2}}\n" for name in CHAIN)
    above = [f", {CHAIN[k - 1]}_t" if k else "" for k in range(len(CHAIN))]
    lines = "".join(f"  - {name}_t | {name}_<t-{50 - k}>{above[k]}\n" for k, name in enumerate(CHAIN))
    head = "dvaec: 1\nmodel: Lags\nvariables:\n  x: {role: observed, dim: 3}\n"
    return f"{head}{variables}generation:\n{lines}  - x_t | {CHAIN[-1]}_t\n"


def test_a_throng_of_arrows_is_routed_with_few_trials_each(monkeypatch: pytest.MonkeyPatch) -> None:
    known = run_text(page_of_lags(), "lags.yaml", until="posterior")
    assert known.derivation is not None
    routed: list[tuple[int, int]] = []
    drawn: list[Any] = []
    route, curve = diagram_route.route, diagram_route._curve

    def counted(arrows: Any, *rest: Any) -> Any:
        listed, before = list(arrows), len(drawn)
        found = route(listed, *rest)
        routed.append((len(listed), len(drawn) - before))
        assert len(found) == len(listed)
        return found

    def seen(*words: Any) -> Any:
        drawn.append(words)
        return curve(*words)

    monkeypatch.setattr(diagram_layout, "route", counted)
    monkeypatch.setattr(diagram_route, "_curve", seen)
    sources = all_sources(known.spec, known.derivation)
    assert len(sources) == len(routed)
    throngs = [(arrows, tried) for arrows, tried in routed if arrows > 300]
    assert throngs
    plain = len(diagram_route._TRIALS[0])
    assert all(tried <= 2 * plain * arrows for arrows, tried in throngs)  # twice: shifts, then one by one
    for count in (1, 100, 101, 300, 301):
        tried = sum(map(len, diagram_route._trials(count)))
        assert count * tried <= 101 * sum(map(len, diagram_route._TRIALS))
