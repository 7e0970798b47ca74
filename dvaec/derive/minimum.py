"""One factor's windows beside the exact minimum, frame by frame, in networks of T frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import lcm

from dvaec.network.cliques import Sets
from dvaec.network.finite import Finite
from dvaec.network.strides import stride
from dvaec.network.template import Template, end
from dvaec.network.unrolled import Node
from dvaec.network.windows import Windows
from dvaec.spec.model import LAST, Conditional, Parent
from dvaec.spec.offsets import Offsets

FEWEST = 8  # frames, where there is no frame t


@dataclass(frozen=True)
class Factor:
    """The windows of one factor, as they were `found` and as its conditional reads them.

    E is `given` as windows and has the single frames `absolute`, too; where T is 1 it may be another,
    `alone`. The windows are those of the frames that are `served`: from the first number on, but for as many
    at the end as the second one says.
    """

    template: Template
    conditional: Conditional
    found: Windows
    given: Mapping[str, Offsets | None]
    served: tuple[int, int] = (1, 0)
    absolute: tuple[Parent, ...] = ()
    alone: tuple[Mapping[str, Offsets | None], tuple[Parent, ...]] | None = None

    @property
    def framed(self) -> bool:
        """Whether it is of every t."""
        return self.conditional.frame is None and self.conditional.target not in self.template.static

    @property
    def lengths(self) -> tuple[int, ...]:
        """The T at whose middle frame t it does not tell where the ends are, for all residues of T and t."""
        reach, period = max((end(o) for o in self.given.values() if o is not None), default=0), self.period
        middle = max(self.found.first + period + 2 * (self.template.lag + reach) + 2, FEWEST)
        return tuple(range(2 * middle - 1, 2 * middle - 1 + (period if period == 1 else 2 * period)))

    @property
    def period(self) -> int:
        """What T and t count modulo: of the proof, of the strides of windows, and of the residues kept."""
        read = (
            parent.offsets
            for family in (*self.template.families, *self.template.numbered)
            for parent in family.parents
        )
        strides = (lcm(len(one.past), len(one.future)) for one in read if one is not None)
        return lcm(self.found.period, stride(self.template), *strides)

    def spare(self, frames: int, at: int | None) -> Sets:
        """Return what the windows hold at frame `at` of `frames` without need."""
        network, at = Finite(self.template, frames), frames if at == LAST else at
        exact = self._exact(network, at)
        given, absolute = self._evidence(frames)
        allowed = network.places((*(Parent(n, o) for n, o in given.items()), *absolute), at)
        read = network.places(self.conditional.parents, at)
        return {name: read[name] & allowed[name] & ~exact[name] for name in self.template.names}

    def wanting(self, frames: int, at: int, inside: Conditional) -> bool:
        """Whether frame `at` of `frames` needs what the windows of another conditional do not hold."""
        network = Finite(self.template, frames)
        exact, read = self._exact(network, at), network.places(inside.parents, at)
        return any(exact[name] & ~read[name] for name in self.template.names)

    def _exact(self, network: Finite, at: int | None) -> Sets:
        return network.minimal(Node(self.conditional.target, at), *self._evidence(network.frames))

    def _evidence(self, frames: int) -> tuple[Mapping[str, Offsets | None], tuple[Parent, ...]]:
        return self.alone if frames == 1 and self.alone is not None else (self.given, self.absolute)
