"""Checks of blocks that look into a frame: images, and recurrences over an axis."""

from __future__ import annotations

from dataclasses import dataclass

from dvaec.spec.build import Parsed
from dvaec.spec.codes import Code
from dvaec.spec.frames import FRAMES
from dvaec.spec.geometry import image, rows, shrunken
from dvaec.spec.model import ImageDecoder, ImageEncoder, Scan, Spec, Variable
from dvaec.spec.notation import page
from dvaec.spec.offsets import Offsets
from dvaec.spec.report import Report
from dvaec.spec.source import Path


@dataclass(frozen=True)
class Fitting:
    """What the checks share: the spec, how wide everything is, and where it stands."""

    spec: Spec
    parsed: Parsed
    report: Report
    wide: dict[str, int]

    def fault(self, at: Path, message: str, hint: str | None = None) -> None:
        """Report that sizes do not fit."""
        self.report.add(Code.BLOCK_SIZES, message, self.parsed.span(at), hint)

    def written(self, at: Path, name: str, offsets: Offsets | None) -> str:
        """Write what the block at a path reads: in a network of frame 0, 1 or T windows count frames."""
        target = self.parsed.targets.get(str(at[1])) if at[0] == "networks" else None
        frame = FRAMES.get(target.frame or "") if target is not None else None
        return page(name, offsets, frame=frame)

    def axes(self, name: str) -> tuple[int, ...]:
        """Return the axes of a variable; none for states and features."""
        return next((v.axes or (v.dim,) for v in self.spec.variables if v.name == name), ())


def check_encoder(fitting: Fitting, at: Path, block: ImageEncoder) -> None:
    """All that is read are images of the same sides, large enough for the layers."""
    found = {parent.name: image(fitting.axes(parent.name)) for parent in block.reads}
    for name, its in found.items():
        if its is None:
            message = f"'{name}' is no image: its frame has neither 2 nor 3 axes"
            fitting.fault((*at, "reads"), message, "give its axes: dim: [1, 32, 32]")
            return
    sides = [its[1] for its in found.values() if its is not None]
    if any(side != sides[0] for side in sides):
        fitting.fault((*at, "reads"), "images that are read together have the same height and width")
    else:
        _shrinks(fitting, at, sides[0], block)


def check_decoder(fitting: Fitting, at: Path, block: ImageDecoder, target: Variable) -> None:
    """What is made is an image, large enough for the layers."""
    its = image(target.axes)
    if its is None:
        message = f"'{target.name}' is no image: its frame has neither 2 nor 3 axes"
        fitting.fault((*at, "block"), message, "give its axes: dim: [1, 32, 32]")
    else:
        _shrinks(fitting, at, its[1], block)


def _shrinks(fitting: Fitting, at: Path, size: tuple[int, int], block: ImageEncoder | ImageDecoder) -> None:
    """Every layer leaves an image of at least one point, and none leaves points out between its windows."""
    if block.kernel < block.stride:
        message = f"a kernel of {block.kernel} at strides of {block.stride} leaves points of the image out"
        fitting.fault((*at, "kernel"), message, f"take a kernel of {block.stride} or more")
        return
    sizes = shrunken(size, len(block.channels), block.kernel, block.stride)
    for number, (height, width) in enumerate(sizes):
        if height < 1 or width < 1:
            message = f"an image of {size[0]} x {size[1]} is too small for {number} of these layers"
            fitting.fault((*at, "channels"), message, "take fewer layers, or a smaller kernel or stride")
            return


def check_scan(fitting: Fitting, at: Path, block: Scan, target: Variable | None) -> None:
    """What has the axis has one number of rows, and something has it."""
    made = rows(target.axes, block.axis) if target is not None else None
    read = {parent.name: rows(fitting.axes(parent.name), block.axis) for parent in block.reads}
    lengths = {name: its[0] for name, its in read.items() if its is not None}
    if made is None and not lengths:
        message = f"nothing that is read has an axis {block.axis} of rows to run over"
        fitting.fault((*at, "over"), message, "give a variable its axes: dim: [20, 80]")
    elif {*lengths.values(), *(made or ())[:1]} == {1}:
        message = f"axis {block.axis} has one row, and a recurrence over one step has nothing to carry"
        fitting.fault((*at, "over"), message, "give it dense layers in place of over and rnn")
        return
    for name, length in lengths.items():
        if made is not None and length != made[0]:
            message = f"'{name}' has {length} rows, and what is made has {made[0]}"
            fitting.fault((*at, "reads"), message)
        elif length != next(iter(lengths.values())):
            message = f"'{name}' has {length} rows, and what is read before it has another number"
            fitting.fault((*at, "reads"), message)
