"""Notes: the layer of partials, and their possible spectra."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specnmf.audio.neighbours import HALF_WIDTH, main_lobe
from specnmf.audio.stft import Float32, Grid
from specnmf.factor.parametric.lobes import Lobes, Support
from specnmf.factor.parametric.partials import Partials
from specnmf.methods.partials.schedule import Template
from specnmf.notation import hertz

Array = NDArray[np.float64]

#: The most partials of a note.
N_PARTIALS = 60

#: Detunings around each pitch: the range in cents up and down, and the step.
DETUNING_SPAN, DETUNING_STEP = 60.0, 7.5

_OFFSETS = np.linspace(-HALF_WIDTH, HALF_WIDTH, 4001)


def note_layer(
    V: Float32,
    grid: Grid,
    templates: tuple[Template, ...],
    support: Support,
    *,
    struck: NDArray[np.bool_],
    tuning: float,
) -> Partials:
    """Notes as loud as V, of equal strength; struck templates have piano partials."""
    per_frame = max(1.0, len(support.template) / max(1, support.n_frames))
    level = float(V.sum(axis=2).mean()) / per_frame / len(detunings())
    return even_layer(
        grid,
        templates,
        support,
        struck=struck,
        tuning=tuning,
        strength=level,
        n_channels=len(V),
    )


def even_layer(
    grid: Grid,
    templates: tuple[Template, ...],
    support: Support,
    *,
    struck: NDArray[np.bool_],
    tuning: float,
    strength: float,
    n_channels: int,
) -> Partials:
    """Notes of equal strength; struck templates have a piano's partials."""
    pitches = np.array([template.pitch for template in templates], float)
    inharmonicity = np.where(struck, piano_inharmonicity(pitches), 0.0)
    lobes = note_lobes(pitches, grid, tuning=tuning, inharmonicity=inharmonicity)
    names = [template.part for template in templates]
    _, instruments = np.unique(names, return_inverse=True)
    return Partials(
        lobes,
        support,
        strength=strength,
        n_channels=n_channels,
        instruments=instruments,
    )


def note_lobes(
    pitches: ArrayLike,
    grid: Grid,
    *,
    tuning: float = 0.0,
    inharmonicity: ArrayLike = 0.0,
    n_partials: int = N_PARTIALS,
    detuning_step: float = DETUNING_STEP,
) -> Lobes:
    """The partials of pitches, on a grid of detunings for each.

    Each partial has the shape of the window's main lobe, smeared over a step of the
    grid of detunings, so that pitches between the steps are covered.

    Parameters
    ----------
    pitches : array, shape (n_templates,)
        MIDI numbers, fractions allowed.
    inharmonicity : float or array, shape (n_templates,)
        B in f_m = m f_1 sqrt((1 + B m^2) / (1 + B)); 0 for harmonic partials
        (Fletcher, "Normal vibration frequencies of a stiff piano string", 1964).
    detuning_step : float
        In cents.

    Returns
    -------
    Lobes
        Of shape (n_templates, n_detunings, n_partials). Partials that reach the
        last bin are left out: their length is 0.
    """
    m = np.arange(1, n_partials + 1)
    low, high = _edges(_in_bins(pitches, grid, tuning, inharmonicity, m), detuning_step)
    first = np.ceil(low - HALF_WIDTH).astype(np.int32)
    length = (np.floor(high + HALF_WIDTH) - first + 1).astype(np.int32)
    outside = (high + HALF_WIDTH >= grid.n_bins - 1) | (first < 0)
    length[np.broadcast_to(outside.any(axis=1, keepdims=True), length.shape)] = 0
    offset = np.cumsum(length.ravel()).reshape(length.shape) - length
    values = _lobe_values(low, high, first, length, offset)
    return Lobes(first, length, offset.astype(np.int64), values)


def note_steps(
    pitches: ArrayLike, grid: Grid, *, struck: NDArray[np.bool_], tuning: float
) -> Float32:
    """From and to where the partials of pitches may lie at each detuning, in bins.

    Of shape (n_templates, n_detunings, N_PARTIALS, 2); other parameters are those of
    `even_layer`.
    """
    m = np.arange(1, N_PARTIALS + 1)
    inharmonicity = np.where(struck, piano_inharmonicity(pitches), 0.0)
    in_bins = _in_bins(pitches, grid, tuning, inharmonicity, m)
    return np.stack(_edges(in_bins, DETUNING_STEP), axis=3).astype(np.float32)


def detunings(step: float = DETUNING_STEP) -> Array:
    """The grid of detunings in cents, shape (n_detunings,)."""
    return np.arange(-DETUNING_SPAN, DETUNING_SPAN + step / 2, step)


def piano_inharmonicity(pitches: ArrayLike) -> Array:
    """The inharmonicity B of a piano's strings, for MIDI numbers.

    The asymptotes of bass and treble add up, with values typical of grand pianos:
    Rigaud, David and Daudet, "A parametric model and estimation techniques for the
    inharmonicity and tuning of the piano", JASA 2013.
    """
    pitches = np.asarray(pitches, float)
    return np.exp(0.0926 * pitches - 13.64) + np.exp(-0.0847 * pitches - 5.82)


def _in_bins(
    pitches: ArrayLike,
    grid: Grid,
    tuning: float,
    inharmonicity: ArrayLike,
    m: NDArray[np.int64],
) -> Array:
    """The partials of pitches in bins, shape (n_templates, n_partials)."""
    pitches = np.asarray(pitches, float)
    B = np.broadcast_to(np.asarray(inharmonicity, float), pitches.shape)[:, np.newaxis]
    stretched = m * np.sqrt((1 + B * m**2) / (1 + B))
    fundamental = hertz(pitches, cents=tuning)[:, np.newaxis]
    in_bins: Array = grid.n_fft / grid.sr * fundamental * stretched
    return in_bins


def _edges(in_bins: Array, step: float) -> tuple[Array, Array]:
    """The start and end of each partial's step of detuning, in bins."""
    steps = detunings(step)[:, np.newaxis]
    low = 2 ** ((steps - step / 2) / 1200) * in_bins[:, np.newaxis]
    high = 2 ** ((steps + step / 2) / 1200) * in_bins[:, np.newaxis]
    return low, high


def _lobe_values(
    low: Array,
    high: Array,
    first: NDArray[np.int32],
    length: NDArray[np.int32],
    offset: NDArray[np.intp],
) -> NDArray[np.float32]:
    """The mean of the main lobe over each step, at each bin; each lobe sums to one."""
    counts = length.ravel()
    lobe = np.repeat(np.arange(len(counts)), counts)
    place = np.arange(len(lobe)) - offset.ravel()[lobe]
    bins = first.ravel()[lobe] + place
    cumulated = np.concatenate([[0], np.cumsum(main_lobe(_OFFSETS))])[:-1]
    upper = np.interp(high.ravel()[lobe] - bins, _OFFSETS, cumulated)
    lower = np.interp(low.ravel()[lobe] - bins, _OFFSETS, cumulated)
    values = upper - lower
    sums = np.bincount(lobe, values, len(counts))
    shares: NDArray[np.float32] = (values / sums[lobe]).astype(np.float32)
    return shares
