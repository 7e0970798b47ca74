"""Two small pages, data for them, and `dvaec compare` on both."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
from typer.testing import CliRunner, Result

from dvaec.cli.app import app
from tests.shipped import ROOT

PAGE = """\
dvaec: 1
model: {}
variables:
  x: {{role: observed, dim: 2}}
  z: {{role: latent, dim: 2}}
generation:
  - z_t{}
  - x_t | z_t
inference: filtering
networks:
  p(x_t): {{reads: z_t, layers: [4 tanh]}}
"""

SHORT = ("--seeds", "2", "--epochs", "3", "--draws", "2", "--importance", "5", "--batch", "4")


def material(folder: Path) -> tuple[str, ...]:
    """Write two pages and data; return the words that name them."""
    (folder / "chain.yaml").write_text(PAGE.format("Chain", " | z_<t-1>"))
    (folder / "apart.yaml").write_text(PAGE.format("Apart", ""))
    random, lengths = np.random.default_rng(0), np.array([5, 3, 4, 2, 6, 4])
    made = {f"{split}_x": random.normal(size=(24, 2)) for split in ("train", "valid", "test")}
    np.savez(
        folder / "d.npz",
        allow_pickle=False,
        **made,
        **{f"{s}_lengths": lengths for s in ("train", "valid", "test")},
    )
    return (str(folder / "chain.yaml"), str(folder / "apart.yaml"), "--data", str(folder / "d.npz"))


def compare(*words: str | Path) -> Result:
    return dvaec_command("compare", *words)


def dvaec_command(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [*map(str, words)])


def runs(folder: Path) -> list[dict[str, str]]:
    with (folder / "runs.csv").open() as file:
        return [
            {key: value for key, value in row.items() if key != "seconds"} for row in csv.DictReader(file)
        ]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
