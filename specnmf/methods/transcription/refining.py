"""Refining: heard notes corrected by a fit of them to the recording."""

from __future__ import annotations

from specnmf.audio.recording import Audio
from specnmf.methods.progress import Step
from specnmf.methods.transcription.describing import describe
from specnmf.methods.transcription.heard import Heard
from specnmf.methods.transcription.salience import Salience


def refine(
    audio: Audio,
    heard: Heard,
    salience: Salience,
    *,
    threads: int | None = None,
    step: Step | None = None,
) -> Heard:
    """The notes described by a fit.

    Parameters
    ----------
    audio : Audio
        The recording.
    heard : Heard
        The notes picked from ``salience``.
    """
    return describe(audio, heard, threads=threads)
