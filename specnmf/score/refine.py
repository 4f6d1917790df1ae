"""Refinement: the beginning of each note, searched near its expected time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from specnmf.score.imprint import LOWEST, Float32, compress, loudness, spectrum
from specnmf.score.notes import Note

Float64 = NDArray[np.float64]

#: How far from where it is due an onset is sought, in seconds, and how probable it is
#: there: the standard deviations of a chord, and of a note about its chord.
REACH, CHORD_SPREAD, NOTE_SPREAD = 0.1, 0.04, 0.03

#: A rise, over RISE seconds, is that of magnitudes compressed less than for the path:
#: the middle of an attack counts more than its first trace.
RISE, COMPRESSION = 0.02, 10.0

#: Notes that begin within so many seconds of one another in the score are a chord.
TOGETHER = 0.002

#: The evidence of an onset where nothing rises, beside 1 where most does.
DOUBT = 0.3

#: A note whose pitch is this much softer over its first moments, so many seconds, than
#: later on has not begun; it does where it reaches a share of its peak.
UNHEARD, MOMENTS, HEARD = 10 ** (-30 / 20), 0.1, 10 ** (-20 / 20)

#: Just after a note begins is so many seconds after.
EARLY = 0.3

#: Rises below this share of what is usual for a note count for less.
FAINT, USUAL = 0.1, 0.9


def refined(
    notes: Sequence[Note], due: Float64, magnitudes: Float32, rate: float
) -> tuple[Float64, Float64]:
    """The times at which notes begin, and their chords, in seconds.

    The notes of a chord are first moved together, to where their partials rise most in
    the recording, and then each a little on its own. Notes are in the order of the
    score, and ``due`` are their times by the path. Magnitudes (n_frames, 128) are the
    loudness of each pitch of the recording.
    """
    if not notes:
        return due, due
    shifts = np.arange(-round(REACH * rate), round(REACH * rate) + 1) / rate
    evidence = _evidence(notes, due, magnitudes, rate)
    own, shared = due.copy(), due.copy()
    for chord in chords(notes):
        together = np.log(DOUBT + evidence[chord].mean(axis=0))
        shift = shifts[np.argmax(together + _prior(shifts, CHORD_SPREAD))]
        alone = np.log(DOUBT + evidence[chord]) + _prior(shifts - shift, NOTE_SPREAD)
        shared[chord] += shift
        own[chord] += shifts[np.argmax(alone, axis=1)]
    return np.maximum(own, 0), np.maximum(shared, 0)


def heard(
    notes: Sequence[Note],
    starts: Float64,
    ends: Float64,
    magnitudes: Float32,
    rate: float,
) -> Float64:
    """The starts; those of notes that are not heard yet are delayed until they are.

    A path has no support before the first sound, and in long rests.
    """
    put_off = starts.copy()
    for k, note in enumerate(notes):
        first, last = round(starts[k] * rate), round(ends[k] * rate)
        course = magnitudes[first:last, note.pitch]
        moments = round(MOMENTS * rate)
        if note.percussion or len(course) <= moments:
            continue
        peak = float(course.max())
        if course[:moments].max() < UNHEARD * peak:
            put_off[k] += np.argmax(course >= HEARD * peak) / rate
    return put_off


def sounding(
    notes: Sequence[Note], starts: Float64, magnitudes: Float32, rate: float
) -> Float64:
    """The loudness of notes' partials just after they begin, shape (n_notes,)."""
    levels = np.zeros(len(notes))
    for k, (note, seconds) in enumerate(zip(notes, starts, strict=True)):
        first = round(max(0.0, seconds) * rate)
        moment = max(1, round(min(note.duration, EARLY) * rate))
        course = magnitudes[first : first + moment, LOWEST:]
        if len(course):
            levels[k] = (course @ spectrum(note.pitch, note.percussion)).mean()
    return levels


def chords(notes: Sequence[Note]) -> list[slice]:
    """The notes that begin together, as ranges."""
    starts = np.array([note.start for note in notes])
    cuts = np.flatnonzero(np.diff(starts) > TOGETHER) + 1
    edges = [0, *cuts.tolist(), len(notes)]
    return [slice(a, b) for a, b in pairwise(edges)]


def _evidence(
    notes: Sequence[Note], due: Float64, magnitudes: Float32, rate: float
) -> Float64:
    """The rise of a note's partials at each shift, 1 for the largest."""
    reach, lag = round(REACH * rate), max(2, round(RISE * rate))
    within = np.arange(-reach - lag // 2, reach + 1 + lag - lag // 2)
    loud = loudness(magnitudes)
    evidence = np.empty((len(notes), 2 * reach + 1))
    for k, (note, seconds) in enumerate(zip(notes, due, strict=True)):
        frames = np.clip(round(seconds * rate) + within, 0, len(magnitudes) - 1)
        near = compress(magnitudes[frames, LOWEST:], loud, COMPRESSION)
        rises = np.maximum(0, near[lag:] - near[:-lag])
        evidence[k] = rises @ spectrum(note.pitch, note.percussion)
    highest = evidence.max(axis=1)
    usual = FAINT * np.quantile(highest, USUAL) + 1e-9
    return np.asarray(evidence / np.maximum(highest, usual)[:, np.newaxis])


def _prior(distances: Float64, spread: float) -> Float64:
    return np.asarray(-0.5 * (distances / spread) ** 2)
