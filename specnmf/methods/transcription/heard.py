"""Detected notes as arrays, passed from transcriber to refining to voices."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

Float64 = NDArray[np.float64]

#: The number of partials that describe a timbre.
N_TIMBRE = 12


@dataclass(frozen=True, eq=False, kw_only=True)
class Heard:
    """Notes in order of their onset, then pitch.

    Attributes
    ----------
    start, end : array, shape (n,)
        In seconds.
    pitch : array of int, shape (n,)
        MIDI numbers.
    confidence : array, shape (n,)
        The probability that the note exists, 0 to 1.
    cents : array, shape (n,)
        The mean deviation from the pitch, at A4 = 440 Hz.
    energy : array, shape (n,)
        The mean magnitude of the note in the fit while it lasts; 0 before a fit.
    timbre : array, shape (n, N_TIMBRE)
        The square roots of the amplitudes of its first partials, of unit norm; zeros
        before a fit.
    pan : array, shape (n, n_channels)
        Its strength in each channel, with a mean of one.
    """

    start: Float64
    end: Float64
    pitch: NDArray[np.int64]
    confidence: Float64
    cents: Float64
    energy: Float64
    timbre: Float64
    pan: Float64

    @classmethod
    def of(
        cls, start: ArrayLike, end: ArrayLike, pitch: ArrayLike, confidence: ArrayLike
    ) -> Heard:
        """Notes without further properties, sorted."""
        start, pitch = np.asarray(start, float), np.asarray(pitch, np.int64)
        n = len(start)
        heard = cls(
            start=start,
            end=np.asarray(end, float),
            pitch=pitch,
            confidence=np.asarray(confidence, float),
            cents=np.zeros(n),
            energy=np.zeros(n),
            timbre=np.zeros((n, N_TIMBRE)),
            pan=np.ones((n, 1)),
        )
        return heard[np.lexsort((pitch, start))]

    def __len__(self) -> int:
        return len(self.start)

    def __getitem__(self, chosen: NDArray[np.intp] | NDArray[np.bool_]) -> Heard:
        """Some of the notes, by indices or a mask."""
        return replace(
            self,
            **{each.name: getattr(self, each.name)[chosen] for each in fields(self)},
        )

    @property
    def duration(self) -> Float64:
        """The duration of each note, in seconds."""
        return self.end - self.start
