"""What a trained model makes of data: `encode`, `reconstruct`; how its training went: `curves`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dvaec.cli.groups import grouped
from dvaec.cli.lab import Data, clear_errors
from dvaec.cli.looking import (
    Chosen,
    Out,
    Picture,
    Rate,
    Wav,
    Wish,
    check_sound,
    checked,
    compared,
    draw,
    frames,
    look_of,
    saved,
    seconds_of,
)
from dvaec.cli.trained import BatchSize, Machine, Part, Run, Seed, Trained, WhichPart, split_of, trained
from dvaec.runtime.mode import Mode

if TYPE_CHECKING:
    from dvaec.runtime.passes import Sequences
    from dvaec.runtime.split import Split

HowFed = Annotated[
    Mode, typer.Option(help="generation: an autoregressive p reads its own outputs, not the data.")
]
LatentName = Annotated[
    str | None,
    typer.Option("--latent", metavar="NAME", help="Which latent is drawn; the first that has frames."),
]


def register(app: typer.Typer) -> None:
    """Add the commands of this file to the application."""
    app.command()(encode)
    app.command()(reconstruct)
    app.command()(curves)


@grouped
def encode(
    run: Run,
    data: Data,
    split: WhichPart = Part.TEST,
    sequences: Chosen = None,
    out: Out = None,
    picture: Picture = None,
    latent: LatentName = None,
    fps: Rate = None,
    batch: BatchSize = 64,
    seed: Seed = 0,
    *,
    on: Machine,
) -> None:
    """Write the latents of data: one draw from q, q's parameters, the KL by dimension.

    --picture draws the four panels of Figure 13.5 for one sequence: mean, log-variance, sample, KL.

    \b
    dvaec encode runs/srnn --data mine.npz
    dvaec encode runs/srnn --data mine.npz --sequences 3 --picture latents.png
    """
    with clear_errors():
        from dvaec.runtime.arrays import chosen, frames_of
        from dvaec.runtime.passes import encoded, has

        own = trained(run, on)
        has(own.model, "encode")
        wanted = _latent(own, latent)
        if picture is not None:
            from dvaec.runtime.pictures.canvas import known_format

            known_format(picture)
        part = split_of(own, data, split, on.zero_inputs)
        members = chosen(sequences, part.sequences, split.value)
        found = encoded(own.model, own.card, part, members, batch=batch, seed=seed)
        if picture is not None:
            framed = [name for name in own.card.latent_values if name in found.framed]
            wanted = wanted or (framed or own.card.latent_values)[0]
            frames_of(found, [wanted])
        saved(out or run / "encoded.npz", found)
        if picture is not None and wanted is not None:
            _latents(picture, found, wanted, seconds_of(own, fps, data, split.value))


def _latent(own: Trained, wanted: str | None) -> str | None:
    """Return the latent that is asked for; LabFault if there is no such one."""
    from dvaec.runtime.faults import LabFault

    if wanted is not None and wanted not in own.card.latent_values:
        raise LabFault(
            f"{own.card.name} has no latent '{wanted}'", f"it has {', '.join(own.card.latent_values)}"
        )
    return wanted


def _latents(path: Path, found: Sequences, name: str, seconds: float | None) -> None:
    """Draw the course of one latent over the first sequence."""
    from dvaec.runtime.pictures.latents import four_panels

    fields = {"sample": name, "kl": f"kl_{name}"} | {
        short: f"q_{name}_{short}" for short in ("mean", "logvar", "logscale", "logits")
    }
    values = {short: found.rows(full, 0) for short, full in fields.items() if full in found.framed}
    four_panels(path, name, values, seconds)
    typer.echo(path)


@grouped
def reconstruct(
    run: Run,
    data: Data,
    split: WhichPart = Part.TEST,
    sequences: Chosen = None,
    out: Out = None,
    *,
    wish: Wish,
    wav: Wav = None,
    mode: HowFed = Mode.TEACHER_FORCING,
    batch: BatchSize = 64,
    seed: Seed = 0,
    on: Machine,
) -> None:
    """Write what a model makes of data: the means of p at one draw of the latents from q, beside the data.

    --wav writes recordings with the reconstructed power and their own phase (13.2.4).

    \b
    dvaec reconstruct runs/srnn --data mine.npz --sequences 1-4 --picture rolls.png
    dvaec reconstruct runs/speech --data wavs/ --wav heard/
    """
    with clear_errors():
        from dvaec.runtime.arrays import chosen
        from dvaec.runtime.passes import band, in_units, original, reconstructed, renamed

        own = trained(run, on)
        name, shown = checked(wish, own)
        check_sound(wav, own, name, data, split.value, own_phase=True)
        look = None if wish.picture is None else look_of(wish, own, name, shown, data, split.value)
        part = split_of(own, data, split, on.zero_inputs)
        members = chosen(sequences, part.sequences, split.value)
        made = reconstructed(own.model, own.card, part, members, batch=batch, seed=seed, mode=mode)
        found, truth = in_units(part.scales, own.card, made), original(part, members)
        saved(out or run / "reconstructed.npz", found, renamed(truth, "data_"))
        if look is not None:
            family = own.card.families[name]
            seen, again = (frames(one, name, shown, family) for one in (truth, found))
            about = band(part.scales, found, name, 0)
            draw(wish, shown, compared(shown, "reconstruction", seen, again, about), look)
        if wav is not None:
            _sounds(wav, found, name, own.card.families[name], data, part)


def _sounds(folder: Path, found: Sequences, name: str, family: str, data: str, part: Split) -> None:
    """Write each sequence with its own phase."""
    from dvaec.runtime.measures.audio import again
    from dvaec.runtime.power import power_of, recordings
    from dvaec.runtime.sound import write_wav

    power = power_of(found, name, family)
    spoken = recordings(data, part.name)
    own = [spoken[member] for member in found.members]
    for member, one, wave in zip(found.members, own, again(power, found.lengths, own), strict=True):
        write_wav(folder / f"{member + 1:04d}.wav", wave, one.settings.rate)
    typer.echo(folder)


def curves(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run folders.", show_default=False)],
    picture: Annotated[
        Path | None,
        typer.Option("--picture", metavar="FILE", help=".png, .svg or .pdf; RUN/curves.svg by default."),
    ] = None,
) -> None:
    """Draw the training curves of a run, or those of several runs together.

    \b
    dvaec curves runs/srnn
    dvaec curves runs/srnn runs/vrnn --picture both.png
    """
    with clear_errors():
        from dvaec.runtime.pictures.curves import curves as drawn
        from dvaec.runtime.pictures.curves import read_history

        path = picture or runs[0] / "curves.svg"
        drawn(path, [(name, read_history(run)) for name, run in zip(names_of(runs), runs, strict=True)])
        typer.echo(path)


def names_of(runs: Sequence[Path]) -> list[str]:
    """Name runs by their folders, or by their paths where two folders share a name, as in a comparison."""
    names = [run.name for run in runs]
    return names if len(set(names)) == len(names) else [str(run) for run in runs]
