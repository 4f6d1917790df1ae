"""MIDI's tempo map: at which tick a moment lies.

A file's ticks begin with the recording, and its beats are a whole number of ticks, so
that in an editor the notes lie on the beats and sound when they do.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specnmf.errors import ParameterError
from specnmf.score.beats import Beats

Float64 = NDArray[np.float64]

#: A tick lasts 0.26 ms at 120 beats a minute and 1.6 ms at the slowest tempo.
TICKS_PER_BEAT = 1920

#: The tempi allowed, in beats a minute.
SLOWEST, FASTEST = 20.0, 1000.0

#: Periods that differ by less, in seconds, are one tempo: MIDI counts microseconds.
SAME_PERIOD = 1e-6


class TempoMap(NamedTuple):
    """Where the tempo changes, and how long a beat lasts from there on.

    Attributes
    ----------
    ticks : array of int, shape (n,)
        The first is 0.
    seconds : array, shape (n,)
        When those ticks are, as a reader of the file finds them.
    microseconds : array of int, shape (n,)
        A beat's.
    """

    ticks: NDArray[np.int64]
    seconds: Float64
    microseconds: NDArray[np.int64]

    def at(self, seconds: ArrayLike) -> Float64:
        """The ticks of moments, from 0 s on, in fractions."""
        seconds = np.asarray(seconds, float)
        last = np.searchsorted(self.seconds, seconds, side="right") - 1
        rates = TICKS_PER_BEAT * 1e6 / self.microseconds
        passed = seconds - self.seconds[last]
        found: Float64 = self.ticks[last] + passed * rates[last]
        return found


def steady(tempo: float) -> TempoMap:
    """The map of one tempo in beats a minute; ParameterError if it is out of range."""
    if not SLOWEST <= tempo <= FASTEST:
        raise ParameterError(
            f"tempo must lie between {SLOWEST:g} and {FASTEST:g}, got {tempo}"
        )
    microseconds = round(6e7 / tempo)
    return TempoMap(np.zeros(1, int), np.zeros(1), np.array([microseconds]))


def along(beats: Beats) -> TempoMap:
    """The map by which the beats of a recording lie on those of the file.

    Before the first beat, there is one of another length, half as long as the next to
    half as long again. What microseconds round is made up for where the tempo changes
    next.

    Raises
    ------
    ParameterError
        If the beats go slower or faster than MIDI's may.
    """
    knots = _from_zero(beats.times)
    periods = np.diff(knots)
    slowest, fastest = 60 / periods.max(), 60 / periods.min()
    if slowest < SLOWEST or fastest > FASTEST:
        raise ParameterError(
            f"beats must go at {SLOWEST:g} to {FASTEST:g} a minute, "
            f"got {slowest:g} to {fastest:g}"
        )
    changes = np.flatnonzero(np.abs(np.diff(periods)) > SAME_PERIOD) + 1
    places = np.concatenate([[0], changes, [len(periods)]])
    seconds, microseconds = [0.0], []
    for first, last in pairwise(places.tolist()):
        beat = round((knots[last] - seconds[-1]) * 1e6 / (last - first))
        microseconds.append(beat)
        seconds.append(seconds[-1] + beat * (last - first) * 1e-6)
    return TempoMap(
        TICKS_PER_BEAT * places[:-1].astype(int),
        np.array(seconds[:-1]),
        np.array(microseconds),
    )


def _from_zero(times: Float64) -> Float64:
    """The beats after the start, and the start itself as one."""
    after = times[times > 0]
    if times[0] < 0 and after[0] < (after[1] - after[0]) / 2:
        after = after[1:]
    return np.concatenate([[0.0], after])
