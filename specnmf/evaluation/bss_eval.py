"""BSS Eval v3: the target, interference and artifacts in an estimate.

An estimate is projected on the references delayed by 0 to L - 1 samples. The scores
need only the energies of those projections, which follow from correlations at L lags:
no projection is synthesised, the signals are read once, block by block, and one matrix
is factorised for all estimates.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from specnmf.arrays import numbers
from specnmf.checks import check_at_least
from specnmf.errors import ParameterError
from specnmf.evaluation.correlation import (
    FILTER_LENGTH,
    Array,
    Signal,
    Signals,
    correlate,
)
from specnmf.parallel import workers

#: Delayed references are nearly dependent where a band is empty. The first of these
#: shares of their energy that makes the matrix definite is added to its diagonal.
LOADINGS = (1e-15, 1e-14, 1e-13, 1e-12, 1e-11, 1e-9)

#: Where less than this is left of a recording in the average of its channels, in dB,
#: they cancel out: -3 is left of two that have nothing in common.
CANCELLED = -10.0


def bss_eval(
    references: ArrayLike,
    estimates: ArrayLike,
    *,
    filter_length: int = FILTER_LENGTH,
) -> tuple[Array, Array, Array]:
    """The SDR, SIR and SAR of estimates against their references, in dB.

    The values are those of ``mir_eval.separation.bss_eval_sources(references,
    estimates, compute_permutation=False)``, up to about 100 dB, where rounding sets in.
    Memory does not grow with the length: 2 MB times the square of the number of
    references, and some 200 MB per thread.

    Parameters
    ----------
    references, estimates : array, shape (n_sources, n_samples)
        The first estimate belongs to the first reference, and so on.
    filter_length : int
        The length of the distortion filter that is allowed, in samples.

    Returns
    -------
    sdr, sir, sar : array, shape (n_sources,), float64
        Infinite where there is no distortion, interference or artifact; minus infinity
        where the estimate is silent.

    Raises
    ------
    ParameterError
        If the shapes differ, a sample is not finite, a reference is silent, or there
        are too many references.

    References
    ----------
    Vincent, Gribonval and Févotte, "Performance measurement in blind audio source
    separation", IEEE TASLP 14(4), 2006.

    Examples
    --------
    >>> import numpy as np
    >>> import specnmf
    >>> references = np.random.default_rng(0).standard_normal((2, 8000))
    >>> estimates = references + 0.1 * references[::-1]  # a tenth of the other one
    >>> sdr, sir, sar = specnmf.bss_eval(references, estimates)
    >>> sdr.round(1), sir.round(1)
    (array([20.3, 20.2]), array([20.3, 20.2]))
    """
    references = numbers("references", references)
    estimates = numbers("estimates", estimates)
    _check(references, estimates, filter_length)
    n = len(references)
    signals = [signal[None] for signal in (*references, *estimates)]
    table = correlate(signals, signals[:n], filter_length)
    return Projector(table[:n]).ratios(table[n:], energies(signals[n:]), range(n))


def _check(references: Signal, estimates: Signal, filter_length: int) -> None:
    if references.ndim != 2 or references.shape != estimates.shape:
        raise ParameterError(
            "references and estimates must both be (n_sources, n_samples), "
            f"got shapes {references.shape} and {estimates.shape}"
        )
    check_at_least("filter_length", filter_length, 1)
    if not (np.isfinite(references).all() and np.isfinite(estimates).all()):
        raise ParameterError("references and estimates must be finite")
    silent = [i for i, y in enumerate(references) if not y.any()]
    if silent:
        raise ParameterError(
            f"reference {silent[0]} is silent, so it has no SDR; leave it out"
        )


class Projector:
    """The energies of projections of signals on delayed references.

    It is made from the correlations of the references with each other, as `correlate`
    gives them. Its methods take a ``table`` of shape (n_signals, n_references, n_lags):
    the correlations of signals with the references.
    """

    def __init__(self, table: Array) -> None:
        # References at one level, so that the loading is right for each.
        self.scale = 1 / np.sqrt(np.einsum("iik->ik", table)[:, 0])
        self.table = table * self.scale[:, None, None] * self.scale[:, None]
        alone = [slice(i, i + 1) for i in range(len(table))]
        self.own = [_factorise(self.table[i, i]) for i in alone]

    @cached_property
    def all(self) -> Any:
        """The factor of all references together; large, so computed only if needed."""
        return _factorise(self.table)

    def onto_each(self, table: Array) -> Array:
        """The energies on each reference alone, shape (n_signals, n_references)."""
        scaled = table * self.scale[:, None]
        parts = [_energies(own, scaled[:, i]) for i, own in enumerate(self.own)]
        return np.stack(parts, axis=1)

    def onto_all(self, table: Array) -> Array:
        """The energies on all references together, shape (n_signals,)."""
        scaled = table * self.scale[:, None]
        return _energies(self.all, scaled.reshape(len(scaled), -1))

    def ratios(
        self, table: Array, energies: Array, which: Sequence[int]
    ) -> tuple[Array, Array, Array]:
        """The SDR, SIR and SAR in dB of signals with these energies and references."""
        target = self.onto_each(table)[range(len(table)), which]
        explained = np.maximum(self.onto_all(table), target)
        return (
            decibels(target, energies - target),
            decibels(target, explained - target),
            decibels(explained, energies - explained),
        )


def energy(signal: Signal) -> float:
    """The energy of the average of the channels (n_channels, n_samples)."""
    products = np.einsum("ct,dt->cd", signal, signal, dtype=np.float64)
    return float(products.mean())


def joint_energy(signal: Signal) -> float:
    """The average of the energies of the channels (n_channels, n_samples)."""
    products = np.einsum("ct,ct->", signal, signal, dtype=np.float64)
    return float(products / len(signal))


def energies(signals: Signals, *, jointly: bool = False) -> Array:
    """The energies of several signals, shape (n_signals,)."""
    measure = joint_energy if jointly else energy
    return np.array([measure(signal) for signal in signals])


def cancels(signal: Signal) -> bool:
    """Whether little of a signal remains when its channels are averaged."""
    left = decibels(energy(signal), joint_energy(signal))
    return joint_energy(signal) > 0 and bool(left < CANCELLED)


def decibels(part: ArrayLike, rest: ArrayLike) -> Array:
    """Ratios of energies in dB; minus infinity or infinity if one of both is 0."""
    part, rest = np.maximum(part, 0.0), np.maximum(rest, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = 10 * np.log10(part / rest)
    return np.where(part > 0, ratio, -np.inf)


def _gram(table: Array) -> Array:
    """The inner products of all delayed references, (n_references * n_lags) squared."""
    from scipy.linalg import toeplitz

    n, _, n_lags = table.shape
    gram = np.empty((n, n_lags, n, n_lags))
    for i in range(n):
        for j in range(n):
            gram[i, :, j] = toeplitz(table[j, i], table[i, j])
    return gram.reshape(n * n_lags, n * n_lags)


def _factorise(table: Array) -> Any:
    """The Cholesky factor of the Gram matrix of references with unit energy."""
    from scipy.linalg import LinAlgError, cho_factor

    for loading in LOADINGS:
        gram = _gram(table)
        gram.flat[:: len(gram) + 1] += loading
        with suppress(LinAlgError), workers(1):
            return cho_factor(gram, lower=True, overwrite_a=True, check_finite=False)
    raise ParameterError(
        "the references are too similar to be told apart; add some together first"
    )


def _energies(factor: Any, products: Array) -> Array:
    """Energies of projections, from inner products (n_signals, n) with the basis."""
    from scipy.linalg import cho_solve

    with workers(1):
        filters = cho_solve(factor, products.T, check_finite=False)
    return np.asarray(np.einsum("si,is->s", products, filters))
