"""Where and with how many threads to compute; building a fresh model from a seed."""

from __future__ import annotations

import torch
from torch import nn

from dvaec.runtime.faults import LabFault


def prepare(device: str, threads: int) -> torch.device:
    """Set torch's threads for this process and return the device; LabFault if it is not there.

    One thread is the default: a DVAE's loop over time is many small operations, in which a second thread
    gains little on an idle machine and costs many times the run time on a busy one (threads wait for each
    other at every operation). More pay off for wide layers and large batches only.
    """
    if threads < 1:
        raise LabFault(f"--threads {threads}: at least 1")
    torch.set_num_threads(threads)
    try:
        found = torch.device(device)
    except RuntimeError as error:
        raise LabFault(f"--device {device}: no such device", "cpu, cuda or cuda:0") from error
    if found.type == "cuda" and not torch.cuda.is_available():
        raise LabFault(f"--device {device}: torch finds no CUDA here", "--device cpu")
    return found


def build(model_class: type[nn.Module], seed: int, device: torch.device | None = None) -> nn.Module:
    """Return a new model whose initial weights depend on the seed alone, not on the device."""
    if not 0 <= seed < 2**63:
        raise LabFault(f"--seed {seed}: from 0 to 2^63 - 1")
    torch.manual_seed(seed)
    return model_class().to(device or torch.device("cpu"))
