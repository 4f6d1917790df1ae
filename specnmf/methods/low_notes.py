"""Low notes: pitches estimated from templates at a longer window.

In a window of 2048 samples at 44.1 kHz the partials of notes below 86 Hz overlap: a
bass is confused with a drum, a kick drum with a bass. A window of four times the length
resolves them. The activations stay unchanged. The templates at the longer window are
the solution of a linear problem, and serve for the estimation of pitches only.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.pitch import estimate_pitches
from specnmf.audio.recording import Audio
from specnmf.audio.stft import FRAMES, Float32, Grid, rms, spectra
from specnmf.factor.factorization import Factorization
from specnmf.notation import midi_number, note_name
from specnmf.parallel import cut, workers

Array = NDArray[np.float64]
#: The magnitudes of some frames, (n_frames, n_bins), requested in order of time.
MagnitudesOf = Callable[[slice], Float32]

#: The shortest window, in seconds, that resolves the lowest note of a bass: six and a
#: half periods at 41 Hz.
LONG = 0.16

#: The most frames that are used, in pieces from the whole recording.
MOST_FRAMES = 4096

#: Pieces whose products are in memory at a time.
AT_ONCE = 8

#: The distance in bins of resolved partials: the width of a Hann window's main lobe.
RESOLVED = 4

#: The share of the energy from which unresolved notes cause a warning.
MUCH = 0.5

#: Values of a template below this share of its maximum (-40 dB) count as silence, in
#: the longer window too.
LEAST = 0.01

#: The number of least-squares sweeps over the templates.
SWEEPS = 20


def longer(grid: Grid) -> Grid:
    """The grid with a window of at least LONG for the same recording."""
    n_fft = grid.n_fft
    while n_fft < LONG * grid.sr:
        n_fft *= 2
    step = max(1, n_fft // 4 // grid.hop_length) if n_fft > grid.n_fft else 1
    return Grid(grid.sr, grid.n_samples, n_fft, step * grid.hop_length)


def pitches_in(
    audio: Audio, grid: Grid, factors: Factorization, *, threads: int | None = None
) -> Array:
    """The pitch of each component of a recording; as `pitches_by`."""
    long = longer(grid)
    return pitches_by(
        lambda frames: rms(spectra(audio.samples, long, frames)),
        factors,
        grid,
        threads=threads,
    )


def pitches_by(
    magnitudes_of: MagnitudesOf,
    factors: Factorization,
    grid: Grid,
    *,
    threads: int | None = None,
) -> Array:
    """The pitch of each component, from its template at a longer window.

    Parameters
    ----------
    magnitudes_of : callable
        Returns frames of the recording's magnitudes on the grid `longer`; called in
        order of time with one thread.
    factors : Factorization
        V ≈ W H.
    grid : Grid
        The grid of V.
    threads : int, optional
        By default one per core.

    Returns
    -------
    pitches : array, shape (n_components,), float64
        As from `specnmf.audio.pitch.estimate_pitches`.
    """
    long = longer(grid)
    W = np.asarray(factors.W, np.float64)
    if long.n_fft > grid.n_fft:
        W = _templates(magnitudes_of, W, factors.H, grid, long, threads)
    return estimate_pitches(W, long.frequencies)


def remarks(factors: Factorization, pitches: Array, grid: Grid) -> list[str]:
    """A warning if most energy is in notes that the window of V does not resolve."""
    lowest = midi_number(RESOLVED * grid.sr / grid.n_fft)
    low = pitches < lowest
    if not factors.energy_shares()[low].sum() >= MUCH:
        return []
    return [
        f"low notes: most of the energy is in notes below {note_name(float(lowest))}, "
        f"which a window of {grid.n_fft} samples does not resolve; try --n-fft "
        f"{longer(grid).n_fft}"
    ]


def _templates(
    magnitudes_of: MagnitudesOf,
    W: Array,
    H: NDArray[np.floating],
    grid: Grid,
    long: Grid,
    threads: int | None,
) -> Array:
    """The non-negative templates of the longer window, (n_long_bins, n_components).

    They are non-zero where the given ones are, within a bin. Where the recording does
    not determine them, they are the given templates, interpolated.
    """
    length = max(1, FRAMES * grid.n_fft // long.n_fft)
    pieces = list(cut(slice(0, long.n_frames), length))
    pieces = pieces[:: -(-len(pieces) * length // MOST_FRAMES)]
    HV, HH = np.zeros((W.shape[1], long.n_bins)), np.zeros((W.shape[1], W.shape[1]))

    def products(piece: slice) -> tuple[Array, Array]:
        activations = _activations(H, piece, grid, long)
        spectra = magnitudes_of(piece).astype(np.float64)
        return activations @ spectra, activations @ activations.T

    with workers(threads) as mapper:
        for first in range(0, len(pieces), AT_ONCE):
            for hv, hh in mapper(products, pieces[first : first + AT_ONCE]):
                HV += hv
                HH += hh
        start = _stretched(W, grid, long) * (long.n_fft / grid.n_fft)
        allowed = _stretched(_widened(W), grid, long) >= LEAST * W.max(axis=0)[:, None]
        return _least_squares(start, HV, HH, allowed).T


def _stretched(W: Array, grid: Grid, long: Grid) -> Array:
    """The templates at the longer window's bins, (n_components, n_long_bins)."""
    return np.array([np.interp(long.frequencies, grid.frequencies, w) for w in W.T])


def _widened(W: Array) -> Array:
    """The maximum of each bin and its neighbours: NMF leaves zeros beside peaks."""
    padded = np.pad(W, ((1, 1), (0, 0)))
    return np.asarray(np.maximum.reduce([padded[:-2], W, padded[2:]]))


def _activations(
    H: NDArray[np.floating], frames: slice, grid: Grid, long: Grid
) -> Array:
    """The activations as a longer window smooths them, (n_components, n_frames)."""
    step = long.hop_length // grid.hop_length
    reach = long.n_fft // 2 // grid.hop_length
    weights = np.hanning(2 * reach + 3)[1:-1]
    first, stop = frames.start * step - reach, (frames.stop - 1) * step + reach + 1
    inside = H[:, max(0, first) : stop].astype(np.float64)
    before = max(0, -first)
    ends = before, stop - first - before - inside.shape[1]
    padded = np.pad(inside, ((0, 0), ends))
    views = np.lib.stride_tricks.sliding_window_view(padded, len(weights), axis=1)
    return np.asarray(views[:, ::step] @ (weights / weights.sum()))


def _least_squares(
    WT: Array, HV: Array, HH: Array, allowed: NDArray[np.bool_]
) -> Array:
    """Solve HH WT = HV for WT >= 0, row by row, from a start; in place.

    WT stays zero where it is not allowed.
    """
    WT *= allowed
    sounding = np.flatnonzero(np.diag(HH) > 0)
    for _ in range(SWEEPS):
        for k in sounding:
            WT[k] += (HV[k] - HH[k] @ WT) / HH[k, k]
            np.maximum(WT[k], 0, out=WT[k])
            WT[k] *= allowed[k]
    return WT
