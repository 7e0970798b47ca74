"""The lengths of a sequence at which what the developed form sees may differ (`dvaec.network.ends`).

A sequence that holds both ends apart shows what all longer ones do. In a shorter one a frame may be out of
reach from both sides, or the frame that is read may not be there: at T = 1 a state or a feature at frame 2 is
what it is outside 1..T.
"""

from __future__ import annotations

from collections.abc import Iterator

from dvaec.network.ends import Ends, both_ends, ends
from dvaec.network.unfold import nodes_of
from dvaec.spec.model import Spec, reads_of_head
from dvaec.spec.notation import counted

MOST_READS = 200_000  # frames times what is read at each; beyond it the ends are not compared


class TooLongError(ValueError):
    """The lags of the developed form ask for too long a horizon."""

    code = "DV214"


def lengths(spec: Spec) -> tuple[Ends, ...]:
    """Return what is seen in sequences of each length that may show something new, the longest first.

    Where the page fixes T that is the only one. Of the shorter ones the first are looked at, as many as
    MOST_READS allows. TooLongError if it does not allow the longest.
    """
    far, reads = both_ends(spec), sum(1 + len(node.reads) for node in nodes_of(spec))
    reads += sum(1 + len(reads_of_head(head)) for head in spec.heads)
    longest = far if spec.frames is None else min(far, spec.frames)
    if longest * reads > MOST_READS:
        reach = f"reach over {counted(far // 2, 'frame')} together"
        message = f"the lags of states, features and networks {reach}, too far to compare them at a"
        raise TooLongError(f"{message} sequence's ends")
    return (ends(spec, longest), *(ends(spec, short) for short in _shorter(spec, longest, reads)))


def _shorter(spec: Spec, longest: int, reads: int) -> Iterator[int]:
    left = MOST_READS
    for frames in range(1, longest if spec.frames is None else 1):
        left -= frames * reads
        if left < 0:
            return
        yield frames
