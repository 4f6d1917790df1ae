"""The beta-divergence between a matrix and its model."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from specnmf.errors import ParameterError
from specnmf.factor.kernels import divergences as kernels
from specnmf.factor.matrices import Array, non_negative

#: Added to denominators, as in the FMP notebooks; and the least value of V and
#: WH relative to the largest of V, where a divergence is infinite at zero.
EPS = float(np.finfo(np.float32).eps)

#: The least value of WH relative to the largest of V, where a zero is harmless:
#: small enough not to be seen, large enough to divide by.
TINY = 1e-10


def floor(peak: float, beta: float) -> float:
    """The floor of WH, for a V whose largest entry is ``peak``.

    For beta <= 0 the floor holds for V too, because its zeros would cost infinitely
    much.
    """
    return max((peak or 1.0) * (EPS if beta <= 0 else TINY), kernels.LEAST)


def check_powers(name: str, V: Array, beta: float) -> None:
    """Raise ParameterError if the floats of V cannot hold the powers that beta needs.

    These are v^beta, p^(beta-1) and v p^(beta-2), for entries v and models p from the
    floor to the largest entry, and sums of them.
    """
    peak = max(float(V.max()), -float(V.min()))
    if peak == 0:
        return
    high, low = math.log10(peak), math.log10(floor(peak, beta))
    powers = [high, beta * high, (beta - 1) * low, high + (beta - 2) * low]
    if beta != 2:
        powers.append(beta * low)
    if max(powers) + math.log10(V.size) > math.log10(np.finfo(V.dtype).max) - 1:
        raise ParameterError(
            f"{V.dtype} cannot hold the powers of {name} that beta {beta:g} needs, "
            f"with values up to {peak:.1e}; use a beta nearer to 1, or scale {name}"
        )


def gamma(beta: float) -> float:
    """The exponent that keeps multiplicative updates monotone.

    Févotte and Idier 2011, table 2 and equation 52.
    """
    if beta < 1:
        return 1 / (2 - beta)
    return 1 / (beta - 1) if beta > 2 else 1.0


def multiplier(negative: Array, positive: Array, beta: float) -> Array:
    """The factor of a multiplicative update, from the two parts of a gradient."""
    ratio = negative / (positive + negative.dtype.type(EPS))
    exponent = gamma(beta)
    return ratio if exponent == 1 else ratio**exponent


def beta_divergence(V: ArrayLike, P: ArrayLike, beta: float) -> float:
    """The beta-divergence ``D_beta(V | P)``, summed over all entries.

    Parameters
    ----------
    V, P : array, shape (n_bins, n_frames)
        The data and its model, non-negative and finite.
    beta : float
        2: half the squared Euclidean distance; 1: Kullback-Leibler divergence;
        0: Itakura-Saito divergence.

    Returns
    -------
    float
        Computed in double precision, with zeros floored as in the solvers.

    Raises
    ------
    ParameterError
        If the shapes differ, or an entry is negative or not finite.

    References
    ----------
    Févotte and Idier, "Algorithms for nonnegative matrix factorization with the
    beta-divergence", Neural Computation 2011, equation 3.

    Examples
    --------
    >>> import specnmf
    >>> V, P = [[1.0, 2.0]], [[1.0, 1.0]]
    >>> for name, beta in {"euclidean": 2, "kl": 1, "is": 0}.items():
    ...     print(name, round(specnmf.beta_divergence(V, P, beta), 3))
    euclidean 0.5
    kl 0.386
    is 0.307
    """
    V, P = non_negative("V", V), non_negative("P", P)
    if V.shape != P.shape:
        raise ParameterError(
            f"V and P must have the same shape, got {V.shape} and {P.shape}"
        )
    V = np.ascontiguousarray(V, np.float64)
    check_powers("V", V, beta)
    least = floor(float(V.max(initial=0)), beta)
    return split(V, np.array(P, np.float64), beta, least)[0]


def split(
    V: Array, P: Array, beta: float, least: float
) -> tuple[float, Array, Array | None]:
    """``D_beta(V | P)`` of a block, and both parts of its gradient in P.

    The negative and the positive part are V P^(beta-2) and P^(beta-1), or None for the
    ones of beta 1. P is overwritten and may be returned; ``least`` is from `floor`.
    """
    number = P.dtype.type
    if beta == 1:
        return kernels.kullback_leibler(V, P, number(least)), P, None
    if beta == 2:
        return kernels.half_squares(V, P), V, P
    Q = np.empty_like(P)
    if beta == 0:
        return kernels.itakura_saito(V, P, Q, number(least)), Q, P
    return kernels.beta_parts(V, P, Q, number(least), number(beta)), Q, P
