"""Templates on other bins and frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Half the width of the main lobe of a Hann window, in bins.
LOBE = 2.0

Float32 = NDArray[np.float32]


def over_bins(W: Float32, own: float, other: float, n_bins: int) -> Float32:
    """Templates at the frequencies of other bins.

    Parameters
    ----------
    W : array, shape (n_own_bins, n_templates, n_template_frames)
        Magnitudes.
    own, other : float
        The width of a bin in Hz, before and after. Where it grows, the templates are
        blurred as by the shorter window.
    n_bins : int
        The number of bins after. Those above the last of W hold its values.

    Returns
    -------
    array, shape (n_bins, n_templates, n_template_frames)
    """
    spectra: NDArray[np.floating] = W.reshape(len(W), -1)
    if other > own:
        spectra = _blurred(spectra, other / own)
    asked, known = np.arange(n_bins) * other, np.arange(len(W)) * own
    moved = np.stack([np.interp(asked, known, w) for w in spectra.T], axis=1)
    return moved.astype(np.float32).reshape(n_bins, *W.shape[1:])


def over_frames(W: Float32, own: float, other: float, n_frames: int) -> Float32:
    """Templates at the times of other frames.

    Parameters
    ----------
    W : array, shape (n_bins, n_templates, n_own_frames)
        Magnitudes.
    own, other : float
        The step between frames in seconds, before and after.
    n_frames : int
        The number of frames after. Those behind the last of W hold its values.

    Returns
    -------
    array, shape (n_bins, n_templates, n_frames)
    """
    asked = np.minimum(np.arange(n_frames) * (other / own), W.shape[2] - 1)
    before = asked.astype(np.intp)
    after = np.minimum(before + 1, W.shape[2] - 1)
    share = (asked - before).astype(np.float32)
    moved: Float32 = W[:, :, before] * (1 - share) + W[:, :, after] * share
    return moved


def _blurred(spectra: NDArray[np.floating], ratio: float) -> NDArray[np.float64]:
    """Spectra, (n_bins, n), as a window shorter by a ratio shows them.

    Powers add up under a kernel like a main lobe. The squares of the widths add up, so
    the kernel has that by which the wider lobe exceeds the narrower one.
    """
    reach = LOBE * np.sqrt(ratio**2 - 1)
    n = int(np.ceil(reach)) - 1
    kernel = np.cos(np.pi / 2 * np.arange(-n, n + 1) / reach) ** 4
    padded = np.pad(spectra.astype(np.float64) ** 2, ((n, n), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, len(kernel), axis=0)
    blurred: NDArray[np.float64] = np.sqrt(windows @ (kernel / kernel.sum()))
    return blurred
