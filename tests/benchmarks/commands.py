"""How long the commands take, from a shell's point of view: `python -m tests.benchmarks.commands [SPEC]`."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time

from tests.shipped import ROOT

RUNS = 5
COMMANDS: dict[str, tuple[list[str], float]] = {
    "check": (["check", "{spec}"], 0.5),
    "explain": (["explain", "{spec}", "z_t <- x_<t+1>"], 0.5),
    "draw": (["draw", "{spec}", "-o", "{tmp}/a.svg"], 0.5),
    "derive": (["derive", "{spec}"], 1.2),
    "compile": (["compile", "{spec}", "-o", "{tmp}/out"], 10.0),
}
"""By name: the command's words, and how many seconds it may take."""


def seconds(words: list[str]) -> float:
    """Return how long one run takes, the start of Python included."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "dvaec", *words], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main(spec: str = "specs/srnn.yaml") -> None:
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(
        f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, load {load}; {spec}, median of {RUNS} runs"
    )
    print("| command | median, s | fastest, s | wanted, s |")
    print("| --- | ---: | ---: | ---: |")
    for name, (words, wanted) in COMMANDS.items():
        with tempfile.TemporaryDirectory() as folder:
            filled = [word.format(spec=spec, tmp=folder) for word in words]
            seconds(filled)  # fills the caches of compiled files
            runs = [seconds(filled) for _ in range(RUNS)]
        print(f"| {name} | {statistics.median(runs):.2f} | {min(runs):.2f} | {wanted} |", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
