"""A headless browser for tests: one that is installed on the machine, driven by playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chrome")


def installed() -> str | None:
    """Return a browser's program; DVAEC_BROWSER names another."""
    named = os.environ.get("DVAEC_BROWSER")
    return named or next((path for name in PROGRAMS if (path := shutil.which(name))), None)


@contextmanager
def browser() -> Iterator[Browser]:
    """Start the browser; the test skips where there is none, or no playwright to drive it."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = installed()
    if program is None:
        pytest.skip("no browser is installed")
    with api.sync_playwright() as playwright:
        # In a container there is no sandbox for root, and little shared memory.
        started = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield started
        started.close()
