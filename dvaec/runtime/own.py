"""The classes of a user's own that an emitted module names (`python:` on its page): whether they fit.

A class C of n inputs and m units is called as C(n, m) and maps (..., n) to (..., m).
"""

from __future__ import annotations

import importlib
import re

import torch
from torch import Tensor, nn

from dvaec.runtime.faults import OwnFault

_IMPORT = re.compile(r"^from ([\w.]+) import (\w+) as (Own_\w+)$", re.MULTILINE)
_SHAPES = ((2,), (2, 3))  # in front of the last axis
_WAY = (
    "a class of your own has __init__(self, in_features, units) and maps (..., in_features) to (..., units)"
)


def check_own(source: str) -> None:
    """Try every class of the user's own as the text of an emitted module calls it.

    Raises OwnFault where one cannot be imported, is no nn.Module, cannot be made, or makes another shape.
    """
    for place, name, alias in _IMPORT.findall(source):
        found = _imported(place, name)
        sizes = dict.fromkeys(re.findall(rf"\b{alias}\((\d+), (\d+)\)", source))
        for wide, units in sizes:
            _check(f"{place}:{name}", found, int(wide), int(units))


def _imported(place: str, name: str) -> type[nn.Module]:
    try:
        module = importlib.import_module(place)
    except Exception as error:  # whatever the user's own code raises
        raise OwnFault(f"{place}:{name} cannot be imported: {_said(error)}", _way_in(place, error)) from error
    found = getattr(module, name, None)
    if not (isinstance(found, type) and issubclass(found, nn.Module)):
        what = "has no such class" if found is None else "is no nn.Module"
        where = place if found is None else f"{place}:{name}"
        raise OwnFault(f"{place}:{name} cannot be used: {where} {what}", _WAY)
    return found


def _way_in(place: str, error: Exception) -> str:
    """Say how a module could be imported: it is not found, or its own text is at fault."""
    if isinstance(error, ModuleNotFoundError) and f"{place}.".startswith(f"{error.name}."):
        return f"{place} is looked for as Python does: put its folder on PYTHONPATH, or install it"
    if isinstance(error, SyntaxError) and error.filename:
        return f"mend {error.filename}:{error.lineno}:{error.offset}"
    return f"Python finds {place}, and fails in what it imports or runs: mend that"


def _check(called: str, found: type[nn.Module], wide: int, units: int) -> None:
    with torch.random.fork_rng(devices=[]):  # the model's own weights are drawn as if nothing had been tried
        try:
            made = found(wide, units).eval()
            results = [made(torch.zeros(*shape, wide)) for shape in _SHAPES]
        except Exception as error:  # whatever the user's own code raises
            raise OwnFault(f"{called}({wide}, {units}) fails: {_said(error)}", _WAY) from error
    for shape, result in zip(_SHAPES, results, strict=True):
        if not isinstance(result, Tensor) or result.shape != (*shape, units):
            got = list(result.shape) if isinstance(result, Tensor) else type(result).__name__
            asked, given = [*shape, units], [*shape, wide]
            raise OwnFault(f"{called}({wide}, {units}) makes {got} of {given}, not {asked}", _WAY)


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"


def faulty(module: nn.Module) -> str:
    """Return the first class of the user's own within `module` that TorchScript refuses; empty if none."""
    for child in module.children():
        kind = type(child)
        if kind.__module__.partition(".")[0] != "torch":
            try:
                torch.jit.script(child)
            except Exception:  # whatever TorchScript meets in the user's own code
                return f"{kind.__module__}:{kind.__qualname__}"
    return ""
