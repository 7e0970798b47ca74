"""Checks of sizes: whether what blocks read fits them, and whether what they make fits the variable."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from functools import partial

from dvaec.spec.build import Parsed
from dvaec.spec.check_axes import Fitting, check_decoder, check_encoder, check_scan
from dvaec.spec.check_shares import check_shares
from dvaec.spec.codes import Code
from dvaec.spec.families import FORMS, parameters_of
from dvaec.spec.geometry import receptive, skipped
from dvaec.spec.model import (
    Attention,
    Block,
    Convolution,
    Custom,
    Dense,
    Head,
    Identity,
    ImageDecoder,
    ImageEncoder,
    LinearMixture,
    Output,
    Parent,
    Scan,
    Spec,
    Variable,
    reads_of,
)
from dvaec.spec.notation import counted, frame_word
from dvaec.spec.offsets import Offsets, of, window
from dvaec.spec.report import Report
from dvaec.spec.schema import LARGEST_DIM
from dvaec.spec.source import Path
from dvaec.spec.trunk import needs_trunk
from dvaec.spec.widths import widths
from dvaec.spec.window_text import LARGEST_OFFSET


def check_blocks(spec: Spec, parsed: Parsed, report: Report) -> None:
    """Report every block of a sound page whose sizes do not fit."""
    fitting = Fitting(spec, parsed, report, widths(spec))
    check_shares(spec, parsed, report)
    for variable in spec.variables:
        if variable.dim > LARGEST_DIM:
            message = f"a frame of '{variable.name}' has {variable.dim} numbers, more than {LARGEST_DIM}"
            report.add(Code.TOO_MANY, message, parsed.span(("variables", variable.name, "dim")))
    for key, feature in zip(parsed.features, spec.features, strict=True):
        _block(fitting, ("features", key), feature.block, None)
    for key, head in zip(parsed.heads, spec.heads, strict=True):
        variable = spec.variable(head.target)
        _trunk(fitting, ("networks", key), head, variable)
        _shaped(fitting, ("networks", key), head, variable)
        _block(fitting, ("networks", key), head.block, variable)
        for part, output in _outputs(head):
            _block(fitting, ("networks", key, part), output.block, variable)
            if isinstance(output.block, Identity) and fitting.wide[output.block.of.name] != variable.dim:
                is_wide = fitting.wide[output.block.of.name]
                message = f"the {part} has {variable.dim} numbers, and '{output.block.of.name}' has {is_wide}"
                hint = f"for a linear map of it write {part}: {{reads: ..., layers: []}}"
                fitting.fault(("networks", key, part), message, hint)


def customs(spec: Spec) -> Iterator[tuple[Path, Custom]]:
    """Yield the networks of the user's own, with the paths of what names them."""
    for feature in spec.features:
        if isinstance(feature.block, Custom):
            yield ("features", f"{feature.name}_t"), feature.block
    for head in spec.heads:
        if isinstance(head.block, Custom):
            subscript = f"_{'t' if head.frame is None else frame_word(head.frame)}"
            named = f"{head.target}{subscript if spec.variable(head.target).framed else ''}"
            yield ("networks", f"{head.side}({named})"), head.block


def _outputs(head: Head) -> Iterator[tuple[str, Output]]:
    for part, said in (("mean", head.mean), ("variance", head.variance)):
        if isinstance(said, Output):
            yield part, said


def _trunk(fitting: Fitting, at: Path, head: Head, variable: Variable) -> None:
    """Where a parameter reads on its own, the others must have something to read as well."""
    own = [part for part, output in _outputs(head) if output.block is not None]
    if own and head.block is None and needs_trunk(head, variable):
        message = f"the {own[0]} reads on its own, and what the other parameters read is not said"
        hint = "give the mean reads too"
        if own == ["mean"]:
            hint = "give the variance reads too, a number or shared"
            if not FORMS[variable.family].variance:
                hint = "give the network reads: what the others are made of"
        fitting.report.add(Code.HEAD_PARAMETERS, message, fitting.parsed.span(at), hint)
    elif own and head.block is not None and not needs_trunk(head, variable):
        message = "every parameter reads on its own, and nothing is made of what the network itself reads"
        layers = isinstance(head.block, Dense) and head.block.layers
        hint = "leave its reads and layers out" if layers else "leave its reads out"
        hint = hint if isinstance(head.block, Dense) else "leave its block out, with all that belongs to it"
        fitting.report.add(Code.HEAD_PARAMETERS, message, fitting.parsed.span(at), hint)
    elif isinstance(head.block, ImageDecoder) or (isinstance(head.block, Scan) and variable.axes):
        for part, output in _outputs(head):
            if output.layers:
                message = f"this block makes the {part} itself; it has no layers of its own"
                fitting.report.add(Code.HEAD_PARAMETERS, message, fitting.parsed.span((*at, part)))


def _shaped(fitting: Fitting, at: Path, head: Head, variable: Variable) -> None:
    """What makes an image, or row after row, makes one number of each parameter for each of the variable."""
    makes = isinstance(head.block, ImageDecoder) or (isinstance(head.block, Scan) and variable.axes)
    if makes and any(parameter.width != variable.dim for parameter in parameters_of(variable)):
        message = (
            f"this block makes as many numbers of each parameter as '{variable.name}' has, and those of a "
            f"{variable.family} are others"
        )
        key = "block" if isinstance(head.block, ImageDecoder) else "over"
        fitting.fault((*at, key), message, "give the network dense layers")


def _block(fitting: Fitting, at: Path, block: Block | None, target: Variable | None) -> None:
    if not isinstance(block, Convolution | Attention) and any(
        p.offsets is not None and not p.offsets.finite for p in reads_of(block)
    ):
        return  # reported already
    match block:
        case LinearMixture(weights=weights):
            _one_frame(fitting, at, weights)
        case Convolution():
            _convolution(fitting, at, block)
        case Attention():
            _attention(fitting, at, block)
        case ImageEncoder():
            check_encoder(fitting, at, block)
        case ImageDecoder() if target is not None:
            check_decoder(fitting, at, block, target)
        case Scan():
            check_scan(fitting, at, block, target)
        case Custom(path=path) if word := next(filter(keyword.iskeyword, re.split("[.:]", path)), None):
            message = f"'{word}' is a word of Python, and no module or class is called so"
            fitting.report.add(Code.WRONG_VALUE, message, fitting.parsed.span((*at, "python")))
        case _:
            pass


def _one_frame(fitting: Fitting, at: Path, weights: Parent) -> None:
    if weights.offsets is not None and len(weights.offsets.members) != 1:
        message = "'weights' names one thing at one frame"
        fitting.report.add(Code.BLOCK_READS, message, fitting.parsed.span((*at, "weights")))


def _convolution(fitting: Fitting, at: Path, block: Convolution) -> None:
    """The window is as long as the receptive field."""
    frames, path, shown = receptive(block), (*at, "reads"), partial(fitting.written, at)
    for parent in block.reads:
        if parent.offsets is None:
            fitting.fault(path, f"a convolution reads windows of frames, and '{parent.name}' is none")
        elif not parent.offsets.finite:
            message = f"a convolution cannot read the open window {shown(parent.name, parent.offsets)}"
            fitting.report.add(Code.OPEN_WINDOW, message, fitting.parsed.span(path), "attention can")
        elif len(parent.offsets.members) != frames:
            there = len(parent.offsets.members)
            taken = f"the layers take in {counted(frames, 'frame')} together"
            message = f"{taken}, and the window {shown(parent.name, parent.offsets)} has {there:,}"
            hint = "take fewer layers, or a smaller kernel or dilation"
            if frames <= LARGEST_OFFSET:
                meant = shown(parent.name, _as_long(fitting, at, parent.offsets, frames))
                hint = f"write {meant}, or change kernel, dilation or the number of layers"
            fitting.fault(path, message, hint)
        elif apart := skipped(block):
            missed = shown(parent.name, of(parent.offsets.members[apart[0]]))
            message = f"with this dilation no layer takes in {missed}, which the window holds"
            hint = "write dilation: doubling, or a window with a stride and dilation: 1"
            fitting.fault((*at, "dilation"), message, hint)


def _ends(fitting: Fitting, at: Path) -> bool:
    """Whether windows end with the frame of their reader; those of frames 0 and 1 begin there."""
    target = fitting.parsed.targets.get(str(at[1]))
    return target is None or target.frame not in ("0", "1")


def _as_long(fitting: Fitting, at: Path, offsets: Offsets, frames: int) -> Offsets:
    """A window of so many frames with the same end: its last frame, or the first for frames 0 and 1."""
    if not _ends(fitting, at):
        return window(offsets.members[0], offsets.members[0] + frames - 1)
    return window(offsets.members[-1] - frames + 1, offsets.members[-1])


def _attention(fitting: Fitting, at: Path, block: Attention) -> None:
    windows = {parent.offsets for parent in block.of}
    named = [f"{p.name}_{frame_word(p.frame)}" for p in block.of if p.frame is not None]
    if named:
        message = f"attention goes over the frames of a window, and {named[0]} is a single frame"
        fitting.fault((*at, "of"), message, "attend to a window, or read the frame without attention")
    elif None in windows or len(windows) > 1:
        message = "attention goes over the frames of one window, the same of all that stands under 'of'"
        fitting.fault((*at, "of"), message, "make a feature of them, or attend to each in a block of its own")
    elif any(one is not None and one.finite and len(one.members) == 1 for one in windows):
        shown = ", ".join(fitting.written(at, parent.name, parent.offsets) for parent in block.of)
        message = f"attention over {shown} alone weighs one frame by 1, and its query and keys learn nothing"
        there = next(iter(block.of)).name
        some = fitting.written(at, there, window(-3, 0) if _ends(fitting, at) else window(0, 3))
        hint = f"attend to a window, such as {some}, or read the frame without attention"
        fitting.fault((*at, "of"), message, hint)
    for parent in block.query:
        if parent.offsets is not None and not parent.offsets.finite:
            shown = fitting.written(at, parent.name, parent.offsets)
            message = f"a query cannot read the open window {shown}"
            fitting.report.add(Code.OPEN_WINDOW, message, fitting.parsed.span((*at, "query")))
    if block.units % block.heads:
        fitting.fault(
            (*at, "heads"),
            f"{block.units} units cannot be shared out equally among {block.heads} heads",
            f"write units: {-(-block.units // block.heads) * block.heads}",
        )
