"""Harmonic NMF: the strength of each pitch, and its partials, from the spectrum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from specnmf.methods.transcription.builtin_spectrum import Bins
from specnmf.methods.transcription.salience import HIGHEST, LOWEST, N_PITCHES
from specnmf.notation import hertz
from specnmf.parallel import Mapper, cut, workers

Float32 = NDArray[np.float32]

#: The power of magnitudes that is fitted, so that weak and strong partials count.
POWER = 0.5

#: Partials per pitch, and the exponent of their initial decay.
N_PARTIALS, SLOPE = 16, 0.5

#: Bands of noise, evenly spaced in pitch, for inharmonic sound.
N_NOISE = 20

#: Updates of the activations before the first update of the partials and after each,
#: and the number of updates of the partials.
FIRST, EACH, ROUNDS = 10, 3, 7

#: How far each update moves a pitch's partials towards those of its neighbours, the
#: range of neighbours in semitones, and how far it moves them towards their start.
TIE, NEIGHBOURS, PRIOR = 0.3, 4.0, 0.3

#: An addition to the model, as a share of the power of the loudest magnitude.
FLOOR = 1e-4

#: Frames that are fitted at a time, so that their factors stay in the cache.
FRAMES = 512

#: Avoids a division by 0 in silence.
TINY = 1e-9


@dataclass(frozen=True, eq=False)
class Activations:
    """A spectrum divided among pitches.

    Attributes
    ----------
    target : array, shape (n_frames, n_bins), float32
        The data: magnitudes to the power of `POWER`, at most 1.
    pitches : array, shape (n_frames, N_PITCHES), float32
        The strength of each pitch.
    templates : array, shape (N_PITCHES, n_bins), float32
        The contribution of each pitch at strength 1.
    """

    target: Float32
    pitches: Float32
    templates: Float32


class _Model:
    """Pitches with their partials, and noise."""

    def __init__(self, bins: Bins) -> None:
        self.atoms = _atoms(bins)
        self.start = np.arange(1, N_PARTIALS + 1, dtype=np.float32) ** -SLOPE
        self.partials = np.tile(self.start, (N_PITCHES, 1))
        self.noise = _noise(self.atoms.shape[2])
        self.update()

    def update(self) -> None:
        """The templates, after a change of the partials."""
        self.pitches = np.matmul(self.partials[:, np.newaxis], self.atoms)[:, 0]
        self.templates = np.concatenate([self.pitches, self.noise])

    def adapt(self, gain: Float32, sounding: Float32) -> Float32:
        """Update the partials; return the factors for the activations.

        The gain (N_PITCHES, n_bins) is the sum over frames of activation times target
        over model; if the model is right, it is ``sounding`` (N_PITCHES,).
        """
        up = np.matmul(self.atoms, gain[:, :, np.newaxis])[:, :, 0]
        down = self.atoms.sum(axis=2) * sounding[:, np.newaxis]
        partials = self.partials * np.sqrt(up / (down + TINY))
        scale = partials.sum(axis=1) / self.start.sum() + TINY
        partials /= scale[:, np.newaxis]
        weight = sounding * scale
        around = _neighbours() * (weight + 1e-3 * weight.mean())
        around /= around.sum(axis=1, keepdims=True) + TINY
        tied = (1 - PRIOR) * (around @ partials) + PRIOR * self.start
        self.partials = ((1 - TIE) * partials + TIE * tied).astype(np.float32)
        self.update()
        factor: Float32 = scale.astype(np.float32)
        return factor


def activations(spectrum: Float32, bins: Bins, threads: int | None) -> Activations:
    """Fit pitches to magnitudes (n_frames, n_bins).

    Returns
    -------
    Activations
        Activations with a small Kullback-Leibler divergence, by multiplicative updates.
        The templates are harmonic partials whose amplitudes are fitted too [1]_, and
        smoothed across neighbouring pitches.

    References
    ----------
    .. [1] E. Vincent, N. Bertin and R. Badeau, "Adaptive harmonic spectral
       decomposition for multiple pitch estimation", IEEE TASLP 18(3), 2010.
    """
    target = (spectrum / max(float(spectrum.max(initial=0)), 1e-30)) ** POWER
    model = _Model(bins)
    n_templates = len(model.templates)
    H = np.full((len(target), n_templates), target.mean() / 10, np.float32)
    spans = list(cut(slice(0, len(target)), FRAMES))
    with workers(threads) as mapper:
        _activate(target, H, model, spans, mapper, FIRST)
        for _ in range(ROUNDS):
            _adapt(target, H, model, spans, mapper)
            _activate(target, H, model, spans, mapper, EACH)
    return Activations(target, H[:, :N_PITCHES], model.pitches)


def _activate(
    target: Float32,
    H: Float32,
    model: _Model,
    spans: list[slice],
    mapper: Mapper,
    n_updates: int,
) -> None:
    """Update the activations of each block of frames a few times."""
    W = model.templates
    back = np.ascontiguousarray(W.T / (W.sum(axis=1) + TINY))

    def update(frames: slice) -> None:
        for _ in range(n_updates):
            H[frames] *= _ratio(target[frames], H[frames], W) @ back

    mapper(update, spans)


def _adapt(
    target: Float32, H: Float32, model: _Model, spans: list[slice], mapper: Mapper
) -> None:
    """Update the partials by all frames, and the activations to fit."""

    def gain_of(frames: slice) -> Float32:
        ratio = _ratio(target[frames], H[frames], model.templates)
        gain: Float32 = H[frames, :N_PITCHES].T @ ratio
        return gain

    gains = mapper(gain_of, spans)
    H[:, :N_PITCHES] *= model.adapt(sum(gains[1:], gains[0]), H[:, :N_PITCHES].sum(0))


def _ratio(target: Float32, H: Float32, W: Float32) -> Float32:
    """The target over the model."""
    model = H @ W
    model += np.float32(FLOOR)
    ratio: Float32 = np.divide(target, model, out=model)
    return ratio


def _atoms(bins: Bins) -> Float32:
    """The spectra of partials of amplitude 1, (N_PITCHES, N_PARTIALS, n_bins)."""
    pitches = np.arange(LOWEST, HIGHEST + 1)
    fundamentals = hertz(pitches, cents=bins.tuning)
    frequencies = fundamentals[:, np.newaxis] * np.arange(1, N_PARTIALS + 1)
    seen = bins.response(frequencies.ravel())
    seen[frequencies.ravel() >= hertz(bins.pitches[-1] + 0.5, cents=bins.tuning)] = 0
    atoms: Float32 = seen.reshape(*frequencies.shape, -1) ** np.float32(POWER)
    return atoms


def _noise(n_bins: int) -> Float32:
    """Overlapping triangles, (N_NOISE, n_bins)."""
    centres = np.linspace(0, n_bins - 1, N_NOISE)
    distances = abs(np.arange(n_bins) - centres[:, np.newaxis])
    bands: Float32 = np.maximum(0, 1 - distances / centres[1]).astype(np.float32)
    return bands


def _neighbours() -> Float32:
    """The weights of each pitch's partials for the others, by distance."""
    pitches = np.arange(N_PITCHES)
    distances = (pitches - pitches[:, np.newaxis]) / NEIGHBOURS
    near: Float32 = np.exp(-0.5 * distances**2).astype(np.float32)
    return near
