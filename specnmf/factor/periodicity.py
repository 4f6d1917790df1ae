"""Components grouped by the periods at which they repeat.

Periodicity-coded NMF: the amplitude spectrum of an activation tells its rhythm. A
second NMF of these spectra finds rhythms that several components share. Here it has
further templates that are fixed, for activations without a rhythm: rain and wind have
flat or falling spectra. Components that these explain best are in no group.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specnmf.errors import ParameterError
from specnmf.factor.factorization import Factorization
from specnmf.factor.nmf import nmf

Array = NDArray[np.float64]

#: A period is repeated so often in a recording at least.
LEAST_REPEATS = 6

#: Rhythms up to this frequency count, in Hz.
HIGHEST = 20.0

#: Faster rhythms are pulses within a call, in Hz, if slower ones have this share of the
#: power.
PULSES, SLOW = 8.0, 0.2

#: Exponents of frequency in the spectra of activations without a rhythm.
SLOPES = (0.0, -0.5)

#: The divergence of a spectrum from the best sum of these, for a spectrum of unit sum,
#: that a rhythm has at least. It is 0.13 for noise whose power is known exactly, up to
#: 0.25 for what rain and wind leave in activations, and from 0.3 on for insects.
LEAST_RHYTHM = 0.22

#: The second NMF: its starts, of which the best is kept, and its iterations.
STARTS, ITERATIONS, TOLERANCE = 3, 300, 1e-5

#: Of the peaks of an autocorrelation, the first is taken that has this share of the
#: highest: the others are multiples of its period.
NEARLY = 0.9


class Grouping(NamedTuple):
    """Components in groups, by their periods.

    Attributes
    ----------
    groups : array of int, shape (n_components,)
        The group of each component, from 0 by rising period; -1: none.
    periods : array, shape (n_groups,)
        The period of each group in seconds; NaN if it has no component, or none is
        found. Those are the last.
    """

    groups: NDArray[np.int64]
    periods: Array


def group_by_period(
    H: ArrayLike, seconds: float, n_groups: int, *, rng: int | np.random.Generator
) -> Grouping:
    """Group components by the periods of their activations.

    Parameters
    ----------
    H : array, shape (n_components, n_frames), non-negative
        Activations.
    seconds : float
        From one frame to the next.
    n_groups : int
        The number of groups, at most that of the components.
    rng : int or Generator
        For the starts of the second NMF.

    Raises
    ------
    ParameterError
        If there are more groups than components, or too few frames to repeat anything.

    References
    ----------
    Lin, Fang and Tsao, "Improving biodiversity assessment via unsupervised separation
    of biological sounds from long-duration recordings", Scientific Reports 7, 2017.
    """
    H = np.asarray(H, np.float64)
    if not 1 <= n_groups <= len(H):
        raise ParameterError(
            f"{len(H)} components make 1 to {len(H)} groups, got {n_groups}"
        )
    spectra, frequencies = rhythms(H, seconds)
    groups = _grouped(spectra, frequencies, n_groups, np.random.default_rng(rng))
    members = [np.flatnonzero(groups == number) for number in range(n_groups)]
    periods = np.array([_period(H[own], seconds) for own in members])
    order = np.argsort(periods, kind="stable")  # NaN last
    places = np.append(np.argsort(order), -1)  # of group -1 as well
    return Grouping(places[groups], periods[order])


def rhythms(H: Array, seconds: float) -> tuple[Array, Array]:
    """The amplitude spectra of activations, and their frequencies.

    Returns
    -------
    spectra : array, shape (n_frequencies, n_components)
        Each adds up to 1; zeros for an activation that is constant.
    frequencies : array, shape (n_frequencies,)
        In Hz, from `LEAST_REPEATS` periods in all frames to `HIGHEST`.
    """
    n_frames = H.shape[1]
    frequencies: Array = np.fft.rfftfreq(n_frames, seconds).astype(np.float64)
    known = np.flatnonzero(frequencies <= HIGHEST)[LEAST_REPEATS:]
    if not known.size:
        raise ParameterError(
            f"{n_frames * seconds:.2f} s are too short to group by periodicity; use a "
            "longer excerpt or a smaller hop"
        )
    spectra = np.array([_amplitudes(h)[known] for h in H]).T
    totals = spectra.sum(axis=0)
    return spectra / np.where(totals > 0, totals, 1), frequencies[known]


def _amplitudes(h: Array) -> Array:
    """The amplitude spectrum of an activation without its mean."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(len(h)) + 0.5) / len(h))
    around = h - np.average(h, weights=window)
    if not np.abs(around).max() > 1e-9 * h.max(initial=0):
        return np.zeros(len(h) // 2 + 1)
    amplitudes: Array = np.abs(np.fft.rfft(around * window))
    return amplitudes


def _grouped(
    spectra: Array, frequencies: Array, n_groups: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """The group of each component, by a second NMF; -1: no rhythm."""
    plain = np.array([frequencies**slope for slope in SLOPES]).T
    plain /= plain.max(axis=0)
    groups = np.full(spectra.shape[1], -1)
    own = np.flatnonzero(strengths(spectra, plain) > LEAST_RHYTHM)
    if not own.size:
        return groups
    starts = (
        _start(spectra[:, own], plain, rng.uniform(0.1, 1.1, (len(spectra), n_groups)))
        for _ in range(STARTS)
    )
    fixed = np.arange(n_groups + len(SLOPES)) >= n_groups
    found = [_fit(spectra[:, own], start, fixed) for start in starts]
    best = min(found, key=lambda result: float(result.losses[-1]))
    shares = best.W.sum(axis=0)[:, np.newaxis] * best.H
    shares = np.vstack([shares[:n_groups], shares[n_groups:].sum(axis=0)])
    groups[own] = shares.argmax(axis=0)
    groups[groups == n_groups] = -1
    return groups


def strengths(spectra: Array, plain: Array) -> Array:
    """How far each spectrum is from that of an activation without a rhythm.

    The Kullback-Leibler divergence from the nearest sum of the columns of ``plain``;
    0 for silence.
    """
    start = _start(spectra, plain, np.zeros((len(spectra), 0)))
    P = plain @ _fit(spectra, start, np.ones(plain.shape[1], bool)).H
    known = spectra > 0
    ratio = np.where(known, spectra, 1) / np.where(known, np.maximum(P, 1e-30), 1)
    divergence: Array = (spectra * np.log(ratio) - spectra + P).sum(axis=0)
    return divergence * known.any(axis=0)


def _start(spectra: Array, plain: Array, learned: Array) -> Factorization:
    W = np.hstack([learned, plain])
    H = np.ones((W.shape[1], spectra.shape[1]))
    return Factorization(W, H / W.sum(axis=0)[:, np.newaxis])


def _fit(
    spectra: Array, start: Factorization, fixed: NDArray[np.bool_]
) -> Factorization:
    return nmf(spectra, start, fixed=fixed, max_iter=ITERATIONS, tol=TOLERANCE)


def _period(H: Array, seconds: float) -> float:
    """The period of activations in seconds; NaN if they have none.

    The first high peak of their autocorrelation beyond its first negative value: up to
    that a call itself is correlated. Pulses within a call do not count.
    """
    if not len(H):
        return np.nan
    n_frames = H.shape[1]
    frequencies = np.fft.rfftfreq(n_frames, seconds)
    power = sum(_amplitudes(h) ** 2 / max(h.mean() ** 2, 1e-30) for h in H)
    power[:LEAST_REPEATS] = 0
    slow = frequencies <= PULSES
    if power[slow].sum() > SLOW * power.sum():
        power[~slow] = 0
    lags = np.fft.irfft(power, n_frames)[: n_frames // LEAST_REPEATS]
    negative = np.flatnonzero(lags < 0)
    if not negative.size:
        return np.nan
    inner = np.arange(max(1, negative[0]), len(lags) - 1)
    is_peak = (lags[inner] > lags[inner - 1]) & (lags[inner] >= lags[inner + 1])
    peaks = inner[is_peak & (lags[inner] > 0)]
    if not peaks.size:
        return np.nan
    peak = peaks[lags[peaks] >= NEARLY * lags[peaks].max()][0]
    return _vertex(lags, int(peak)) * seconds


def _vertex(values: Array, peak: int) -> float:
    """The place of a peak, from the parabola through it and its neighbours."""
    before, at, after = values[peak - 1 : peak + 2]
    return peak + 0.5 * float((before - after) / (before - 2 * at + after))
