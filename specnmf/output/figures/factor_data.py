"""What the figures of a factorisation show, pooled once for all of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specnmf.factor.factorization import Factorization, component_labels
from specnmf.notation import note_name, percent
from specnmf.output.figures import pooling
from specnmf.output.figures.pooling import Float32, Float64, Magnitudes, Plane
from specnmf.parallel import workers

#: At most so many components, the strongest, get a template or an unpitched lane.
MOST_COMPONENTS = 128


@dataclass(frozen=True, eq=False, kw_only=True)
class FigureData(Plane):
    """What the figures show; ParameterError if the shapes do not fit."""

    V: Magnitudes  # what was factorised
    factorization: Factorization
    pitches: NDArray[np.floating]  # (n_components,), MIDI numbers; NaN: unpitched
    beta: float = 1.0
    step: str = "iteration"  # after each of which there is a loss

    def __post_init__(self) -> None:
        W, H = self.factorization.W, self.factorization.H
        self.check(
            V=(W.shape[0], H.shape[1]),
            frequencies=W.shape[:1],
            times=H.shape[1:],
            pitches=H.shape[:1],
        )

    @cached_property
    def shares(self) -> Float64:
        """Each component's share of the energy of all, 0 to 1."""
        return self.factorization.energy_shares()

    @cached_property
    def pictures(self) -> _Pictures:
        """V, W H and what is left, pooled once for all figures."""
        return _pool(self)

    def label(self, component: int) -> str:
        """Number, pitch and share of the energy, such as ``3: A4, 12%``.

        Without a pitch, the stem that the component belongs to, if it has a name.
        """
        pitch, name = self.pitches[component], self.factorization.labels[component]
        if np.isfinite(pitch):
            name = note_name(pitch)
        elif name in component_labels(self.factorization.n_components):
            name = "unpitched"
        return f"{component + 1}: {name}, {percent(self.shares[component])}"

    def strongest(self, components: NDArray[np.intp]) -> NDArray[np.intp]:
        """Those of the components that are drawn, in their own order."""
        order = np.argsort(-self.shares[components], kind="stable")
        return np.sort(components[order[:MOST_COMPONENTS]])


class _Pictures(NamedTuple):
    """Power in dB, each of shape (ROWS, n_columns), and how well W H fits."""

    V: Float32
    model: Float32
    rest: Float32
    explained: float  # the share of the energy of V; NaN if there is none


def _pool(data: FigureData) -> _Pictures:
    """Pool V, W H and their difference to at most COLUMNS by ROWS, in blocks."""
    W, H = data.factorization.W, data.factorization.H
    pooled = np.empty((3, data.n_columns, pooling.ROWS), np.float32)
    total, left = 0.0, 0.0
    with workers(1):  # so small a product is no work for the BLAS's threads
        for frames, columns in data.blocks():
            block = pooling.spectra(data.V, frames)
            model = np.asarray(H[:, frames].T @ W.T, np.float32)
            rest = block - model
            total += float(np.vdot(block, block))
            left += float(np.vdot(rest, rest))
            for picture, spectra in zip(pooled, (block, model, rest), strict=True):
                picture[columns] = pooling.pooled_block(spectra, data.group, data.rows)
    explained = 1 - left / total if total else math.nan
    return _Pictures(pooled[0].T, pooled[1].T, pooled[2].T, explained)
