"""The built-in transcriber: harmonic NMF, judged by logistic regression."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.recording import FAINTEST, Audio
from specnmf.methods.progress import Step
from specnmf.methods.transcription.builtin_fitting import activations
from specnmf.methods.transcription.builtin_judging import judge
from specnmf.methods.transcription.builtin_spectrum import (
    HOP,
    SR,
    resampled,
    spectrum,
    tuned_bins,
)
from specnmf.methods.transcription.salience import N_PITCHES, Salience
from specnmf.parallel import workers

Float32 = NDArray[np.float32]


class Builtin:
    """Harmonic NMF (Vincent, Bertin and Badeau 2010); needs no other package."""

    name = "builtin"

    def hear(
        self, audio: Audio, *, threads: int | None = None, step: Step | None = None
    ) -> Salience:
        """Listen to a recording."""
        samples = resampled(audio)
        if not abs(samples).max(initial=0) > FAINTEST:
            return _silence(samples.shape[1] // HOP + 1)
        bins = tuned_bins(samples, audio.sr)
        heard = activations(spectrum(samples, bins, threads), bins, threads)
        with workers(threads):  # the BLAS kept to one thread
            notes, onsets = judge(heard)
        return _salience(_finer(notes.T), _finer(onsets.T))


def _silence(n_frames: int) -> Salience:
    nothing = np.zeros((N_PITCHES, 2 * n_frames), np.float32)
    return _salience(nothing, nothing)


def _salience(notes: Float32, onsets: Float32) -> Salience:
    """Salience with a frame every half `HOP`."""
    return Salience(notes, onsets, np.arange(notes.shape[1]) * (HOP / 2 / SR))


def _finer(values: Float32) -> Float32:
    """Twice as many frames, (n, 2 n_frames): the means between those there are."""
    following = np.concatenate([values[:, 1:], values[:, -1:]], axis=1)
    return np.stack([values, (values + following) / 2], axis=2).reshape(len(values), -1)
