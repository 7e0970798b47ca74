r"""SI-SDR, PESQ and ESTOI of resynthesised speech, by the review's protocol (13.2.4).

A wave is resynthesised from the reconstructed power spectrogram with the phase of the original, written in 16
bits, and compared with the original, written in 16 bits. The scores are others' code: `torchmetrics`, `pesq`
(ITU-T P.862) and `pystoi`. The review's PESQ, from -0.5 to 4.5, is P.862's raw value; `pesq` gives the
MOS-LQO of P.862.1, whose map is undone:

    raw = (4.6607 - ln(4 / (LQO - 0.999) - 1)) / 1.4945.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from dvaec.runtime.extras import needing
from dvaec.runtime.faults import LabFault
from dvaec.runtime.measures.scores import DRAWN, Scores, score
from dvaec.runtime.mode import Mode
from dvaec.runtime.passes import Array
from dvaec.runtime.sources.recordings import Utterance, resampled
from dvaec.runtime.sources.spectra import Wave, resynthesised

Samples = NDArray[np.float64]
_NONE = float("nan")
_NARROW = (8000, 16000)  # the rates that P.862 is defined for


@dataclass(frozen=True)
class Heard:
    """One utterance's scores; nan where a measure finds no speech in it."""

    si_sdr: float
    pesq: float
    lqo: float
    estoi: float


def again(power: Array, lengths: NDArray[np.int64], spoken: Sequence[Utterance]) -> list[Wave]:
    """Return each utterance's wave from its reconstructed power and its own phase."""
    ends = np.cumsum(lengths)
    found = []
    for one, end, length in zip(spoken, ends, lengths, strict=True):
        own = 1 + len(one.wave) // one.settings.hop
        if own != length or power.shape[1] != one.settings.window // 2 + 1:
            raise LabFault(
                f"{one.name}: its spectra have shape {(own, one.settings.window // 2 + 1)}, "
                f"and the reconstruction {(int(length), power.shape[1])}"
            )
        found.append(resynthesised(power[end - length : end].astype(np.float32), one.wave, one.settings))
    return found


def sixteen_bits(wave: NDArray[np.floating]) -> Samples:
    """Return what a 16-bit file keeps of a wave within [-1, 1]; what is beyond is clipped."""
    return np.asarray(np.clip(np.rint(np.asarray(wave, dtype=np.float64) * 32768.0), -32768, 32767) / 32768.0)


def audio_scores(
    found: Sequence[Wave],
    spoken: Sequence[Utterance],
    mode: Mode,
    report: Callable[[int], None] | None = None,
) -> Scores:
    """Compare resynthesised waves with the originals, utterance by utterance."""
    heard = []
    rate = spoken[0].settings.rate
    for number, (wave, one) in enumerate(zip(found, spoken, strict=True)):
        heard.append(compare(sixteen_bits(wave), sixteen_bits(one.wave), rate))
        if report is not None:
            report(number + 1)
    deaf = [sum(not math.isfinite(getattr(one, name)) for one in heard) for name in ("pesq", "estoi")]
    at = "" if rate in _NARROW else f", resampled from {rate} to 16000 Hz for it"
    protocol = (
        "waves from reconstructed power and the phase of the original, compared in 16 bits (13.2.4)",
        DRAWN[mode],
        "SI-SDR by torchmetrics (Le Roux et al. 2019, no mean removed)",
        f"PESQ by pesq, narrow band{at}; raw P.862 as in the review, from its MOS-LQO",
        "ESTOI by pystoi (Taal et al. 2011, extended)",
        "means over utterances",
        *(
            f"{name} finds no speech in {count} of {len(heard)} utterances, which it leaves out"
            for name, count in zip(("PESQ", "ESTOI"), deaf, strict=True)
            if count
        ),
    )
    scores = (
        score("si_sdr", "SI-SDR", "dB", [one.si_sdr for one in heard]),
        score("pesq", "PESQ", "raw P.862", [one.pesq for one in heard]),
        score("pesq_lqo", "PESQ", "MOS-LQO", [one.lqo for one in heard]),
        score("estoi", "ESTOI", "", [one.estoi for one in heard]),
    )
    return Scores("audio", scores, protocol, "errors are standard errors over utterances")


def check_scorers() -> None:
    """LabFault if a library that scores is not installed."""
    with needing("audio"):
        import pesq  # noqa: F401
        import pystoi  # noqa: F401
        import torchmetrics  # noqa: F401


def compare(found: Samples, wave: Samples, rate: int) -> Heard:
    """Score one wave against the original, both (samples,); nan where a measure finds nothing to hear."""
    with needing("audio"):
        from torchmetrics.functional.audio import scale_invariant_signal_distortion_ratio
    if not wave.any():
        return Heard(_NONE, _NONE, _NONE, _NONE)
    ratio = float(scale_invariant_signal_distortion_ratio(torch.from_numpy(found), torch.from_numpy(wave)))
    lqo = _lqo(found, wave, rate)
    return Heard(ratio, raw_pesq(lqo), lqo, _estoi(found, wave, rate))


def _lqo(found: Samples, wave: Samples, rate: int) -> float:
    with needing("audio"):
        from pesq import PesqError, pesq
    one, other = wave.astype(np.float32), found.astype(np.float32)
    if rate not in _NARROW:
        rate, one, other = 16000, resampled(one, rate, 16000), resampled(other, rate, 16000)
    try:
        return float(pesq(rate, one, other, "nb"))
    except PesqError:  # no utterance in it, or too short
        return _NONE


def _estoi(found: Samples, wave: Samples, rate: int) -> float:
    with needing("audio"):
        from pystoi import stoi
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="Not enough STFT frames", category=RuntimeWarning)
        try:
            return float(stoi(wave, found, rate, extended=True))
        except RuntimeWarning:  # less than 30 frames with sound: pystoi would return a number all the same
            return _NONE


def raw_pesq(lqo: float) -> float:
    """Undo P.862.1's map from raw PESQ to MOS-LQO."""
    return (4.6607 - math.log(4.0 / (lqo - 0.999) - 1.0)) / 1.4945
