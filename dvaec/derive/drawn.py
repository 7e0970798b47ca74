"""What q has drawn when it draws a latent: by the chain rule, the latents that its conditional may read."""

from __future__ import annotations

from dvaec.network.template import drawn_in, early_frames, template_of
from dvaec.spec.frames import at_last
from dvaec.spec.model import LAST, Conditional, Parent, Spec, Sweep
from dvaec.spec.offsets import ALL


def drawn_before(spec: Spec, target: str, frame: int | None) -> Conditional:
    """Return all that q may read of the latents when it draws the target, and of all else every frame.

    Latents of earlier sweeps wholly; of the target's own sweep the frames before t (behind t, where it runs
    backward), and at t those listed before it; by its number the frame drawn first, which counts from there.
    """
    template = template_of(spec)
    found = [Parent(name, None, at) for name, at in early_frames(template, target, frame)]
    mine = drawn_in(template, target, frame)
    for variable in spec.variables:
        k = next((k for k, sweep in enumerate(spec.order) if variable.name in sweep.latents), -1)
        if not variable.framed:
            found += [Parent(variable.name, None)] * (k < mine)
        elif k < mine:
            found.append(Parent(variable.name, ALL))
        elif k == mine:
            found += _of_own_sweep(spec.order[k], variable.name, target, frame)
    return Conditional(target, tuple(found), frame)


def _of_own_sweep(sweep: Sweep, name: str, target: str, frame: int | None) -> list[Parent]:
    if frame is None:
        return [Parent(name, sweep.before(name, target)), Parent(name, None, LAST if sweep.backward else 1)]
    if frame == LAST:  # one that reads z_1 reads it where T > 1
        found = [Parent(name, None, one) for one in (0, 1) if not sweep.backward]
        return [*at_last(name, sweep.before(name, target, LAST)), *found]
    before = sweep.before(name, target, frame)
    last = [Parent(name, None, LAST)] * sweep.backward  # where T is 1, a line of z_1 reads nothing of it
    return [*([Parent(name, before)] if before else []), *last]
