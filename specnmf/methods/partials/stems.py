"""The stems of the parametric model: one analysis, and around onsets a shorter one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.recording import Audio
from specnmf.audio.resynthesis import Stream, crossfade
from specnmf.audio.stft import Float32, Grid
from specnmf.factor.factorization import Factorization
from specnmf.methods.partials.model import PartialsModel
from specnmf.methods.stems import Sharing, StemFactors, stream_of

#: What is heard of the second analysis: from so many seconds before each onset to
#: so many after, faded in and out over so many.
BEFORE, AFTER, FADE = 0.03, 0.05, 0.03


@dataclass(frozen=True, eq=False)
class PartialStems:
    """A recording taken apart by its score: `specnmf.methods.stems.Stems`.

    Attributes
    ----------
    audio : Audio
        The recording.
    models : tuple of PartialsModel
        One, or one for what lasts and one for onsets; the first is shown.
    onsets : array
        Of the notes, in seconds, rising.
    struck : dict of str to float
        How much of each part's sound a piano's partials explain, 0 to 1.
    """

    audio: Audio
    models: tuple[PartialsModel, ...]
    onsets: NDArray[np.float64]
    struck: dict[str, float]

    @property
    def names(self) -> tuple[str, ...]:
        """The stems, in order."""
        return self.models[0].names

    @property
    def grid(self) -> Grid:
        """Of the analysis that is shown."""
        return self.models[0].grid

    @property
    def losses(self) -> NDArray[np.float64]:
        """The cost of that analysis after each iteration."""
        return self.models[0].losses

    @property
    def explained(self) -> float | None:
        """The share of the sound that the score explains, 0 to 1."""
        return self.models[0].explained

    @property
    def factors(self) -> Factorization:
        """The model as V ≈ W H, labelled by stem."""
        return self.components().factorization

    @property
    def pitches(self) -> NDArray[np.float64]:
        """MIDI number of each component; NaN for drums."""
        return self.components().pitches

    def components(self) -> StemFactors:
        """The factors, divided among the stems."""
        return self.models[0].parts

    def stream(self, options: Sharing) -> Stream:
        """Yield the stems as sound, block by block; they add up to the recording."""
        streams = [
            stream_of(self.audio, model.grid, model, options) for model in self.models
        ]
        if len(streams) == 1:
            return streams[0]
        times, weights = _onset_weights(self.onsets)

        def weigh(first: int, n: int) -> Float32:
            t = np.arange(first, first + n) / self.audio.sr
            return np.interp(t, times, weights).astype(np.float32)

        return crossfade(streams[0], streams[1], weigh)


def _onset_weights(
    onsets: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Corners of a curve that is one around onsets and zero elsewhere."""
    starts, ends = onsets - BEFORE - FADE / 2, onsets + AFTER - FADE / 2
    apart = np.flatnonzero(starts[1:] > ends[:-1] + FADE)
    starts = starts[np.concatenate([[0], apart + 1])]
    ends = ends[np.concatenate([apart, [len(ends) - 1]])]
    times = np.stack([starts, starts + FADE, ends, ends + FADE], axis=1)
    return times.ravel(), np.tile([0.0, 1.0, 1.0, 0.0], len(starts))
