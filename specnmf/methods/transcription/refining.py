"""Refining: heard notes corrected by fits of them to the recording."""

from __future__ import annotations

import dataclasses

import numpy as np

from specnmf.audio.recording import Audio
from specnmf.methods.progress import Step
from specnmf.methods.transcription.describing import fit_notes, spectrogram
from specnmf.methods.transcription.edges import EARLIER, refine_onsets
from specnmf.methods.transcription.heard import Heard
from specnmf.methods.transcription.judging import confidence
from specnmf.methods.transcription.picking import pick
from specnmf.methods.transcription.pruning import prune
from specnmf.methods.transcription.salience import Salience

#: The window and the hop of the fit that finds onsets, in samples, and its iterations.
SHORT, SHORT_HOP, SHORT_ITER = 2048, 256, 8

#: Iterations of the last fit, which starts where the first one ended.
LAST_ITER = 12

#: How much less sure a proposed note may be than one that is picked.
KEEN = 4.0

#: A proposed note so near one that was heard, in seconds, is that one.
SAME = 0.1


def refine(
    audio: Audio,
    heard: Heard,
    salience: Salience,
    *,
    threads: int | None = None,
    step: Step | None = None,
) -> Heard:
    """Notes that the recording bears out, described by a fit.

    All notes that may have been heard are fitted together, each as a template of its
    own. Those that salience and fit speak for are kept, their onsets are moved to
    where their strength rises, and they are fitted again.

    Parameters
    ----------
    audio : Audio
        The recording.
    heard : Heard
        The notes picked from ``salience``.
    salience : Salience
        What a transcriber heard; brings further notes where it is less sure.
    step : callable, optional
        Told of the four stages.
    """
    told = step or (lambda done, total: None)
    sound = spectrogram(audio, threads=threads)
    proposed = _with_proposed(heard, pick(salience, keen=KEEN))
    fit = fit_notes(sound, proposed, threads=threads)
    told(1, 3)
    sure = dataclasses.replace(fit.heard, confidence=confidence(fit))
    kept, place = prune(sure)
    short = spectrogram(audio, n_fft=SHORT, hop=SHORT_HOP, threads=threads)
    amplitudes = fit.partials.amplitudes[place]
    moved = refine_onsets(
        kept,
        fit_notes(
            short,
            kept,
            max_iter=SHORT_ITER,
            amplitudes=amplitudes,
            before=EARLIER,
            threads=threads,
        ),
    )
    told(2, 3)
    last = fit_notes(sound, moved, max_iter=LAST_ITER, threads=threads)
    told(3, 3)
    return last.described()


def _with_proposed(heard: Heard, proposed: Heard) -> Heard:
    """The notes that were heard, and the proposed ones that are not among them."""
    order = np.lexsort((heard.start, heard.pitch))
    new = np.ones(len(proposed), bool)
    for pitch in np.unique(heard.pitch):
        own = heard.start[order][heard.pitch[order] == pitch]
        at = np.flatnonzero(proposed.pitch == pitch)
        gaps = np.abs(proposed.start[at, np.newaxis] - own)
        new[at] = gaps.min(axis=1, initial=np.inf) > SAME
    more = proposed[new]
    return Heard.of(
        np.concatenate([heard.start, more.start]),
        np.concatenate([heard.end, more.end]),
        np.concatenate([heard.pitch, more.pitch]),
        np.concatenate([heard.confidence, more.confidence]),
    )
