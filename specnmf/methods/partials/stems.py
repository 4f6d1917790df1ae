"""The stems of the parametric model: one analysis, and around onsets a shorter one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.resynthesis import Stream, crossfade
from specnmf.audio.stft import Float32
from specnmf.methods.partials.model import PartialsModel
from specnmf.methods.stems import ScoreStems, Sharing, stream_of

#: What is heard of the second analysis: from so many seconds before each onset to
#: so many after, faded in and out over so many.
BEFORE, AFTER, FADE = 0.03, 0.05, 0.03


@dataclass(frozen=True, eq=False, kw_only=True)
class PartialStems(ScoreStems):
    """A recording taken apart by the parametric model.

    Attributes
    ----------
    onsets : array
        Of the notes, in seconds, rising.
    onset_model : PartialsModel or None
        What is heard around them, if another than ``model``.
    struck : dict of str to float
        How much of each part's sound a piano's partials explain, 0 to 1.
    """

    onsets: NDArray[np.float64]
    onset_model: PartialsModel | None
    struck: dict[str, float]

    def stream(self, options: Sharing) -> Stream:
        """As of `ScoreStems`."""
        stream, onset = super().stream(options), self.onset_model
        if onset is None:
            return stream
        times, weights = _onset_weights(self.onsets)

        def weigh(first: int, n: int) -> Float32:
            t = np.arange(first, first + n) / self.audio.sr
            return np.interp(t, times, weights).astype(np.float32)

        short = stream_of(self.audio, onset.grid, onset, options)
        return crossfade(stream, short, weigh)


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
