"""The tempo map of MIDI: the ticks of moments.

The ticks of a file begin with the recording, and a beat is a whole number of ticks, so
in an editor the notes lie on the beats and sound at their times.
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
    """The places where the tempo changes, and the length of a beat from there on.

    Attributes
    ----------
    ticks : array of int, shape (n,)
        The first is 0.
    seconds : array, shape (n,)
        The times of these ticks, as a reader of the file computes them.
    microseconds : array of int, shape (n,)
        The length of a beat.
    """

    ticks: NDArray[np.int64]
    seconds: Float64
    microseconds: NDArray[np.int64]

    def at(self, seconds: ArrayLike) -> Float64:
        """The ticks of times from 0 s on, with fractions."""
        seconds = np.asarray(seconds, float)
        last = np.searchsorted(self.seconds, seconds, side="right") - 1
        rates = TICKS_PER_BEAT * 1e6 / self.microseconds
        passed = seconds - self.seconds[last]
        found: Float64 = self.ticks[last] + passed * rates[last]
        return found


def steady(tempo: float) -> TempoMap:
    """The map of one tempo in beats per minute; ParameterError if out of range."""
    if not SLOWEST <= tempo <= FASTEST:
        raise ParameterError(
            f"tempo must lie between {SLOWEST:g} and {FASTEST:g}, got {tempo}"
        )
    microseconds = round(6e7 / tempo)
    return TempoMap(np.zeros(1, int), np.zeros(1), np.array([microseconds]))


def along(beats: Beats) -> TempoMap:
    """The map that puts the beats of a recording on those of the file.

    Before the first beat there is one of another length, 0.5 to 1.5 times the next.
    Rounding to microseconds is compensated where the tempo changes next.

    Raises
    ------
    ParameterError
        If the beats are slower or faster than MIDI allows.
    """
    knots = _from_zero(beats.times)
    periods = np.diff(knots)
    slowest, fastest = 60 / periods.max(), 60 / periods.min()
    if slowest < SLOWEST or fastest > FASTEST:
        raise ParameterError(
            f"the tempo of beats must be {SLOWEST:g} to {FASTEST:g} per minute, "
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
    """The beats after the start, with the start itself as a beat."""
    after = times[times > 0]
    if times[0] < 0 and after[0] < (after[1] - after[0]) / 2:
        after = after[1:]
    return np.concatenate([[0.0], after])
