"""What the commands that look at a model share: the options of pictures, and from arrays to panels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dvaec.cli.trained import Trained
from dvaec.runtime.pictures.kind import POWERS, Kind, kind_of, sides

if TYPE_CHECKING:
    from dvaec.runtime.passes import Sequences
    from dvaec.runtime.pictures.panels import Look, Panel

_KIND_HELP = "How frames are shown; by default as suits the variable's distribution."

Picture = Annotated[
    Path | None,
    typer.Option("--picture", metavar="FILE", help="Draw the first sequence too: .png, .svg or .pdf."),
]
OfKind = Annotated[Kind | None, typer.Option("--kind", help=_KIND_HELP, show_default=False)]
Variable = Annotated[
    str | None, typer.Option("--variable", metavar="NAME", help="What is drawn; the first one by default.")
]
Rate = Annotated[
    float | None, typer.Option("--fps", min=0.001, metavar="N", help="Frames a second, for the axis of time.")
]
Shape = Annotated[
    str | None,
    typer.Option("--shape", metavar="HxW", help="How the pixels of an image lie; a square by default."),
]
Bones = Annotated[
    Path | None,
    typer.Option(
        "--bones",
        metavar="NPZ",
        help="Its array `parents` says how joints hang together; the data's own by default.",
    ),
]
Chosen = Annotated[
    str | None, typer.Option("--sequences", metavar="LIST", help="Which ones, from 1: 1,4-8. All by default.")
]
Out = Annotated[
    Path | None, typer.Option("-o", "--out", metavar="NPZ", help="The arrays; in the run folder by default.")
]
Wav = Annotated[
    Path | None, typer.Option("--wav", metavar="FOLDER", help="Write power spectrograms as sound too.")
]


@dataclass(frozen=True)
class Wish:
    """What is to be drawn, and how."""

    picture: Picture = None
    kind: OfKind = None
    variable: Variable = None
    fps: Rate = None
    shape: Shape = None
    bones: Bones = None


def checked(wish: Wish, own: Trained) -> tuple[str, Kind]:
    """Return the variable to draw and its kind, before anything is computed; LabFault where they misfit."""
    from dvaec.runtime.card import observed_in

    name = observed_in(own.card, wish.variable)
    if wish.picture is not None:
        from dvaec.runtime.pictures.canvas import known_format

        known_format(wish.picture)
    if name in own.card.static_observed and wish.picture is not None:
        from dvaec.runtime.faults import LabFault

        raise LabFault(f"{name} has one value a sequence: it has no course over time to draw")
    kind = kind_of(name, own.card.families[name], own.card.observed[name], wish.kind)
    if kind is Kind.IMAGE:
        sides(own.card.observed[name], wish.shape)
    return name, kind


def check_sound(
    wav: Path | None, own: Trained, name: str, data: str | None, split: str, own_phase: bool = False
) -> None:
    """LabFault, before anything is computed, if --wav asks for sound of what is none.

    With its own phase it is made of the recordings themselves, else of the settings of their spectra.
    """
    if wav is None:
        return
    from dvaec.runtime.faults import LabFault
    from dvaec.runtime.power import check_recordings, no_power, settings_of

    if own.card.families[name] not in POWERS:
        raise no_power(name, own.card.families[name])
    if own_phase and data is not None:
        check_recordings(data, split)
    elif data is None or settings_of(data, split) is None:
        raise LabFault("--wav needs the settings of the spectra", "--data with the recordings has them")


def look_of(wish: Wish, own: Trained, name: str, kind: Kind, data: str | None, split: str) -> Look:
    """Say what the axes of a picture mean."""
    from dvaec.runtime.bones import bones_of
    from dvaec.runtime.pictures.panels import Look

    dim, settings = own.card.observed[name], None
    look = Look(name, None if wish.fps is None else 1.0 / wish.fps)
    if kind is Kind.SPECTROGRAM and data is not None:
        from dvaec.runtime.power import settings_of

        settings = settings_of(data, split)
    if settings is not None:
        look = replace(look, seconds=settings.hop / settings.rate, hertz=settings.rate / settings.window)
    if kind is Kind.SKELETON:
        look = replace(look, bones=bones_of(wish.bones, data, name, own.card))
    if kind is Kind.IMAGE:
        look = replace(look, sides=sides(dim, wish.shape))
    return look


def seconds_of(own: Trained, fps: float | None, data: str, split: str) -> float | None:
    """Return what a frame lasts, if that is said or the data are recordings."""
    if fps is not None:
        return 1.0 / fps
    if not any(family in POWERS for family in own.card.families.values()):
        return None
    from dvaec.runtime.power import settings_of

    settings = settings_of(data, split)
    return None if settings is None else settings.hop / settings.rate


def frames(found: Sequences, name: str, kind: Kind, family: str, number: int = 0) -> Any:
    """Return what is drawn of one sequence, (time, dim); a power where that is shown."""
    if kind is not Kind.SPECTROGRAM:
        return found.rows(name, number)
    from dvaec.runtime.power import power_of

    start = int(found.lengths[:number].sum())
    return power_of(found, name, family)[start : start + int(found.lengths[number])]


def draw(wish: Wish, kind: Kind, panels: list[Panel], look: Look) -> None:
    """Draw the panels, and say where."""
    from dvaec.runtime.pictures.panels import show

    assert wish.picture is not None
    show(wish.picture, kind, panels, look)
    typer.echo(wish.picture)


def saved(path: Path, *found: Sequences, context: int | None = None) -> None:
    """Write the arrays, and say where."""
    from dvaec.runtime.arrays import write_arrays

    write_arrays(path, *found, context=context)
    typer.echo(path)


def compared(
    kind: Kind, title: str, truth: Any, made: Any, band: Any = None, taken_over: int | None = None
) -> list[Panel]:
    """Put data and model beside each other: lines over the data, anything else below them."""
    from dvaec.runtime.pictures.panels import Panel

    if kind is Kind.LINES:
        return [Panel(title, made, taken_over, band, truth)]
    behind = truth if kind is Kind.SKELETON else None
    return [Panel("data", truth), Panel(title, made, taken_over, behind=behind)]
