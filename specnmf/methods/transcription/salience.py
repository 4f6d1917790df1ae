"""Salience: the likelihood that each pitch sounds, and starts, at each moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.recording import Audio
from specnmf.methods.progress import Step

#: The pitches of transcribers: those of a piano, as MIDI numbers.
LOWEST, HIGHEST = 21, 108
N_PITCHES = HIGHEST - LOWEST + 1


@dataclass(frozen=True, eq=False)
class Salience:
    """The output of a transcriber.

    Attributes
    ----------
    notes, onsets : array, shape (N_PITCHES, n_frames), float32
        The likelihood that each pitch sounds, and starts, 0 to 1; row 0 is LOWEST.
    times : array, shape (n_frames,)
        The frames in seconds, evenly spaced.
    contour : array, shape (3 * N_PITCHES, n_frames), float32, or None
        The likelihood of each third of a semitone; row 3 p + 1 is pitch p itself.
    """

    notes: NDArray[np.float32]
    onsets: NDArray[np.float32]
    times: NDArray[np.float64]
    contour: NDArray[np.float32] | None = None

    @property
    def hop(self) -> float:
        """Seconds from one frame to the next."""
        return float(self.times[1] - self.times[0])


class Transcriber(Protocol):
    """The interface of transcribers."""

    @property
    def name(self) -> str:
        """The name in the option ``--transcriber`` and in run.json."""

    def hear(
        self, audio: Audio, *, threads: int | None = None, step: Step | None = None
    ) -> Salience:
        """The salience of a recording."""
