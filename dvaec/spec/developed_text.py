"""The developed form of a spec as the page writes it: the blocks `states`, `features` and `networks`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dvaec.spec.blocks import (
    Attention,
    Block,
    Combiner,
    Convolution,
    Custom,
    Dense,
    Feature,
    GatedTransition,
    Head,
    Identity,
    ImageDecoder,
    ImageEncoder,
    Layer,
    LinearMixture,
    Link,
    Output,
    Scan,
    SharedVariance,
    State,
)
from dvaec.spec.model import Spec
from dvaec.spec.notation import Window, frame_word, parent, subscript
from dvaec.spec.offsets import ALL
from dvaec.spec.variables import Direction, Parent

Said = list[tuple[str, str]]  # keys with their values


def developed_text(spec: Spec) -> str:
    """Return the blocks of YAML that give `spec` its states, features and networks; empty ones are left out.

    On the page whose developed form it is they mean what is in `spec`.
    """
    printer = _printer(spec)
    blocks = (
        ("states", [(f"{s.name}_t", printer.state(s)) for s in spec.states]),
        ("features", [(f"{f.name}_t", printer.feature(f)) for f in spec.features]),
        ("networks", [(head_key(spec, h), _printer(spec, h.frame).head(h)) for h in spec.heads]),
    )
    texts = []
    for name, entries in blocks:
        lines = [f"  {key}: {_flow(said)}" for key, said in entries if said]
        if lines:
            texts.append("\n".join([f"{name}:", *lines]))
    return "\n\n".join(texts)


def entry_text(spec: Spec, entry: State | Feature | Head) -> str:
    """Return what a page says of one state, feature or head; {} of a head that reads and says nothing."""
    printer = _printer(spec)
    match entry:
        case State():
            return _flow(printer.state(entry))
        case Feature():
            return _flow(printer.feature(entry))
        case Head():
            return _flow(_printer(spec, entry.frame).head(entry))


def _printer(spec: Spec, frame: int | None = None) -> _Printer:
    return _Printer(frozenset(spec.zero), frame)


def head_key(spec: Spec, head: Head) -> str:
    """Return a head as the page names it: p(z_t), q(v), p(z_0)."""
    subscript = "_t" if head.frame is None else f"_{frame_word(head.frame)}"
    return f"{head.side}({head.target}{subscript if spec.variable(head.target).framed else ''})"


def _flow(said: Said) -> str:
    return "{" + ", ".join(f"{key}: {value}" for key, value in said) + "}"


class _Printer:
    """Prints nodes; windows of a variable of `zero` that begin at its first frame begin at 0.

    Those of a numbered `frame` count frames.
    """

    def __init__(self, zero: frozenset[str], frame: int | None) -> None:
        self.zero, self.frame = zero, frame

    def state(self, state: State) -> Said:
        """Return what a page says of a state."""
        said = [("rnn", state.cell), ("units", str(state.units))]
        said += [("layers", str(state.layers))] if state.layers > 1 else []
        said += [("runs", str(state.runs))] if state.runs is not Direction.FORWARD else []
        said += [("lag", str(state.lag))] if state.lag > 1 else []
        said += [("reads", self.reads(state.reads))]
        said += [("through", _layers(state.through))] if state.through else []
        if state.start_reads:
            said.append(("starts", _flow([("reads", self.reads(state.start_reads))])))
        elif state.learned_start:
            said.append(("starts", "learned"))
        return said

    def feature(self, feature: Feature) -> Said:
        """Return what a page says of a feature."""
        return self.block(feature.block)

    def head(self, head: Head) -> Said:
        """Return what a page says of a head; nothing of one that reads and says nothing."""
        said = self.block(head.block) if head.block is not None else []
        if head.mean is not None:
            said.append(("mean", self.mean(head.mean)))
        if isinstance(head.variance, Output):
            said.append(("variance", _flow([*self.output(head.variance), *_link(head.variance)])))
        elif head.variance is not None:
            shared = isinstance(head.variance, SharedVariance)
            said.append(("variance", "shared" if shared else _number(head.variance)))
        return [*said, ("learned", "true")] if head.learned else said

    def mean(self, mean: Output) -> str:
        """Return a mean: a value itself, or a mapping."""
        if isinstance(mean.block, Identity):
            return self.reads((mean.block.of,))
        return _flow(self.output(mean))

    def output(self, output: Output) -> Said:
        """Return what a page says of one parameter."""
        if output.block is not None:
            return self.block(output.block)
        return [("layers", _layers(output.layers))]

    def block(self, block: Block) -> Said:
        """Return what a page says of a block."""
        match block:
            case Dense(reads, layers):
                return [("reads", self.reads(reads)), ("layers", _layers(layers))]
            case GatedTransition(of, reads, units):
                more = [("reads", self.reads(reads))] if reads else []
                return [*_named("gated_transition"), ("of", self.reads((of,))), *more, ("units", str(units))]
            case Combiner(of, other, units):
                both = [("of", self.reads((of,))), ("with", self.reads((other,)))]
                return [*_named("combiner"), *both, *_units(units)]
            case LinearMixture(weights, several, units):
                both = [("weights", self.reads((weights,))), ("of", self.reads(several))]
                return [*_named("linear_mixture"), *both, *_units(units)]
            case Convolution():
                return self.convolution(block)
            case Attention(several, query, units, heads):
                asked = [("query", self.reads(query))] if query else []
                sizes = [("units", str(units)), ("heads", str(heads))]
                return [*_named("attention"), ("of", self.reads(several)), *asked, *sizes]
            case ImageEncoder() | ImageDecoder():
                return self.image(block)
            case Scan(reads, cell, units, axis):
                return [
                    ("over", str(axis)),
                    ("rnn", cell),
                    ("units", str(units)),
                    ("reads", self.reads(reads)),
                ]
            case Custom(reads, path, units):
                return [("python", path), ("reads", self.reads(reads)), ("units", str(units))]
            case Identity():
                raise AssertionError("a value itself stands for a mean alone")

    def convolution(self, block: Convolution) -> Said:
        """Return what a page says of a convolution."""
        same = len(set(block.dilations)) == 1
        said = [*_named("convolution"), ("reads", self.reads(block.reads))]
        said += [("channels", _layers(block.channels)), ("kernel", str(block.kernel))]
        if not same:
            said.append(("dilation", "doubling"))
        elif block.dilations[0] > 1:
            said.append(("dilation", str(block.dilations[0])))
        return said

    def image(self, block: ImageEncoder | ImageDecoder) -> Said:
        """Return what a page says of an image's encoder or decoder."""
        encoder = isinstance(block, ImageEncoder)
        said = _named("image_encoder" if encoder else "image_decoder")
        said += [("reads", self.reads(block.reads)), ("channels", f"[{', '.join(map(str, block.channels))}]")]
        said += [("kernel", str(block.kernel)), ("stride", str(block.stride))]
        said.append(("activation", block.activation))
        return [*said, *_units(block.units)] if isinstance(block, ImageEncoder) else said

    def reads(self, reads: Iterable[Parent]) -> str:
        """Return a list of reads, in quotes where YAML needs them."""
        text = ", ".join(self._references(reads))
        return f'"{text}"' if "," in text or ":" in text else text

    def _references(self, reads: Iterable[Parent]) -> Iterator[str]:
        for one in reads:
            if self.frame is not None and one.offsets not in (None, ALL):
                yield parent(one, 0 if one.name in self.zero else 1, self.frame)
                continue
            text = _reference(one)
            yield text.replace("_<1:", "_<0:") if one.name in self.zero else text


def _reference(read: Parent) -> str:
    """Return one read as one reference: two frames apart are a window with a stride."""
    if read.offsets is not None and read.offsets.finite and len(read.offsets.members) == 2:
        first, last = read.offsets.members
        if last - first > 1:
            return f"{read.name}_<{subscript(Window(first, last, last - first))}>"
    return parent(read)


def _named(block: str) -> Said:
    return [("block", block)]


def _units(units: int | None) -> Said:
    return [] if units is None else [("units", str(units))]


def _link(output: Output) -> Said:
    return [("link", str(output.link))] if output.link is not Link.EXP else []


def _layers(layers: Iterable[Layer]) -> str:
    return f"[{', '.join(map(_layer, layers))}]"


def _layer(layer: Layer) -> str:
    norm = " norm" if layer.norm else ""
    dropout = f" dropout {_number(layer.dropout)}" if layer.dropout else ""
    return f"{layer.units} {layer.activation}{norm}{dropout}"


def _number(value: object) -> str:
    """Return a number without an exponent, which YAML would take for a word."""
    text = repr(value)
    return text if "e" not in text else f"{value:.20f}".rstrip("0")
