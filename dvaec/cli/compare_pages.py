"""The pages of a comparison: their names in the table, and what is said of one of them alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dvaec.cli.front import RefusalError

_NAME = re.compile(r"[\w+-][\w.+-]*")


@dataclass(frozen=True)
class Page:
    """A file under a name, with its changes: those of all pages, then its own.

    `own` are those that other pages have not; `schedule` says how its outputs are fed back, which is
    `alone` if no other page was meant.
    """

    label: str
    path: Path
    overrides: tuple[str, ...]
    own: tuple[str, ...] = ()
    schedule: str | None = None
    alone: bool = False


def pages_of(specs: Sequence[Path], overrides: Sequence[str], schedules: Sequence[str]) -> list[Page]:
    """Read SPEC, SPEC@NAME, --set [NAME:]KEY=VALUE and --scheduled [NAME:]...; RefusalError for a misfit."""
    named = [_named(spec) for spec in specs]
    labels = [label for _, label in named]
    twice = next((label for n, label in enumerate(labels) if label in labels[:n]), None)
    if twice is not None:
        hint = "the name of its file names a model in the table; SPEC@NAME gives it another"
        raise RefusalError(f"two specs are called '{twice}'", hint)
    changes = [_addressed("--set", said, said.partition("=")[0], labels) for said in overrides]
    fed = [_addressed("--scheduled", said, said, labels) for said in schedules]
    for_all = [said for name, said in fed if name is None]
    alone: Mapping[str | None, str] = dict(fed)
    return [
        Page(
            label,
            path,
            tuple(said for name, said in changes if name is None),
            tuple(said for name, said in changes if name == label),
            alone.get(label, for_all[-1] if for_all else None),
            label in alone,
        )
        for path, label in named
    ]


def own_settings(pages: Sequence[Page]) -> list[str]:
    """Say which pages have another name than their file's, or changes of their own; a line each."""
    return [
        f"{page.label}: {page.path.name}{''.join(f' --set {said}' for said in page.own)}."
        for page in pages
        if page.own or page.label != page.path.stem
    ]


def _named(spec: Path) -> tuple[Path, str]:
    """Return the file and its name; a file that has an @ in its own name is meant as it stands."""
    if spec.exists() or "@" not in spec.name:
        return spec, spec.stem
    file, _, label = str(spec).rpartition("@")
    if not _NAME.fullmatch(label):
        message = f"{spec}: '{label}' cannot name a model: letters, digits, and _ - + . inside"
        raise RefusalError(message, f"{file}@{Path(file).stem}-2")
    return Path(file), label


def _addressed(option: str, said: str, head: str, labels: Sequence[str]) -> tuple[str | None, str]:
    """Take NAME: off what is said of one page; None for what is said of all.

    No path of --set has a colon behind its first word: what stands there is a key of the page, the name of a
    variable, a state, a feature, or p(...) or q(...).
    """
    name, colon, _ = head.partition(":")
    if not colon or not (name in labels or re.fullmatch(r"[\w+-]+", name)):
        return None, said
    if name not in labels:
        raise RefusalError(
            f"{option} {said}: no page here is called '{name}'", f"they are called {', '.join(labels)}"
        )
    return name, said[len(name) + 1 :]
