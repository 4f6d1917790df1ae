"""Our figures on any matplotlib axes: `specnmf.figures`.

Every function draws one figure, from arrays and the library's own objects, and takes
the same last options.

``ax``
    Where to. Without it, a new figure that pyplot shows. A figure of one panel is drawn
    on the axes; one of several panels (templates, reconstruction, constraints,
    alignment, labels, layers, a score with drums) is laid out in their place, and they
    are hidden behind it. So any figure fits into ``plt.subplots`` and
    ``plt.subplot_mosaic``.
``title``
    Stands above a new figure, such as the recording's name.

Each returns the axes: the given ones, or the first panel of the new figure, whose
``figure`` is the whole.

They look as in a run's folder ``figures``, dark on white, whatever rcParams and styles
say; those and the backend are left as they are.

The recording, V, is a `Spectrogram`, an `Audio`, or an array of magnitudes (n_bins,
n_frames) with its ``sr`` in Hz and, unless it is a quarter of the window,
``hop_length`` in samples. In place of what a run left one may give the `Run` alone.
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
