"""Pitch: the note of each template, if it has one."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specnmf.errors import ParameterError
from specnmf.notation import hertz, midi_number
from specnmf.subnormals import flush_to_zero

Array = NDArray[np.float64]

#: The pitches looked for, in MIDI numbers: a piano's and two semitones more.
LOWEST, HIGHEST = 21, 110

#: Between which frequencies in Hz a fundamental lies.
LOWEST_HZ, HIGHEST_HZ = map(float, hertz((LOWEST - 0.5, HIGHEST + 0.5)))

#: A template is reduced to this many peaks, and each of the strongest N_SOURCES
#: of them may be any of the first N_DIVISORS harmonics.
N_PEAKS, N_SOURCES, N_DIVISORS = 40, 12, 12

#: How far a partial may lie from a harmonic, as the standard deviation of a
#: Gaussian: in cents for the instrument (inharmonic strings, vibrato), in bins
#: for the interpolation of a peak whose lobe overlaps its neighbours'.
TOLERANCE_CENTS, TOLERANCE_BINS = 30.0, 0.2

#: Harmonics are expected up to the last peak above LAST_HEIGHT of the strongest,
#: at most MAX_HARMONICS of them; one counts in full from FULL_HEIGHT on.
LAST_HEIGHT, FULL_HEIGHT, MAX_HARMONICS = 0.1, 0.25, 20

#: The m-th harmonic is expected with weight m**-HARMONIC_DECAY, and a fundamental
#: is charged for the harmonics it lacks to the power of MISSING_POWER.
HARMONIC_DECAY, MISSING_POWER = 1 / 3, 1.5

#: There is a pitch where harmonics hold this share of the spectrum beyond chance.
#: Drums and noise seldom reach 0.1, notes seldom stay below 0.2.
PITCHED_SHARE = 0.12

#: A fundamental has this share of its template's maximum (-34 dB) or more. One that
#: has less is that of a chord, whose notes are harmonics of a note that nobody plays.
LEAST_FUNDAMENTAL = 0.02

#: Below BASS_HZ live the kick drums. A bass has more of its spectrum in harmonics
#: than they, and overtones: a lone partial down there is a drum. A bright string, with
#: most of its harmonics above the fundamental, is no kick drum, if the window tells
#: them apart: if they lie further apart than a Hann window's main lobe is wide.
BASS_HZ, BASS_SHARE, BASS_OVERTONES, BRIGHT = 110.0, 0.2, 0.2, 0.5
LOBE_BINS = 4

#: The sum over the bins of a Hann window's main lobe, for a peak of height 1.
_LOBE_SUM = 2.0

#: Beside the highest bin of a Hann window's lobe none is below a fifth of it; NMF
#: leaves zeros there, which would pull the parabola through the peak aside.
_LEAST_BESIDE = 0.1

#: Cents in a factor of e; the integral of a Gaussian of standard deviation 1.
_CENTS, _GAUSSIAN = 1200 / math.log(2), math.sqrt(2 * math.pi)


@flush_to_zero()
def estimate_pitches(W: ArrayLike, frequencies: ArrayLike) -> Array:
    """Return the pitch of each template, NaN where it has none.

    A template is reduced to its spectral peaks. Every fundamental that makes a strong
    peak one of its harmonics, and that is present itself, is a candidate. Its salience
    is the share of the peaks' magnitude that lies on its harmonics, times the share of
    the expected harmonics that are present. A fundamental an octave too high lacks the
    first, one an octave too low the second: these are the two sides of the two-way
    mismatch [1]_, as sums over weighted harmonics [2]_. The best candidate is a pitch
    if its harmonics hold more of the spectrum than they would by chance. So drums,
    noise and silence get NaN, and so does a single partial below 110 Hz, which is more
    often a kick drum than a bass. For a chord, the strongest fundamental is returned,
    never one that none of its notes has.

    Parameters
    ----------
    W : array, shape (n_bins, n_components)
        Magnitude spectra of a Hann window, non-negative, at any scale.
    frequencies : array, shape (n_bins,)
        The frequencies of the bins in Hz, evenly spaced.

    Returns
    -------
    pitches : array, shape (n_components,), float64
        Fractional MIDI numbers (A4 = 440 Hz = 69) between 20.5 and 110.5, or NaN.

    Raises
    ------
    ParameterError
        If the shapes do not fit, or an entry of ``W`` is negative or not finite.

    References
    ----------
    .. [1] R. C. Maher and J. W. Beauchamp, "Fundamental frequency estimation of
       musical signals using a two-way mismatch procedure", JASA 95(4), 1994.
    .. [2] A. Klapuri, "Multiple fundamental frequency estimation by summing
       harmonic amplitudes", ISMIR 2006.
    """
    W, frequencies = _spectra(W, frequencies)
    return np.array([_pitch(template, frequencies) for template in W.T])


@flush_to_zero()
def centroids(W: ArrayLike, frequencies: ArrayLike) -> Array:
    """The mean frequency of each template in Hz, weighted by magnitude; 0 if silent.

    W, frequencies and errors are as for `estimate_pitches`.
    """
    W, frequencies = _spectra(W, frequencies)
    total = W.sum(axis=0)
    return frequencies @ W / np.where(total > 0, total, 1.0)


def _pitch(template: Array, frequencies: Array) -> float:
    hz, heights = _peaks(template, frequencies)
    fundamentals = _candidates(hz)
    level = np.interp(fundamentals, frequencies, template)
    fundamentals = fundamentals[level >= LEAST_FUNDAMENTAL * template.max()]
    if not fundamentals.size:
        return math.nan
    spacing = frequencies[1] - frequencies[0]
    width = TOLERANCE_BINS * spacing
    tolerance = np.hypot(TOLERANCE_CENTS, _CENTS * width / hz)
    numbers, cents = _harmonics(hz, fundamentals)
    matches = np.exp(-0.5 * (cents / tolerance) ** 2)
    n_expected = _expected(hz, heights, fundamentals)
    best = _salience(heights, numbers, matches, n_expected).argmax()

    sounding = heights * matches[best]
    chance = np.minimum(1, _GAUSSIAN * tolerance * numbers[best] / _CENTS)
    surplus = _LOBE_SUM * (sounding - heights * chance).sum()
    share = surplus / template[frequencies >= LOWEST_HZ].sum()
    overtones = sounding[numbers[best] > 1].sum() / sounding.sum()
    is_bright = overtones >= BRIGHT and fundamentals[best] >= LOBE_BINS * spacing
    if not _is_pitched(fundamentals[best], share, overtones, is_bright=is_bright):
        return math.nan
    return float(midi_number(fundamentals[best]))


def _peaks(template: Array, frequencies: Array) -> tuple[Array, Array]:
    """Frequencies and heights of the strongest peaks, strongest first.

    Both come from the parabola through the logarithms of three bins.
    """
    inner = template[1:-1]
    rises = (inner > template[:-2]) & (inner >= template[2:])
    at = 1 + np.flatnonzero(rises & (frequencies[1:-1] >= LOWEST_HZ))
    at = at[np.argsort(-template[at], kind="stable")[:N_PEAKS]]
    beside = np.array([template[at - 1], template[at + 1]]) / template[at]
    left, right = np.log(np.maximum(beside, _LEAST_BESIDE))
    offset = 0.5 * (left - right) / (left + right)
    hz = frequencies[at] + offset * (frequencies[1] - frequencies[0])
    return hz, template[at] * np.exp(-0.25 * (left - right) * offset)


def _candidates(hz: Array) -> Array:
    """Every fundamental in range that makes a strong peak one of its harmonics."""
    fundamentals = (hz[:N_SOURCES, None] / np.arange(1, N_DIVISORS + 1)).ravel()
    return fundamentals[(fundamentals > LOWEST_HZ) & (fundamentals < HIGHEST_HZ)]


def _harmonics(hz: Array, fundamentals: Array) -> tuple[Array, Array]:
    """The nearest harmonic of each peak and how many cents the peak lies above it."""
    ratio = hz / fundamentals[:, None]
    numbers = np.maximum(np.rint(ratio), 1)
    return numbers, _CENTS * np.log(ratio / numbers)


def _expected(hz: Array, heights: Array, fundamentals: Array) -> NDArray[np.intp]:
    """The number of harmonics that each fundamental should have below the top peak."""
    highest = hz[heights >= LAST_HEIGHT * heights.max()].max()
    number = np.clip(np.rint(highest / fundamentals), 1, MAX_HARMONICS)
    return np.asarray(number, np.intp)


def _salience(
    heights: Array, numbers: Array, matches: Array, n_expected: NDArray[np.intp]
) -> Array:
    explained = matches @ heights / heights.sum()
    weights = np.arange(1, MAX_HARMONICS + 1) ** -HARMONIC_DECAY
    presence = matches * np.minimum(1, heights / (FULL_HEIGHT * heights.max()))
    presence *= numbers**-HARMONIC_DECAY * (numbers <= n_expected[:, None])
    found = presence.sum(axis=1) / np.cumsum(weights)[n_expected - 1]
    return np.asarray(explained * np.minimum(found, 1) ** MISSING_POWER)


def _is_pitched(
    fundamental: float, share: float, overtones: float, *, is_bright: bool
) -> bool:
    if fundamental < BASS_HZ and not is_bright:
        return share >= BASS_SHARE and overtones >= BASS_OVERTONES
    return share >= PITCHED_SHARE


def _spectra(W: ArrayLike, frequencies: ArrayLike) -> tuple[Array, Array]:
    W, frequencies = np.asarray(W, np.float64), np.asarray(frequencies, np.float64)
    if W.ndim != 2 or frequencies.shape != W.shape[:1] or len(W) < 3:
        raise ParameterError(
            "templates must have a row for each frequency, three or more, "
            f"got shapes {W.shape} and {frequencies.shape}"
        )
    if not np.isfinite(W).all() or (W < 0).any():
        raise ParameterError("templates must be finite and non-negative")
    if not (np.diff(frequencies) > 0).all():
        raise ParameterError("frequencies must increase from bin to bin")
    return W, frequencies
