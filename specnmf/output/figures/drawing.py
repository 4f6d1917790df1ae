"""Figures on any matplotlib axes: `specnmf.figures`.

Each function draws one figure, from arrays or objects of this library, and takes two
common options.

``ax``
    The axes to draw into; by default a new figure, which pyplot shows. A figure with
    one panel is drawn on the axes. A figure with several panels (templates,
    reconstruction, constraints, alignment, labels, layers, a score with drums) is laid
    out in their place, and hides them. So every figure fits into ``plt.subplots`` and
    ``plt.subplot_mosaic``.
``title``
    The title of a new figure, such as the name of the recording.

Each function returns the axes: the given ones, or the first panel of the new figure.

The figures look as in the folder ``figures`` of a run, dark on white, whatever rcParams
and styles are set; those and the backend stay unchanged.

The recording V is a `Spectrogram`, an `Audio`, or an array of magnitudes (n_bins,
n_frames) with its ``sr`` in Hz and, unless it is a quarter of the window,
``hop_length`` in samples. For a finished run, pass the `Run` alone.
"""

from __future__ import annotations

from specnmf.output.figures.drawing_factors import (
    activations,
    layers,
    loss,
    rank,
    reconstruction,
    spectrogram,
    templates,
)
from specnmf.output.figures.drawing_notes import (
    alignment,
    constraints,
    labels,
    pianoroll,
    score,
    sources,
)

__all__ = [
    "activations",
    "alignment",
    "constraints",
    "labels",
    "layers",
    "loss",
    "pianoroll",
    "rank",
    "reconstruction",
    "score",
    "sources",
    "spectrogram",
    "templates",
]
