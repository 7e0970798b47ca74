"""The grammar of lines: conditionals `z_t | z_<t-1>, u_t`, lists of reads, names of heads, layers."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from dvaec.diagnostics import did_you_mean
from dvaec.spec.codes import Code
from dvaec.spec.model import Layer, Side
from dvaec.spec.notation_hints import head_meant
from dvaec.spec.report import Report
from dvaec.spec.shape_synonyms import SYNONYMS
from dvaec.spec.subscripts import Reference, parse_reference
from dvaec.spec.tokens import NotationError
from dvaec.spec.yaml_tree import Scalar

ACTIVATIONS = (
    "tanh", "relu", "sigmoid", "softplus", "elu", "gelu", "silu", "leaky_relu", "mish", "selu", "softsign",
    "hardtanh", "softmax", "exp", "linear",
)  # fmt: skip
MOST_UNITS = 65536
MOST_READ = 256
_LAYER = re.compile(r"\s*(?:([0-9]+)(?:\s+(\S+))?(?:\s+(\S.*?))?|(\S+)\s+[0-9]+)\s*\Z")
LEAST_DROPPED, MOST_DROPPED = 0.001, 0.99
_DROPOUT = re.compile(r"[0-9]*\.?[0-9]+([eE][-+]?[0-9]{1,2})?\Z")
_NEXT_ITEM = re.compile(r"\s- [A-Za-z][A-Za-z0-9]*_")
_BETWEEN = re.compile(
    r"(?<=[\w>}])\s*([,;:~]|<-|->|=)\s*[A-Za-z]\w*_[t<{0-9]"
)  # after the target, no part of it
_BRACKETED = re.compile(r"\s*[\[(]\s*([^\s|,]+)\s*,\s*([^|]+?)\s*[\])]\s*\Z")  # [z_t, z_<t-1>]
_WRAPPED = re.compile(r"\s*[pq]\s*\((.*)\)\s*\Z")
_HEAD = re.compile(r"\s*([A-Za-z]\w*)\s*\((.*)\)\s*\Z")


@dataclass(frozen=True)
class Line:
    """A conditional as written: references, still without knowledge of what they name."""

    target: Reference
    parents: tuple[Reference, ...]
    scalar: Scalar


@dataclass(frozen=True)
class ReadList:
    """What a state, feature or head reads, in the page's order."""

    references: tuple[Reference, ...]
    scalar: Scalar


def written(line: Line) -> str:
    """Return the target as the page writes it: z_t, z_0, v."""
    return line.scalar.text[line.target.start : line.target.stop]


def parse_conditional(scalar: Scalar, report: Report, *, predicts: bool = False) -> Line | None:
    """Parse `target` or `target | parent, ...`; every faulty piece is reported, None if any is.

    A line that `predicts` (of `auxiliary`) has parents.
    """
    text = scalar.text
    if "\n" in text:
        report.add(Code.NOTATION, "a conditional stands on one line", scalar.span)
        return None
    if scalar.runs_on and _NEXT_ITEM.search(text):
        report.add(
            Code.NOTATION,
            "this conditional runs on: the line below is indented deeper, so that its dash begins no entry",
            scalar.span,
            "begin all entries of a list in the same column",
        )
        return None
    if wrapped := _WRAPPED.match(text):
        alone = f"write the conditional alone: {wrapped.group(1)}"
        if "(" in wrapped.group(1):
            alone = "write each conditional alone, on a line of its own"
        report.add(Code.NOTATION, "a conditional is written without p( ) or q( )", scalar.span, alone)
        return None
    if (bracketed := _BRACKETED.match(text)) is not None:
        hint = f"parents stand behind '|': {bracketed[1]} | {bracketed[2]}"
        report.add(Code.NOTATION, "a conditional stands without brackets", scalar.span, hint)
        return None
    bar = text.find("|")
    head_stop = len(text) if bar < 0 else bar
    if sign := _BETWEEN.search(text, 0, head_stop):
        several = sign.group(1) == ","
        message = (
            "a conditional is of one variable"
            if several
            else f"parents stand behind '|', not '{sign.group(1)}'"
        )
        hint = "write a conditional for each on a line of its own" if several else "for example z_t | z_<t-1>"
        report.add(Code.NOTATION, message, scalar.part(sign.start(1), sign.end(1)), hint)
        return None
    target = _piece(scalar, 0, head_stop, report)
    parents: tuple[Reference, ...] | None = ()
    if bar >= 0:
        if not text[bar + 1 :].strip():
            named = text[:bar].strip()
            hint = (
                f"say what predicts it: {named} | z_t" if predicts else f"without parents write just {named}"
            )
            report.add(Code.NOTATION, "nothing stands after '|'", scalar.part(bar, bar + 1), hint)
            return None
        parents = _pieces(scalar, bar + 1, report, counts_frames(target))
    if target is None or parents is None:
        return None
    return Line(target, parents, scalar)


def counts_frames(target: Reference | None) -> str | None:
    """Return the number of a target, "0", "1" or "T", if it has one: there windows may count frames."""
    return target.frame if target is not None and target.frame in ("0", "1", "T") else None


def parse_reads(scalar: Scalar, report: Report, counting: str | None = None) -> ReadList | None:
    """Parse a list of references; every faulty piece is reported, None if any is.

    `counting` is the number of the frame that reads them, if it has one.
    """
    if not scalar.text.strip() or "\n" in scalar.text:
        report.add(Code.NOTATION, 'expected what is read, such as "z_<t-1>, h_t"', scalar.span)
        return None
    pieces = _pieces(scalar, 0, report, counting)
    return None if pieces is None else ReadList(pieces, scalar)


def _pieces(scalar: Scalar, start: int, report: Report, counting: str | None) -> tuple[Reference, ...] | None:
    """Parse what commas separate from `start` on."""
    found: list[Reference | None] = []
    if scalar.text.count(",") >= MOST_READ:
        report.add(Code.TOO_MANY, f"more than {MOST_READ} things are read", scalar.span)
        return None
    while True:
        comma = _comma(scalar.text, start)
        stop = len(scalar.text) if comma < 0 else comma
        found.append(_piece(scalar, start, stop, report, counting))
        if comma < 0:
            break
        start = comma + 1
    complete = tuple(r for r in found if r is not None)
    return complete if len(complete) == len(found) else None


def _comma(text: str, start: int) -> int:
    """Return where the next comma between references is; one within brackets (x_<t-2,t>) is no such comma."""
    comma = text.find(",", start)
    while comma >= 0:
        after = text[comma + 1 :].split(",", 1)[0]
        if "_" in after or after.rstrip()[-1:] not in (">", "}"):
            return comma
        comma = text.find(",", comma + 1)
    return comma


def _piece(
    scalar: Scalar, start: int, stop: int, report: Report, counting: str | None = None
) -> Reference | None:
    try:
        return parse_reference(scalar.text, start, stop, counting)
    except NotationError as error:
        report.add(error.code, error.message, scalar.part(error.start, error.stop), error.hint)
        return None


def parse_head(key: Scalar, report: Report) -> tuple[Side, Reference] | None:
    """Parse `p(z_t)` or `q(z_t)`, the key of a head."""
    match = _HEAD.match(key.text)
    if not match or match.group(1) not in ("p", "q"):
        hint = head_meant(key.text) or "the networks are named p(x_t), q(z_t)"
        report.add(Code.HEAD_NAME, f"'{key.text[:40]}' names no conditional", key.span, hint)
        return None
    if "|" in match.group(2):
        hint = f"did you mean {match.group(1)}({match.group(2).split('|')[0].strip()})?"
        report.add(Code.HEAD_NAME, "a network is named without what it reads", key.span, hint)
        return None
    reference = _piece(key, match.start(2), match.end(2), report)
    return None if reference is None else (Side(match.group(1)), reference)


def parse_layer(scalar: Scalar, report: Report) -> Layer | None:
    """Parse a layer: units, the activation, then `norm` and `dropout 0.1` where it has them."""
    text, span = scalar.text, scalar.span
    match = _LAYER.match(text)
    if match is None or match.group(1) is None:
        report.add(Code.LAYER, f"'{text[:40]}' is no layer", span, "write units and activation: 256 tanh")
        return None
    units, activation = match.group(1), match.group(2)
    if activation is None:
        hint = f"write '{units} tanh', or '{units} linear' for none"
        report.add(Code.LAYER, "a layer names its activation", span, hint)
        return None
    if len(units) > 9 or not 1 <= int(units) <= MOST_UNITS:
        report.add(Code.LAYER, f"a layer has 1 to {MOST_UNITS} units", span)
        return None
    if activation not in ACTIVATIONS:
        meant = SYNONYMS.get(activation.lower(), "")
        near = f"did you mean '{meant}'?" if meant in ACTIVATIONS else did_you_mean(activation, ACTIVATIONS)
        hint = near or f"known are {', '.join(ACTIVATIONS)}"
        report.add(Code.LAYER, f"'{activation[:40]}' is no activation", span, hint)
        return None
    if activation == "softmax" and int(units) == 1:
        report.add(Code.LAYER, "a softmax of one unit is the constant 1", span, "give it 2 units or more")
        return None
    return _regularised(Layer(int(units), activation), (match.group(3) or "").split(), scalar, report)


def _regularised(layer: Layer, words: list[str], scalar: Scalar, report: Report) -> Layer | None:
    """Read what stands behind a layer's activation: `norm`, `dropout 0.1`, each at most once."""
    hint = f"behind it stand norm and dropout 0.1: {layer.units} {layer.activation} norm dropout 0.1"
    while words:
        word, *words = words
        if word == "norm" and layer.units == 1:
            message = "the layer norm of one unit is a constant"
            report.add(Code.LAYER, message, scalar.span, "give it 2 units or more, or leave norm out")
            return None
        if word == "norm" and not layer.norm:
            layer = replace(layer, norm=True)
        elif word == "dropout" and not layer.dropout:
            rate, *words = words or [""]
            if not _DROPOUT.match(rate) or not LEAST_DROPPED <= float(rate) <= MOST_DROPPED:
                most = f"from {LEAST_DROPPED} to {MOST_DROPPED}"
                message = f"dropout is followed by the share that it drops, a number {most}"
                report.add(Code.LAYER, message, scalar.span, "write dropout 0.1")
                return None
            layer = replace(layer, dropout=float(rate))
        else:
            what = "stands twice in a layer" if word in ("norm", "dropout") else "is no word of a layer"
            report.add(Code.LAYER, f"'{word[:40]}' {what}", scalar.span, hint)
            return None
    return layer
