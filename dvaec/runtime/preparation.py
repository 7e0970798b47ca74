"""From a source to the splits of a run, normalised and cut; `data.json` keeps how.

`data.json` beside the weights holds the source, the crop and the fitted normalisation; evaluation and
whatever writes samples reads it there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dvaec.runtime.card import Card
from dvaec.runtime.crops import randomly, windows
from dvaec.runtime.data import load_splits
from dvaec.runtime.faults import DataFault, StoreFault
from dvaec.runtime.files import write_text
from dvaec.runtime.normalise import Scales, fit, kinds_of, normalised, scales_from_json, scales_to_json
from dvaec.runtime.sources.datasets import Sequences, split_from
from dvaec.runtime.split import Split

KEPT = "data.json"


@dataclass(frozen=True)
class Preparation:
    """How data are prepared for training.

    crop: frames of a piece (0: whole sequences). shift: frames from one piece to the next (0: crop). random:
    a random piece of each training sequence in every epoch instead, validation on whole sequences. normalise:
    what --normalise says (`dvaec.runtime.normalise.kinds_of`).
    """

    crop: int = 0
    shift: int = 0
    random: bool = False
    normalise: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """The options that say so, as one writes them."""
        piece = (
            f"random:{self.crop}" if self.random else f"{self.crop}/{self.shift}" if self.shift else self.crop
        )
        crop = [f"--crop {piece}"] if self.crop else []
        return " ".join([*crop, *(f"--normalise {one}" for one in self.normalise)])


def preparation(crop: str = "", normalise: Sequence[str] = ()) -> Preparation:
    """Read what --crop says (50, 50/2, random:50, nothing) and --normalise; DataFault for anything else."""
    found = re.fullmatch(r"(random:)?(\d{1,9})(?:/(\d{1,9}))?", crop)
    if crop and (found is None or (found[1] and found[3]) or min(int(found[2]), int(found[3] or 1)) < 1):
        raise DataFault(f"--crop {crop}: no such crop", "50, 50/2 or random:50")
    if found is None:
        return Preparation(normalise=tuple(normalise))
    return Preparation(int(found[2]), int(found[3] or 0), bool(found[1]), tuple(normalise))


@dataclass(frozen=True)
class Prepared:
    """The splits to train on, and the normalisation that they have had."""

    splits: Mapping[str, Split]
    scales: Scales
    source: str
    how: Preparation

    def keep(self, folder: Path) -> None:
        """Write data.json into a run folder."""
        content = {
            "source": self.source,
            **asdict(self.how),
            "sizes": sizes_of(self.splits),
            "scales": scales_to_json(self.scales),
        }
        write_text(folder / KEPT, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def training_splits(
    source: str | Mapping[str, Sequences],
    card: Card,
    how: Preparation,
    zero_inputs: bool = False,
    resumed: Path | None = None,
) -> Prepared:
    """Load `train` and `valid` of a source (or of torch datasets by split), normalise and cut them.

    The normalisation is fitted on train, or is that of a `resumed` run.
    StoreFault if the run to resume was prepared otherwise.
    """
    kinds = kinds_of(how.normalise, card)
    names = ("train", "valid")
    if isinstance(source, str):
        splits = load_splits(source, card, names, zero_inputs=zero_inputs)
    else:
        lacking = [name for name in names if name not in source]
        if lacking:
            raise DataFault(f"no torch dataset is called '{lacking[0]}'", '{"train": ..., "valid": ...}')
        splits = {name: split_from(source[name], card, name, zero_inputs=zero_inputs) for name in names}
    if resumed is not None and (resumed / KEPT).is_file():
        scales: Scales = _same(resumed, how)
    else:
        scales = fit(splits["train"], kinds)
    splits = {name: _cut(normalised(split, scales), how) for name, split in splits.items()}
    if resumed is not None:
        _as_large(resumed, splits)
    return Prepared(splits, scales, source if isinstance(source, str) else "torch datasets", how)


def evaluation_split(source: str, card: Card, name: str, run: Path, *, zero_inputs: bool = False) -> Split:
    """Load a split, whole sequences, with the normalisation of a run folder."""
    try:
        split = load_splits(source, card, [name], zero_inputs=zero_inputs)[name]
    except DataFault as fault:
        if not (fault.hint or "").startswith("--set"):
            raise
        raise DataFault(fault.message, f"{run} was trained on data of its own page; train anew") from None
    return normalised(split, stored_scales(run))


def stored_scales(run: Path) -> Scales:
    """Return the normalisation of a run folder; none if it has none."""
    found = _stored(run)
    return scales_from_json(found["scales"], str(run / KEPT)) if found is not None else {}


def check_units(run: Path, how: Preparation) -> None:
    """StoreFault where a run's weights, which another is to begin with, know data normalised otherwise."""
    kinds = (_stored(run) or {}).get("normalise", list(how.normalise))
    if kinds != list(how.normalise):
        was = " ".join(f"--normalise {one}" for one in kinds) or "no --normalise"
        raise StoreFault(f"{run}: its weights are those of data with {was}", "say the same of these data")


def _cut(split: Split, how: Preparation) -> Split:
    if not how.crop:
        return split
    if how.random:
        return randomly(split, how.crop) if split.name == "train" else split
    return windows(split, how.crop, how.shift)


def _same(run: Path, how: Preparation) -> Scales:
    found = _stored(run) or {}
    given = asdict(how) | {"normalise": list(how.normalise)}
    changed = [name for name, value in given.items() if found.get(name, value) != value]
    if changed:
        kept = {**given, **{name: found[name] for name in changed}}
        was = Preparation(**{**kept, "normalise": tuple(kept["normalise"])}).words
        raise StoreFault(
            f"{run}: the data of this run were prepared with {was or 'neither --crop nor --normalise'}",
            "resume with the same options",
        )
    return stored_scales(run)


def sizes_of(splits: Mapping[str, Split]) -> dict[str, list[int]]:
    """How many sequences (pieces, where they are cut) and frames each split has."""
    return {name: [split.sequences, split.frames] for name, split in splits.items()}


def _as_large(run: Path, splits: Mapping[str, Split]) -> None:
    """StoreFault where a run was made on other data: wherever they lie now, they are as many."""
    before = (_stored(run) or {}).get("sizes", {})
    for name, (sequences, frames) in sizes_of(splits).items():
        if before.get(name, [sequences, frames]) != [sequences, frames]:
            was = "{} sequences of {} frames together".format(*before[name])
            raise StoreFault(
                f"{run}: {name} has {sequences} sequences of {frames} frames together, and had {was}",
                "resume with the same data; a new run may begin with these weights by --from",
            )


def _stored(run: Path) -> dict[str, Any] | None:
    path = run / KEPT
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_bytes())
    except ValueError as error:
        raise StoreFault(f"{path}: not JSON: {error}") from error
    if not isinstance(found, dict) or "scales" not in found:
        raise StoreFault(f"{path}: does not say how data were prepared")
    return found
