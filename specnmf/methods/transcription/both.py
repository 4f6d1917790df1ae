"""Both: the mean of basic-pitch and the built-in transcriber, whose errors differ."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.recording import Audio
from specnmf.methods.progress import Step, part_of
from specnmf.methods.transcription.basic_pitch import BasicPitch
from specnmf.methods.transcription.salience import Salience

Array = NDArray[np.float64]
Float32 = NDArray[np.float32]


class Both:
    """The mean of the network and harmonic NMF; takes the time of both."""

    name = "both"

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
            Called with the finished and the total work, first of the network.

        Returns
        -------
        Salience
            On the frames of basic-pitch, with its contour.

        Raises
        ------
        ParameterError
            If onnxruntime or basic-pitch is not installed, or is damaged.
        """
        from specnmf.methods.transcription.builtin import Builtin

        told = [part_of(step, number, 2) for number in range(2)]
        network = BasicPitch().hear(audio, threads=threads, step=told[0])
        other = Builtin().hear(audio, threads=threads, step=told[1])
        return mean(network, other)


def mean(salience: Salience, other: Salience) -> Salience:
    """The mean of two saliences on the frames of the first, with its contour."""
    half, times = np.float32(0.5), salience.times
    return Salience(
        half * (salience.notes + _at(times, other.times, other.notes)),
        half * (salience.onsets + _at(times, other.times, other.onsets)),
        times,
        salience.contour,
    )


def _at(wanted: Array, times: Array, rows: Float32) -> Float32:
    """Rows at other times, linearly interpolated."""
    values = np.empty((len(rows), len(wanted)), np.float32)
    for n, row in enumerate(rows):
        values[n] = np.interp(wanted, times, row)
    return values
