"""The one place that touches TorchScript: scripting a module, writing an archive, reading it back.

An emitted module has no `forward`; its methods carry `@torch.jit.export`, and `torch.jit.script` compiles
just these.
"""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn

from dvaec.runtime.faults import OwnFault, StoreFault
from dvaec.runtime.files import write_bytes
from dvaec.runtime.own import faulty
from dvaec.runtime.source import load_class

_NOTICE = r"`torch\.jit\.(script|save|load)` is (deprecated|not supported)"
_EPOCH = (1980, 1, 1, 0, 0, 0)


@contextmanager
def _without_notice() -> Iterator[None]:
    """Silence torch's deprecation notice for TorchScript, and nothing else."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=_NOTICE, category=DeprecationWarning)
        yield


def script(module: nn.Module) -> torch.jit.ScriptModule:
    """Compile the exported methods of a module; the result shares the module's parameters."""
    try:
        with _without_notice():
            scripted: torch.jit.ScriptModule = torch.jit.script(module)
    except Exception as error:
        if name := faulty(module):
            first = " ".join(str(error).strip().splitlines()[0].split())
            raise OwnFault(
                f"{name} is not scriptable: {first}", "TorchScript compiles typed Python"
            ) from error
        raise
    return scripted


def save_script(module: nn.Module, path: Path) -> torch.jit.ScriptModule:
    """Script `module` (unless it is scripted already) and write the archive to `path`, whole or not at all.

    The archive holds no path of this machine. Returns the scripted module.
    """
    scripted = module if isinstance(module, torch.jit.ScriptModule) else script(module)
    with _without_notice():
        content: bytes = scripted.save_to_buffer()
    write_bytes(path, _without_local_paths(content))
    return scripted


def save_fresh(source: str, class_name: str, path: Path, seed: int = 0) -> None:
    """Write the archive of an emitted module whose weights are freshly drawn from `seed`.

    The caller's threads and random numbers are as before afterwards.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = load_class(source, class_name)()
        save_script(model, path)
    finally:
        torch.set_num_threads(threads)


def load_script(path: Path, device: str = "cpu") -> torch.jit.ScriptModule:
    """Read an archive; StoreFault if there is none or it is damaged."""
    if not path.is_file():
        raise StoreFault(f"{path}: no such file")
    try:
        with _without_notice():
            loaded: torch.jit.ScriptModule = torch.jit.load(str(path), map_location=device)
    except RuntimeError as error:
        raise StoreFault(f"{path}: not a TorchScript archive: {str(error).splitlines()[0]}") from error
    return loaded


def _without_local_paths(archive: bytes) -> bytes:
    """Rewrite the records of source positions so that torch's own files are named `torch/...`.

    A position's file name is a pickled string: `X`, its length as four little-endian bytes, its text.
    """
    home = str(Path(torch.__file__).parent.parent).encode() + b"/"
    named = re.compile(rb"X(.{4})" + re.escape(home) + rb"([^\x00-\x1f]*?\.py)", re.DOTALL)
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(result, "w", zipfile.ZIP_STORED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name.endswith(".debug_pkl"):
                content = named.sub(_relative, content)
            new.writestr(zipfile.ZipInfo(name, _EPOCH), content)
    return result.getvalue()


def _relative(found: re.Match[bytes]) -> bytes:
    return b"X" + len(found[2]).to_bytes(4, "little") + found[2]
