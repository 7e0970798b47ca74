"""The template network: a spec's conditionals as families that every frame repeats.

A *family* is a child with its parents, the hyperedge that moralisation turns into a clique. Recurrent
states are not in it: the conditionals speak of random variables only, so the states are substituted away
from the start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dvaec.spec.first_lines import turned
from dvaec.spec.model import LAST, Conditional, Parent, Spec, Sweep
from dvaec.spec.offsets import ALL, NONE, NOW, Offsets, from_predicate, of, window


@dataclass(frozen=True)
class Template:
    """Names in declaration order, the generative families, and q's chain-rule order.

    `families` serve every frame (a sequence-level child has one); `numbered` ones replace them at frame 0, 1
    or T.
    """

    names: tuple[str, ...]
    order: tuple[Sweep, ...]
    static: tuple[str, ...]  # sequence-level names
    zero: tuple[str, ...]  # names that have a frame 0
    families: tuple[Conditional, ...]
    numbered: tuple[Conditional, ...] = ()
    begun: tuple[str, ...] = ()

    @property
    def latents(self) -> tuple[str, ...]:
        """The latents, sweep after sweep, within a frame as a sweep lists them."""
        return tuple(name for sweep in self.order for name in sweep.latents)

    @property
    def alone(self) -> tuple[tuple[str, int], ...]:
        """The order in which q draws where T is 1, if it is one of its own; 0 at sequence level."""
        return next((sweep.alone for sweep in self.order if sweep.alone), ())

    @property
    def lag(self) -> int:
        """The largest |offset| at which a window of some family ends."""
        families = (*self.families, *self.numbered)
        return max((end(p.offsets) for c in families for p in c.parents if p.offsets is not None), default=0)

    def first(self, name: str) -> int:
        """Return the first frame of a frame-level name."""
        return 0 if name in self.zero else 1

    def family(self, child: str, frame: int | None = None, frames: int | None = None) -> Conditional | None:
        """Return the family of one child (at one frame of 1..`frames`); inputs have none."""
        near = (frame, LAST) if frame is not None and frame == frames else (frame,)
        own = (f for at in near for f in self.numbered if f.target == child and f.frame == at)
        return next(own, next((f for f in self.families if f.target == child), None))

    def own_frames(self, child: str) -> tuple[int, ...]:
        """Return the frames of a child's numbered families: 0, 1, LAST."""
        return tuple(f.frame for f in self.numbered if f.target == child and f.frame is not None)

    def sort(self, parents: Mapping[str, Offsets | None]) -> tuple[Parent, ...]:
        """Return the non-empty windows as parents, in declaration order."""
        found = ((name, parents[name]) for name in self.names if name in parents)
        return tuple(Parent(name, offsets) for name, offsets in found if offsets is None or offsets)


def template_of(spec: Spec) -> Template:
    """Return the template network of a spec."""
    return Template(
        names=tuple(v.name for v in spec.variables),
        order=spec.order,
        static=tuple(v.name for v in spec.variables if not v.framed),
        zero=spec.zero,
        families=spec.generation,
        numbered=spec.numbered,
        begun=tuple(n for n in spec.latents if spec.tells(n, 1) or (n, 1) in turned_ends(spec) or spec.alone),
    )


def turned_ends(spec: Spec) -> list[tuple[str, int]]:
    """Return the frames 1 and T of latents that q draws in another order there, and tells nothing of.

    What is derived of such a latent is another at that frame.
    """
    own = {(name, at) for name in spec.latents for at in (1, LAST) if spec.tells(name, at)}
    return [(name, at) for at in (1, LAST) for _, name in turned(spec.order, own, at)]


def evidence(
    template: Template, target: str, delay: int | None = None, latents: bool = True, frame: int | None = None
) -> dict[str, Offsets | None]:
    """Return E, what comes before `target` in the chain rule, as windows relative to its frame t.

    The observed variables and the inputs of every frame, or of the frames up to t + `delay`. The latents of
    earlier sweeps at every frame, and of the target's own sweep those of earlier frames (later ones if it
    runs backward) and within frame t those listed before it; no latents where `latents` is False. Later
    sweeps have NONE. Sequence-level names have None, and are left out where they are not in E. A
    sequence-level target has whole windows. `frame` is that of the target, where it is known: frames 0, 1 and
    T may have an order of their own.
    """
    seen = ALL if delay is None else window(None, delay)
    rank = {name: k for k, sweep in enumerate(template.order) for name in sweep.latents}
    here = drawn_in(template, target, frame)
    given: dict[str, Offsets | None] = {}
    for name in template.names:
        if name not in rank:
            given[name] = None if name in template.static else seen
        elif name in template.static:
            if latents and rank[name] < here:
                given[name] = None
        elif not latents or rank[name] > here:
            given[name] = NONE
        else:
            given[name] = ALL if rank[name] < here else template.order[here].before(name, target, frame)
    if frame is None or not latents:
        return given
    for name, at in early_frames(template, target, frame):
        if (at == LAST) == (frame == LAST):
            given[name] = (given[name] or NONE) | (NOW if at == LAST else of(at - frame))
    return given


def where_t_is_1(
    template: Template, target: str, frame: int | None, given: Mapping[str, Offsets | None]
) -> tuple[dict[str, Offsets | None], tuple[Parent, ...]]:
    """Return E of a latent where T is 1, if the order is its own there: windows, and frames of latents.

    Of all but the latents it is what is `given` to it.
    """
    before = template.alone[: template.alone.index((target, frame or 0))]
    found = {name: offsets for name, offsets in given.items() if name not in template.latents}
    found |= {name: None for name, _ in before if name in template.static}
    return found, tuple(Parent(name, None, at) for name, at in before if name not in template.static)


def drawn_in(template: Template, target: str, frame: int | None) -> int:
    """Return the place in the order of the sweep that draws a latent (at its frame 0, 1 or LAST)."""
    early = (k for k, one in enumerate(template.order) if not one.latents and (target, frame) in one.first)
    usual = next(k for k, sweep in enumerate(template.order) if target in sweep.latents)
    return next(early, usual)


def early_frames(template: Template, target: str, frame: int | None) -> tuple[tuple[str, int], ...]:
    """Return the frames 0, 1 and LAST that are drawn before `target`, and before their own latent's sweep.

    These are in E, too, which `evidence` says for a target near them alone. What an earlier sweep has drawn
    since is left out.
    """
    here, found = drawn_in(template, target, frame), list[tuple[str, int]]()
    for k, sweep in enumerate(template.order):
        if sweep.latents or k > here:
            continue
        some = sweep.first[: sweep.first.index((target, frame or 0))] if k == here else sweep.first
        found += [(name, at) for name, at in some if drawn_in(template, name, None) >= here]
    return tuple(found)


def singles(template: Template, target: str, frame: int | None, latents: bool = True) -> tuple[Parent, ...]:
    """Return what `evidence` cannot say of E as windows: single frames drawn before their latent's sweep.

    Those of its own latents that a sweep comes to first are in their windows.
    """
    if not latents:
        return ()
    sweep = template.order[drawn_in(template, target, frame)]
    found = []
    for name, at in early_frames(template, target, frame):
        near = frame in ((LAST,) if at == LAST else (0, 1))
        past = name in sweep.latents and frame is None and sweep.backward == (at == LAST)
        if not near and not past:
            found.append(Parent(name, None, at))
    return tuple(found)


def spoken(template: Template, name: str, frame: int | None, frames: int) -> int | None:
    """Return LAST for frame T of a latent where its order is its own, and any other frame as it is.

    It is that of a sweep that begins with frame T, if some of this has been drawn ahead.
    """
    ahead = {key for sweep in template.order if not sweep.latents for key in sweep.first}
    sweep = next(sweep for sweep in template.order if name in sweep.latents)
    begun = sweep.backward and any((mate, LAST) in ahead for mate in sweep.latents)
    own = begun or name in sweep.last or (name, LAST) in ahead
    return LAST if frame == frames and own and not (frame == 1 and name in template.begun) else frame


def drawn_at(template: Template, name: str, target: str, frame: int | None = None) -> bool:
    """Whether `name` is there at the target's own frame: a latent of its sweep is if it is listed before.

    So is a single `frame` of another that is drawn ahead of it.
    """
    if name != target and (name, frame) in early_frames(template, target, None):
        return True
    sweep = next((one for one in template.order if target in one.latents), None)
    return sweep is None or name not in sweep.latents or 0 in sweep.before(name, target)


def end(offsets: Offsets) -> int:
    """Return the largest |offset| at which the set stops following its periodic continuation."""
    if not offsets:
        return 0
    if offsets.finite:
        return max(abs(d) for d in offsets.members)
    return max(abs(offsets.low), abs(offsets.high)) + max(len(offsets.past), len(offsets.future)) - 1


def reflect(offsets: Offsets) -> Offsets:
    """Return {-d : d in offsets}: from a child's view of its parent to the parent's view of its child."""
    if not offsets:
        return NONE
    if offsets.finite:
        return of(*(-d for d in offsets.members))
    period = len(offsets.past) * len(offsets.future)
    return from_predicate(1 - offsets.high, 1 - offsets.low, period, lambda d: -d in offsets)
