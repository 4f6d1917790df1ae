"""Bands: the bins of a transform between two frequencies."""

from __future__ import annotations

import numpy as np

from specnmf.audio.options import BandOptions
from specnmf.audio.stft import Grid
from specnmf.errors import ParameterError


def band_of(grid: Grid, options: BandOptions) -> slice:
    """The bins whose centres lie between ``fmin`` and ``fmax``.

    Raises
    ------
    ParameterError
        If there is none.
    """
    low = 0.0 if options.fmin is None else options.fmin
    high = np.inf if options.fmax is None else options.fmax
    first, stop = np.searchsorted(grid.frequencies, (low, np.nextafter(high, np.inf)))
    if first < stop:
        return slice(int(first), int(stop))
    if low > grid.frequencies[-1]:
        raise ParameterError(
            f"fmin must be below half the sample rate, {grid.sr / 2:g} Hz, got {low:g}"
        )
    raise ParameterError(
        f"no bin lies from {low:g} to {high:g} Hz, for bins are "
        f"{grid.sr / grid.n_fft:g} Hz apart; use a wider band or a longer window"
    )
