"""q(X, A), the projection of neural NMF, and its derivative."""

from __future__ import annotations

from dataclasses import dataclass

from specnmf.factor.matrices import Booleans, Doubles
from specnmf.factor.nnls import solve_normal, solve_supports_of
from specnmf.parallel import Mapper


@dataclass(frozen=True, eq=False)
class Projection:
    """S = argmin_{S >= 0} ||X - A S||, by what it is of: AᵀA and AᵀX."""

    gram: Doubles  # AᵀA
    products: Doubles  # AᵀX, shape (n_components, n_columns), like those below
    S: Doubles
    passive: Booleans  # the support: where S may grow or shrink with A and X

    @classmethod
    def of(
        cls,
        gram: Doubles,
        products: Doubles,
        mapper: Mapper,
        passive: Booleans | None = None,
    ) -> Projection:
        """Project, from the support of a problem nearby if there is one."""
        S, passive = solve_normal(gram, products, mapper=mapper, passive=passive)
        return cls(gram, products, S, passive)

    def pull_back(self, dS: Doubles, mapper: Mapper) -> tuple[Doubles, Doubles]:
        """The derivative of a loss in AᵀA and in AᵀX, from that in S.

        They are -(U Sᵀ + S Uᵀ) / 2 and U, which is zero off the support and solves
        AᵀA U = dS on it.

        On the support, AᵀA S = AᵀX; the support of a column stays as it is for all
        small changes, unless S and its multiplier are both zero somewhere: where
        that is so no derivative exists, and this is the one with the support as
        it was found.
        """
        U = solve_supports_of(self.gram, dS, self.passive, mapper=mapper)
        outer = U @ self.S.T
        return -(outer + outer.T) / 2, U
