"""The minimal conditioning set of a latent as windows relative to its frame t, proven for every T.

Let N be the network of endlessly many frames to both sides of t. In N take E, what the target is given; R, the
ancestors of E and of the target; K, the moral component of the target among R outside E. The minimal set is
E's part of the families of R that meet K. The T-frame networks are parts of N, and growing a network only adds
relevant nodes and moral edges; so the sets derived in N, clipped to the frames that there are, contain those of
every t and T.

Numbered lines and what the whole sequence reads of its first or last frame stand in N at *every* offset that
their frame can have from t (`dvaec.network.scenes`), so the same holds with them. What they add at finitely many
offsets is written relative to t, what they add at arbitrarily late t as a read of the absolute frame.

R and K are endless. They are found by guess and verification:

1.  Cut N to the frames -H..H around t. Its R_H and K_H are subsets of R and K, since it is a part of N.
2.  Guess: continue what R_H and K_H are within H/2 of t periodically to both sides, as R' and K'.
3.  Verify: one step of growth adds nothing to R', and none to K' within R'. R and K are the least sets with
    these properties that hold E and the target, so R is in R' and K in K'. A step maps sets that repeat with
    period P beyond b to one that repeats with P beyond b + 2 L + 2 P, where L bounds the windows' finite parts
    and P is a multiple of their periods. So it is enough to look at b + 2 L + 3 P frames to both sides.
4.  Within H/2 of t nothing is too much, for R' and K' agree there with R_H and K_H. Beyond, K' repeats what was
    seen for two periods and 2 L frames more.

Where a guess cannot be made or fails, H doubles; beyond a stated bound it is said that none was found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import lcm

from dvaec.network.bits import Line
from dvaec.network.cliques import Clique, Scene, Sets
from dvaec.network.scenes import line_scene
from dvaec.network.tails import between, fitted
from dvaec.network.template import Template, end
from dvaec.spec.model import LAST, Parent
from dvaec.spec.offsets import NONE, Offsets, window

LONGEST_LINE = 16_384  # frames to either side of t
LONGEST_PERIOD = 1_000
MOST_WORK = 40_000_000  # frames of the line times reads of the template


class NoFixpointError(ValueError):
    """No windows were found that are known to hold for every T."""

    code = "DV201"


@dataclass(frozen=True)
class Windows:
    """The windows of one target, and what proves them: K and the number of frames that were searched.

    `component` is K: windows of frame-level names, bare sequence-level names.
    """

    target: str
    parents: tuple[Parent, ...]
    component: tuple[Parent, ...]
    searched: int

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
    template: Template, target: str, given: Mapping[str, Offsets | None], start: int = 1
) -> Windows:
    """Return the minimal conditioning set of `target` as windows, given E as windows (`template.evidence`).

    They hold at every frame t >= `start` of every T. Raises NoFixpointError if no fixpoint is found.
    """
    _bound_periods(template)
    reach = max(template.lag, 1, *(end(o) for o in given.values() if o is not None))
    half = 8 * reach + 32
    reads = sum(len(family.parents) + 1 for family in template.families)
    while half <= LONGEST_LINE and half * reads <= MOST_WORK:
        found = _attempt(template, target, given, start, half, reach)
        if found is not None:
            return found
        half *= 2
    raise NoFixpointError(
        f"the windows of {target} do not repeat within {half // 4} frames of t; longer ones are not searched"
    )


def _bound_periods(template: Template) -> None:
    """Refuse windows whose strides together repeat too seldom to be written down."""
    for family in template.families:
        for parent in family.parents:
            offsets = parent.offsets
            period = 1 if offsets is None else max(len(offsets.past), len(offsets.future))
            if period > LONGEST_PERIOD:
                reads = f"{family.target} reads {parent.name} in a pattern that repeats every {period} frames"
                raise NoFixpointError(f"{reads}; at most {LONGEST_PERIOD} are supported")


def _attempt(
    template: Template,
    target: str,
    given: Mapping[str, Offsets | None],
    start: int,
    half: int,
    reach: int,
) -> Windows | None:
    """Guess on -half..half and verify; None if there is no guess, or a wrong one."""
    scene = line_scene(template, target, half, start)
    inside, outside = _evidence(template, given, half)
    relevant = scene.relevant(inside)
    guesses = []
    for sets in (relevant, scene.component(relevant, outside)):
        guess: dict[str, Offsets | None] = {}
        for name, bits in sets.items():
            if name in template.static:
                if bits:
                    guess[name] = None
                continue
            tail = fitted(bits, half, half // 2, 2 * reach)
            if tail is None:
                return None
            guess[name] = tail
        guesses.append(guess)
    return _verified(template, target, given, start, half, reach, *guesses)


def _verified(
    template: Template,
    target: str,
    given: Mapping[str, Offsets | None],
    start: int,
    half: int,
    reach: int,
    relevant: Mapping[str, Offsets | None],
    component: Mapping[str, Offsets | None],
) -> Windows | None:
    """Check that one step of growth adds nothing to the guesses, and read off the minimal set."""
    sets = [o for part in (relevant, component, given) for o in part.values() if o is not None]
    sets += [p.offsets for f in template.families for p in f.parents if p.offsets is not None]
    period = lcm(*(len(pattern) for one in sets for pattern in (one.past, one.future)))
    base = max(max(abs(one.low), abs(one.high)) for one in sets)
    edge = base + 2 * reach + 2 * period
    wide = edge + 2 * reach + 3 * period + 2
    if wide > 4 * LONGEST_LINE:
        return None
    scene = line_scene(template, target, wide, start)
    near = ((1 << (2 * (edge + period) + 1)) - 1) << (wide - edge - period)
    inside, outside = _evidence(template, given, wide)
    r, _ = _evidence(template, relevant, wide)
    k, _ = _evidence(template, component, wide)
    if not _closed(scene, r, k, inside, outside, near, template.static):
        return None
    reading = _Reading(template, scene, wide, edge, period, start)
    for clique in scene.cliques:
        reading.add(clique, scene.meeting(clique, k, r), inside)
    return Windows(target, reading.parents(), template.sort(component), half)


def _evidence(template: Template, given: Mapping[str, Offsets | None], half: int) -> tuple[Sets, Sets]:
    """Return windows as bits of the line -half..half, and what is outside of them."""
    line = Line(-half, half)
    inside, outside = {}, {}
    for name in template.names:
        full = 1 if name in template.static else line.full
        offsets = given.get(name, NONE)
        inside[name] = 1 if offsets is None else line.window(offsets, 0) if offsets else 0
        outside[name] = full & ~inside[name]
    return inside, outside


def _closed(
    scene: Scene, r: Sets, k: Sets, inside: Sets, outside: Sets, near: int, static: tuple[str, ...]
) -> bool:
    """Whether growth from R and K, one step, stays within them as far as `near`."""

    def new(name: str, grown: int, sets: Sets) -> bool:
        return bool(grown & ~sets[name] & (1 if name in static else near))

    if any(new(name, there, r) for name, there in inside.items()):
        return False
    if new(scene.target, scene.place, r) or new(scene.target, scene.place, k):
        return False
    for clique in scene.cliques:
        here = r[clique.child] & clique.at
        if any(new(link.name, scene.read(link, here), r) for link in clique.links):
            return False
        met = scene.meeting(clique, k, r)
        if new(clique.child, met & outside[clique.child], k):
            return False
        if any(new(link.name, scene.read(link, met) & outside[link.name], k) for link in clique.links):
            return False
    return True


class _Reading:
    """Gathers the minimal set from the families that meet K."""

    def __init__(
        self, template: Template, scene: Scene, half: int, edge: int, period: int, start: int
    ) -> None:
        self.template, self.scene = template, scene
        self.half, self.edge, self.period, self.start = half, edge, period, start
        self.relative: dict[str, int] = {}
        self.absolute: set[tuple[str, int]] = set()

    def add(self, clique: Clique, met: int, inside: Sets) -> None:
        """Take in one family, met at these places."""
        if not met:
            return
        self._take(clique.child, met & inside[clique.child], clique.said)
        for link in clique.links:
            self._take(link.name, self.scene.read(link, met) & inside[link.name], link.said)

    def _take(self, name: str, places: int, said: int | None) -> None:
        if not places:
            return
        if said is None or self._offsets(places).finite:
            self.relative[name] = self.relative.get(name, 0) | places
        else:
            self.absolute.add((name, said))

    def _offsets(self, places: int) -> Offsets:
        return between(places, self.half, self.edge, self.period)

    def parents(self) -> tuple[Parent, ...]:
        """Return the set in order: as declared, relative before absolute reads."""
        found = []
        for name in self.template.names:
            offsets = None
            if name in self.template.static:
                found += [Parent(name, None)] if name in self.relative else []
                continue
            if places := self.relative.get(name, 0):
                offsets = self._offsets(places)
                found.append(Parent(name, offsets))
            for frame in (0, 1, LAST):
                where = window(0, None) if frame == LAST else window(None, frame - self.start)
                if (name, frame) in self.absolute and not (offsets is not None and where <= offsets):
                    found.append(Parent(name, None, frame))
        return tuple(found)
