"""Clocks: seconds out of ticks or quarter notes, where the tempo changes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Clock:
    """When each place of a score sounds.

    Whole numbers of ticks and units stay so until the end: however many changes of
    tempo there are, nothing is rounded before.

    Attributes
    ----------
    places : list of float
        Where the tempo changes, in ticks or quarter notes, in order.
    tempi : list of float
        How many units of time a tick or quarter note lasts from there.
    elapsed : list of float
        How many units lie before.
    per_second : float
        Units in a second.
    """

    places: list[float]
    tempi: list[float]
    elapsed: list[float]
    per_second: float

    def seconds(self, place: float) -> float:
        """When a place sounds, in seconds."""
        k = bisect_right(self.places, place) - 1
        units = self.elapsed[k] + (place - self.places[k]) * self.tempi[k]
        return units / self.per_second


def clock(
    tempo: float, changes: Iterable[tuple[float, float]], per_second: float
) -> Clock:
    """The clock of a score.

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
    elapsed: list[float] = [0]
    for (place, tempo), (next_place, _) in pairwise(marks):
        elapsed.append(elapsed[-1] + (next_place - place) * tempo)
    return Clock([m[0] for m in marks], [m[1] for m in marks], elapsed, per_second)
