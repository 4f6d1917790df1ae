"""Clocks: seconds out of ticks or quarter notes, where the tempo changes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from itertools import accumulate, pairwise


def clock(
    tempo: float, changes: Iterable[tuple[float, float]], per_second: float
) -> Callable[[float], float]:
    """The function that tells when a place of a score sounds, in seconds.

    Whole numbers of ticks and units stay so until the end: however many changes of
    tempo there are, nothing is rounded before.

    Parameters
    ----------
    tempo : float
        How many units of time a tick or quarter note lasts at first.
    changes : iterable of (float, float)
        Where that changes and to what; of several at one place the last counts.
    per_second : float
        Units in a second.
    """
    marks = [(0, tempo), *sorted(changes, key=lambda change: change[0])]
    places = [place for place, _ in marks]
    units = [(after - place) * tempo for (place, tempo), (after, _) in pairwise(marks)]
    elapsed = list(accumulate(units, initial=0))

    def seconds(place: float) -> float:
        k = bisect_right(places, place) - 1
        return (elapsed[k] + (place - places[k]) * marks[k][1]) / per_second

    return seconds
