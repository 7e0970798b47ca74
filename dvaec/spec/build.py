"""Page -> parsed page: every text of notation is parsed, every name is known, nothing is judged yet."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from dvaec.diagnostics import Span
from dvaec.spec.codes import Code
from dvaec.spec.conditionals import (
    Line,
    ReadList,
    counts_frames,
    parse_conditional,
    parse_head,
    parse_layer,
    parse_reads,
)
from dvaec.spec.frames import FRAMES, label, settled
from dvaec.spec.model import Layer, Side
from dvaec.spec.names import model_name_fault, model_name_hint, name_fault, name_hint
from dvaec.spec.offsets import NOW
from dvaec.spec.page import Sound
from dvaec.spec.report import Report
from dvaec.spec.schema import PageShape
from dvaec.spec.schema_order import KEYWORDS
from dvaec.spec.shape_keys import node_at
from dvaec.spec.source import READS, Path
from dvaec.spec.subscripts import Reference
from dvaec.spec.yaml_tree import Entries, Items, Node, Scalar

READING = ("reads", "of", "with", "weights", "query")  # keys whose texts list what is read
PARAMETERS = ("mean", "variance")


@dataclass
class Parsed:
    """What the page says, parsed. `reads` and `layers` go by path; faulty pieces are absent."""

    tree: Entries
    sound: Sound
    spans: dict[Path, Span]
    generation: list[Line] = field(default_factory=list)
    inference: list[Line] = field(default_factory=list)
    states: dict[str, str] = field(default_factory=dict)  # key of the page -> name
    features: dict[str, str] = field(default_factory=dict)
    auxiliary: list[Line] = field(default_factory=list)
    heads: dict[str, tuple[Side, str]] = field(default_factory=dict)
    targets: dict[str, Reference] = field(default_factory=dict)  # of the heads, with their subscripts
    misnamed: set[str] = field(default_factory=set)  # variables whose names have a wrong form
    unreadable: set[str] = field(default_factory=set)  # blocks of conditionals with lines that do not parse
    reads: dict[Path, ReadList] = field(default_factory=dict)
    layers: dict[Path, tuple[Layer, ...]] = field(default_factory=dict)

    @property
    def shape(self) -> PageShape:
        """The page without its faulty entries."""
        return self.sound.shape

    def span(self, path: Path) -> Span:
        """Return the place of a path that exists, or of the nearest around it."""
        return next(
            (self.spans[path[:end]] for end in range(len(path), 0, -1) if path[:end] in self.spans),
            self.tree.span,
        )

    def reads_of_head(self, key: str) -> tuple[ReadList, ...]:
        """Return all that a head of the page reads, parameter by parameter too."""
        return tuple(read for path, read in self.reads.items() if path[:2] == ("networks", key))


def parse_page(tree: Entries, sound: Sound, spans: dict[Path, Span], report: Report) -> Parsed:
    """Parse all notation on the page and check the form of all names."""
    parsed = Parsed(tree, sound, spans)
    if wrong := model_name_fault(sound.shape.model):
        report.add(Code.NAME_FORM, wrong, parsed.span(("model",)), model_name_hint(sound.shape.model))
    _names(parsed, report)
    _lines(parsed, "generation", parsed.generation, report)
    _lines(parsed, "inference", parsed.inference, report)
    _lines(parsed, "auxiliary", parsed.auxiliary, report)
    zero = {line.target.name for line in parsed.generation if line.target.frame == "0"}
    for lines in (parsed.generation, parsed.inference):
        lines[:] = [replace(line, parents=_settled(line.parents, line.target, zero)) for line in lines]
    for path, node in _texts_read(parsed):
        target = parsed.targets.get(str(path[1])) if path[0] == "networks" else None
        if isinstance(node, Scalar) and (read := parse_reads(node, report, counts_frames(target))):
            parsed.reads[path] = replace(read, references=_settled(read.references, target, zero))
            _place_read(parsed, path, read)
    for path, given in _layer_lists(parsed):
        texts = [item for item in given.items if isinstance(item, Scalar)] if isinstance(given, Items) else []
        made = [parse_layer(item, report) for item in texts]
        parsed.layers[path] = tuple(layer for layer in made if layer is not None)
    return parsed


def _settled(
    references: tuple[Reference, ...], target: Reference | None, zero: Collection[str]
) -> tuple[Reference, ...]:
    """Return what is read, the windows of a numbered frame relative to it."""
    if target is None or not counts_frames(target):
        return references
    frame = FRAMES[target.frame or ""]
    return tuple(one for reference in references for one in settled(reference, frame, zero))


def _names(parsed: Parsed, report: Report) -> None:
    """Check the names that the page gives, and that each is given once."""
    given: dict[str, int] = {}
    nodes = [key for block in ("states", "features") for key in _keys(parsed.tree, block)]
    known = {key.text.removesuffix("_t") for key in (*_keys(parsed.tree, "variables"), *nodes)}

    def name(text: str, key: Scalar) -> None:
        if wrong := name_fault(text):
            reserved, message = wrong
            hint = name_hint(text, known, key.text[len(text) :])
            report.add(Code.NAME_RESERVED if reserved else Code.NAME_FORM, message, key.span, hint)
            if not reserved:
                parsed.misnamed.add(text)
        if text in given:
            message = f"the name '{text}' is used twice; it stands already in line {given[text]}"
            report.add(Code.NAME_TWICE, message, key.span)
        given.setdefault(text, key.span.line)

    for key in _keys(parsed.tree, "variables"):
        name(key.text, key)
    for block, names in (("states", parsed.states), ("features", parsed.features)):
        for key in _keys(parsed.tree, block):
            stem = key.text.removesuffix("_t")
            if stem == key.text:
                hint = f"did you mean {stem.split('_')[0]}_t?"
                message = f"a name in '{block}' carries its subscript _t"
                report.add(Code.NAME_FORM, message, key.span, hint)
            names[key.text] = stem
            if stem != key.text or "_" not in stem:
                name(stem, key)
    for key in _keys(parsed.tree, "networks"):
        if head := parse_head(key, report):
            parsed.heads[key.text] = _head(key, head, parsed, report)


def _head(key: Scalar, head: tuple[Side, Reference], parsed: Parsed, report: Report) -> tuple[Side, str]:
    """Check the subscript of a head's target and that the head is given once."""
    side, target = head
    end = "" if target.bare else f"_{target.frame or 't'}"
    shown = f"{side}({target.name}{end})"
    if target.offsets is not None and target.offsets != NOW:
        hint = f"did you mean {side}({target.name}_t)?"
        report.add(Code.HEAD_NAME, "the network of a conditional is named at frame t", key.span, hint)
    for other, its in parsed.targets.items():
        if parsed.heads[other] == (side, target.name) and its.frame == target.frame:
            report.add(Code.NAME_TWICE, f"the network of {shown} is given twice", key.span)
    parsed.targets[key.text] = target
    # Other rooms know a network by its plain name, however the page spaces it.
    for path in [path for path in parsed.spans if path[:2] == ("networks", key.text)]:
        parsed.spans.setdefault(("networks", shown, *path[2:]), parsed.spans[path])
    return side, target.name


def _place_read(parsed: Parsed, path: Path, read: ReadList) -> None:
    """Place what a network reads one by one, under the network's name as it is written and as it is known."""
    block, key = path[:2]
    named = {key: None}
    if block == "networks" and str(key) in parsed.targets:
        target, side = parsed.targets[str(key)], parsed.heads[str(key)][0]
        end = "" if target.bare else f"_{target.frame or 't'}"
        named[f"{side}({target.name}{end})"] = None
    for one in read.references:
        text = read.scalar.text[one.start : one.stop]
        for name in named:
            parsed.spans.setdefault(
                (block, name, READS, one.name, text), read.scalar.part(one.start, one.stop)
            )


def _keys(tree: Entries, block: str) -> list[Scalar]:
    node = tree.get(block)
    return [key for key, _ in node.entries] if isinstance(node, Entries) else []


def _lines(parsed: Parsed, key: str, lines: list[Line], report: Report) -> None:
    """Parse a list of conditionals and place what it holds."""
    node: Node | None = parsed.tree.get(key)
    items = getattr(node, "items", ())
    if key == "inference" and isinstance(node, Items):
        items = _after_keyword(items, report)
    for item in items:
        line = None
        if isinstance(item, Scalar) and isinstance(item.value(), str):  # else its shape is reported
            line = parse_conditional(item, report, predicts=key == "auxiliary")
        if line is None:
            parsed.unreadable.add(key)
            continue
        assert isinstance(item, Scalar)
        lines.append(line)
        target = label(line)
        parsed.spans.setdefault((key, target), item.span)
        for parent in line.parents:
            place = item.part(parent.start, parent.stop)
            parsed.spans.setdefault((key, target, parent.name), place)
            parsed.spans.setdefault(
                (key, target, READS, parent.name, item.text[parent.start : parent.stop]), place
            )


def _after_keyword(items: tuple[Node, ...], report: Report) -> list[Node]:
    """Return the conditionals of a list under `inference`; a keyword may stand before them."""
    rest: list[Node] = []
    for place, item in enumerate(items):
        if not (isinstance(item, Entries) or (isinstance(item, Scalar) and item.text.strip() in KEYWORDS)):
            rest.append(item)
        elif place > 0 and isinstance(item, Scalar):
            message = f"'{item.text.strip()}' stands before the conditionals, if anywhere"
            hint = "it speaks for the latents that they do not name"
            report.add(Code.KEYWORD_PLACE, message, item.span, hint)
        elif place > 0:
            message = "how q looks ahead stands before the conditionals, if anywhere"
            report.add(Code.KEYWORD_PLACE, message, item.span)
    return rest


def _texts_read(parsed: Parsed) -> list[tuple[Path, Node]]:
    """Return the texts that list references, with their paths."""
    paths: list[Path] = []
    for block in ("states", "features", "networks"):
        for key in _keys(parsed.tree, block):
            paths += [(block, key.text, name) for name in READING]
            paths += [(block, key.text, "starts", "reads")] if block == "states" else []
            for part in PARAMETERS if block == "networks" else ():
                paths += [(block, key.text, part, name) for name in (*READING, "by")]
                if part == "mean" and isinstance(node_at(parsed.tree, (block, key.text, part)), Scalar):
                    paths.append((block, key.text, part))
    found = ((path, node_at(parsed.tree, path)) for path in paths if path not in parsed.sound.faulty)
    return [
        (path, node) for path, node in found if isinstance(node, Scalar) and isinstance(node.value(), str)
    ]


def _layer_lists(parsed: Parsed) -> list[tuple[Path, Node | None]]:
    """Return the lists of layers, with their paths; None where the page gives none."""
    paths: list[Path] = []
    paths.extend(("states", key, "through") for key in parsed.states)
    mappings: list[Path] = [("features", key) for key in parsed.features]
    for key in parsed.heads:
        mappings += [("networks", key), *(("networks", key, part) for part in PARAMETERS)]
    paths += [(*path, "layers") for path in mappings]
    for path in mappings:
        named = node_at(parsed.tree, (*path, "block"))
        if isinstance(named, Scalar) and named.text == "convolution":
            paths.append((*path, "channels"))
    return [(path, node_at(parsed.tree, path)) for path in paths if path not in parsed.sound.faulty]
