"""The minimal conditioning set of a latent as windows relative to its frame t, proven for every T.

Let N be the network of endlessly many frames to both sides of t. In N take E, what the target is given; R,
the ancestors of E and of the target; K, the moral component of the target among R outside E. The minimal set
is E's part of the families of R that meet K. The T-frame networks are parts of N, and growing a network only
adds relevant nodes and moral edges; so the sets derived in N, clipped to the frames that there are, contain
those of every t and T.

Numbered lines, and what the whole sequence reads of its first or last frame, stand in N where their frame
can be. For each t and T that is one of finitely many cases (`dvaec.network.cases`): frame 1 at a known offset
near t, or at any of many farther ones, and frame T likewise. In each case the above holds with them, and the
windows hold the sets of all cases. What a case of one offset adds is written relative to t, what one of many
adds as a read of the absolute frame. At many offsets the frames at that end are nodes apart from those of
their names (`dvaec.network.apart`), so that nothing is met before frame 1 or behind frame T.

R and K are endless. They are found by guess and verification:

1.  Cut N to the frames -H..H around t. Its R_H and K_H are subsets of R and K, since it is a part of N.
2.  Guess: continue what R_H and K_H are within H/2 of t periodically to both sides, as R' and K'.
3.  Nothing is missing: one step of growth adds nothing to R', and none to K' within R'. R and K are the least
    sets closed under these steps that hold E and the target, so R is in R' and K in K'. A step maps sets that
    repeat with period P beyond b to one that repeats with P beyond b + 2 L + 2 P, where L bounds the windows'
    finite parts and P is a multiple of all periods. So it is enough to look at b + 2 L + 3 P frames to both
    sides.
4.  Nothing is too much. Within H/2 of t, R' and K' are R_H and K_H. Beyond b all sets repeat, so the network
    of the frames beyond b contains itself, shifted outward by Q, a multiple of P larger than 2 L. Let S be K'
    on b..b+Q, which lies within H/2 and so in K, with all beyond b that one step of growth from K' before b
    reaches, or a family whose child is before b. What such a step reaches by finite windows is within
    b..b+2L; what it reaches by endless ones contains itself, shifted. Let G be what is linked to S by the
    network beyond b alone. If G holds K' on b+Q..b+2Q, then it holds S shifted by Q, hence G shifted by Q,
    and so on: all of K' beyond b is in G, and G is in K. The same for R, with ancestors for links and E as
    part of S; and to the other side.

Where a guess cannot be made or fails, H doubles; beyond a stated bound it is said that none was found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import lcm

from dvaec.network.apart import name_of
from dvaec.network.cases import cases_near, unnumbered
from dvaec.network.question import Question, Single
from dvaec.network.reading import Boundary, Meeting, boundary_of, places_met, united
from dvaec.network.scenes import Case
from dvaec.network.tails import between, fitted
from dvaec.network.template import Template, end
from dvaec.network.verify import Guess, closed, repeats
from dvaec.spec.model import Parent
from dvaec.spec.notation import counted
from dvaec.spec.offsets import NONE, Offsets

LONGEST_LINE = 65_536  # frames to either side of t
LONGEST_PERIOD = 1_000
MOST_WORK = 2_000_000  # frames of the line times reads of the template


class NoFixpointError(ValueError):
    """No windows were found that are known to hold for every T."""

    code = "DV201"


@dataclass(frozen=True)
class Windows:
    """The windows of one target, and what proves them: K and the number of frames that were searched.

    `component` is K: windows of frame-level names, bare sequence-level names. `singles` are the single frames
    of E that may be in the set. `places` are all that the parents hold, as windows alone.
    """

    target: str
    parents: tuple[Parent, ...]
    component: tuple[Parent, ...]
    searched: int
    singles: frozenset[tuple[str, int]] = frozenset()
    places: tuple[Parent, ...] = ()

    @property
    def first(self) -> int:
        """The largest |offset| from which K repeats."""
        sets = [p.offsets for p in self.component if p.offsets is not None]
        return max((max(abs(one.low), abs(one.high)) for one in sets), default=0)

    @property
    def period(self) -> int:
        """A common period of K."""
        return lcm(*(len(t) for p in self.component if p.offsets for t in (p.offsets.past, p.offsets.future)))


def stationary_windows(
    template: Template,
    target: str,
    given: Mapping[str, Offsets | None],
    served: tuple[int, int] = (1, 0),
    single: Single = (),
) -> Windows:
    """Return the minimal conditioning set of `target` as windows, given E as windows (`template.evidence`).

    E holds, moreover, the `single` frames, each of a name by its number. The windows
    hold at every frame t of every T that is `served`: from the first number on, but for as many frames before
    the end as the second one says. Raises NoFixpointError if no fixpoint is found.
    """
    bound_periods(template)
    reach = max(template.lag, 1, *(end(o) for o in given.values() if o is not None))
    asked = tuple(given.items())
    plain = solved(Question(template, target, asked, Case(NONE, NONE), reach))
    frames = tuple(frame for _, frame in single)
    if unnumbered(template, frames):
        return together(template, target, (plain,))
    near = cases_near(template, served, plain.first + reach, plain.period, frames)
    found = tuple(solved(Question(template, target, asked, case, reach, single)) for case in near)
    return together(template, target, found)


@dataclass(frozen=True)
class Solution:
    """What was found and proved in one case."""

    boundary: Boundary
    component: Mapping[str, Offsets | None]
    searched: int

    @property
    def first(self) -> int:
        """The largest |offset| from which K repeats."""
        return max((max(abs(o.low), abs(o.high)) for o in self.component.values() if o), default=0)

    @property
    def period(self) -> int:
        """A common period of K."""
        return lcm(*(len(tail) for o in self.component.values() if o for tail in (o.past, o.future)))


def together(template: Template, target: str, found: Sequence[Solution]) -> Windows:
    """Return what holds the sets of all cases."""
    component: dict[str, Offsets | None] = {}
    for one in found:
        for name, there in one.component.items():
            if there is None:
                component[name] = None
            elif there:
                component[name] = there | (component.get(name) or NONE)
    parents = united(template, (one.boundary for one in found))
    singles = frozenset[tuple[str, int]]().union(*(one.boundary.singles for one in found))
    places = places_met(template, (one.boundary for one in found))
    searched = max(one.searched for one in found)
    return Windows(target, parents, template.sort(component), searched, singles, places)


@lru_cache(maxsize=1024)
def solved(question: Question) -> Solution:
    """Search farther and farther until a guess can be proved.

    The answers to the last questions are kept: what a latent reads at every t, at those that leave out frames
    1 or T, and in the comparison with q has most of its cases in common.
    """
    template, reach = question.template, question.reach
    half = 8 * reach + 2 * question.farthest + 32
    reads = sum(len(family.parents) + 1 for family in (*template.families, *template.numbered))
    most = min(LONGEST_LINE, MOST_WORK // reads)
    if half > most:
        raise NoFixpointError(
            f"windows that end {counted(reach, 'frame')} from t are too long: with "
            f"{counted(reads, 'read')} in all, at most {max(0, (most - 32) // 8)} are searched"
        )
    while half <= most:
        found = _attempt(question, half)
        if found is not None:
            return found
        half *= 2
    raise NoFixpointError(f"the windows of {question.target} do not repeat within {half // 4} frames of t")


def bound_periods(template: Template) -> None:
    """Refuse windows whose strides together repeat too seldom to be written down."""
    for family in (*template.families, *template.numbered):
        for parent in family.parents:
            offsets = parent.offsets
            period = 1 if offsets is None else max(len(offsets.past), len(offsets.future))
            if period > LONGEST_PERIOD:
                reads = f"{family.target} reads {parent.name} in a pattern that repeats every {period} frames"
                raise NoFixpointError(f"{reads}; at most {LONGEST_PERIOD} are supported")


def _attempt(question: Question, half: int) -> Solution | None:
    """Guess on -half..half and verify; None if there is no guess, or a wrong one."""
    scene, (inside, outside) = question.scene(half), question.evidence(half)
    relevant = scene.relevant(inside)
    guesses = []
    for sets in (relevant, scene.component(relevant, outside)):
        guess: dict[str, Offsets | None] = {}
        for name, bits in sets.items():
            if name in question.template.static:
                if bits:
                    guess[name] = None
                continue
            tail = fitted(bits, half, half // 2, 2 * question.reach)
            if tail is None:
                return None
            guess[name] = tail
        guesses.append(guess)
    return _verified(question, half, *guesses)


def _verified(
    question: Question,
    half: int,
    relevant: Mapping[str, Offsets | None],
    component: Mapping[str, Offsets | None],
) -> Solution | None:
    """Verify R' and K' (steps 3 and 4), and read off the minimal set; None if they are wrong."""
    template, reach = question.template, question.reach
    sets = [o for part in (relevant, component, dict(question.given)) for o in part.values() if o is not None]
    base = max(max(abs(one.low), abs(one.high)) for one in sets)
    sets += [
        p.offsets
        for f in (*template.families, *template.numbered)
        for p in f.parents
        if p.offsets is not None
    ]
    sets += [question.case.first, question.case.last]
    period = lcm(*(len(pattern) for one in sets for pattern in (one.past, one.future)))
    base = max(base, reach, question.farthest)
    stride = period * (2 * reach // period + 1)
    edge = base + 2 * reach + 2 * period
    wide = edge + 4 * reach + 3 * stride
    if wide > 4 * LONGEST_LINE or base + stride > half // 2:
        return None
    scene, (inside, outside) = question.scene(wide), question.evidence(wide)
    r, k = question.bits(relevant, wide), question.bits(component, wide)
    guess = Guess(scene, wide, base, stride, r, k, inside, outside, half // 2, template.static)
    if not (closed(guess, edge + period) and repeats(guess)):
        return None

    def windows(places: int) -> Offsets:
        return between(places, wide, edge, period)

    singles = tuple(zip(question.single, (bits for _, _, bits, _ in question.singles(wide)), strict=True))
    given = question.bits(dict(question.given), wide)
    found = boundary_of(template, scene, question.case, Meeting(r, k, inside, given, singles), windows)
    return Solution(found, _by_name(component), half)


def _by_name(component: Mapping[str, Offsets | None]) -> dict[str, Offsets | None]:
    """Return K with the nodes of frames 1 and T among those of their names."""
    found: dict[str, Offsets | None] = {}
    for node, offsets in component.items():
        name = name_of(node)
        found[name] = None if offsets is None else offsets | (found.get(name) or NONE)
    return found
