"""From the emitted text to a class: a real module with a file name that is the same on every machine."""

from __future__ import annotations

import hashlib
import linecache
import sys
import types

from torch import nn

from dvaec.runtime.own import check_own


def load_class(source: str, class_name: str) -> type[nn.Module]:
    """Execute the text of an emitted module and return its class `class_name`.

    The module stands in `sys.modules` under a name made of the class and the text's hash, so the same text
    gives the same class. Its file name is `<dvaec NAME HASH>`; a `linecache` entry lets tracebacks,
    `inspect` and TorchScript find the text. Raises ValueError if the text does not define a module of that
    name, OwnFault where a class of the user's own, which it imports, does not fit.
    """
    digest = hashlib.sha256(source.encode()).hexdigest()[:12]
    module_name = f"dvaec_{class_name.lower()}_{digest}"
    module = sys.modules.get(module_name)
    if module is None:
        check_own(source)
        module = _execute(source, module_name, f"<dvaec {class_name} {digest}>")
    found = getattr(module, class_name, None)
    if not (isinstance(found, type) and issubclass(found, nn.Module)):
        raise ValueError(f"the text defines no nn.Module named {class_name}")
    return found


def _execute(source: str, module_name: str, file: str) -> types.ModuleType:
    module = types.ModuleType(module_name)
    module.__file__ = file
    # A modification time of None tells linecache.checkcache to leave the entry alone: there is no file to
    # stat.
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    sys.modules[module_name] = module
    try:
        exec(compile(source, file, "exec", dont_inherit=True), module.__dict__)
    except BaseException:
        del sys.modules[module_name]
        raise
    return module
