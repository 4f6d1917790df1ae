"""Refining: correct detected notes by fits to the recording."""

from __future__ import annotations

import dataclasses

import numpy as np

from specnmf.audio.recording import Audio
from specnmf.audio.stft import Float32
from specnmf.methods.progress import Step
from specnmf.methods.transcription.describing import (
    fit_notes,
    resampled,
    spectrogram,
)
from specnmf.methods.transcription.edges import EARLIER, refine_onsets
from specnmf.methods.transcription.heard import Heard
from specnmf.methods.transcription.judging import confidence
from specnmf.methods.transcription.picking import pick
from specnmf.methods.transcription.pruning import prune
from specnmf.methods.transcription.salience import Salience

#: The window and the hop of the fit that finds onsets, in samples, and its iterations.
SHORT, SHORT_HOP, SHORT_ITER = 2048, 256, 6

#: Iterations of the last fit.
LAST_ITER = 10

#: The divisor of the picking threshold for notes that are proposed to the fit.
KEEN = 4.0

#: Notes of one pitch that start at most this far apart, in seconds, are the same note.
SAME = 0.1


def refine(
    audio: Audio,
    heard: Heard,
    salience: Salience,
    *,
    threads: int | None = None,
    step: Step | None = None,
) -> Heard:
    """The notes that the recording confirms, described by a fit.

    All candidate notes are fitted together, each with its own template. Notes with
    enough evidence in salience and fit are kept, and their onsets are moved towards the
    rise of their strength.

    Parameters
    ----------
    audio : Audio
        The recording.
    heard : Heard
        The notes picked from ``salience``.
    salience : Salience
        The salience of a transcriber, which provides further, less likely notes.
    threads : int, optional
        By default one per core. Never changes the result.
    step : callable, optional
        Called after each of the three stages.

    Returns
    -------
    Heard
        The notes that are kept, with energy, timbre, pan and cents.
    """
    told = step or (lambda done, total: None)
    audio = resampled(audio)
    sound = spectrogram(audio, together=True, threads=threads)
    fit = fit_notes(sound, proposed(heard, salience), threads=threads)
    told(1, 3)
    sure = dataclasses.replace(fit.heard, confidence=confidence(fit))
    kept, place = prune(sure)
    moved = _moved(audio, kept, fit.partials.amplitudes[place], threads)
    told(2, 3)
    channels = spectrogram(audio, threads=threads)
    last = fit_notes(channels, moved, max_iter=LAST_ITER, threads=threads)
    told(3, 3)
    return last.described()


def proposed(heard: Heard, salience: Salience) -> Heard:
    """The notes, and less likely ones that a fit may confirm."""
    return _joined(heard, pick(salience, keen=KEEN))


def _moved(
    audio: Audio, heard: Heard, amplitudes: Float32, threads: int | None
) -> Heard:
    """The notes with corrected onsets, by a fit with a short hop."""
    sound = spectrogram(
        audio, n_fft=SHORT, hop=SHORT_HOP, together=True, threads=threads
    )
    fit = fit_notes(
        sound,
        heard,
        max_iter=SHORT_ITER,
        amplitudes=amplitudes,
        before=EARLIER,
        threads=threads,
    )
    return refine_onsets(heard, fit)


def _joined(heard: Heard, others: Heard) -> Heard:
    """The notes, and those of the others that are not among them, in order."""
    order = np.lexsort((heard.start, heard.pitch))
    new = np.ones(len(others), bool)
    for pitch in np.unique(heard.pitch):
        own = heard.start[order][heard.pitch[order] == pitch]
        at = np.flatnonzero(others.pitch == pitch)
        gaps = np.abs(others.start[at, np.newaxis] - own)
        new[at] = gaps.min(axis=1, initial=np.inf) > SAME
    more = others[new]
    return Heard.of(
        np.concatenate([heard.start, more.start]),
        np.concatenate([heard.end, more.end]),
        np.concatenate([heard.pitch, more.pitch]),
        np.concatenate([heard.confidence, more.confidence]),
    )
