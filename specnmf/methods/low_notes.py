"""Low notes: pitches read from templates of a longer window.

In a window of 2048 samples at 44.1 kHz the partials of a note below 86 Hz melt into one
another: a bass is taken for a drum, a kick drum for a bass. A window of four times the
length tells them apart. The activations stay as they are; which templates they need to
make the longer window's magnitudes is a linear problem, and its answer is only looked
at for pitches.
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
#: The magnitudes of some frames, (n_frames, n_bins), asked for in order of time.
MagnitudesOf = Callable[[slice], Float32]

#: The least length in seconds of a window that resolves the lowest note of a bass:
#: six and a half periods of its 41 Hz.
LONG = 0.16

#: At most so many frames are looked at, in pieces from all over the recording.
MOST_FRAMES = 4096

#: Pieces whose products are held at a time.
AT_ONCE = 8

#: Bins between partials that a window tells apart: the width of a Hann window's lobe.
RESOLVED = 4

#: Notes below it are worth a remark where they hold this share of the energy.
MUCH = 0.5

#: Where a template has less than this share of its maximum (-40 dB) it does not sound,
#: and its longer window's does not either.
LEAST = 0.01

#: How often each template is brought to its least squares.
SWEEPS = 20


def longer(grid: Grid) -> Grid:
    """The grid of the same recording whose window lasts LONG; the same if it does."""
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
    """The pitch of each component, from its template at a window that resolves it.

    Parameters
    ----------
    magnitudes_of : callable
        Gives frames of the recording's magnitudes on the grid `longer`; in order of
        time if there is one thread.
    factors : Factorization
        V ≈ W H.
    grid : Grid
        Of V.
    threads : int, optional
        One a core by default.

    Returns
    -------
    pitches : array, shape (n_components,), float64
        As of `specnmf.audio.pitch.estimate_pitches`.
    """
    long = longer(grid)
    W = np.asarray(factors.W, np.float64)
    if long.n_fft > grid.n_fft:
        W = _templates(magnitudes_of, W, factors.H, grid, long, threads)
    return estimate_pitches(W, long.frequencies)


def remarks(factors: Factorization, pitches: Array, grid: Grid) -> list[str]:
    """What a user should know of low notes that the window of V hardly tells apart."""
    lowest = midi_number(RESOLVED * grid.sr / grid.n_fft)
    low = pitches < lowest
    if not factors.energy_shares()[low].sum() >= MUCH:
        return []
    return [
        f"low notes: a window of {grid.n_fft} samples hardly tells notes below "
        f"{note_name(float(lowest))} apart, and they hold most of the energy; "
        f"--n-fft {longer(grid).n_fft} does"
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

    They sound where the given ones do, within a bin. What the recording leaves open
    stays the given template, interpolated.
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
    """The highest of each bin and its neighbours: NMF leaves zeros beside peaks."""
    padded = np.pad(W, ((1, 1), (0, 0)))
    return np.asarray(np.maximum.reduce([padded[:-2], W, padded[2:]]))


def _activations(
    H: NDArray[np.floating], frames: slice, grid: Grid, long: Grid
) -> Array:
    """What a longer window sees of the activations, (n_components, n_frames)."""
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
    """Solve HH WT = HV for WT >= 0, row by row in turn, from a start; in place.

    It stays zero where it is not allowed to sound.
    """
    WT *= allowed
    sounding = np.flatnonzero(np.diag(HH) > 0)
    for _ in range(SWEEPS):
        for k in sounding:
            WT[k] += (HV[k] - HH[k] @ WT) / HH[k, k]
            np.maximum(WT[k], 0, out=WT[k])
            WT[k] *= allowed[k]
    return WT
