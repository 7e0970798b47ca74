"""Running text for TeX."""

from __future__ import annotations


def escape(text: str) -> str:
    """Escape what TeX takes for commands in running text."""
    special = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    special |= {c: "\\" + c for c in "&%$#_{}"}
    special |= {"<": r"\textless{}", ">": r"\textgreater{}"}
    return "".join(special.get(c, c) for c in text)
