"""The built-in transcriber: a small network of our own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.recording import FAINTEST, Audio, at_rate
from specnmf.methods.progress import Step
from specnmf.methods.transcription import builtin_network
from specnmf.methods.transcription.builtin_network import Notes
from specnmf.methods.transcription.builtin_spectrum import (
    BEFORE,
    HOP,
    SR,
    spectrum,
    tuned_bins,
)
from specnmf.methods.transcription.salience import N_PITCHES, Odds, Salience

Float32 = NDArray[np.float32]

#: What tells notes: training/weigh.py.
ODDS = Odds((1.03, 0.41, -0.42, 3.76, 0.64, -0.88), -3.62)


class Builtin:
    """A network with weights of our own; needs no other package."""

    name = "builtin"

    def hear(
        self, audio: Audio, *, threads: int | None = None, step: Step | None = None
    ) -> Salience:
        """The salience of a recording.

        Parameters
        ----------
        audio : Audio
            At any rate, with one channel or more.
        threads : int, optional
            None: one per core. Never changes the result.
        step : callable, optional
            Called when the spectrum is done, and when the network is.

        Returns
        -------
        Salience
            One frame every 23 ms, from before the first sample on.
        """
        tell = step or (lambda done, total: None)
        samples = at_rate(audio.samples, audio.sr, SR)
        if not abs(samples).max(initial=0) > FAINTEST:
            silent = np.zeros((BEFORE + samples.shape[1] // HOP + 1, N_PITCHES))
            return salience(Notes(*3 * [silent.astype(np.float32)]), 0.0)
        bins = tuned_bins(samples, audio.sr)
        magnitudes = spectrum(samples, bins, threads)
        tell(1, total=2)
        notes = builtin_network.hear(magnitudes, threads)
        tell(2, total=2)
        return salience(notes, bins.tuning)


def salience(notes: Notes, tuning: float) -> Salience:
    """What the network heard in bins of a tuning, in cents, as transcribers say it."""
    times = (np.arange(float(len(notes.sounding))) - BEFORE) * (HOP / SR)
    sounding, beginning, cents = (np.ascontiguousarray(each.T) for each in notes)
    return Salience(sounding, beginning, times, cents + np.float32(tuning), ODDS)
