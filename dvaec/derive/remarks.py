"""What a careful reader would remark on a page that is right: a q that cannot be exact, links that are idle.

A q that the page declares by a keyword (`filtering`, a look-ahead, `mean_field`) chose what it leaves out;
only conditionals and networks of one's own are remarked upon, each once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dvaec.derive.model import Comparison, Derivation
from dvaec.diagnostics import Diagnostic, Severity
from dvaec.spec import notation
from dvaec.spec.model import Conditional, InferenceKind, Parent, Side, Spec
from dvaec.spec.source import Path, Source

GOLDEN = "DV220"
REDUNDANT = "DV221"


def remarks(spec: Spec, derivation: Derivation, source: Source) -> tuple[Diagnostic, ...]:
    """Return a warning for each conditional of q that lacks golden links, and for each that has idle ones."""
    return tuple(
        remark
        for comparison in derivation.comparisons
        if (path := _declared_at(spec, comparison)) is not None
        for remark in _remarks(spec, comparison, path, source)
    )


def _remarks(spec: Spec, comparison: Comparison, path: Path, source: Source) -> Iterator[Diagnostic]:
    framed = spec.variable(comparison.target).framed
    target = notation.target(Conditional(comparison.target, (), comparison.frame), framed)
    if comparison.golden:
        lacking = _listed(spec, comparison.golden)
        message = f"q({target}) cannot be the exact posterior: it does not see {lacking} (golden)"
        hint = "the bound is not tight, however well q is trained; inference: exact sees all"
        yield Diagnostic(GOLDEN, message, source.span(path), hint, Severity.WARNING)
    if comparison.redundant:
        idle = _listed(spec, comparison.redundant)
        message = f"q({target}) reads {idle}, which tells it nothing given the rest of what it reads"
        place = (*path, comparison.redundant[0].name)
        hint = f"{target} and {idle} are D-separated by the rest: the link can be left out"
        yield Diagnostic(REDUNDANT, message, source.span(place), hint, Severity.WARNING)


def _declared_at(spec: Spec, comparison: Comparison) -> Path | None:
    """Where the page itself says what this factor of q reads; None where a keyword does."""
    target, frame = comparison.target, comparison.frame
    own = (*spec.inference.conditionals, *spec.inference.numbered)
    subscript = "t" if frame is None else notation.frame_word(frame)
    name = f"{target}_{subscript}" if spec.variable(target).framed else target
    if any(c.target == target and c.frame == frame for c in own):
        return ("inference", target if frame is None else name)
    head = spec.head(Side.Q, target, frame)
    if spec.inference.kind is InferenceKind.NETWORKS and head is not None:
        return ("networks", f"q({name})")
    return None


def _listed(spec: Spec, parents: Iterable[Parent]) -> str:
    return notation.parents(parents, [v.name for v in spec.variables if v.framed and v.first == 0])
