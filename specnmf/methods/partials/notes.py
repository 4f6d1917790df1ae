"""Notes: the layer of partials, and where it starts from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.stft import Float32, Grid
from specnmf.factor.parametric.lobes import Support
from specnmf.factor.parametric.partials import Partials
from specnmf.methods.partials.lobes import detunings, note_lobes, piano_inharmonicity
from specnmf.methods.partials.schedule import Template


def note_layer(
    V: Float32,
    grid: Grid,
    templates: tuple[Template, ...],
    support: Support,
    *,
    struck: NDArray[np.bool_],
    tuning: float,
) -> Partials:
    """Notes that start with as much sound as there is, all alike.

    Parameters
    ----------
    V, grid, tuning
        As for `specnmf.methods.partials.model.fit_model`.
    templates : tuple of Template
        The pitches.
    support : Support
        Which of them may sound in which frames.
    struck : array of bool, shape (n_templates,)
        Templates whose partials are a piano's.
    """
    pitches = np.array([template.pitch for template in templates], float)
    inharmonicity = np.where(struck, piano_inharmonicity(pitches), 0.0)
    lobes = note_lobes(pitches, grid, tuning=tuning, inharmonicity=inharmonicity)
    per_frame = max(1.0, len(support.template) / max(1, support.n_frames))
    level = float(V.sum(axis=2).mean()) / per_frame / len(detunings())
    names = [template.part for template in templates]
    _, instruments = np.unique(names, return_inverse=True)
    return Partials(
        lobes, support, strength=level, n_channels=len(V), instruments=instruments
    )
