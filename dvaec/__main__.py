"""`python -m dvaec` is `dvaec`."""

from __future__ import annotations

from dvaec.cli.app import main

if __name__ == "__main__":
    main()
