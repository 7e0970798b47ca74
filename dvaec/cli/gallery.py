"""The specs that travel with the package, to start one's own from."""

from __future__ import annotations

import re
from pathlib import Path

from dvaec.cli.front import RefusalError
from dvaec.diagnostics import Fault, did_you_mean
from dvaec.spec.read import read_text

_MODEL = re.compile(r"^model:.*$", re.MULTILINE)
_SCHEMA = re.compile(r"^# yaml-language-server:.*\n", re.MULTILINE)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*\Z")


def shipped() -> dict[str, Path]:
    """Return the shipped specs by name: inside the package when installed, else in the checkout's specs/."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "specs", package.parent / "specs"):
        if folder.is_dir():
            return {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    return {}


def summaries() -> list[str]:
    """Return a line for each shipped spec: its name and what it is."""
    known = shipped()
    width = max(map(len, known), default=0)
    return [f"{name:<{width}}  {_about(path)}".rstrip() for name, path in known.items()]


def _about(path: Path) -> str:
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("about:"):
            return line.removeprefix("about:").strip()
    return ""


def start(name: str, origin: str, out: Path | None) -> Path:
    """Copy a shipped spec under a new name and return its path; RefusalError if that cannot be done.

    The model is called as the file, with `_` for `-`: the name becomes a class.
    """
    known = shipped()
    if origin not in known:
        guess = did_you_mean(origin.lower(), known)
        have = f"there are {', '.join(known)}" if known else "none came with this installation"
        raise RefusalError(f"no spec named '{origin}' to start from", f"{guess} {have}" if guess else have)
    if not _NAME.match(name):
        raise RefusalError(
            f"'{name}' is no name for a model: a letter first, then letters, digits, '_' and '-'",
            "the file's place is given by -o",
        )
    path = out or Path(f"{name}.yaml")
    text = known[origin].read_text(encoding="utf-8")
    text = _SCHEMA.sub("", _MODEL.sub(f"model: {name.replace('-', '_')}", text, count=1), count=1)
    try:
        read_text(text, str(path))
    except Fault as fault:  # the shipped page is sound, so it is the name
        raise RefusalError(f"'{name}' is no name for a model: {fault.diagnostics[0].message}") from None
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise RefusalError(f"{path} exists already", "choose another name or place (-o FILE)") from None
    return path
