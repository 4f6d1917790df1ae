"""Candidates: possible starts of notes, and the evidence for each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from specnmf.methods.transcription.salience import Salience

Array = NDArray[np.float64]
Float32 = NDArray[np.float32]
Int = NDArray[np.intp]

#: A note may start at each peak of onset salience above FAINT, and where note salience
#: rises above SOUNDING without a peak nearby.
FAINT, SOUNDING = 0.1, 0.3

#: A peak is the maximum within this many seconds: notes are rarely repeated faster.
APART = 0.1

#: A span of note salience continues through gaps up to GAP; a peak up to BEFORE it
#: belongs to it; in seconds.
GAP, BEFORE = 0.07, 0.06

#: A note is loudest within LOUDEST and absent in EARLIER; in seconds from its onset.
LOUDEST, EARLIER = 0.14, (-0.09, -0.035)

#: Onsets at this distance or less, in seconds, are simultaneous.
TOGETHER = 0.035

OCTAVE = 12


@dataclass(frozen=True, eq=False)
class Candidates:
    """Possible notes, by row, then frame.

    Attributes
    ----------
    row, first, last : array of int, shape (n,)
        The row of the salience, the frame of the onset, and the frame after its span of
        note salience.
    """

    row: Int
    first: Int
    last: Int

    def __len__(self) -> int:
        return len(self.row)

    def __getitem__(self, chosen: NDArray[np.bool_]) -> Candidates:
        """A selection by a mask."""
        return Candidates(self.row[chosen], self.first[chosen], self.last[chosen])

    def until(self) -> Int:
        """The frame of the next start or of the end of the span, whichever is first."""
        following = np.append(self.first[1:], 0)
        follows = np.append(self.row[1:], -1) == self.row
        until = np.where(follows, np.minimum(self.last, following), self.last)
        return np.maximum(until, self.first + 1)


def candidates(salience: Salience) -> Candidates:
    """The possible starts of notes."""
    peaks = _peaks(salience.onsets, _frames(salience, APART))
    gap, before = (_frames(salience, seconds) for seconds in (GAP, BEFORE))
    found = [
        (row, first, last)
        for row, notes in enumerate(salience.notes)
        for span in spans(notes > SOUNDING, gap)
        for first, last in _begins(np.flatnonzero(peaks[row]), *span, before)
    ]
    return Candidates(*np.array(found, np.intp).reshape(-1, 3).T)


def _frames(salience: Salience, seconds: float) -> int:
    """The number of frames nearest to a duration."""
    return round(seconds / salience.hop)


def _largest(values: Float32, reach: int) -> Float32:
    """The largest value at most ``reach`` frames away, the shape of ``values``."""
    from scipy.ndimage import maximum_filter1d

    largest: Float32 = maximum_filter1d(values, 2 * reach + 1, mode="constant")
    return largest


def _peaks(onsets: Float32, reach: int) -> NDArray[np.bool_]:
    """The local maxima of onset salience; for a plateau, its start."""
    rising = np.diff(onsets, axis=1, prepend=np.float32(0)) > 0
    peaks: NDArray[np.bool_] = rising & (onsets == _largest(onsets, reach))
    return peaks & (onsets > FAINT)


def _mean(values: Float32, row: Int, first: Int, until: Int) -> Array:
    """The means of rows between given frames, shape (n,); 0 outside."""
    n_frames = values.shape[1]
    first, until = np.clip(first, 0, n_frames), np.clip(until, 0, n_frames)
    sums = np.zeros((len(values), n_frames + 1))
    np.cumsum(values, axis=1, out=sums[:, 1:])
    means: Array = (sums[row, until] - sums[row, first]) / np.maximum(until - first, 1)
    return means


def _log_odds(likelihood: NDArray[np.floating]) -> Array:
    """The logarithm of the odds, limited to those of 2 and 98 %."""
    bounded = np.clip(likelihood, 0.02, 0.98)
    odds: Array = np.log(bounded / (1 - bounded))
    return odds


def spans(on: NDArray[np.bool_], gap: int) -> list[tuple[int, int]]:
    """First frames, and frames after the last, of spans with no gap above ``gap``."""
    frames = np.flatnonzero(on)
    breaks = np.flatnonzero(np.diff(frames) > gap + 1)
    firsts = frames[np.append(0, breaks + 1)] if len(frames) else frames
    lasts = frames[np.append(breaks, -1)] + 1 if len(frames) else frames
    return list(zip(firsts.tolist(), lasts.tolist(), strict=True))


def _begins(peaks: Int, first: int, last: int, before: int) -> list[tuple[int, int]]:
    """The possible starts of notes in a span, each with the end of the span."""
    inside = peaks[(peaks >= first - before) & (peaks < last - 1)].tolist()
    if not inside or inside[0] > first + 2 * before:
        inside.insert(0, first)
    return [(begin, last) for begin in inside]


def evidence(salience: Salience, found: Candidates) -> Array:
    """The evidence for each candidate, shape (n, 6).

    In order: the likelihood of its onset; of its pitch, on average while it lasts, and
    just before it (log odds); of its pitch at the best moment, soon after the onset; of
    an onset of any pitch, as notes often start together; and of the octave below, of
    which it may be a partial.
    """
    notes, onsets = salience.notes, salience.onsets
    row, first, until = found.row, found.first, found.until()
    before = [first + _frames(salience, seconds) for seconds in EARLIER]
    moment = _largest(onsets.max(axis=0, keepdims=True), _frames(salience, TOGETHER))
    below = np.where(row >= OCTAVE, _mean(notes, row - OCTAVE, first, until), 0.0)
    best = [
        notes[row, np.minimum(first + frame, notes.shape[1] - 1)]
        for frame in range(_frames(salience, LOUDEST))
    ]
    return np.column_stack(
        [
            _log_odds(onsets[row, first]),
            _log_odds(_mean(notes, row, first, until)),
            _log_odds(_mean(notes, row, *before)),
            np.max(best, axis=0),
            moment[0, first],
            below,
        ]
    )
