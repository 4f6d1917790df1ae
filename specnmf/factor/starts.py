"""Starts: initial factors, random or from the singular vectors of V."""

from __future__ import annotations

import numpy as np

from specnmf.checks import check_at_least
from specnmf.errors import ParameterError
from specnmf.factor.factorization import Factorization
from specnmf.factor.matrices import Array, non_negative
from specnmf.factor.options import Init, NmfOptions
from specnmf.parallel import workers


def random(
    V: Array, n_components: int, *, rng: int | np.random.Generator = NmfOptions.seed
) -> Factorization:
    """Uniform random factors, scaled so that the mean of WH is about that of V.

    Parameters
    ----------
    V : array, shape (n_bins, n_frames)
        The data; it determines shape, scale and dtype.
    n_components : int
        The number of components.
    rng : int or numpy.random.Generator
        Seed or generator; a seed gives the same start in every dtype.

    Returns
    -------
    Factorization
        A start for `specnmf.nmf`.

    Raises
    ------
    ParameterError
        If ``n_components`` is below 1, or V has a negative or non-finite entry.

    Examples
    --------
    >>> import numpy as np
    >>> import specnmf
    >>> V = np.ones((513, 100), dtype=np.float32)
    >>> start = specnmf.starts.random(V, 8, rng=0)
    >>> start
    Factorization(8 components, 513 bins, 100 frames)
    >>> round(float((start.W @ start.H).mean()), 1)
    1.0
    """
    if not isinstance(n_components, int | np.integer):
        kind = type(n_components).__name__
        raise ParameterError(f"n_components must be a whole number, got {kind}")
    check_at_least("n_components", n_components, 1)
    V = non_negative("V", V)
    rng = np.random.default_rng(rng)
    n_bins, n_frames = V.shape
    scale = 4 * V.mean(dtype=np.float64) / n_components  # a product's mean is 1/4
    W, H = np.empty((n_bins, n_components)), np.empty((n_components, n_frames), V.dtype)
    rng.random(out=W)
    for row in H:  # one by one, so that double precision never holds all of H
        row[:] = scale * (1 - rng.random(n_frames))
    # 1 - random is in (0, 1]: a zero would stay one.
    return Factorization((1 - W).astype(V.dtype), H)


def nndsvd(V: Array, n_components: int, *, fill: bool = False) -> Factorization:
    """Factors from the singular vectors of V; of each pair, the stronger sign is kept.

    Parameters
    ----------
    V : array, shape (n_bins, n_frames)
        The data.
    n_components : int
        At most the smaller side of V.
    fill : bool
        Replace zeros by the mean of V (NNDSVDa), because multiplicative updates never
        change a zero.

    Returns
    -------
    Factorization
        A start for `specnmf.nmf`; the same V gives the same start.

    Raises
    ------
    ParameterError
        If ``n_components`` is below 1 or above the smaller side of V, or V has a
        negative or non-finite entry.

    References
    ----------
    Boutsidis and Gallopoulos, "SVD based initialization: a head start for
    nonnegative matrix factorization", Pattern Recognition 2008.

    Examples
    --------
    >>> import numpy as np
    >>> import specnmf
    >>> V = np.outer([1.0, 2.0, 0.0], [3.0, 1.0])  # one template
    >>> start = specnmf.starts.nndsvd(V, 1)
    >>> (start.W @ start.H).round(6)
    array([[3., 1.],
           [6., 2.],
           [0., 0.]])
    """
    check_at_least("n_components", n_components, 1)
    V = non_negative("V", V)
    if n_components > min(V.shape):
        raise ParameterError(
            f"nndsvd gives at most {min(V.shape)} components for a matrix of shape "
            f"{V.shape}, got {n_components}; use init random"
        )
    U, S, VT = _singular_triplets(V, n_components)
    W, H = np.zeros_like(U), np.zeros_like(VT)
    for k in range(n_components):
        u, v, gain = _stronger_side(U[:, k], VT[k])
        W[:, k] = np.sqrt(S[k] * gain) * u
        H[k] = np.sqrt(S[k] * gain) * v
    if fill:
        mean = V.mean(dtype=np.float64)
        W[W == 0] = H[H == 0] = mean
    return Factorization(W.astype(V.dtype), H.astype(V.dtype))


def make(
    V: Array, n_components: int, *, init: Init, rng: int | np.random.Generator
) -> Factorization:
    """The start for the value of the option ``init``.

    Parameters
    ----------
    V : array, shape (n_bins, n_frames)
        The data.
    n_components : int
        The number of components.
    init : {"random", "nndsvd", "nndsvda"}
        `specnmf.starts.random`, or `specnmf.starts.nndsvd` without or with ``fill``.
    rng : int or numpy.random.Generator
        Seed or generator of the random start.

    Returns
    -------
    Factorization
        A start for `specnmf.nmf`.

    Examples
    --------
    >>> import numpy as np
    >>> import specnmf
    >>> V = np.outer([1.0, 2.0, 0.0], [3.0, 1.0])
    >>> specnmf.starts.make(V, 1, init="nndsvda", rng=0)
    Factorization(1 component, 3 bins, 2 frames)
    """
    if init == "random":
        return random(V, n_components, rng=rng)
    return nndsvd(V, n_components, fill=init == "nndsvda")


def _singular_triplets(V: Array, k: int) -> tuple[Array, Array, Array]:
    """The k largest singular values with their vectors, largest first, in double.

    From the eigenvectors of the smaller Gram matrix: start vectors need not be
    exact, and a dense eigenproblem gives the same answer every time.
    """
    wide = V.shape[0] <= V.shape[1]
    A = V if wide else V.T
    with workers(1):
        gram = np.zeros((len(A), len(A)))
        for i in range(0, A.shape[1], 4096):
            part = A[:, i : i + 4096].astype(np.float64)
            gram += part @ part.T
        squares, vectors = np.linalg.eigh(gram)
        U = vectors[:, ::-1][:, :k]
        S = np.sqrt(np.maximum(squares[::-1][:k], 0))
        right = (U.astype(A.dtype).T @ A).astype(np.float64)
    VT = np.divide(right, S[:, None], out=np.zeros_like(right), where=S[:, None] > 0)
    return (U, S, VT) if wide else (VT.T.copy(), S, U.T.copy())


def _stronger_side(u: Array, v: Array) -> tuple[Array, Array, float]:
    """Of u vᵀ the positive or the negative parts, normalised, and their gain."""
    sides = []
    for sign in (1, -1):
        a, b = np.maximum(sign * u, 0), np.maximum(sign * v, 0)
        sides.append((a, b, float(np.linalg.norm(a) * np.linalg.norm(b))))
    a, b, gain = max(sides, key=lambda side: side[2])
    if gain == 0:
        return a, b, 0.0
    return a / np.linalg.norm(a), b / np.linalg.norm(b), gain
