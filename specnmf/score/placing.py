"""Placing: the time of each note of a score in the recording, from a path of frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specnmf.score.matching import Recording
from specnmf.score.notes import Note
from specnmf.score.passages import Leap, Passage
from specnmf.score.refine import heard, refined, sounding

Float64 = NDArray[np.float64]

#: Notes that are neighbours, whose median counts.
NEIGHBOURS = 15

#: A note may begin so many seconds beside what has a counterpart and belong to it; if
#: what lies there is a rest, so many.
BESIDE, BESIDE_REST = 0.25, 1.0

#: A note begins at the first of two places where it is at least this share as loud as
#: at the other.
SOUNDING = 0.5

#: No note lasts less than so many seconds, unless it does in the score.
SHORTEST = 0.05


class Placed(NamedTuple):
    """Notes that have a counterpart in the recording."""

    notes: list[Note]
    #: The same on the recording's clock.
    warped: list[Note]
    #: Which passage each begins in, shape (n_notes,).
    where: NDArray[np.int64]


def placed(
    notes: Sequence[Note],
    found: Sequence[Passage],
    gaps: Sequence[Leap],
    recording: Recording,
) -> Placed:
    """The notes that have a counterpart, and the same notes in the recording's time.

    ``gaps`` are the leaps before, between and after the passages.
    """
    where = _passage_of(notes, found, gaps, recording)
    kept = [note for note, k in zip(notes, where, strict=True) if k >= 0]
    where = where[where >= 0]
    starts = np.array([note.start for note in kept])
    ends = starts + np.array([note.duration for note in kept])
    due, until = np.zeros(len(kept)), np.zeros(len(kept))
    last = _last_passage_of(ends, where, gaps)
    for k, common in enumerate(found):
        inside, ending = where == k, last == k
        due[inside] = np.maximum(0, common(starts[inside]))
        until[ending] = common(np.minimum(ends[ending], common.score[-1]))
    own, shared = refined(kept, due, recording.magnitudes.T, recording.rate)
    # a note that ends where a chord begins follows that chord
    until += np.interp(ends, starts, shared - due) if kept else 0
    own = heard(kept, own, until, recording.magnitudes.T, recording.rate)
    times = zip(kept, _in_order(kept, own), until, strict=True)
    return Placed(kept, [_timed(note, start, end) for note, start, end in times], where)


def _passage_of(
    notes: Sequence[Note],
    found: Sequence[Passage],
    gaps: Sequence[Leap],
    recording: Recording,
) -> NDArray[np.int64]:
    """The passage in which each note begins, -1 if none, shape (n_notes,)."""
    starts = np.array([note.start for note in notes])
    early = np.stack([common.score[0] - starts for common in found])
    late = np.stack([starts - common.score[-1] for common in found])
    reach = np.array([BESIDE_REST if gap.silent[0] else BESIDE for gap in gaps])
    near = (early <= reach[:-1, np.newaxis]) & (late <= reach[1:, np.newaxis])
    distances = np.where(near, np.maximum(early, late), np.inf)
    where = np.where(near.any(axis=0), np.argmin(distances, axis=0), -1)
    beside = distances <= BESIDE
    torn = beside.sum(axis=0) > 1
    if torn.any():
        # the sound decides on which side of a leap such a note is
        heard = beside & _heard(notes, beside & torn, found, recording)
        where = np.where(torn, np.argmax(heard, axis=0), where)
    return where


def _heard(
    notes: Sequence[Note],
    near: NDArray[np.bool_],
    found: Sequence[Passage],
    recording: Recording,
) -> NDArray[np.bool_]:
    """Whether notes sound where each nearby passage would have them begin."""
    starts = np.array([note.start for note in notes])
    levels = np.zeros(near.shape)
    for k, common in enumerate(found):
        own = [note for note, here in zip(notes, near[k], strict=True) if here]
        due = common(starts[near[k]])
        levels[k, near[k]] = sounding(own, due, recording.magnitudes.T, recording.rate)
    return np.asarray(levels >= SOUNDING * levels.max(axis=0))


def _last_passage_of(
    ends: Float64, where: NDArray[np.int64], gaps: Sequence[Leap]
) -> NDArray[np.int64]:
    """The passage in which each note ends: it may continue after a pause."""
    last = where.copy()
    for k, gap in enumerate(gaps[1:-1]):
        if gap.pause:
            last[(last == k) & (ends > gap.end[0])] = k + 1
    return last


def _in_order(notes: Sequence[Note], starts: Float64) -> Float64:
    """The starts, none before that of an earlier note of the same part and pitch."""
    latest: dict[tuple[str, int], float] = {}
    ordered = starts.copy()
    for k, note in enumerate(notes):
        voice = note.part, note.pitch
        ordered[k] = latest[voice] = max(starts[k], latest.get(voice, 0.0))
    return ordered


def _timed(note: Note, start: float, end: float) -> Note:
    """The note from start to end, but not shorter than allowed."""
    least = min(note.duration, SHORTEST)
    return note._replace(start=float(start), duration=float(max(end - start, least)))


def distances(found: Placed) -> tuple[float, float]:
    """The largest difference of the clocks, and that of nine tenths of the notes, in s.

    The first is that of medians over neighbours in one passage, because a single note
    may be wrong.
    """
    if not found.notes:
        return np.inf, np.inf
    pairs = zip(found.notes, found.warped, strict=True)
    moved = np.array([after.start - before.start for before, after in pairs])
    passages = [moved[found.where == k] for k in np.unique(found.where)]
    apart = max(float(np.abs(_medians(own)).max()) for own in passages)
    return apart, float(np.quantile(np.abs(moved), 0.9))


def _medians(values: Float64) -> Float64:
    width = min(NEIGHBOURS, len(values))
    windows = np.lib.stride_tricks.sliding_window_view(values, width)
    return np.asarray(np.median(windows, axis=1))
