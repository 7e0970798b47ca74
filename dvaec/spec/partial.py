"""The sound part of a faulty page, so that the same run can judge its developed form too."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import replace

from dvaec.diagnostics import Diagnostic, Fault, Sources
from dvaec.spec.assemble import assemble
from dvaec.spec.build import Parsed
from dvaec.spec.model import Parent, Role, Side, Spec, reads_of, reads_of_head
from dvaec.spec.source import Path, Source
from dvaec.spec.unswept import ChainRule
from dvaec.spec.yaml_tree import Entries

DEVELOPED = ("states", "features", "networks")
HARMLESS = ("dvaec", "model", "about", "cites", "objective")


class PageFault(Fault):
    """The faults of one page, with its positions and its sound part, if it has one."""

    def __init__(
        self, diagnostics: Iterable[Diagnostic], sources: Sources, source: Source, sound: Spec | None
    ) -> None:
        super().__init__(diagnostics, sources)
        self.source, self.sound = source, sound


def sound_part(
    parsed: Parsed, framed: Mapping[str, bool], chain: ChainRule, found: Iterable[Diagnostic]
) -> Spec | None:
    """Return the spec without its faulty states, features and heads and without whatever reads them.

    None where a fault lies in the variables or conditionals: nothing could be derived from those.
    """
    faulty = {_entry(parsed.tree, diagnostic) for diagnostic in found}
    if any(path is None or not (len(path) == 2 or path[0] in HARMLESS) for path in faulty):
        return None
    if not _declared_soundly(parsed, framed):
        return None
    spec = assemble(parsed, framed, chain, frozenset(path for path in faulty if path is not None))
    latents = {v.name for v in spec.having(Role.LATENT)}
    made = latents | {v.name for v in spec.having(Role.OBSERVED)}
    if set(spec.latents) != latents or {c.target for c in spec.generation} != made:
        return None  # a section is missing, or the networks of q wait for one another
    right = tuple(h for h in spec.heads if h.target in (latents if h.side is Side.Q else made))
    spec = replace(spec, heads=right)
    while True:
        known = {v.name for v in spec.variables} | {s.name for s in spec.states}
        known |= {f.name for f in spec.features}
        smaller = replace(
            spec,
            states=tuple(s for s in spec.states if _reads(s.reads) <= known),
            features=tuple(f for f in spec.features if _reads(reads_of(f.block)) <= known),
            heads=tuple(h for h in spec.heads if _reads(reads_of_head(h)) <= known),
        )
        if smaller == spec:
            return spec
        spec = smaller


def _declared_soundly(parsed: Parsed, framed: Mapping[str, bool]) -> bool:
    """Whether every conditional speaks of known variables: follow-on faults of a section are not reported."""
    lines = [*parsed.generation, *parsed.inference]
    named = {r.name for line in lines for r in (line.target, *line.parents)}
    return not parsed.unreadable and set(framed) == set(parsed.shape.variables) and named <= set(framed)


def _reads(parents: tuple[Parent, ...]) -> set[str]:
    return {parent.name for parent in parents}


def _entry(tree: Entries, diagnostic: Diagnostic) -> Path | None:
    """Return the section, or the state, feature or network, that holds a fault; None beyond the page."""
    starts: list[tuple[tuple[int, int], Path]] = []
    for key, value in tree.entries:
        if key.span.file != tree.span.file:  # given by an override
            continue
        starts.append(((key.span.line, key.span.column), (key.text,)))
        if key.text in DEVELOPED and isinstance(value, Entries):
            starts += [
                ((k.span.line, k.span.column), (key.text, k.text))
                for k, _ in value.entries
                if k.span.file == tree.span.file
            ]
    if diagnostic.span.file != tree.span.file:
        return None
    places = [place for place, _ in starts]
    at = bisect_right(places, (diagnostic.span.line, diagnostic.span.column))
    return starts[at - 1][1] if at else None
