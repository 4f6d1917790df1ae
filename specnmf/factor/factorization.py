"""Factorization: the templates and activations that every mode shares."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from specnmf.errors import ParameterError
from specnmf.factor.matrices import non_negative
from specnmf.notation import counted


@dataclass(frozen=True, eq=False)
class Factorization:
    """V ≈ W H; a start for a solver, and what the solver returns.

    Parameters
    ----------
    W : array, shape (n_bins, n_components)
        Templates: one non-negative spectrum a column.
    H : array, shape (n_components, n_frames)
        Activations: how strongly each template sounds in each frame.
    labels : sequence of str, optional
        A name for each component; components of one name make one source.
        By default ``component_01`` and so on.
    losses : array, shape (n_iterations,)
        The cost after each iteration; empty for a start.

    Raises
    ------
    ParameterError
        If the shapes do not fit, or an entry is negative or not finite.
    """

    W: NDArray[np.floating]
    H: NDArray[np.floating]
    labels: tuple[str, ...] = ()
    losses: NDArray[np.float64] = None  # type: ignore[assignment]  # set below

    def __post_init__(self) -> None:
        W, H = non_negative("W", self.W), non_negative("H", self.H)
        if W.shape[1] != H.shape[0]:
            raise ParameterError(
                f"W has {W.shape[1]} columns, so H needs as many rows, got {H.shape[0]}"
            )
        labels = tuple(map(str, self.labels)) or component_labels(W.shape[1])
        if len(labels) != W.shape[1]:
            raise ParameterError(
                f"{W.shape[1]} components need as many labels, got {len(labels)}"
            )
        losses = () if self.losses is None else self.losses
        object.__setattr__(self, "W", W)
        object.__setattr__(self, "H", H)
        object.__setattr__(self, "labels", labels)
        object.__setattr__(self, "losses", np.asarray(losses, np.float64))

    def __repr__(self) -> str:
        """One line without the numbers."""
        parts = [
            counted(self.n_components, "component"),
            f"{len(self.W)} bins, {self.H.shape[1]} frames",
            counted(len(self.losses), "iteration"),
        ]
        return f"Factorization({', '.join(parts if len(self.losses) else parts[:2])})"

    @property
    def n_components(self) -> int:
        """The number of components."""
        return int(self.W.shape[1])

    def energies(self) -> NDArray[np.float64]:
        """Each component's energy, the sum of squares of its w_k h_k, shape (k,)."""
        template = np.einsum("fk,fk->k", self.W, self.W, dtype=np.float64)
        activation = np.einsum("kn,kn->k", self.H, self.H, dtype=np.float64)
        energies: NDArray[np.float64] = template * activation
        return energies

    def energy_shares(self) -> NDArray[np.float64]:
        """Each component's share of the energy of all, 0 to 1; 0 in silence."""
        energies = self.energies()
        shares: NDArray[np.float64] = energies / (energies.sum() or 1.0)
        return shares

    def by_energy(self) -> Factorization:
        """The same components, the most energetic first, labelled anew in order."""
        order = np.argsort(-self.energies(), kind="stable")
        return replace(
            self,
            W=np.ascontiguousarray(self.W[:, order]),
            H=np.ascontiguousarray(self.H[order]),
            labels=component_labels(self.n_components),
        )


def component_labels(n_components: int) -> tuple[str, ...]:
    """``component_01``, ``component_02``, ... with as many digits as are needed."""
    digits = max(2, len(str(n_components)))
    return tuple(f"component_{k:0{digits}}" for k in range(1, n_components + 1))
