"""What q's networks, where they alone declare q, do not see at the ends of a sequence.

Then q's windows are what the networks see far from the ends. No declaration contradicts that they see less
where states start, or where features beyond the ends are read: q is legal, and it is said where it sees less.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from dvaec.derive.chain import seen_by_network
from dvaec.derive.model import Key, served_by
from dvaec.network.ends import Ends, Lost, ends
from dvaec.network.lengths import TooLongError, lengths
from dvaec.spec.frames import runs
from dvaec.spec.model import LAST, Conditional, InferenceKind, Parent, Side, Spec
from dvaec.spec.notation import counted

MOST_SHOWN = 4


def unseen(spec: Spec, inference: Iterable[Conditional]) -> dict[Key, tuple[Lost, ...]]:
    """Return, by factor of q, what its windows hold and its networks do not see at some frame of 1..T.

    Of a T that holds both ends apart, then of shorter ones where these show what no longer one does.
    """
    if spec.inference.kind is not InferenceKind.NETWORKS:
        return {}
    inference = tuple(inference)
    try:
        longest, *shorter = (tuple(unseen_at(one, inference)) for one in lengths(spec))
        falling = (longest, *reversed(shorter))
    except TooLongError:  # reported with its place by `check_developed`
        return {}
    found: dict[Key, tuple[Lost, ...]] = {}
    for one in falling:
        for key in dict.fromkeys(key for key, _ in one):
            mine, known = tuple(lost for k, lost in one if k == key), found.get(key, ())
            if any(_is_new(lost, known) for lost in mine):
                found[key] = (*known, *mine)
    return found


def unseen_at(finite: Ends, inference: Iterable[Conditional]) -> Iterator[tuple[Key, Lost]]:
    """Yield what the factors of q do not see of their windows, in sequences of one length."""
    spec, inference = finite.spec, tuple(inference)
    if spec.inference.kind is not InferenceKind.NETWORKS:
        return
    keys = tuple((q.target, q.frame) for q in inference)
    for q in inference:
        reads = seen_by_network(spec, q.target, q.frame)
        if reads is not None:
            for lost in finite.lost(Side.Q, reads, q, served_by(keys, q.target)):
                yield (q.target, q.frame), lost


def is_seen_far(spec: Spec, inference: Iterable[Conditional], q: Conditional, candidate: Parent) -> bool:
    """Whether the networks of q see the frame at some t whose window holds it."""
    finite = ends(spec)
    at = finite.frames if candidate.frame == LAST else candidate.frame or 0
    lost = {
        one.frame
        for (name, _), one in unseen_at(finite, inference)
        if (name, one.name) == (q.target, candidate.name) and at in one.missing
    }
    by_number = q.of(candidate.name, candidate.frame) is not None
    window = q.of(candidate.name)
    offsets = None if window is None else window.offsets
    holding = (t for t in range(1, finite.frames + 1) if by_number or (offsets and at - t in offsets))
    return not lost or any(t not in lost for t in holding if t != at)


def _is_new(shorter: Lost, known: tuple[Lost, ...]) -> bool:
    """Whether a frame is lost that no frame of a longer sequence is like, both counted from either end."""

    def alike(frame: int | None, other: int | None, more: int) -> bool:
        return frame == other or (frame is not None and frame + more == other)

    return not all(
        any(
            shorter.name == longer.name
            and alike(shorter.frame, longer.frame, longer.frames - shorter.frames)
            and any(alike(at, of, longer.frames - shorter.frames) for of in longer.missing or (None,))
            for longer in known
        )
        for at in shorter.missing or (None,)
    )


def unseen_words(target: str, lost: Iterable[Lost]) -> str:
    """List the frames at which q sees less: `of 11 frames, q(z_1) to q(z_9) do not see x_11`."""
    by_length: dict[int, list[Lost]] = {}
    for one in lost:
        by_length.setdefault(one.frames, []).append(one)
    return "; ".join(
        f"of {counted(frames, 'frame')}, {_of_one_length(target, some)}" for frames, some in by_length.items()
    )


def _of_one_length(target: str, lost: Iterable[Lost]) -> str:
    at_frame: dict[int | None, list[str]] = {}
    for one in lost:
        at_frame.setdefault(one.frame, []).append(lost_word(one))
    alike: dict[str, list[int | None]] = {}
    for frame, words in at_frame.items():
        alike.setdefault(", ".join(words), []).append(frame)
    if len(alike) > MOST_SHOWN:
        frame, words = next(iter(at_frame.items()))
        first = f"{_readers(target, [frame])} does not see {', '.join(words)}"
        return f"{_readers(target, list(at_frame))} see less, each in its own way: {first}"
    return "; ".join(
        f"{_readers(target, frames)} {'does' if len(frames) == 1 else 'do'} not see {words}"
        for words, frames in alike.items()
    )


def lost_word(lost: Lost) -> str:
    """Name what is lost as a page does: c, x_11, x_<2:11>, x_<1:11:2>."""
    frames = lost.missing
    steps = {after - before for before, after in pairwise(frames)}
    if len(frames) > 2 and len(steps) == 1 and steps != {1}:
        return f"{lost.name}_<{frames[0]}:{frames[-1]}:{steps.pop()}>"
    named = (
        f"{lost.name}_{run[0]}" if len(run) == 1 else f"{lost.name}_<{run[0]}:{run[-1]}>"
        for run in runs(frames)
    )
    return ", ".join(named) or lost.name


def _readers(target: str, frames: list[int | None]) -> str:
    """Name the factors of some frames: q(v), q(z_1), q(z_3) to q(z_9)."""
    numbers = [frame for frame in frames if frame is not None]
    steps = {after - before for before, after in pairwise(numbers)}
    if len(numbers) > 3 and len(steps) == 1 and steps != {1}:
        return f"q({target}_{numbers[0]}), q({target}_{numbers[1]}), ..., q({target}_{numbers[-1]})"
    parted = runs(numbers)
    named = (
        f"q({target}_{run[0]}) to q({target}_{run[-1]})"
        if len(run) > 2
        else ", ".join(f"q({target}_{frame})" for frame in run)
        for run in parted
    )
    return ", ".join(named) or f"q({target})"


def why_unseen(spec: Spec, lost: Iterable[Lost]) -> str:
    """Say why a network sees less than its windows say: at an end, or as they name all frames for some."""
    if any(_is_inside(one) for one in lost):
        return "no window names just the frames that it sees"
    states, features = "states start at the ends", "features beyond the ends are those of zeros"
    reasons = (*((states,) if spec.states else ()), *((features,) if spec.features else ()))
    return ", and ".join(reasons)


def _is_inside(lost: Lost) -> bool:
    """Whether a frame is lost far from both ends, of a sequence that holds them apart."""

    def amid(frame: int | None) -> bool:
        return frame is None or abs(2 * frame - lost.frames - 1) <= 4 < lost.frames

    return amid(lost.frame) and any(map(amid, lost.missing))


def way_to_see(spec: Spec, lost: tuple[Lost, ...], frame: int | None) -> str:
    """Suggest how the network of a factor, of one `frame` or of every, sees what is lost."""
    first = lost[0]
    if not spec.states:
        return f"let the network read {first.name} itself"
    if any(map(_is_inside, lost)):
        return "what is printed holds more than it sees, and what it sees is right"
    if first.missing == (0,):
        return (
            f"let a forward state read {first.name}_<t-1>, or start at it: starts: {{reads: {first.name}_0}}"
        )
    if first.frame is None or frame is not None:
        return "read a forward state that reads frame t at its last frame (g_<T>), a backward one at frame 1"
    return (
        "let a backward state read at t or later and a forward state at t or earlier; "
        "read the remaining frames directly in the network"
    )
