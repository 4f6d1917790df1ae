"""Differences between a score and a recording, and the remarks about them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from specnmf.notation import note_name
from specnmf.score.notes import Note, Score
from specnmf.score.passages import REMARKABLE, Leap
from specnmf.score.placing import BESIDE

#: A note is stuck if for so many seconds no other begins and the recording has it not.
STUCK = 10.0

#: The most stuck notes that a remark names.
MOST_NAMED = 3

SIDES = (("score", "recording"), ("recording", "score"))


def stuck_notes(found: Sequence[Leap], score: Score) -> list[Note]:
    """The notes that sound alone after the recording has ended or gone on."""
    stuck: dict[Note, None] = {}
    for leap in found:
        since, long_after = leap.begin[0] + BESIDE, leap.begin[0] + STUCK
        later = [note.start for note in score.notes if note.start > since]
        if min([leap.end[0], *later]) > long_after:
            held = (n for n in score.notes if n.start <= since and not n.percussion)
            stuck |= {n: None for n in held if n.start + n.duration > long_after}
    return list(stuck)


def told(found: Sequence[Leap], score: Score, kept: Collection[Note]) -> Iterator[str]:
    """Yield remarks on what is missing on either side, given the notes kept."""
    lost = [note for note in score.notes if note not in kept]
    for leap in found:
        begun = any(leap.begin[0] <= n.start <= leap.end[0] for n in lost)
        held = _held_over(leap, score)
        rests = leap.silent[0] and not begun, leap.silent[1]
        # silence around the music does not matter, nor which pause is longer
        at_ease = leap in (found[0], found[-1]) or all(rests)
        for side, (name, other) in enumerate(SIDES):
            untold = rests[side] and (at_ease or (side == 0 and held))
            if leap.lasts(side) <= REMARKABLE or untold:
                continue
            since, until = leap.begin[side], leap.end[side]
            when = f"the {name} from {since:.1f} s to {until:.1f} s"
            what = f"is missing from the {other}"
            if rests[side]:
                when = f"the {name} pauses from {since:.1f} s to {until:.1f} s,"
                what = f"but not the {other}"
            yield f"{when} {what} (there, at {leap.begin[1 - side]:.1f} s)"


def _held_over(leap: Leap, score: Score) -> bool:
    """Whether a note of the score is held for most of a leap."""
    since, middle = leap.begin[0], (leap.begin[0] + leap.end[0]) / 2
    return any(n.start <= since and n.start + n.duration > middle for n in score.notes)


def named(stuck: Sequence[Note]) -> Iterator[str]:
    """Yield a remark with the names of stuck notes, if there are any."""
    names = [
        f"{note_name(note.pitch)}{f' of {note.part}' if note.part else ''} "
        f"({note.start:.1f} s to {note.start + note.duration:.1f} s)"
        for note in stuck[:MOST_NAMED]
    ]
    if len(stuck) > MOST_NAMED:
        names.append(f"{len(stuck) - MOST_NAMED} more")
    if names:
        seem = "a note seems stuck and ends"
        if len(names) > 1:
            seem = "notes seem stuck and end"
        yield f"{seem} where the recording does: {', '.join(names)}"
