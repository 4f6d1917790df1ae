"""NMF: `specnmf.nmf` as a scikit-learn estimator."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from specnmf.factor import starts
from specnmf.factor.factorization import Factorization
from specnmf.factor.kernels.divergences import LEAST
from specnmf.factor.matrices import Array, finite
from specnmf.factor.nmf import nmf
from specnmf.factor.options import N_COMPONENTS, Init, NmfOptions, Solver


class NMF(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Non-negative matrix factorisation, ``X ≈ transform(X) @ components_``.

    Rows of X are frames, as in scikit-learn and ``librosa.decompose.decompose``: X is
    the transpose of V, ``components_`` of W, and ``transform(X)`` of H in
    `specnmf.nmf`.

    Parameters
    ----------
    n_components : int
        The number of components.
    beta : float or str
        The divergence: ``"euclidean"`` (2), ``"kl"`` (1), ``"is"`` (0) or any number.
    solver : {"auto", "mu", "hals", "joint"}
        See `specnmf.nmf`.
    init : {"random", "nndsvd", "nndsvda"}
        The initial W and H; ``"nndsvda"`` is ``"nndsvd"`` with its zeros filled.
    max_iter : int
        Maximum number of iterations.
    tol : float
        Stop when the cost falls by less than this fraction; 0: run all iterations.
    random_state : int, RandomState or None
        The seed of the random start.

    Attributes
    ----------
    components_ : array, shape (n_components, n_features)
        The templates, each with a maximum of 1.
    reconstruction_err_ : float
        The cost at the end of ``fit``.
    n_iter_ : int
        The number of iterations of ``fit``.
    n_features_in_ : int
        The number of features in ``fit``.

    Examples
    --------
    >>> import numpy as np
    >>> import specnmf
    >>> X = np.array([[1.0, 2, 0], [0, 1, 3], [2, 5, 3], [1, 5, 9]])  # frames, bins
    >>> model = specnmf.NMF(2, beta=2, random_state=0)
    >>> activations = model.fit_transform(X)
    >>> activations.shape, model.components_.shape
    ((4, 2), (2, 3))
    >>> bool(np.allclose(model.inverse_transform(activations), X, atol=0.05))
    True

    In librosa, it takes the place of scikit-learn's NMF:

    >>> import librosa
    >>> model = specnmf.NMF(2, random_state=0)
    >>> W, H = librosa.decompose.decompose(X.T, transformer=model)
    >>> W.shape, H.shape
    ((3, 2), (2, 4))
    """

    def __init__(
        self,
        n_components: int = N_COMPONENTS,
        *,
        beta: float | str = NmfOptions.beta,
        solver: Solver = NmfOptions.solver,
        init: Init = NmfOptions.init,
        max_iter: int = NmfOptions.max_iter,
        tol: float = NmfOptions.tol,
        random_state: int | np.random.RandomState | None = NmfOptions.seed,
    ) -> None:
        self.n_components = n_components
        self.beta = beta
        self.solver = solver
        self.init = init
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: None = None) -> Self:
        """Learn the templates.

        Parameters
        ----------
        X : array, shape (n_samples, n_features)
            Non-negative.
        y : None
            Ignored.

        Returns
        -------
        NMF
            The estimator itself.

        Raises
        ------
        ValueError
            If X is negative, not finite, sparse or not a matrix, or an option is out of
            its range.
        """
        V = self._validated(X, reset=True).T
        seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        start = starts.make(V, self.n_components, init=self.init, rng=int(seed))
        result = nmf(
            V,
            start,
            beta=self.beta,
            solver=self.solver,
            max_iter=self.max_iter,
            tol=self.tol,
        )
        self.components_ = np.ascontiguousarray(result.W.T)
        self.n_iter_ = len(result.losses)
        self.reconstruction_err_ = float(result.losses[-1])
        return self

    def fit_transform(self, X: ArrayLike, y: None = None, **_: Any) -> Array:
        """Learn the templates, and return the activations as ``transform`` does."""
        return self.fit(X, y).transform(X)

    def transform(self, X: ArrayLike) -> Array:
        """The activations of the learned templates, shape (n_samples, n_components).

        Each sample is fitted independently, for ``max_iter`` iterations, so the result
        for one does not depend on the others.
        """
        check_is_fitted(self)
        V = self._validated(X, reset=False).T
        W = self.components_.T.astype(V.dtype)
        n_components = W.shape[1]
        gain = V.mean(axis=0) / max(float(W.mean()) * n_components, LEAST)
        result = nmf(
            V,
            Factorization(W, np.tile(gain, (n_components, 1))),
            beta=self.beta,
            solver=self.solver,
            max_iter=self.max_iter,
            tol=0,
            fixed=np.ones(n_components, bool),
        )
        return np.ascontiguousarray(result.H.T)

    def inverse_transform(self, X: ArrayLike) -> Array:
        """The model of the data, ``X @ components_``, for activations X.

        Raises
        ------
        ParameterError
            If X is not finite.
        """
        check_is_fitted(self)
        return finite("X", X) @ self.components_

    def _validated(self, X: ArrayLike, *, reset: bool) -> Array:
        return validate_data(  # type: ignore[no-any-return]
            self,
            X,
            reset=reset,
            dtype=[np.float64, np.float32],
            ensure_non_negative=True,
        )

    @property
    def _n_features_out(self) -> int:
        return int(self.components_.shape[0])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
