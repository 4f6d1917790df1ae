"""q(X, A), the projection of neural NMF, and its derivative."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from specnmf.factor.nnls import solve_normal, solve_supports_of
from specnmf.parallel import Mapper

Doubles = NDArray[np.float64]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Projection:
    """S = argmin_{S >= 0} ||X - A S||, by what it is of: AᵀA and AᵀX.

    Attributes
    ----------
    gram : array, shape (n_components, n_components)
        AᵀA.
    products : array, shape (n_components, n_columns)
        AᵀX.
    S : array, shape (n_components, n_columns)
        The minimiser.
    passive : array of bool, shape (n_components, n_columns)
        The support: where S may grow or shrink with A and X.
    """

    gram: Doubles
    products: Doubles
    S: Doubles
    passive: Booleans

    @classmethod
    def of(
        cls,
        gram: Doubles,
        products: Doubles,
        mapper: Mapper,
        passive: Booleans | None = None,
    ) -> Projection:
        """Project, from the support of a problem nearby if there is one.

        Raises
        ------
        ParameterError
            If a number is not finite.
        """
        S, passive = solve_normal(gram, products, mapper=mapper, passive=passive)
        return cls(gram, products, S, passive)

    def pull_back(self, dS: Doubles, mapper: Mapper) -> tuple[Doubles, Doubles]:
        """The derivative of a loss in AᵀA and in AᵀX, from that in S.

        On the support, AᵀA S = AᵀX; the support of a column stays as it is for all
        small changes, unless S and its multiplier are both zero somewhere: where
        that is so no derivative exists, and this is the one with the support as
        it was found.

        Parameters
        ----------
        dS : array, shape (n_components, n_columns)
            The derivative of the loss in S.
        mapper : callable
            From `specnmf.parallel.workers`.

        Returns
        -------
        d_gram : array, shape (n_components, n_components)
            Symmetric: -(U Sᵀ + S Uᵀ) / 2, where U is zero off the support and
            solves AᵀA U = dS on it.
        d_products : array, shape (n_components, n_columns)
            U.
        """
        U = solve_supports_of(self.gram, dS, self.passive, mapper=mapper)
        outer = U @ self.S.T
        return -(outer + outer.T) / 2, U
