"""Factorization: the templates and activations of every method."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from specnmf.errors import ParameterError
from specnmf.factor.matrices import non_negative
from specnmf.notation import counted


@dataclass(frozen=True, eq=False)
class Factorization:
    """Templates W and activations H with V ≈ W H: the start and the result of a solver.

    Parameters
    ----------
    W : array, shape (n_bins, n_components)
        Templates: one non-negative spectrum per column.
    H : array, shape (n_components, n_frames)
        Activations: how strongly each template sounds in each frame.
    labels : sequence of str, optional
        A name for each component; components with the same name form one source.
        By default ``component_01``, ``component_02``, ...
    losses : array, shape (n_iterations,), optional
        The cost after each iteration; empty for a start.

    Raises
    ------
    ParameterError
        If the shapes do not fit, or an entry is negative or not finite.

    Examples
    --------
    >>> import specnmf
    >>> W = [[1.0, 0.0], [2.0, 1.0], [0.0, 3.0]]  # two spectra of three bins
    >>> H = [[1.0, 0.0, 2.0, 1.0], [0.0, 1.0, 1.0, 3.0]]  # in four frames
    >>> factors = specnmf.Factorization(W, H, labels=["bass", "voice"])
    >>> factors
    Factorization(2 components, 3 bins, 4 frames)
    >>> factors.energy_shares().round(2)
    array([0.21, 0.79])
    >>> factors.by_energy().W  # the voice first
    array([[0., 1.],
           [1., 2.],
           [3., 0.]])
    """

    W: NDArray[np.floating]
    H: NDArray[np.floating]
    labels: tuple[str, ...] = ()
    losses: NDArray[np.float64] = None  # type: ignore[assignment]  # set below

    def __post_init__(self) -> None:
        W, H = non_negative("W", self.W), non_negative("H", self.H)
        if W.shape[1] != H.shape[0]:
            raise ParameterError(
                f"W has {W.shape[1]} columns, so H must have as many rows, "
                f"got {H.shape[0]}"
            )
        losses = () if self.losses is None else self.losses
        object.__setattr__(self, "W", W)
        object.__setattr__(self, "H", H)
        object.__setattr__(self, "labels", labels_of(self.labels, W.shape[1]))
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
        """The energy of each component, the sum of squares of w_k h_k, shape (k,)."""
        template = np.einsum("fk,fk->k", self.W, self.W, dtype=np.float64)
        activation = np.einsum("kn,kn->k", self.H, self.H, dtype=np.float64)
        energies: NDArray[np.float64] = template * activation
        return energies

    def energy_shares(self) -> NDArray[np.float64]:
        """The share of each component in the total energy, 0 to 1; 0 in silence."""
        energies = self.energies()
        shares: NDArray[np.float64] = energies / (energies.sum() or 1.0)
        return shares

    def by_energy(self) -> Factorization:
        """The same components by decreasing energy, with new labels in order."""
        order = np.argsort(-self.energies(), kind="stable")
        return replace(
            self,
            W=np.ascontiguousarray(self.W[:, order]),
            H=np.ascontiguousarray(self.H[order]),
            labels=component_labels(self.n_components),
        )


def component_labels(n_components: int, stem: str = "component") -> tuple[str, ...]:
    """``component_01``, ``component_02``, ... with as many digits as needed."""
    digits = max(2, len(str(n_components)))
    return tuple(f"{stem}_{k:0{digits}}" for k in range(1, n_components + 1))


def labels_of(labels: Iterable[object], n_components: int) -> tuple[str, ...]:
    """The labels as text, or those of components without names."""
    names = tuple(map(str, labels)) or component_labels(n_components)
    if len(names) != n_components:
        raise ParameterError(
            f"{n_components} components need as many labels, got {len(names)}"
        )
    return names
