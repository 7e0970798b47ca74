"""The emitted training step against a plain loop written by hand: `python -m tests.benchmarks.loop`.

A step is the ELBO, its backward pass, and nothing else. All contestants compute the same numbers from the same weights
(checked before the clock starts) and take turns, so that a busy machine is equally busy for each.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

import dvaec
from dvaec.runtime.script import script
from tests.benchmarks.by_hand import LoopSRNN, LoopVRNN
from tests.shipped import SPECS

BATCH, FRAMES = 16, 100
MODELS: dict[str, type[nn.Module]] = {"srnn": LoopSRNN, "vrnn": LoopVRNN}


def contestants(name: str) -> dict[str, Callable[[Tensor, Tensor], Tensor]]:
    """Return the ways to compute one model's ELBO, by name, with the same weights."""
    torch.manual_seed(0)
    emitted: Any = dvaec.compile(SPECS / f"{name}.yaml")()
    by_hand = MODELS[name]()
    by_hand.load_state_dict({k.removesuffix("_l0"): v for k, v in emitted.state_dict().items()})
    scripted: Any = script(emitted)
    return {
        "loop by hand": by_hand,
        "emitted, eager": lambda x, noise: emitted.elbo(x, noise_z=noise).elbo,
        "emitted, scripted": lambda x, noise: scripted.elbo(x, noise_z=noise).elbo,
    }


def step(elbo: Callable[[Tensor, Tensor], Tensor], x: Tensor, noise: Tensor) -> float:
    """Return the seconds of one forward and backward pass."""
    start = time.perf_counter()
    elbo(x, noise).sum().backward()
    return time.perf_counter() - start


def measure(name: str, rounds: int, batch: int, frames: int) -> None:
    """Print the medians of one model and their ratios to the loop by hand."""
    ways = contestants(name)
    generator = torch.Generator().manual_seed(1)
    x = (torch.rand(batch, frames, 88, generator=generator) < 0.05).float()
    noise = torch.randn(batch, frames, 16, generator=generator)
    results = [elbo(x, noise) for elbo in ways.values()]
    for result in results:
        torch.testing.assert_close(result, results[0], rtol=1e-4, atol=1e-3)
    for elbo in ways.values():
        for _ in range(5):
            step(elbo, x, noise)
    times: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, elbo in ways.items():
            times[way].append(step(elbo, x, noise))
    base = statistics.median(times["loop by hand"])
    for way, seconds in times.items():
        low, middle, high = statistics.quantiles(seconds, n=4)
        print(
            f"| {name} | {way} | {1e3 * middle:.1f} | {1e3 * low:.1f} to {1e3 * high:.1f} | {base / middle:.2f} |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--batch", type=int, default=BATCH)
    parser.add_argument("--frames", type=int, default=FRAMES)
    options = parser.parse_args()
    torch.set_num_threads(1)
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"torch {torch.__version__}, {os.cpu_count()} cores, load {load}; {options}")
    print("| model | step | median, ms | quartiles, ms | times the loop's speed |")
    print("| --- | --- | ---: | ---: | ---: |")
    for name in MODELS:
        measure(name, options.rounds, options.batch, options.frames)


if __name__ == "__main__":
    main()
