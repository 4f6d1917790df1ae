"""Where labelled sounds are heard: a decision by their share of the sound."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: The share of a frame from which a label counts as heard, if the annotated frames do
#: not suggest another; and the candidate shares.
USUAL_SHARE = 0.1
SHARES = USUAL_SHARE * 2.0 ** np.arange(-2, 2.25, 0.25)

#: The share of wrong frames that outweighs a factor of two from the usual share.
CAUTION = 0.01

#: A label this far below its own loud frames (95th percentile) is not heard.
QUIET = 10 ** (-40 / 20)

#: Frames of the median that removes blips.
SMOOTHING = 9


def predict(loudness: Array, heard: Mask, annotated: Mask) -> Array:
    """The confidence that each label is heard in each frame, 0 to 1; the border is 0.5.

    Parameters
    ----------
    loudness : array, shape (n_labels + 1, n_frames)
        The loudness of each label in the model, and of the rest in the last row.
    heard, annotated
        As in `specnmf.methods.labels.fitting.fit_labelled`; the annotated frames
        determine the share from which a label counts as heard.
    """
    own = loudness[:-1]
    whole = loudness.sum(axis=0)
    shares = np.divide(own, whole, out=np.zeros_like(own), where=whole > 0)
    loud = np.percentile(own, 95, axis=1, keepdims=True)
    shares[own <= QUIET * loud] = 0
    activity: Array = np.zeros_like(shares)
    for row, share, said in zip(activity, shares, heard, strict=True):
        border = _border(share[annotated], said[annotated])
        row[:] = share**2 / (share**2 + border**2)
    return activity


def decide(
    activity: Array, heard: Mask, annotated: Mask, *, border: float = 0.5
) -> Mask:
    """Whether each label is heard: as annotated, elsewhere by the activity."""
    from scipy.ndimage import median_filter

    likely = (activity > border).astype(np.uint8)
    smooth = median_filter(likely, size=(1, SMOOTHING), mode="nearest") > 0
    decided: Mask = np.where(annotated, heard, smooth)
    return decided


def _border(shares: Array, heard: Mask) -> float:
    """The share that best separates annotated frames with and without a label."""
    if heard.all() or not heard.any():
        return USUAL_SHARE
    guesses = shares > SHARES[:, np.newaxis]
    right = (guesses[:, heard].mean(axis=1) + 1 - guesses[:, ~heard].mean(axis=1)) / 2
    caution = CAUTION * np.abs(np.log2(SHARES / USUAL_SHARE))
    return float(SHARES[np.argmax(right - caution)])
