"""What a trained model makes up: `sample` from nothing, `forecast` behind a context."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dvaec.cli.groups import grouped
from dvaec.cli.lab import DATA_HELP, Data, clear_errors
from dvaec.cli.looking import (
    Chosen,
    Out,
    Wav,
    Wish,
    check_sound,
    checked,
    compared,
    draw,
    frames,
    look_of,
    saved,
)
from dvaec.cli.trained import Machine, Part, Run, Seed, Trained, WhichPart, split_of, trained

if TYPE_CHECKING:
    from dvaec.runtime.passes import Sequences

Means = Annotated[bool, typer.Option("--mean", help="Feed back each conditional's mean, not a draw.")]
MaybeData = Annotated[
    str | None, typer.Option("--data", metavar="SOURCE", help=f"For a model's inputs, and axes. {DATA_HELP}")
]
_SHOWN = 3  # drawn sequences in a picture


def register(app: typer.Typer) -> None:
    """Add the commands of this file to the application."""
    app.command()(sample)
    app.command()(forecast)


@grouped
def sample(
    run: Run,
    count: Annotated[int, typer.Option(min=1, help="Sequences to draw.")] = 4,
    frames_: Annotated[int, typer.Option("--frames", min=1, help="Frames of each.")] = 100,
    data: MaybeData = None,
    split: WhichPart = Part.TEST,
    sequences: Chosen = None,
    mean: Means = False,
    out: Out = None,
    *,
    wish: Wish,
    wav: Wav = None,
    seed: Seed = 0,
    on: Machine,
) -> None:
    """Draw sequences from a trained model.

    A model with inputs reads them from --data: a sequence is drawn for each of those, as long as it is.

    \b
    dvaec sample runs/srnn --count 8 --frames 200 --picture samples.png
    dvaec sample runs/dkf --data pendulum --sequences 1-8
    """
    with clear_errors():
        own = trained(run, on)
        name, shown = checked(wish, own)
        check_sound(wav, own, name, data, split.value)
        look = None if wish.picture is None else look_of(wish, own, name, shown, data, split.value)
        found = _sampled(own, count, frames_, data, split, sequences, on.zero_inputs, mean, seed)
        saved(out or run / "sampled.npz", found)
        family = own.card.families[name]
        if look is not None:
            from dvaec.runtime.pictures.panels import Panel

            title = "means of p" if mean else "drawn from p"
            panels = [
                Panel(f"{title}, {k + 1}", frames(found, name, shown, family, k))
                for k in range(min(_SHOWN, len(found.lengths)))
            ]
            draw(wish, shown, panels, look)
        if wav is not None:
            _sounds(wav, found, name, family, data, split.value)


def _sampled(
    own: Trained,
    count: int,
    length: int,
    data: str | None,
    split: Part,
    sequences: str | None,
    zero_inputs: bool,
    mean: bool,
    seed: int,
) -> Sequences:
    """Draw from p, with the inputs of some sequences of the data where the model has inputs."""
    from dvaec.runtime.faults import LabFault
    from dvaec.runtime.generation import sampled
    from dvaec.runtime.passes import in_units
    from dvaec.runtime.preparation import stored_scales

    card, inputs = own.card, None
    if card.inputs:
        if data is None:
            raise LabFault(f"{card.name} reads {', '.join(card.inputs)}", "--data gives them")
        from dvaec.runtime.arrays import chosen
        from dvaec.runtime.batches import collate

        part = split_of(own, data, split, zero_inputs)
        members = chosen(sequences, part.sequences, split.value)[: count if sequences is None else None]
        parameter = next(own.model.parameters())
        inputs = collate(part, members, parameter.device, parameter.dtype)
    elif sequences is not None:
        raise LabFault(f"{card.name} reads no inputs: --sequences means nothing", "--count says how many")
    found = sampled(own.model, card, count=count, frames=length, inputs=inputs, mean=mean, seed=seed)
    return in_units(stored_scales(own.run), card, found)


@grouped
def forecast(
    run: Run,
    data: Data,
    context: Annotated[int, typer.Option(min=1, metavar="N", help="Frames of each sequence that are given.")],
    steps: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Frames to go on; to the sequence's end by default."),
    ] = None,
    split: WhichPart = Part.TEST,
    sequences: Chosen = None,
    mean: Means = False,
    out: Out = None,
    *,
    wish: Wish,
    wav: Wav = None,
    seed: Seed = 0,
    on: Machine,
) -> None:
    """Give a model the first frames of sequences and let it go on alone.

    The picture has the data above; below, reconstructed up to the line where generation takes over, and
    generated behind it (Figures 13.2 to 13.4).

    \b
    dvaec forecast runs/srnn --data mine.npz --context 50
    dvaec forecast runs/srnn --data mine.npz --context 20 --sequences 3 --picture forecast.png
    """
    with clear_errors():
        from dvaec.runtime.arrays import chosen
        from dvaec.runtime.generation import course, cut
        from dvaec.runtime.generation import forecast as continued
        from dvaec.runtime.passes import band, has, in_units, original, reconstructed, renamed

        own = trained(run, on)
        has(own.model, "forecast")
        name, shown = checked(wish, own)
        check_sound(wav, own, name, data, split.value)
        look = None if wish.picture is None else look_of(wish, own, name, shown, data, split.value)
        part = split_of(own, data, split, on.zero_inputs)
        members = chosen(sequences, part.sequences, split.value)
        made = continued(
            own.model, own.card, part, members, context=context, steps=steps, mean=mean, seed=seed
        )
        found, truth = in_units(part.scales, own.card, made), original(part, members)
        saved(out or run / "forecast.npz", found, renamed(truth, "data_"), context=context)
        if look is not None:
            known = reconstructed(own.model, own.card, cut(part, context), members[:1], seed=seed)
            whole = course(in_units(part.scales, own.card, known), found)
            family = own.card.families[name]
            title = "reconstructed, then generated"
            about = band(part.scales, whole, name, 0)
            seen, again = (frames(one, name, shown, family) for one in (truth, whole))
            draw(wish, shown, compared(shown, title, seen[: len(again)], again, about, context), look)
        if wav is not None:
            _sounds(wav, found, name, own.card.families[name], data, split.value)


def _sounds(folder: Path, found: Sequences, name: str, family: str, data: str | None, split: str) -> None:
    """Write each sequence with a phase that fits its power."""
    from dvaec.runtime.power import power_of, settings_of
    from dvaec.runtime.sound import without_phase, write_wav

    power = power_of(found, name, family)
    settings = settings_of(data or "", split)
    assert settings is not None  # as `check_sound` has found
    ends = found.lengths.cumsum()
    for number, (end, length) in enumerate(zip(ends, found.lengths, strict=True)):
        path = folder / f"{found.members[number] + 1:04d}.wav"
        write_wav(path, without_phase(power[end - length : end], settings), settings.rate)
    typer.echo(folder)
