"""What developed networks see, on the endless line and at its ends, against a walk over every tensor."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from dvaec.network.ends import OUTSIDE, ends
from dvaec.network.lengths import MOST_READS, lengths
from dvaec.network.unfold import Unfolded, UnfoldError, unfold
from dvaec.spec.model import (
    LAST,
    Attention,
    Conditional,
    Dense,
    Direction,
    Feature,
    Head,
    Inference,
    InferenceKind,
    Parent,
    Role,
    Side,
    Spec,
    State,
    Sweep,
    Variable,
    reads_of,
)
from dvaec.spec.offsets import ALL, of, window
from dvaec.spec.read import read_text
from tests.oracles.reachability import Walk

VARIABLES = (
    Variable("x", Role.OBSERVED, 1),
    Variable("z", Role.LATENT, 1, first=0),
    Variable("v", Role.LATENT, 1, framed=False),
)
NODES = ("h", "f", "k", "g", "b")
LONG = 41

spans = st.sampled_from((window(None, -1), window(None, 0), window(0, None), window(1, None), ALL))


@st.composite
def reads(
    draw: st.DrawFn, names: tuple[str, ...], *, whole: bool, low: int = -2, high: int = 2
) -> tuple[Parent, ...]:
    """Draw some reads: one frame of something, an absolute frame, a sequence-level value; `whole`: windows."""
    found = []
    for name in draw(st.lists(st.sampled_from(("x", "z", "v", *names)), min_size=1, max_size=3, unique=True)):
        kind = draw(st.sampled_from(("at", "at", "at", "absolute", "window")))
        if name == "v":
            found.append(Parent("v", None))
        elif kind == "absolute":
            frames = (0, 1, LAST) if name == "z" else (1, LAST)
            found.append(Parent(name, None, draw(st.sampled_from(frames))))
        elif kind == "window" and whole:
            found.append(Parent(name, draw(spans)))
        else:
            found.append(Parent(name, of(draw(st.integers(low, high)))))
    return tuple(found)


def starts(names: tuple[str, ...]) -> st.SearchStrategy[tuple[Parent, ...]]:
    """Draw what a state starts at."""
    options = [Parent("v", None), Parent("z", None, 0), Parent("x", None, 1), Parent("x", None, LAST)]
    options += [Parent(name, None, frame) for name in names for frame in (1, LAST)]
    return st.lists(st.sampled_from(options), max_size=2, unique=True).map(tuple)


@st.composite
def developed(draw: st.DrawFn) -> Spec:
    """Draw up to five nodes; each reads any of the others, so that cycles of every kind come up."""
    names = NODES[: draw(st.integers(1, 5))]
    states, features = [], []
    for place, name in enumerate(names):
        others = tuple(n for k, n in enumerate(names) if n != name and (k < place or draw(st.booleans())))
        if name == "f":
            before = names[:place]
            if draw(st.booleans()):
                features.append(Feature(name, Dense(draw(reads(before, whole=False)), ())))
            else:
                features.append(Feature(name, Attention(draw(reads(before, whole=True)), (), 4, 1)))
            continue
        runs = draw(st.sampled_from(Direction))
        start = draw(starts(tuple(n for n in names[:place] if n != "f")))
        lag = draw(st.sampled_from((1, 1, 1, 2, 3)))
        own = draw(reads(others, whole=False))
        states.append(State(name, "rnn", 1, own, runs=runs, lag=lag, start_reads=start))
    probe = Head(Side.P, "x", Dense((Parent("x", of(-3, 3)),), ()))  # as far as the readers below
    order, q = (Sweep(("v",)), Sweep(("z",))), Inference(InferenceKind.EXACT)
    return Spec("S", "", (), VARIABLES, (), q, order, tuple(states), tuple(features), (probe,))


def all_reads(spec: Spec) -> Iterator[Parent]:
    """Yield whatever states and features read."""
    for state in spec.states:
        yield from (*state.reads, *state.start_reads)
    for feature in spec.features:
        yield from reads_of(feature.block)


def unfolded(spec: Spec) -> Unfolded | None:
    """Unfold; None for a cycle without a direction of time."""
    try:
        return unfold(spec)
    except UnfoldError:
        return None


def expected(parents: tuple[Parent, ...], t: int, frames: int) -> set[tuple[str, int | None]]:
    """Return the nodes of some parents, read at t of 1..T."""
    first = {v.name: v.first for v in VARIABLES}
    found: set[tuple[str, int | None]] = set()
    for p in parents:
        if p.frame is not None:
            found.add((p.name, frames if p.frame == LAST else p.frame))
        elif p.offsets is None:
            found.add((p.name, None))
        else:
            found |= {(p.name, t + d) for d in p.offsets.within(first[p.name] - t, frames - t)}
    return found


@given(developed(), st.data())
def test_every_frame_of_every_node_sees_what_a_walk_finds(spec: Spec, data: st.DataObject) -> None:
    found = ends(spec)
    walk = Walk(spec, found.frames)
    name = data.draw(st.sampled_from([*(s.name for s in spec.states), *(f.name for f in spec.features)]))
    for t in range(1, found.frames + 1):
        seen = {
            (variable, None if variable == "v" else s)
            for variable, bits in found.seen[name, t].items()
            for s in range(found.frames + 1)
            if bits >> s & 1
        }
        assert seen == walk.of((Parent(name, of(0)),), t)
    assert (name, OUTSIDE) in found.seen


@given(developed(), st.data())
def test_windows_are_what_a_walk_finds_far_from_the_ends(spec: Spec, data: st.DataObject) -> None:
    solved = unfolded(spec)
    if solved is None:
        return
    names = (*(s.name for s in spec.states), *(f.name for f in spec.features))
    read = data.draw(reads(names, whole=False))
    seen, middle = solved.seen(read), LONG // 2
    walked = Walk(spec, LONG).of(read, middle)
    promised = expected(seen, middle, LONG)
    assert walked <= promised
    near = range(10, LONG - 9)
    absolute = any(p.frame is not None for p in (*read, *all_reads(spec)))
    rough = {p.name for p in seen if p.offsets == ALL} if absolute else set()  # frames that cannot be named
    assert {n for n in promised if (n[1] in near or n[1] is None) and n[0] not in rough} <= walked


@given(developed(), st.data())
def test_what_is_lost_is_what_a_walk_does_not_find(spec: Spec, data: st.DataObject) -> None:
    solved, finite = unfolded(spec), ends(spec)
    if solved is None:
        return
    names = (*(s.name for s in spec.states), *(f.name for f in spec.features))
    target, frame = data.draw(st.sampled_from((("x", None), ("x", 1), ("z", 0), ("v", None))))
    read = data.draw(reads(names, whole=False))
    if (target, frame) != ("x", None):
        read = tuple(Parent(p.name, None, 1) if p.offsets else p for p in read)
    conditional = Conditional(target, solved.seen(read), frame)
    walk, missing = Walk(spec, finite.frames), set()
    times = (frame,) if frame is not None else range(1, finite.frames + 1) if target == "x" else (None,)
    for t in times:
        promised = expected(conditional.parents, 1 if t is None else t, finite.frames)
        own = set() if frame is None else {(target, frame)}  # z_0 reads every frame but itself
        lost = promised - walk.of(read, 1 if t is None else t) - own
        missing |= {(t, name, s) for name, s in lost}
    found = finite.lost(Side.P, read, conditional)
    assert {(one.frame, one.name, s) for one in found for s in one.missing or (None,)} == missing


def test_networks_without_states_that_reach_far_are_compared_at_as_many_lengths_as_others() -> None:
    page = """dvaec: 1
model: M
variables: {x: {role: observed, dim: 2}, z: {role: latent, dim: 2}}
generation: [z_t | z_<t-1>, x_t | z_t]
networks: {q(z_t): {reads: "z_<t-1>, x_t, x_<t+1000>"}}
"""
    longest, *shorter = lengths(read_text(page, "page.yaml")[0])
    assert longest.frames > 1000
    assert sum(one.frames for one in shorter) * 3 < MOST_READS
