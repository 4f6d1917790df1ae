"""Heard notes, as arrays: what hearing, refining and putting into voices hand on."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

Float64 = NDArray[np.float64]

#: The partials that tell how a note sounds.
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
        How sure it is that there is such a note, 0 to 1.
    cents : array, shape (n,)
        How far the note lies above its pitch on average, at A4 = 440 Hz.
    energy : array, shape (n,)
        The mean magnitude that the fit gives the note while it lasts; 0 before a fit.
    timbre : array, shape (n, N_TIMBRE)
        The square roots of the amplitudes of its first partials, of unit norm; zeros
        before a fit.
    pan : array, shape (n, n_channels)
        How strongly each channel hears it, with a mean of one.
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
        """Notes of which no more is known, put in order."""
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
        """Some of the notes, by their places or a mask."""
        return replace(
            self,
            **{each.name: getattr(self, each.name)[chosen] for each in fields(self)},
        )

    @property
    def duration(self) -> Float64:
        """How long each note lasts, in seconds."""
        return self.end - self.start
