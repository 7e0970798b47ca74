"""What the exact posterior, and q, have a factor of, in chain-rule order.

A frame-level latent has one factor for all frames t, and one of frame 0 where it has that frame. Frame 1
has a factor of its own where the page gives q a conditional or a network there; and where q is derived, if
it needs more than the later frames do. Where p tells frame 1 from the others, as x_t | z_t, z_1 does, the
windows of every t >= 1 hold at each t what only z_1 needs. Parted, those of t >= 2 hold less.

"""

from __future__ import annotations

from dataclasses import dataclass

from dvaec.derive.beyond import beyond
from dvaec.derive.evidence import Given, ever_there, restricted
from dvaec.derive.model import Key
from dvaec.network.cases import first_is_told
from dvaec.network.template import Template, evidence, template_of
from dvaec.network.windows import stationary_windows
from dvaec.spec.model import Conditional, InferenceKind, Side, Spec


def chain(spec: Spec) -> tuple[Key, ...]:
    """Return what q has a conditional of, (name, frame), in chain-rule order.

    Frame None stands for a sequence-level latent, and for all the frames t that have no conditional of their
    own: these come after the numbered ones in a forward sweep, before them in a backward one.
    """
    template = template_of(spec)
    own = [(name, 0) for name in template.zero]
    own += [(name, 1) for name in spec.latents if _told_at_1(spec, name) or _parted(spec, template, name)]
    found: list[Key] = []
    for sweep in spec.order:
        every: list[Key] = [(name, None) for name in sweep.latents]
        near = sweep.first or [(n, f) for f in ((1, 0) if sweep.backward else (0, 1)) for n in sweep.latents]
        numbered: list[Key] = [key for key in near if key in own]
        found += (*every, *numbered) if sweep.backward else (*numbered, *every)
    return tuple(found)


def _told_at_1(spec: Spec, name: str) -> bool:
    """Whether the page gives q a conditional or a network of its own at frame 1."""
    own = any(c.target == name and c.frame == 1 for c in spec.inference.numbered)
    return own or spec.head(Side.Q, name, 1) is not None


def _parted(spec: Spec, template: Template, name: str) -> bool:
    """Whether a derived q has a factor of its own at frame 1: the others then need less.

    This is asked of the exact posterior and of what a word of inference leaves q; one gain is enough.
    """
    told = spec.inference.kind in (InferenceKind.CONDITIONALS, InferenceKind.NETWORKS)
    if told or any(c.target == name for c in spec.inference.conditionals):
        return False
    if name in template.static or spec.frames == 1 or not first_is_told(template):
        return False
    if any(name in sweep.latents and sweep.first for sweep in spec.order):
        return False  # the page gives the lines of frame 1 where their order is their own
    words = restricted(template, spec.inference, name)
    exact = _Parting(spec, template, name, evidence(template, name))
    both = [exact] if words is None else [exact, _Parting(spec, template, name, words)]
    return any(one.gains for one in both)


@dataclass(frozen=True)
class _Parting:
    """The windows of one latent with and without frame 1, given E."""

    spec: Spec
    template: Template
    name: str
    given: Given

    @property
    def gains(self) -> bool:
        """Whether those of t >= 1 read what those of t >= 2 do not, where a t >= 2 has it."""
        both = (stationary_windows(self.template, self.name, self.given, start) for start in (1, 2))
        whole, later = (Conditional(self.name, windows.parents) for windows in both)
        rest = beyond(whole, later)
        return any(ever_there(self.spec, self.template, parent, 2) for parent in rest)
