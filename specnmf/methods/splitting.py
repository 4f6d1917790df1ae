"""Models of the parts of a recording: a stem's mask is part mask times component mask.

Each part of a split (`specnmf.audio.hpss`) is divided among its own components. The
shares of a part's components add up to the mask of the part, and those add up to 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from specnmf.audio import masks
from specnmf.audio.masks import SpectraOf
from specnmf.audio.models import FactorModels
from specnmf.audio.resynthesis import Stream
from specnmf.audio.stft import Float32, Grid
from specnmf.factor.factorization import Factorization
from specnmf.methods.stems import Sharing


class PartModels:
    """The shares of each stem in each bin, which add up to 1.

    Parameters
    ----------
    part_masks : mapping of str to array, each (n_frames, n_bins)
        The masks of the parts; they add up to 1.
    models : mapping of str to FactorModels
        Of the components of each part.
    options : Sharing
        How the components of a part share it.
    """

    def __init__(
        self,
        part_masks: Mapping[str, Float32],
        models: Mapping[str, FactorModels],
        options: Sharing,
    ) -> None:
        self.masks, self.models, self.options = part_masks, models, options

    @property
    def names(self) -> tuple[str, ...]:
        """The stems, part by part."""
        return tuple(name for models in self.models.values() for name in models.names)

    def magnitudes(self, frames: slice) -> list[Float32 | None]:
        """The shares of each stem, (1, n_frames, n_bins)."""
        shares: list[Float32 | None] = []
        for part, models in self.models.items():
            mask = self.masks[part][np.newaxis, frames]
            found = [own for own in models.magnitudes(frames) if own is not None]
            shares += [own * mask for own in shared(found, self.options)]
        return shares

    def total(self, frames: slice, models: list[Float32]) -> Float32:
        """The sum of the shares, 1 but for rounding."""
        total: Float32 = np.sum(models, axis=0)
        return total


def shared(models: list[Float32], options: Sharing) -> list[Float32]:
    """The share of each model in each point; the models are changed in place."""
    if options.mask == "binary":
        strongest = np.argmax(models, axis=0)
        return [(strongest == k).astype(np.float32) for k in range(len(models))]
    total = masks.sum_of_powers(models, options.power)
    masks.share_equally(models, total)
    for own in models:
        own /= total
    return models


def split_models(
    part_masks: Mapping[str, Float32],
    factors: Factorization,
    parts: Sequence[str],
    options: Sharing,
) -> PartModels:
    """The models of components, of which ``parts`` names the part of each."""
    own = np.asarray(parts)
    models = {
        part: FactorModels(_chosen(factors, np.flatnonzero(own == part)))
        for part in part_masks
    }
    return PartModels(part_masks, models, options)


def _chosen(factors: Factorization, components: NDArray[np.intp]) -> Factorization:
    labels = tuple(factors.labels[k] for k in components)
    return Factorization(factors.W[:, components], factors.H[components], labels)


def stream_parts(
    spectra_of: SpectraOf,
    grid: Grid,
    models: PartModels,
    *,
    n_channels: int,
    threads: int | None,
) -> Stream:
    """Yield the stems of a split recording, block by block; they add up to it."""
    return masks.stream_sources(
        spectra_of, grid, models, n_channels=n_channels, power=1, threads=threads
    )
