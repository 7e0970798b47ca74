r"""The mean per joint position error of motion (Ionescu et al. 2014; 13.2.4).

With joints j = 1 .. J at x_{t,j} in three dimensions,

    MPJPE = mean over frames t and joints j of || xhat_{t,j} - x_{t,j} ||,

xhat the mean of p given one draw of the latents from q. In the unit of the data: the review's is millimetres.
"""

from __future__ import annotations

import numpy as np

from dvaec.runtime.faults import LabFault
from dvaec.runtime.measures.scores import DRAWN, Score, Scores, score
from dvaec.runtime.mode import Mode
from dvaec.runtime.passes import Sequences


def check_joints(name: str, dim: int) -> None:
    """LabFault for a variable whose frames are no joints by 3."""
    if dim % 3:
        raise LabFault(f"{name} has dim {dim}, which is no number of joints in three dimensions")


def mpjpe(found: Sequences, truth: Sequences, name: str, unit: str, mode: Mode) -> Scores:
    """Measure the reconstruction of a variable whose frames are joints by 3; missing frames do not count."""
    dim = truth.framed[name].shape[1]
    check_joints(name, dim)
    gap = (found.framed[name] - truth.framed[name]).reshape(-1, dim // 3, 3)
    by_frame = np.sqrt((gap**2).sum(-1)).mean(-1)
    ends = np.cumsum(truth.lengths)
    own = [by_frame[end - length : end] for end, length in zip(ends, truth.lengths, strict=True)]
    means = [float(np.nanmean(one)) if np.isfinite(one).any() else float("nan") for one in own]
    seen = np.isfinite(by_frame)
    by_sequence = score("MPJPE, sequence average", unit, means)
    frames = Score(
        "MPJPE, frame average", unit, float(by_frame[seen].mean()), by_sequence.error, int(seen.sum())
    )
    protocol = (
        f"mean over frames and {dim // 3} joints of the Euclidean distance (Ionescu et al. 2014; 13.2.4)",
        DRAWN[mode],
        "errors are standard errors over sequences; computed by dvaec",
    )
    return Scores("motion", (frames, by_sequence), protocol)
