"""What can be drawn one after another, and in which order: against the graph unrolled over many frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dvaec.derive.derivation import derive
from dvaec.spec import notation
from dvaec.spec.chain import sweeps
from dvaec.spec.ends_over_time import cycle_at_ends
from dvaec.spec.model import LAST, Conditional, Direction, Parent, Sweep
from dvaec.spec.offsets import ALL, Offsets, of, window
from dvaec.spec.over_time import Tangle, arrows_of, components, direction
from dvaec.spec.read import read_spec, read_text

NAMES = ("z", "a", "s")
LONG = 60  # frames; the windows below reach 3 frames, and a cycle within three names needs fewer than 30

Node = tuple[str, int]


def unrolled(
    lines: Sequence[Conditional], static: Sequence[str], zero: Sequence[str], frames: int
) -> dict[Node, set[Node]]:
    """Who reads whom over `frames` frames: written anew, from the meaning of the notation."""
    reads: dict[Node, set[Node]] = {}
    for name in {line.target for line in lines}:
        times = [0] if name in static else [*([0] if name in zero else []), *range(1, frames + 1)]
        for t in times:
            own = [c for c in lines if c.target == name and c.frame == t and name not in static]
            line = own[0] if own else next((c for c in lines if c.target == name and c.frame is None), None)
            reads[name, t] = set()
            for parent in line.parents if line is not None else ():
                read = set(_frames(parent, t, static, zero, frames))
                if own and t == 0 and parent.frame is None:  # a window of z_0 leaves z_0 itself out
                    read.discard((name, t))
                reads[name, t] |= read
    return {node: {p for p in parents if p in reads} for node, parents in reads.items()}


def _frames(
    parent: Parent, t: int, static: Sequence[str], zero: Sequence[str], frames: int
) -> Iterator[Node]:
    if parent.name in static:
        yield parent.name, 0
    elif parent.frame is not None:
        yield parent.name, frames if parent.frame == LAST else parent.frame
    else:
        assert parent.offsets is not None
        first = 0 if parent.name in zero else 1
        yield from ((parent.name, s) for s in range(first, frames + 1) if s - t in parent.offsets)


def acyclic(reads: dict[Node, set[Node]]) -> bool:
    try:
        tuple(TopologicalSorter(reads).static_order())
    except CycleError:
        return False
    return True


WINDOWS = st.one_of(
    st.integers(-3, 3).map(of),
    st.integers(-3, 3).map(of),
    st.sets(st.integers(-3, 3), min_size=1, max_size=2).map(lambda s: of(*s)),
    st.integers(-2, 2).map(lambda d: window(None, d)),
    st.integers(-2, 2).map(lambda d: window(d, None)),
    st.just(window(None, -1, 2)),
)


@st.composite
def repeated(draw: st.DrawFn) -> tuple[Conditional, ...]:
    """Conditionals of frame t among three names, with every kind of window."""
    lines = []
    for name in NAMES:
        parents = [Parent(other, draw(WINDOWS)) for other in NAMES if draw(st.integers(0, 2)) == 0]
        lines.append(Conditional(name, tuple(parents)))
    return tuple(lines)


@given(repeated())
def test_a_template_can_be_drawn_exactly_if_it_has_no_cycle_when_unrolled(
    lines: tuple[Conditional, ...],
) -> None:
    arrows = arrows_of(lines, NAMES)
    found = [direction(part, arrows) for part in components(NAMES, arrows)]
    assert acyclic(unrolled(lines, (), (), LONG)) == (not any(isinstance(f, Tangle) for f in found))


@given(repeated())
def test_the_walk_that_is_shown_is_a_cycle(lines: tuple[Conditional, ...]) -> None:
    arrows = arrows_of(lines, NAMES)
    tangles = [f for part in components(NAMES, arrows) if isinstance(f := direction(part, arrows), Tangle)]
    assume(tangles)
    walk = tangles[0].walk
    assert walk[0] == walk[-1]
    assert walk[0][1] == 0
    assert len(walk) > 1
    for (child, at), (parent, other) in pairwise(walk):
        assert other - at in arrows[child, parent]


def test_a_direction_is_told_from_the_sums_of_cycles() -> None:
    lines = (
        Conditional("a", (Parent("a", of(-1)), Parent("z", of(-2)))),
        Conditional("z", (Parent("z", of(-1)), Parent("a", of(1)))),
    )
    arrows = arrows_of(lines, ("a", "z"))
    assert direction(("a", "z"), arrows) is Direction.FORWARD
    mirrored = {key: of(*(-d for d in o.members)) for key, o in arrows.items()}
    assert direction(("a", "z"), mirrored) is Direction.BACKWARD
    assert direction(("a",), {}) is None
    long = {("a", "z"): of(-1000), ("z", "a"): of(999)}
    assert direction(("a", "z"), long) is Direction.FORWARD
    assert isinstance(direction(("a", "z"), {**long, ("z", "z"): of(1)}), Tangle)


@st.composite
def with_ends(draw: st.DrawFn) -> tuple[tuple[Conditional, ...], tuple[str, ...]]:
    """Conditionals with a value of the sequence, a frame 0 and numbered lines; and who has a frame 0."""
    zero = ("z",) if draw(st.booleans()) else ()
    framed, near = ("z", "a"), st.integers(-2, 1)
    lines = []
    for name in framed:
        parents = [Parent(o, of(draw(near))) for o in framed if draw(st.integers(0, 2)) == 0]
        parents += [Parent("v", None)] if draw(st.integers(0, 2)) == 0 else []
        ends = st.sampled_from([(o, f) for o in framed for f in (1, LAST)] + [(o, 0) for o in zero])
        parents += [Parent(o, None, f) for o, f in ([draw(ends)] if draw(st.integers(0, 4)) == 0 else [])]
        lines.append(Conditional(name, tuple(parents)))
    single = [(name, 1) for name in framed if draw(st.integers(0, 2)) == 0] + [(name, 0) for name in zero]
    for name, frame in (*single, ("v", None)):
        parents = []
        for other in framed:
            kind = draw(st.integers(0, 6))
            if kind == 0:
                parents.append(Parent(other, ALL))
            elif kind <= 2:
                at = draw(st.sampled_from((1, LAST, *((0,) if other in zero else ()))))
                parents.append(Parent(other, None, at))
        parents += [Parent("v", None)] if frame is not None and draw(st.integers(0, 3)) == 0 else []
        lines.append(Conditional(name, tuple(parents), frame))
    return tuple(lines), zero


@given(with_ends())
def test_values_of_the_sequence_and_numbered_frames_are_judged_with_their_ends(
    drawn: tuple[tuple[Conditional, ...], tuple[str, ...]],
) -> None:
    lines, zero = drawn
    generic = [
        Conditional(c.target, tuple(p for p in c.parents if p.frame is None))
        for c in lines
        if c.frame is None
    ]
    arrows = arrows_of(generic, ("z", "a"))
    inner = [direction(part, arrows) for part in components(("z", "a"), arrows)]
    fine = not any(isinstance(f, Tangle) for f in inner) and cycle_at_ends(lines, ("v",), zero) is None
    horizons = (*range(1, 14), 20, 31)
    assert fine == all(acyclic(unrolled(lines, ("v",), zero, frames)) for frames in horizons)


def drawn_at(
    order: Sequence[Sweep], static: Sequence[str], zero: Sequence[str], frames: int
) -> dict[Node, int]:
    """When each latent is drawn: sweep after sweep, frame by frame."""
    nodes: list[Node] = []
    for sweep in order:
        times = range(frames, -1, -1) if sweep.backward else range(frames + 1)
        if sweep.latents[0] in static:
            nodes.append((sweep.latents[0], 0))
        else:
            nodes += [(name, t) for t in times for name in sweep.latents if t > 0 or name in zero]
    return {node: place for place, node in enumerate(nodes)}


LATENTS = ("v", "z", "a", "s", "w")


@st.composite
def in_some_order(draw: st.DrawFn) -> tuple[Conditional, ...]:
    """What q reads when its latents, v and w of the sequence, are drawn in an order made up at random."""
    names = draw(st.permutations(LATENTS))
    order: list[tuple[list[str], bool]] = []
    for name in names:
        static = name in ("v", "w")
        if order and not static and order[-1][0][0] not in ("v", "w") and draw(st.booleans()):
            order[-1][0].append(name)
        else:
            order.append(([name], draw(st.booleans())))
    lines = []
    for place, (block, backward) in enumerate(order):
        for name in block:
            parents = []
            for other_place, (others, _) in enumerate(order):
                for other in others:
                    if draw(st.integers(0, 2)) or other_place > place:
                        continue
                    offsets = _readable(draw, name, other, block, backward) if other_place == place else ALL
                    if other in ("v", "w"):
                        parents += [Parent(other, None)] if other != name else []
                    elif offsets:
                        parents.append(Parent(other, offsets))
            lines.append(Conditional(name, tuple(parents)))
    return tuple(lines)


def _readable(draw: st.DrawFn, name: str, other: str, block: list[str], backward: bool) -> Offsets:
    """A window of what the same sweep has drawn already."""
    near = 0 if block.index(other) < block.index(name) else 1
    distance = draw(st.integers(near, near + 2))
    opened = draw(st.booleans())
    if backward:
        return window(distance, None) if opened else of(distance)
    return window(None, -distance) if opened else of(-distance)


@given(in_some_order())
def test_an_order_is_found_wherever_there_is_one(lines: tuple[Conditional, ...]) -> None:
    found = sweeps(("v", "w", "z", "a", "s"), ("v", "w"), lines)
    assert sorted(name for sweep in found for name in sweep.latents) == sorted(LATENTS)
    when = drawn_at(found, ("v", "w"), (), 9)
    for child, parents in unrolled(lines, ("v", "w"), (), 9).items():
        assert all(when[parent] < when[child] for parent in parents)


def test_without_demands_the_sequence_level_comes_first_and_one_sweep_is_all() -> None:
    latents = ("v", "z", "a")
    assert sweeps(latents, ("v",), ()) == (Sweep(("v",)), Sweep(("z", "a")))
    told = (Conditional("z", (Parent("a", of(0)),)), Conditional("a", (Parent("z", of(-1)),)))
    assert sweeps(latents, ("v",), told) == (Sweep(("v",)), Sweep(("a", "z")))


@pytest.mark.parametrize(
    ("lines", "order"),
    [
        ((Conditional("z", (Parent("a", ALL),)),), (Sweep(("a",)), Sweep(("z",)))),
        ((Conditional("z", (Parent("z", of(1)),)),), (Sweep(("z", "a"), backward=True),)),
        (
            (Conditional("z", (Parent("z", of(1)),)), Conditional("a", (Parent("a", of(-1)),))),
            (Sweep(("z",), backward=True), Sweep(("a",))),
        ),
        (
            (Conditional("a", (Parent("a", of(-1)), Parent("z", of(-2)))),
             Conditional("z", (Parent("z", of(-1)), Parent("a", of(1))))),
            (Sweep(("z", "a")),),
        ),
    ],
    ids=["block by block", "backward", "both ways", "shifted"],
)  # fmt: skip
def test_orders_that_q_asks_for(lines: tuple[Conditional, ...], order: tuple[Sweep, ...]) -> None:
    assert sweeps(("z", "a"), (), lines) == order


ANTICAUSAL = """dvaec: 1
model: M
variables: {x: {role: observed, dim: 1}, z: {role: latent, dim: 1}, a: {role: latent, dim: 1}}
causality: noncausal
"""


@pytest.mark.parametrize(
    ("lines", "backward"),
    [
        ("generation: [a_t, z_t | z_<t+1>, 'x_t | z_t, a_t']", True),
        ("generation: [a_t, z_t | a_<t+1>, 'x_t | z_t, a_t']", True),
        ("generation: [a_t, z_t | a_<t:T>, 'x_t | z_t, a_t']", True),
        ("generation: [a_t, z_t | z_<t+1>, 'x_t | z_t, a_t']\ninference: mean_field", True),
        ("generation: [a_t, z_t | z_<t+1>, 'x_t | z_t, a_t']\ninference: [z_t | x_t, a_t | z_t]", True),
        (
            "generation: [a_t, z_t | z_<t+1>, 'x_t | z_t, a_t']\nnetworks: {q(z_t): {reads: x_t}, q(a_t): {reads: x_t}}",
            True,
        ),
        ("generation: [a_t, z_t | z_<t+1>, 'x_t | z_t, a_t']\ninference: filtering", False),
        ("generation: [a_t, z_t | z_<t+1>, 'x_t | z_t, a_t']\ninference: {lookahead: 2}", False),
        ("generation: [a_t, z_t | z_<t+1>, 'x_t | z_t, a_t']\ninference: [z_t | z_<t-1>, a_t | x_t]", False),
        ("generation: [a_t, z_t | z_<t+1>, 'x_t | z_t, a_t']\norder: [[a, z]]", False),
        ("generation: [a_t | a_<t-1>, z_t | z_<t+1>, 'x_t | z_t, a_t']", False),
        ("generation: ['a_t', 'z_t | a_t', 'x_t | z_t, a_<t:T>']", False),
    ],
)
def test_q_runs_as_the_priors_do_unless_it_asks_for_more(lines: str, backward: bool) -> None:
    spec, _ = read_text(f"{ANTICAUSAL}{lines}\n", "page.yaml")
    assert [(set(sweep.latents), sweep.backward) for sweep in spec.order] == [({"z", "a"}, backward)]


@pytest.mark.parametrize(
    ("page", "backward", "first"),
    [
        ("q_draws_frame_1_in_another_order", False, ("a_1", "z_1", "b_1")),
        ("q_draws_frame_1_last_in_another_order", True, ("a_1", "z_1")),
        ("frame_0_after_frame_1", False, ("z_1", "a_0", "z_0", "a_1")),
        ("first_frames_of_their_own", False, ()),
    ],
)
def test_frames_0_and_1_of_q_have_an_order_of_their_own_where_its_lines_ask_for_it(
    page: str, backward: bool, first: tuple[str, ...]
) -> None:
    spec = read_spec(Path(__file__).parent / "regressions" / f"{page}.yaml")[0]
    (sweep,) = spec.order
    assert sweep.backward is backward
    assert tuple(f"{name}_{frame}" for name, frame in sweep.first) == first
    for place, (target, frame) in enumerate(sweep.first):
        before = {
            (mate, at)
            for mate in sweep.latents
            for at in (0, 1)
            if at - frame in sweep.before(mate, target, frame)
        }
        assert before >= set(sweep.first[:place])
        assert not before & set(sweep.first[place:])


def test_frame_0_reads_all_of_another_latent_but_its_frame_0() -> None:
    page = (Path(__file__).parent / "regressions" / "two_frames_0_in_a_backward_sweep.yaml").read_text()
    derived = derive(read_text(page, "page.yaml")[0]).inference
    lines = [notation.line(one, zeros=("a", "z")) for one in derived if one.frame == 0]
    assert lines == ["a_0 | y, a_<1:T>, z_<1:T>", "z_0 | y, a_<0:T>, z_<1:T>"]
    own = [notation.line(one, zeros=("a", "z")) for one in derived]
    pasted = page.replace("inference: exact", f"inference: {own!r}")
    assert derive(read_text(pasted, "page.yaml")[0]).inference == derived
