"""Settings of all tests: hypothesis is derandomised and short by default; HYPOTHESIS_PROFILE=nightly digs deeper."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any

import pytest
import torch._jit_internal
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
