"""Labels of the columns of X, of which some may be unknown."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specnmf.arrays import array_of
from specnmf.errors import ParameterError

#: More classes than this are no classes, but something else that was handed over.
MOST_CLASSES = 10_000


@dataclass(frozen=True, eq=False)
class Labels:
    """The labels Y and which are known, both of shape (n_classes, n_columns)."""

    Y: NDArray[np.float64]  # zero where it is not known
    known: NDArray[np.bool_]

    @classmethod
    def of(
        cls, labels: ArrayLike, label_mask: ArrayLike | None, n_columns: int
    ) -> Labels:
        """Labels in the forms of `semisupervised_nmf`; by default -1 is unknown.

        Raises
        ------
        ParameterError
            If shapes do not fit, no label is known, or a known one is not a label.
        """
        Y, given = _matrix(array_of("labels", labels), n_columns)
        known = given & _mask(label_mask, Y.shape)
        if not known.any():
            raise ParameterError(
                "labels must be known for at least one column, got none; "
                "leave out labels to factorise without them"
            )
        if not (np.isfinite(Y[known]).all() and Y[known].min() >= 0):
            raise ParameterError(
                "labels must be finite and non-negative where they are known, "
                f"got values from {Y[known].min()} to {Y[known].max()}"
            )
        return cls(np.where(known, Y, 0), known)

    @cached_property
    def alike(self) -> list[tuple[NDArray[np.intp], NDArray[np.bool_]]]:
        """Groups of classes that are known for the same columns, with those columns."""
        patterns, own = np.unique(self.known, axis=0, return_inverse=True)
        own = own.ravel()  # numpy 2.0 gives it the shape of what it is of
        return [
            (np.flatnonzero(own == number), pattern)
            for number, pattern in enumerate(patterns)
        ]


def _matrix(
    labels: NDArray[Any], n_columns: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Y, and which of its entries are given."""
    if labels.ndim == 0 or labels.ndim > 2 or labels.shape[-1] != n_columns:
        raise ParameterError(
            f"labels must be (n_classes, {n_columns}), or one class number for each of "
            f"{n_columns} columns, got shape {labels.shape}"
        )
    if labels.dtype.kind not in "biuf":
        raise ParameterError(f"labels must be numbers, got {labels.dtype}")
    if labels.ndim == 2:
        if len(labels) == 0:
            raise ParameterError("labels need at least one class, got none")
        Y = labels.astype(np.float64)
        return Y, np.ones(Y.shape, bool)
    if labels.dtype.kind not in "iu" or int(labels.min()) < -1:
        raise ParameterError(
            "class numbers must be whole numbers from 0, or -1 where unknown, "
            f"got {labels.dtype} from {labels.min()} to {labels.max()}"
        )
    n_classes = int(labels.max()) + 1
    if not 1 <= n_classes <= MOST_CLASSES:
        raise ParameterError(
            f"labels need 1 to {MOST_CLASSES} classes, got {n_classes}"
        )
    one_hot = labels == np.arange(n_classes)[:, np.newaxis]
    return one_hot.astype(np.float64), np.tile(labels >= 0, (n_classes, 1))


def _mask(label_mask: ArrayLike | None, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    if label_mask is None:
        return np.ones(shape, bool)
    mask = array_of("label_mask", label_mask)
    if mask.dtype != np.bool_ or mask.shape not in (shape, shape[1:]):
        raise ParameterError(
            f"label_mask must be booleans of shape {shape[1:]} or {shape}, "
            f"got {mask.dtype} of shape {mask.shape}"
        )
    return np.broadcast_to(mask, shape)
