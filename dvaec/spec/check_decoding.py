"""Whether something observed follows from every latent, in networks that are unrolled.

x_t | z_1 reads one frame of z: what only the later frames of z are made of is then never seen. So one looks
frame by frame, in sequences that are twice as long as any lag, of some lengths in a row: with strides, what
reaches frame 1 or T may depend on T's parity. A set of frames is an integer, bit k for frame k.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dvaec.spec.codes import Code
from dvaec.spec.conditionals import Line
from dvaec.spec.context import Context
from dvaec.spec.offsets import Offsets
from dvaec.spec.subscripts import Reference

LENGTHS = 12  # tried one after another, while some latent is unseen


def check_decoding(context: Context, lines: Sequence[Line]) -> None:
    """Report the latents from no frame of which anything observed follows."""
    observed, latents = context.having("observed"), context.having("latent")
    if not observed:
        return
    unseen, given = list(latents), context.parsed.shape.T
    reach = max((p.offsets.reach for line in lines for p in line.parents if p.offsets is not None), default=0)
    for length in range(2 * reach + 4, 2 * reach + 4 + LENGTHS) if given is None else (given,):
        if unseen:
            seen = _Unrolled(context, length).seen(lines, observed)
            unseen = [name for name in unseen if not seen.get(name)]
    if len(latents) > 1 and unseen == list(latents):
        message = "no decoding path: nothing observed depends on any latent"
        hint = "let an observed variable read a latent"
        context.report.add(Code.NO_DECODING, message, context.parsed.span(("generation",)), hint)
        return
    for name in unseen:
        message = f"nothing observed depends on the latent '{name}'"
        hint = "let an observed variable read it, or leave it out"
        span = context.parsed.span(("variables", name))
        context.report.add(Code.NO_OBSERVED_DESCENDANT, message, span, hint)


@dataclass(frozen=True)
class _Unrolled:
    """The generative model at one length T."""

    context: Context
    frames: int

    def there(self, name: str) -> int:
        """The frames that a variable has; what is of the sequence stands at bit 0."""
        if not self.context.framed[name]:
            return 1
        return (2 << self.frames) - (1 if name in self.context.zero else 2)

    def seen(self, lines: Sequence[Line], observed: Iterable[str]) -> Mapping[str, int]:
        """Return, by name, the frames that something observed follows from, and those of what is observed."""
        begun = {line.target.name for line in lines if line.target.frame == "1" and self.frames == 1}
        lines = [line for line in lines if line.target.frame != "T" or line.target.name not in begun]
        found: dict[str, int] = {}
        fresh = {name: self.there(name) for name in observed}
        own = {(line.target.name, frame) for line in lines if (frame := self.only(line)) is not None}
        reads = [(line, parent, self.table(parent.offsets)) for line in lines for parent in line.parents]
        while fresh:
            for name, places in fresh.items():
                found[name] = found.get(name, 0) | places
            met: dict[str, int] = {}
            for line, parent, table in reads:
                places = self.served(line, own) & fresh.get(line.target.name, 0)
                read = self.read(line.target.name, parent, places, table) & self.there(parent.name)
                met[parent.name] = met.get(parent.name, 0) | read
            fresh = {name: more for name, places in met.items() if (more := places & ~found.get(name, 0))}
        return found

    def only(self, line: Line) -> int | None:
        """The frame of a numbered line."""
        frame = line.target.frame
        return None if frame is None else self.frames if frame == "T" else int(frame)

    def served(self, line: Line, own: Iterable[tuple[str, int]]) -> int:
        """The frames that a line speaks for."""
        frame, places = self.only(line), self.there(line.target.name)
        if frame is not None:
            return places & (1 << frame)
        if not self.context.framed[line.target.name]:
            return places
        return places & ~sum(1 << at for name, at in own if name == line.target.name) & ~1

    def table(self, offsets: Offsets | None) -> int:
        """Offsets as bits, 0 at bit T."""
        length = self.frames
        return 0 if offsets is None else sum(1 << (d + length) for d in offsets.within(-length, length))

    def read(self, target: str, parent: Reference, places: int, table: int) -> int:
        """The frames of a parent that are read at some of the target's frames."""
        if not places or not self.context.framed[parent.name]:
            return -1 if places else 0
        if parent.frame is not None:
            return 1 << (self.frames if parent.frame == "T" else min(int(parent.frame), self.frames + 1))
        if parent.offsets is None or not self.context.framed[target]:
            return -1
        found = 0
        for k in range(places.bit_length()):
            found |= table >> (self.frames - k) if places >> k & 1 else 0
        return found
