"""Salience: the likelihood that each pitch sounds, and starts, at each moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.recording import Audio
from specnmf.methods.progress import Step

#: The pitches of transcribers: those of a piano, as MIDI numbers.
LOWEST, HIGHEST = 21, 108
N_PITCHES = HIGHEST - LOWEST + 1


class Odds(NamedTuple):
    """How a transcriber's salience tells notes: a logistic regression.

    Attributes
    ----------
    weights : tuple of float
        Of the `evidence` for a candidate, in its order.
    bias : float
        The logarithm of the odds where there is none.
    """

    weights: tuple[float, ...]
    bias: float


@dataclass(frozen=True, eq=False)
class Salience:
    """The output of a transcriber.

    Attributes
    ----------
    notes, onsets : array, shape (N_PITCHES, n_frames), float32
        The likelihood that each pitch sounds, and starts, 0 to 1; row 0 is LOWEST.
    times : array, shape (n_frames,)
        The frames in seconds, evenly spaced.
    cents : array, shape (N_PITCHES, n_frames), float32
        How much sharper each pitch is than at A4 = 440 Hz, where it sounds.
    odds : Odds
        What tells notes in it.
    """

    notes: NDArray[np.float32]
    onsets: NDArray[np.float32]
    times: NDArray[np.float64]
    cents: NDArray[np.float32]
    odds: Odds

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
