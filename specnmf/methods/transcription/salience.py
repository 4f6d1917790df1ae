"""Salience: how likely each pitch sounds, and begins, at each moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.recording import Audio
from specnmf.methods.progress import Step

#: The pitches that transcribers listen for: a piano's, as MIDI numbers.
LOWEST, HIGHEST = 21, 108
N_PITCHES = HIGHEST - LOWEST + 1


@dataclass(frozen=True, eq=False)
class Salience:
    """What a transcriber hears.

    Attributes
    ----------
    notes, onsets : array, shape (N_PITCHES, n_frames), float32
        How likely each pitch sounds, and begins, 0 to 1; the first row is LOWEST.
    times : array, shape (n_frames,)
        The frames in seconds, evenly spaced.
    contour : array, shape (3 * N_PITCHES, n_frames), float32, or None
        How likely each third of a semitone sounds; row 3 p + 1 is pitch p itself.
    """

    notes: NDArray[np.float32]
    onsets: NDArray[np.float32]
    times: NDArray[np.float64]
    contour: NDArray[np.float32] | None = None

    @property
    def hop(self) -> float:
        """Seconds from frame to frame."""
        return float(self.times[1] - self.times[0])


class Transcriber(Protocol):
    """Something that hears notes."""

    @property
    def name(self) -> str:
        """As the option ``--transcriber`` and run.json spell it."""

    def hear(
        self, audio: Audio, *, threads: int | None = None, step: Step | None = None
    ) -> Salience:
        """Listen to a recording."""
