"""What differs in meaning between two models: variables, links, terms and nodes, by name and not by line.

Both models are given in one order of lines (`dvaec.spec.arrange`), so that only what means something can
differ. Of a conditional, of the exact posterior, of golden and silver links a `Change` holds the links that
came and those that went: of a window, the frames that one side has beyond the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TypeVar

from dvaec.derive.beyond import beyond
from dvaec.derive.model import Comparison, Derivation, Elbo, Lengths, Term
from dvaec.spec.model import LAST, Conditional, Feature, Head, Inference, Parent, Spec, State, Sweep, Variable
from dvaec.spec.offsets import ALL, NONE, window


class Section(StrEnum):
    """Where something changed, in the order in which changes are told."""

    PAGE = "page"
    VARIABLES = "variables"
    GENERATION = "generation"
    ORDER = "order"
    DECLARATION = "declaration"
    INFERENCE = "inference"
    POSTERIOR = "posterior"
    GOLDEN = "golden"
    SILVER = "silver"
    REDUNDANT = "redundant"
    ELBO = "elbo"
    AUXILIARY = "auxiliary"
    STATES = "states"
    FEATURES = "features"
    NETWORKS = "networks"


Key = tuple[str, int | None]
"""What a change is of: a name (`p(x)` for a network), and the frame of a numbered conditional."""

Value = str | tuple[Sweep, ...] | Inference | Variable | Conditional | Term | State | Feature | Head | None
"""What one side has: a text for a word of the page, None where it has nothing of the kind."""

_T = TypeVar("_T", Variable, Conditional, Term, State, Feature, Head)
_Node = TypeVar("_Node", State, Feature)


@dataclass(frozen=True)
class Model:
    """All that is compared of one model; `developed` has its states, features and heads complete."""

    spec: Spec
    derivation: Derivation
    elbo: Elbo
    developed: Spec


@dataclass(frozen=True)
class Change:
    """One thing that is in one model alone, or in both and not the same.

    `added` and `removed` are links of a conditional, `differing` the fields of a variable or a term that are
    not the same. `given` says for either side whether the page itself has the node or network, or leaves it
    to the default development.
    """

    section: Section
    key: Key
    before: Value = None
    after: Value = None
    added: tuple[Parent, ...] = ()
    removed: tuple[Parent, ...] = ()
    differing: tuple[str, ...] = ()
    given: tuple[bool, bool] = (True, True)


def changes(a: Model, b: Model) -> tuple[Change, ...]:
    """Return every difference, section by section; none if and only if the two mean the same."""
    one, other = a.derivation, b.derivation
    found = [*_words(a.spec, b.spec)]
    found += _fields_of(
        Section.VARIABLES,
        {(v.name, None): v for v in a.spec.variables},
        {(v.name, None): v for v in b.spec.variables},
    )
    found += _lines(Section.GENERATION, _of_p(a.spec), _of_p(b.spec))
    found += _whole(Section.ORDER, a.spec.order, b.spec.order)
    found += _declaration(a.spec.inference, b.spec.inference)
    found += _lines(Section.INFERENCE, one.inference, other.inference)
    exact = [[f.conditional for f in d.posterior.factors] for d in (one, other)]
    found += _lines(Section.POSTERIOR, *exact)
    found += _judged(one.comparisons, other.comparisons)
    for alone in (False, True):
        before, after = (_terms(one.elbo, alone) for one in (a, b))
        found += _fields_of(Section.ELBO, before, after, ("reason", "schedule_reason"))
    found += _lines(Section.AUXILIARY, a.spec.auxiliary, b.spec.auxiliary)
    found += _nodes(Section.STATES, *(_by_name(s.states) for s in (a.spec, a.developed, b.spec, b.developed)))
    found += _nodes(
        Section.FEATURES, *(_by_name(s.features) for s in (a.spec, a.developed, b.spec, b.developed))
    )
    found += _nodes(Section.NETWORKS, *(_heads(s) for s in (a.spec, a.developed, b.spec, b.developed)))
    return tuple(found)


def _words(a: Spec, b: Spec) -> Iterator[Change]:
    """Compare what one word of the page says."""
    said = [
        ("model", a.name, b.name),
        ("causality", str(a.causality), str(b.causality)),
        ("T", *(None if s.frames is None else str(s.frames) for s in (a, b))),
        ("develop", *("separate" if s.separate else "shared" for s in (a, b))),
    ]
    for name, before, after in said:
        if before != after:
            yield Change(Section.PAGE, (str(name), None), before, after)


def _whole(section: Section, before: Value, after: Value) -> list[Change]:
    return [] if before == after else [Change(section, (section.value, None), before, after)]


def _declaration(before: Inference, after: Inference) -> list[Change]:
    """Compare how q is declared; what its own conditionals say is compared with all of q."""

    def said(one: Inference) -> tuple[object, ...]:
        own = sorted(
            (c.target, c.frame is not None, c.frame or 0) for c in (*one.conditionals, *one.numbered)
        )
        return one.kind, one.delay, own

    return [] if said(before) == said(after) else _whole(Section.DECLARATION, before, after)


def _pairs(before: Mapping[Key, _T], after: Mapping[Key, _T]) -> Iterator[tuple[Key, _T | None, _T | None]]:
    """Yield what differs, in the order of the first, with what only the second has behind it."""
    for key in dict.fromkeys([*before, *after]):
        if before.get(key) != after.get(key):
            yield key, before.get(key), after.get(key)


def _of_p(spec: Spec) -> tuple[Conditional, ...]:
    return (*spec.generation, *spec.numbered)


def _lines(section: Section, before: Iterable[Conditional], after: Iterable[Conditional]) -> Iterator[Change]:
    """Compare conditionals: links that came, links that went."""
    old, new = ({(c.target, c.frame): c for c in lines} for lines in (before, after))
    for key, one, other in _pairs(old, new):
        nothing = Conditional(*key[:1], (), key[1])
        came, went = _beyond(other or nothing, one or nothing), _beyond(one or nothing, other or nothing)
        yield Change(section, key, one, other, came, went)


def _beyond(one: Conditional, other: Conditional) -> tuple[Parent, ...]:
    """Return the links of one that the other has not: whole ones, or the frames of a window."""
    if one.frame == LAST:
        return beyond(one, other)
    found = []
    for parent in one.parents:
        there = other.of(parent.name, parent.frame)
        if parent.offsets is None:
            found += [parent] if there is None or there.offsets is not None else []
            continue
        rest = parent.offsets - (NONE if there is None or there.offsets is None else there.offsets)
        if one.frame is not None and rest != ALL:
            rest = rest & window(-one.frame, None)
        found += [Parent(parent.name, rest)] if rest else []
    return tuple(found)


def _judged(before: tuple[Comparison, ...], after: tuple[Comparison, ...]) -> Iterator[Change]:
    """Compare golden, silver and redundant links; a latent that has none of them is not mentioned."""
    for section, kind in (
        (Section.GOLDEN, "golden"),
        (Section.SILVER, "silver"),
        (Section.REDUNDANT, "redundant"),
    ):
        sides = [[Conditional(c.target, getattr(c, kind), c.frame) for c in side] for side in (before, after)]
        yield from _lines(section, *([c for c in side if c.parents] for side in sides))


def _fields_of(
    section: Section, before: Mapping[Key, _T], after: Mapping[Key, _T], but: tuple[str, ...] = ()
) -> Iterator[Change]:
    """Compare values field by field, `but` for the fields that only give reasons."""
    for key, one, other in _pairs(before, after):
        differing: tuple[str, ...] = ()
        if one is not None and other is not None:
            names = (f.name for f in fields(one) if f.name not in but)
            differing = tuple(name for name in names if getattr(one, name) != getattr(other, name))
            if not differing:
                continue
        yield Change(section, key, one, other, differing=differing)


def _terms(elbo: Elbo, alone: bool = False) -> dict[Key, Term]:
    """Return the terms by target and frame; `alone`: those that are there where T is 1 alone."""
    terms = (*elbo.terms, *elbo.auxiliary)
    return {(t.target, t.frame): t for t in terms if (t.lengths is Lengths.ONE) is alone}


def _by_name(nodes: tuple[_Node, ...]) -> dict[Key, _Node]:
    return {(one.name, None): one for one in nodes}


def _heads(spec: Spec) -> dict[Key, Head]:
    return {(f"{h.side}({h.target})", h.frame): h for h in spec.heads}


def _nodes(
    section: Section,
    given: Mapping[Key, _T],
    complete: Mapping[Key, _T],
    given_after: Mapping[Key, _T],
    complete_after: Mapping[Key, _T],
) -> Iterator[Change]:
    """Compare the developed form: what the pages give, and what the default development adds."""
    for key in dict.fromkeys([*complete, *complete_after]):
        one, other = complete.get(key), complete_after.get(key)
        same_pages = given.get(key) == given_after.get(key)
        if one != other or not same_pages:
            yield Change(section, key, one, other, given=(key in given, key in given_after))
