"""Random developed forms of the whole language: a legal spec, developed, then varied; its meaning is kept.

The default development gives every head what it reads; then cells, depths, starts, features, attention and
the forms of the heads are drawn anew. A variation is kept only if every head still sees the same, at every
frame, so that a draw is a legal page.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hypothesis import assume
from hypothesis import strategies as st

from dvaec.derive.beyond import beyond
from dvaec.derive.derivation import derive
from dvaec.network.ends import ends
from dvaec.network.unfold import UnfoldError, unfold
from dvaec.plan.develop import develop
from dvaec.spec.model import (
    Attention,
    Conditional,
    Dense,
    Direction,
    Family,
    Feature,
    GatedTransition,
    Head,
    InferenceKind,
    Layer,
    Output,
    Parent,
    Role,
    SharedVariance,
    Spec,
    State,
    reads_of,
    reads_of_head,
)
from dvaec.spec.offsets import ALL, NOW, Offsets, of, window
from dvaec.testing.strategies.conditionals import general_specs
from dvaec.testing.strategies.families import with_families
from dvaec.testing.strategies.networks import few, layers

WORDS = (InferenceKind.EXACT, InferenceKind.FILTERING, InferenceKind.LOOKAHEAD, InferenceKind.MEAN_FIELD)
Variation = Callable[[st.DrawFn, Spec], Spec]


def means_the_same(one: Spec, other: Spec) -> bool:
    """Whether every head sees the same in both, and loses nothing at the ends."""
    try:
        before, after, finite = unfold(one), unfold(other), ends(other)
    except UnfoldError:
        return False
    for head in one.heads:
        twin = other.head(head.side, head.target, head.frame)
        assert twin is not None
        seen = Conditional(head.target, before.seen(reads_of_head(head), head.frame), head.frame)
        reads = reads_of_head(twin)
        now = Conditional(head.target, after.seen(reads, head.frame), head.frame)
        if beyond(seen, now) or beyond(now, seen) or any(finite.lost(head.side, reads, seen)):
            return False
        if finite.sees_itself(reads, seen):
            return False
    return True


def _start(draw: st.DrawFn, spec: Spec) -> Spec:
    """Let a state start at a sequence-level value, a frame 0, or another state's end."""
    if not spec.states:
        return spec
    state = draw(st.sampled_from(spec.states))
    options = [Parent(v.name, None) for v in spec.variables if not v.framed]
    options += [Parent(name, None, 0) for name in spec.zero]
    options += [Parent(s.name, None, 1) for s in spec.states if s.runs is Direction.BACKWARD]
    if not options:
        return spec
    start = draw(st.lists(st.sampled_from(options), min_size=1, max_size=2, unique=True))
    return _with_state(spec, replace(state, start_reads=tuple(start), learned_start=False))


def _with_state(spec: Spec, state: State) -> Spec:
    return replace(spec, states=tuple(state if s.name == state.name else s for s in spec.states))


def _feature(draw: st.DrawFn, spec: Spec) -> Spec:
    """Let a head read a feature of a variable in place of the variable."""
    framed = {v.name for v in spec.variables if v.framed}
    places = [(h, r) for h in spec.heads for r in reads_of_head(h) if r.name in framed and r.offsets]
    if not places:
        return spec
    head, read = draw(st.sampled_from(places))
    name = f"feature{len(spec.features)}"
    own = (Layer(draw(few), "tanh"), *draw(layers(1)))
    new = Feature(name, Dense((Parent(read.name, NOW),), own))
    return replace(_exchanged(spec, head, read, Parent(name, read.offsets)), features=(*spec.features, new))


def _attention(draw: st.DrawFn, spec: Spec) -> Spec:
    """Let a head read attention over the windows that a state sums up, in place of the state."""
    states = {s.name: s for s in spec.states if s.lag == 1}
    places = [(h, r) for h in spec.heads for r in reads_of_head(h) if r.name in states and r.offsets == NOW]
    if not places:
        return spec
    head, read = draw(st.sampled_from(places))
    state, name = states[read.name], f"feature{len(spec.features)}"
    windows = {_window(state, r) for r in state.reads}
    if len(windows) > 1:
        return spec
    of = tuple(Parent(r.name, next(iter(windows))) for r in state.reads)
    new = Feature(name, Attention(of, (), 2 * draw(st.integers(1, 2)), draw(st.integers(1, 2))))
    return replace(_exchanged(spec, head, read, Parent(name, NOW)), features=(*spec.features, new))


def _window(state: State, read: Parent) -> Offsets:
    (edge,) = (read.offsets or NOW).members
    if state.runs is Direction.BOTH:
        return ALL
    return window(None, edge) if state.runs is Direction.FORWARD else window(edge, None)


def _exchanged(spec: Spec, head: Head, old: Parent, new: Parent) -> Spec:
    assert isinstance(head.block, Dense)
    reads = tuple(new if read == old else read for read in head.block.reads)
    changed = replace(head, block=replace(head.block, reads=reads))
    return replace(spec, heads=tuple(changed if h == head else h for h in spec.heads))


@st.composite
def whole_specs(draw: st.DrawFn, plain: bool = True) -> Spec:
    """Draw a spec with a complete developed form of its own; `plain` keeps all variables Gaussian."""
    spec = replace(draw(general_specs(kinds=WORDS, longest=2, latents=2)), separate=draw(st.booleans()))
    spec = spec if plain else draw(with_families(spec))
    assume(spec.frames is None)
    spec = replace(develop(spec, derive(spec).inference), separate=False)
    spec = replace(spec, states=tuple(draw(_cell(state)) for state in spec.states))
    variations: tuple[Variation, ...] = (_start, _feature, _attention)
    for vary in draw(st.lists(st.sampled_from(variations), max_size=4)):
        varied = vary(draw, spec)
        if means_the_same(spec, varied):
            spec = _without_unread(varied)
    heads = (draw(_form(head, spec)) for head in spec.heads)
    spec = replace(spec, heads=tuple(h for h in heads if h.block is not None))
    return replace(spec, auxiliary=draw(_predictions(spec)))


@st.composite
def _predictions(draw: st.DrawFn, spec: Spec) -> tuple[Conditional, ...]:
    """Draw a prediction of a state (8.4), seldom two, from latents and states of frames around its own."""
    names = [v.name for v in spec.having(Role.LATENT) if v.framed] + [s.name for s in spec.states]
    found = []
    for state in draw(st.lists(st.sampled_from(spec.states), max_size=2, unique=True)) if spec.states else ():
        at = st.sampled_from([name for name in names if name != state.name] or names)
        near = of(draw(st.integers(-2, 1))) if names != [state.name] else of(-1)
        found.append(Conditional(state.name, (Parent(draw(at), near),)))
    return tuple(found)


@st.composite
def _cell(draw: st.DrawFn, state: State) -> State:
    """Draw a state's cell, sizes and layers."""
    cell = draw(st.sampled_from(("lstm", "gru", "rnn", "sum")))
    return replace(
        state,
        cell=cell,
        units=draw(few),
        through=draw(layers(1)),
        layers=1 if cell == "sum" else draw(st.sampled_from((1, 1, 1, 2))),
        learned_start=draw(st.booleans()),
    )


@st.composite
def _form(draw: st.DrawFn, head: Head, spec: Spec) -> Head:
    """Draw how a head makes its parameters of what it reads."""
    if not isinstance(head.block, Dense):
        return head
    head = replace(head, block=replace(head.block, layers=draw(layers())))
    if spec.variable(head.target).family is not Family.GAUSSIAN:
        return head
    kind = draw(st.sampled_from(("plain", "plain", "variance", "gated")))
    if kind == "variance":
        own = st.builds(Output, layers())
        given: Output | SharedVariance | float = draw(st.one_of(own, st.just(SharedVariance()), st.just(0.5)))
        return replace(head, variance=given)
    singles = [r for r in reads_of_head(head) if r.offsets is not None and len(r.offsets.members) == 1]
    if kind == "gated" and singles and head.frame is None and spec.variable(head.target).framed:
        of = draw(st.sampled_from(singles))
        rest = tuple(r for r in reads_of_head(head) if r != of)
        return replace(head, block=GatedTransition(of, rest, draw(st.integers(2, 4))))
    return head


def _without_unread(spec: Spec) -> Spec:
    """Drop the states and features that no head needs any more."""
    reads = {s.name: (*s.reads, *s.start_reads) for s in spec.states}
    reads |= {f.name: reads_of(f.block) for f in spec.features}
    wanted = [r.name for head in spec.heads for r in reads_of_head(head)]
    for name in wanted:
        wanted.extend(r.name for r in reads.get(name, ()) if r.name not in wanted)
    return replace(
        spec,
        states=tuple(s for s in spec.states if s.name in wanted),
        features=tuple(f for f in spec.features if f.name in wanted),
    )
