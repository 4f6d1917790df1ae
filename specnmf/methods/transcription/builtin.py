"""The built-in transcriber: harmonic NMF and logistic regression."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.recording import FAINTEST, Audio, at_rate
from specnmf.methods.progress import Step
from specnmf.methods.transcription.builtin_contour import contour
from specnmf.methods.transcription.builtin_fitting import activations
from specnmf.methods.transcription.builtin_judging import judge
from specnmf.methods.transcription.builtin_spectrum import (
    BEFORE,
    HOP,
    SR,
    spectrum,
    tuned_bins,
)
from specnmf.methods.transcription.salience import N_PITCHES, Salience
from specnmf.parallel import workers

Float32 = NDArray[np.float32]


#: The lead of detected onsets, as windows reach ahead, in seconds.
LATE = 0.02


class Builtin:
    """Harmonic NMF (Vincent, Bertin and Badeau 2010); needs no other package."""

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
            Called when the spectrum is done, and when the pitches are fitted.

        Returns
        -------
        Salience
            One frame every 12 ms, from before the first sample on, with a contour.
        """
        tell = step or (lambda done, total: None)
        samples = at_rate(audio.samples, audio.sr, SR)
        if not abs(samples).max(initial=0) > FAINTEST:
            return _silence(BEFORE + samples.shape[1] // HOP + 1)
        bins = tuned_bins(samples, audio.sr)
        magnitudes = spectrum(samples, bins, threads)
        tell(1, total=2)
        heard = activations(magnitudes, bins, threads)
        tell(2, total=2)
        with workers(threads):  # limits the BLAS to one thread
            notes, onsets = judge(heard)
            drawn = contour(heard, notes, bins.tuning)
        return _salience(notes, onsets, drawn)


def _silence(n_frames: int) -> Salience:
    nothing = np.zeros((n_frames, N_PITCHES), np.float32)
    return _salience(nothing, nothing, np.tile(nothing, 3))


def _salience(notes: Float32, onsets: Float32, drawn: Float32) -> Salience:
    """Salience of arrays of frames, with a frame every half `HOP`."""
    frames = np.arange(2.0 * len(notes)) / 2 - BEFORE
    times = frames * (HOP / SR) + LATE
    return Salience(_finer(notes), _finer(onsets), times, _finer(drawn))


def _finer(values: Float32) -> Float32:
    """Rows, (n, 2 n_frames), with the means between frames (n_frames, n)."""
    following = np.concatenate([values[1:], values[-1:]])
    finer = np.stack([values, (values + following) / 2], axis=1)
    return np.ascontiguousarray(finer.reshape(-1, values.shape[1]).T)
