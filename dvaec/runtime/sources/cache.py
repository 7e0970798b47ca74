"""Where things lie that are made once and kept: the option cache=, DVAEC_CACHE, or the user's cache."""

from __future__ import annotations

import os
from pathlib import Path

from dvaec.runtime.sources.options import Address


def cache_folder(address: Address) -> Path:
    """Return the folder for an address; it need not exist."""
    named = address.options.get("cache") or os.environ.get("DVAEC_CACHE")
    if named:
        return Path(named)
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "dvaec"
