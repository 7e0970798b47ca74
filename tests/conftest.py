"""Settings of all tests: hypothesis is derandomised and short by default; HYPOTHESIS_PROFILE=nightly digs deeper."""

from __future__ import annotations

import gc
import os
from functools import lru_cache
from typing import Any

import pytest
import torch._jit_internal
import torch.jit.frontend
from hypothesis import HealthCheck, settings

SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)
settings.register_profile("ci", max_examples=50, deadline=None, derandomize=True, suppress_health_check=SLOW)
settings.register_profile("nightly", max_examples=1000, deadline=None, suppress_health_check=SLOW)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(scope="session", autouse=True)
def _layers_are_read_once() -> None:
    """Scripting looks up the text of torch's own recurrent layers anew for every layer: half of its time."""
    torch_sources: Any = torch._jit_internal
    torch_sources.get_source_lines_and_file = lru_cache(64)(torch_sources.get_source_lines_and_file)
    frontend: Any = torch.jit.frontend
    frontend.parse_def = _of_torch_once(frontend.parse_def)


def _of_torch_once(parse_def: Any) -> Any:
    """Parse torch's own functions once, and any other when it is asked for: a page's are soon forgotten."""
    parsed = lru_cache(128)(parse_def)

    def parse(function: Any) -> Any:
        plain = getattr(function, "__func__", function)
        own = not str(getattr(plain, "__module__", "")).startswith("torch.")
        return parse_def(function) if own else parsed(plain)

    return parse


@pytest.fixture(scope="session", autouse=True)
def _what_is_imported_is_no_garbage() -> None:
    """The collector need not look at all of torch and sympy again and again."""
    gc.collect()
    gc.freeze()
