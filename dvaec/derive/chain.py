"""What the exact posterior, and q, have a factor of, in chain-rule order.

A frame-level latent has one factor for all frames t, and one of frame 0 where it has that frame. Frame 1
has a factor of its own where the page gives q a conditional or a network there; and in the exact posterior,
and where q is derived from it, if it needs more than the later frames do. Where p tells frame 1 from the
others, as x_t | z_t, z_1 does, the windows of every t >= 1 hold at each t what only z_1 needs. Parted, those
of t >= 2 hold less. Frame T likewise: in a backward sweep, where it comes first, it may need what the others
need no more.

The factors of frames 1 and T can name any frames that they need.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from dvaec.derive.beyond import beyond
from dvaec.derive.evidence import Given, ever_there, restricted
from dvaec.derive.model import Key
from dvaec.network.cases import end_is_told
from dvaec.network.template import Template, evidence, template_of, turned_ends
from dvaec.network.windows import stationary_windows
from dvaec.spec.model import LAST, Conditional, InferenceKind, Parent, Side, Spec, reads_of_head


def chain(spec: Spec) -> tuple[Key, ...]:
    """Return what the exact posterior has a factor of, (name, frame), in chain-rule order.

    Frame None stands for a sequence-level latent, and for all the frames t that have no conditional of their
    own: these come after those of frames 0 and 1 in a forward sweep, before them in a backward one, and after
    that of frame T there.
    """
    template = template_of(spec)
    own = [(name, 0) for name in template.zero]
    own += spec.early
    for name in spec.latents:
        given = _partings(spec, template, name)
        own += [(name, at) for at in (1, LAST) if spec.tells(name, at) or _parted(given, at)]
    own += turned_ends(spec)
    found: list[Key] = []
    for sweep in spec.order:
        if not sweep.latents:
            found += sweep.first
            continue
        early = any((name, 1) in spec.early for name in sweep.latents)
        if early or (spec.alone and sweep.latents[0] not in template.static):  # there, another may need more
            own += [(name, 1) for name in sweep.latents]
        if sweep.backward and any((name, LAST) in spec.early for name in sweep.latents):  # so it is at T
            own += [(name, LAST) for name in sweep.latents]
        every: list[Key] = [(name, None) for name in sweep.latents]
        near = sweep.first or [(n, f) for f in ((1, 0) if sweep.backward else (0, 1)) for n in sweep.latents]
        numbered: list[Key] = [key for key in near if key in own and key not in spec.early]
        last: list[Key] = [(name, LAST) for name in sweep.last or sweep.latents if (name, LAST) in own]
        last = [key for key in last if key not in spec.early]
        found += (*last, *every, *numbered) if sweep.backward else (*numbered, *every, *last)
    return tuple(found)


def chain_of_q(spec: Spec, keys: Iterable[Key]) -> tuple[Key, ...]:
    """Return what q has a conditional of, among what the exact posterior has a factor of.

    Where the page gives q a conditional or a network of every frame, that serves frames 1 and T, too.
    """
    return tuple(
        (name, frame)
        for name, frame in keys
        if frame in (None, 0) or spec.tells(name, frame) or not _told(spec, name)
    )


def _told(spec: Spec, name: str) -> bool:
    """Whether the page says what q reads at frame t, by a conditional or by a network."""
    networks = spec.inference.kind is InferenceKind.NETWORKS and seen_by_network(spec, name) is not None
    return networks or any(c.target == name for c in spec.inference.conditionals)


def seen_by_network(spec: Spec, name: str, frame: int | None = None) -> tuple[Parent, ...] | None:
    """Return what the page lets the network of one factor of q read; None where that is not said."""
    head = spec.head(Side.Q, name, frame)
    reads = () if head is None else reads_of_head(head)
    return reads if head is not None and (reads or head.block is not None) else None


def _partings(spec: Spec, template: Template, name: str) -> tuple[_Parting, ...]:
    """What is asked of a latent: of the exact posterior, and of what a word of inference leaves q."""
    if name in template.static or spec.frames == 1:
        return ()
    words = None if _told(spec, name) else restricted(template, spec.inference, name)
    given = (evidence(template, name), *(() if words is None else (words,)))
    return tuple(_Parting(spec, template, name, one) for one in given)


def _parted(partings: Sequence[_Parting], frame: int) -> bool:
    """Whether there is a factor of its own at frame 1 or T: the others then need less; one gain is enough."""
    return any(one.gains(frame) for one in partings)


@dataclass(frozen=True)
class _Parting:
    """The windows of one latent with and without frame 1 or T, given E."""

    spec: Spec
    template: Template
    name: str
    given: Given

    @cached_property
    def whole(self) -> Conditional:
        """The windows of every t of 1..T."""
        return Conditional(self.name, stationary_windows(self.template, self.name, self.given).parents)

    def gains(self, frame: int) -> bool:
        """Whether those of every t read what those of the others do not, where one of the others has it."""
        if not end_is_told(self.template, frame):
            return False
        if frame == 1 and any(self.name in sweep.latents and sweep.first for sweep in self.spec.order):
            return False  # the page gives the lines of frame 1 where their order is their own
        if (self.name, LAST) in self.spec.early or any(self.name in sweep.last for sweep in self.spec.order):
            return False  # where T = 1, the frame has its own order, too
        others = (1, 1) if frame == LAST else (2, 0)
        rest = stationary_windows(self.template, self.name, self.given, others).parents
        more = beyond(self.whole, Conditional(self.name, rest))
        return any(ever_there(self.spec, self.template, parent, others) for parent in more)
