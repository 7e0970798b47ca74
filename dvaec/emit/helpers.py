"""Which of the emitted helper functions some text needs: those that it calls, and those that these call."""

from __future__ import annotations

import re
from collections.abc import Iterable

from jinja2 import Environment

HELPERS = ("functions.py.jinja", "blocks.py.jinja", "families.py.jinja")
"""The templates of the helper functions, in the order of the module."""

_BLOCK = re.compile(r'{% if "(\w+)" in functions %}(.*?){% endif %}', re.DOTALL)
_CALL = re.compile(r"(?<![.\w])(\w+)\(")


def needed(environment: Environment, lines: Iterable[str]) -> set[str]:
    """Return the helper functions that the lines call, directly or through one another."""
    blocks = {name: text for source in HELPERS for name, text in _BLOCK.findall(_source(environment, source))}
    waiting, found = list(_called(lines)), set[str]()
    while waiting:
        name = waiting.pop()
        if name in blocks and name not in found:
            found.add(name)
            waiting += _called(blocks[name].splitlines())
    return found


def _called(lines: Iterable[str]) -> list[str]:
    return [name for line in lines for name in _CALL.findall(line)]


def _source(environment: Environment, name: str) -> str:
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]
