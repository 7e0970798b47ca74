"""Steps 3 and 4 of the proof in `dvaec.network.windows`: a guess is neither too small nor too large."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from dvaec.network.cliques import Scene, Sets


@dataclass(frozen=True)
class Guess:
    """R' and K' on the line -half..half; they, E and the families repeat with `period` beyond `base`.

    Up to `trusted` frames from t they are what the search has found.
    """

    scene: Scene
    half: int
    base: int
    period: int
    relevant: Sets
    component: Sets
    inside: Sets
    outside: Sets
    trusted: int
    static: tuple[str, ...]

    @property
    def seen(self) -> int:
        """How far from t the line shows what is known."""
        return min(self.trusted, self.half)

    def between(self, low: int, high: int) -> int:
        """Return the frames low..high of the line as bits."""
        return ((1 << (high - low + 1)) - 1) << (low + self.half)

    def cut(self, sets: Mapping[str, int], frames: int) -> Sets:
        """Return the part of sets within `frames`; sequence-level places stay."""
        return {name: there if name in self.static else there & frames for name, there in sets.items()}


def closed(guess: Guess, reach: int) -> bool:
    """Whether growth from R' and K', one step, stays within them as far as `reach` from t."""
    scene, r, k, outside = guess.scene, guess.relevant, guess.component, guess.outside
    near = guess.between(-reach, reach)

    def new(name: str, grown: int, sets: Sets) -> bool:
        return bool(grown & ~sets[name] & (1 if name in guess.static else near))

    if any(new(name, there, r) for name, there in guess.inside.items()):
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


def repeats(guess: Guess) -> bool:
    """Whether the tails of R' and K' grow, period after period, from what is known of them."""
    base, period, far = guess.base, guess.period, guess.seen
    ahead = (-far, base - 1, base, base + period - 1, base + 2 * period - 1, guess.half)
    for way in (ahead, tuple(-d for d in ahead)):
        start, turn, first, once, twice, end = way
        tail = Tail(
            guess,
            known=_frames(guess, start, turn),
            first=_frames(guess, first, once),
            beyond=_frames(guess, first, end),
        )
        wanted = _frames(guess, first, twice)
        for found, whole in ((tail.ancestors(), guess.relevant), (tail.linked(), guess.component)):
            if any(whole[n] & wanted & ~found[n] for n in whole if n not in guess.static):
                return False
    return True


def _frames(guess: Guess, one: int, other: int) -> int:
    return guess.between(min(one, other), max(one, other))


@dataclass(frozen=True)
class Tail:
    """The frames `beyond`, which begin with the period `first`, and the frames `known` before them."""

    guess: Guess
    known: int
    first: int
    beyond: int

    @cached_property
    def scene(self) -> Scene:
        """The families whose child lies beyond, or is of sequence level."""
        static = self.guess.static
        cliques = self.guess.scene.cliques
        kept = (c if c.child in static else replace(c, at=c.at & self.beyond) for c in cliques)
        return replace(self.guess.scene, cliques=tuple(kept))

    def ancestors(self) -> Sets:
        """Return the ancestors there of E, of the first period of R', and of what is known of it."""
        guess = self.guess
        given, found = guess.cut(guess.inside, self.beyond), guess.cut(guess.relevant, self.first)
        known = guess.cut(guess.relevant, self.known)
        found = {name: there | given[name] for name, there in found.items()}
        for clique in guess.scene.cliques:
            here = known[clique.child] & clique.at
            for link in clique.links:
                found[link.name] |= guess.scene.read(link, here)
        return self.scene.ancestors(guess.cut(found, self.beyond))

    def linked(self) -> Sets:
        """Return what is linked there to the first period of K', or by one family to what is known.

        A family whose child comes before, met by anything that is known, reaches beyond by endless windows.
        """
        guess = self.guess
        known, found = guess.cut(guess.component, self.known), guess.cut(guess.component, self.first)
        seen = guess.cut(guess.component, guess.between(-guess.seen, guess.seen))
        outside = guess.cut(guess.outside, self.beyond)
        for clique in guess.scene.cliques:
            met = guess.scene.meeting(clique, seen, guess.relevant)
            if clique.child not in guess.static:
                met = met & ~self.beyond | guess.scene.meeting(clique, known, guess.relevant)
            found[clique.child] |= met & outside[clique.child]
            for link in clique.links:
                found[link.name] |= guess.scene.read(link, met) & outside[link.name]
        return self.scene.linked(found, guess.cut(guess.relevant, self.beyond), outside)
