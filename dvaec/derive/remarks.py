"""What a careful reader would remark on a page that is right: a q that cannot be exact, links that are idle.

A q that the page declares by a keyword (`filtering`, a look-ahead, `mean_field`) chose what it leaves out;
only conditionals and networks of one's own are remarked upon, each once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from dvaec.derive.beyond import beyond
from dvaec.derive.inexact import examples, nodes_in_words
from dvaec.derive.model import Comparison, Derivation
from dvaec.derive.unseen import unseen_words, way_to_see, why_unseen
from dvaec.diagnostics import Diagnostic, Severity
from dvaec.network.unfold import unfold
from dvaec.spec import notation
from dvaec.spec.developed_text import head_key
from dvaec.spec.frames import parent_of, settled
from dvaec.spec.model import LAST, Conditional, InferenceKind, Parent, Side, Spec
from dvaec.spec.source import READS, Path, Source
from dvaec.spec.subscripts import parse_reference

GOLDEN = "DV220"
REDUNDANT = "DV221"
UNSEEN = "DV222"
NOT_TIGHT = "the bound is not tight, however well q is trained; inference: exact sees all"


def remarks(spec: Spec, derivation: Derivation, source: Source) -> tuple[Diagnostic, ...]:
    """Return a warning for each conditional of q that lacks golden links, and for each that has idle ones.

    And for each network that alone says what q sees, and sees less of it at the ends of a sequence.
    Where q's conditional of every frame serves frame 1 or T, of which the exact posterior has a factor, that
    is said if other names are golden there.
    """
    comparisons = derivation.comparisons
    golden = {c.target: {p.name for p in c.golden} for c in comparisons if c.frame is None}
    own = {(q.target, q.frame) for q in derivation.inference}
    at_ends = (_less_at_ends(spec, comparison, source) for comparison in comparisons if comparison.unseen)
    compared = (
        remark
        for comparison in comparisons
        if (comparison.target, comparison.frame) in own
        or {p.name for p in comparison.golden} - golden.get(comparison.target, set())
        if (path := _declared_at(spec, comparison, source)) is not None
        for remark in _remarks(spec, comparison, path, source)
    )
    return (*compared, *_inexact(spec, derivation, source), *at_ends)


def _inexact(spec: Spec, derivation: Derivation, source: Source) -> Iterator[Diagnostic]:
    """Yield, of a q that is compared with no posterior of all frames, where it cannot be one."""
    for (target, frame), one in () if spec.swept else examples(spec, derivation.inference).items():
        path = _declared_at(spec, Comparison(target, (), (), frame), source)
        if path is not None and one.golden:
            name = notation.target(Conditional(target, (), frame), spec.variable(target).framed)
            length, seen = notation.counted(one.frames, "frame"), nodes_in_words(one.golden)
            message = (
                f"q({name}) cannot be the exact posterior: of {length}, q({one.reader}) does not see {seen} "
                f"(golden)"
            )
            yield Diagnostic(GOLDEN, message, source.span(path), NOT_TIGHT, Severity.WARNING)


def _less_at_ends(spec: Spec, comparison: Comparison, source: Source) -> Diagnostic:
    head = spec.head(Side.Q, comparison.target, comparison.frame)
    assert head is not None
    name, less = head_key(spec, head), comparison.unseen
    message = f"the network {name} sees less than q's windows hold: {unseen_words(comparison.target, less)}"
    hint = f"{why_unseen(spec, less)}: {way_to_see(spec, less, comparison.frame)}"
    return Diagnostic(UNSEEN, message, source.span(("networks", name, "reads")), hint, Severity.WARNING)


def _remarks(spec: Spec, comparison: Comparison, path: Path, source: Source) -> Iterator[Diagnostic]:
    partly = {p.name for p in comparison.singles}
    framed = spec.variable(comparison.target).framed
    target = notation.target(Conditional(comparison.target, (), comparison.frame), framed)
    if comparison.golden:
        lacking = ", ".join(
            f"all of {text}" if p.offsets is not None and p.name in partly else text
            for p in comparison.golden
            for text in (_listed(spec, (p,), comparison.frame),)
        )
        message = f"q({target}) cannot be the exact posterior: it does not see {lacking} (golden)"
        yield Diagnostic(GOLDEN, message, source.span(path), NOT_TIGHT, Severity.WARNING)
    if comparison.redundant:
        idle = _listed(spec, comparison.redundant, comparison.frame)
        message = f"q({target}) learns nothing from {idle}, given the rest of what it reads"
        hint = f"the rest D-separates {target} from it, so that it can be left out"
        place = _idle_at(spec, comparison, path, source)
        yield Diagnostic(REDUNDANT, message, source.span(place), hint, Severity.WARNING)


def _idle_at(spec: Spec, comparison: Comparison, path: Path, source: Source) -> Path:
    """Where the page reads, itself or through a state, the first of what tells nothing."""
    unfolded, frame, zero = unfold(spec), comparison.frame, spec.zero
    for place in (one for one in source.spans if one[:-2] == (*path, READS)):
        text = str(place[-1])
        read = parse_reference(text, 0, len(text), None if frame is None else notation.frame_word(frame))
        references = (read,) if frame is None else settled(read, frame, zero)
        seen = Conditional(comparison.target, unfolded.seen(map(parent_of, references), frame), frame)
        if beyond(seen, Conditional(comparison.target, comparison.redundant, frame), zero) != seen.parents:
            return place
    return path


def _declared_at(spec: Spec, comparison: Comparison, source: Source) -> Path | None:
    """Where the page itself says what this factor of q reads; None where a keyword does."""
    target, frame = comparison.target, comparison.frame
    own = (*spec.inference.conditionals, *spec.inference.numbered)
    subscript = "t" if frame is None else notation.frame_word(frame)
    name = f"{target}_{subscript}" if spec.variable(target).framed else target
    said = ("inference", target if frame is None else name)
    if any(c.target == target and c.frame == frame for c in own) and (frame != 1 or said in source.spans):
        return said
    head = spec.head(Side.Q, target, frame)
    if spec.inference.kind is InferenceKind.NETWORKS and head is not None:
        return ("networks", f"q({name})")
    return _declared_at(spec, replace(comparison, frame=None), source) if frame in (1, LAST) else None


def _listed(spec: Spec, parents: Iterable[Parent], frame: int | None) -> str:
    return notation.parents(parents, spec.zero, frame)
