"""States and features that no network reads (their weights would never learn), and idle inputs."""

from __future__ import annotations

from dvaec.spec.codes import Code
from dvaec.spec.context import Context
from dvaec.spec.graph import reachable


def check_unread(context: Context) -> None:
    """Report, at its name, each state and feature that leads to no network and each input nobody reads."""
    parsed = context.parsed
    lines = (*parsed.generation, *parsed.inference, *parsed.auxiliary)
    used = {one.name for line in lines for one in line.parents}
    used |= {one.name for listed in parsed.reads.values() for one in listed.references}
    for name in context.having("input"):
        if name not in used:
            message = f"nothing reads the input '{name}'"
            hint = f"let a conditional read {name}_t, or leave it out"
            context.report.add(Code.UNREAD, message, parsed.span(("variables", name)), hint)
    names = {("states", k): n for k, n in parsed.states.items()}
    names |= {("features", k): n for k, n in parsed.features.items()}
    read: dict[str, list[str]] = {}
    for path, listed in parsed.reads.items():
        block, key = str(path[0]), str(path[1])
        reader = names.get((block, key), "")
        read.setdefault(reader, []).extend(reference.name for reference in listed.references)
    live = reachable("", read)
    for (block, key), name in names.items():
        if name not in live:
            message = f"nothing reads the {context.nodes[name]} '{name}': no network depends on it"
            hint = f"let a network read {name}_t, or leave it out"
            context.report.add(Code.UNREAD, message, parsed.span((block, key)), hint)
