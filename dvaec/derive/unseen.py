"""What q's networks, where they alone declare q, do not see at the ends of a sequence.

Then q's windows are what the networks see far from the ends. No declaration contradicts that they see less
where states start, or where features beyond the ends are read: q is legal, and it is said where it sees less.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dvaec.derive.chain import seen_by_network
from dvaec.derive.model import Key, served_by
from dvaec.network.ends import Ends, Lost
from dvaec.network.lengths import TooLongError, lengths
from dvaec.spec.frames import runs
from dvaec.spec.model import Conditional, InferenceKind, Side, Spec
from dvaec.spec.notation import counted

MOST_SHOWN = 4


def unseen(spec: Spec, inference: Iterable[Conditional]) -> dict[Key, tuple[Lost, ...]]:
    """Return, by factor of q, what its windows hold and its networks do not see at some frame of 1..T.

    Of a T that holds both ends apart; of a shorter one, before these, where that shows something new.
    """
    if spec.inference.kind is not InferenceKind.NETWORKS:
        return {}
    inference = tuple(inference)
    try:
        longest, *shorter = (tuple(unseen_at(one, inference)) for one in lengths(spec))
    except TooLongError:  # reported with its place by `check_developed`
        return {}
    found = {}
    for q in inference:
        key = (q.target, q.frame)
        mine, *others = (tuple(lost for k, lost in all_lost if k == key) for all_lost in (longest, *shorter))
        new = tuple(lost for some in others if _shows_more(some, mine) for lost in some)
        if mine or new:
            found[key] = (*new, *mine)
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


def _shows_more(shorter: tuple[Lost, ...], longest: tuple[Lost, ...]) -> bool:
    """Whether a frame is lost that no frame of the longest is like, both counted from either end."""
    there = {(lost.name, lost.frame, frame) for lost in longest for frame in lost.missing or (None,)}
    return any(
        not there & {(lost.name, at, of) for at in _either(lost.frame, more) for of in _either(frame, more)}
        for lost in shorter
        for more in (longest[0].frames - lost.frames if longest else 0,)
        for frame in lost.missing or (None,)
    )


def _either(frame: int | None, more: int) -> tuple[int | None, ...]:
    """A frame, and the one that is as far from the end of a sequence of so many more frames."""
    return (None,) if frame is None else (frame, frame + more)


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
    return ", ".join(
        f"{_readers(target, frames)} {'does' if len(frames) == 1 else 'do'} not see {words}"
        for words, frames in alike.items()
    )


def lost_word(lost: Lost) -> str:
    """Name what is lost: c, x_11, x_<2:11>."""
    named = (
        f"{lost.name}_{run[0]}" if len(run) == 1 else f"{lost.name}_<{run[0]}:{run[-1]}>"
        for run in runs(lost.missing)
    )
    return ", ".join(named) or lost.name


def _readers(target: str, frames: list[int | None]) -> str:
    """Name the factors of some frames: q(v), q(z_1), q(z_3) to q(z_9)."""
    numbers = [frame for frame in frames if frame is not None]
    if not numbers:
        return f"q({target})"
    return ", ".join(
        f"q({target}_{run[0]})" + ("" if len(run) == 1 else f" to q({target}_{run[-1]})")
        for run in runs(numbers)
    )


def why_unseen(spec: Spec) -> str:
    """Say why a network sees less at an end than far from there."""
    states, features = "states start at the ends", "features beyond the ends are those of zeros"
    if not spec.features:
        return states
    return f"{states}, and {features}" if spec.states else features


def way_to_see(lost: Lost, frame: int | None) -> str:
    """Suggest how the network of a factor, of one `frame` or of every, sees what is lost."""
    if lost.missing == (0,):
        return f"let a forward state read {lost.name}_<t-1>, or start at it: starts: {{reads: {lost.name}_0}}"
    if lost.frame is None or frame is not None:
        return "read a forward state that reads frame t at its last frame (g_<T>), a backward one at frame 1"
    return (
        "let a backward state read at t or later and a forward state at t or earlier; "
        "read the remaining frames directly in the network"
    )
