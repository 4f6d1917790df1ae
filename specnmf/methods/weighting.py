"""Models of a whole recording, weighted by the masks of its parts.

A fit of the whole recording may know more than a split (`specnmf.audio.hpss`), but not
everything: where two stems overlap, the drum is more likely in the percussive part.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from specnmf.audio.models import Models
from specnmf.audio.neighbours import FineModels
from specnmf.audio.stft import Float32

#: The exponent of the masks that weight models of powers: a whole mask misleads more
#: than a fit that heard both parts.
SOFTNESS = 0.5

#: The least value of such a mask: a stem keeps what no other stem has.
LEAST_MASK = 1e-3


class WeightedModels:
    """Models of whole stems, weighted by the masks of the parts that they are of.

    Parameters
    ----------
    models : Models
        The models.
    part_masks : sequence of array, each (n_frames, n_bins), or None
        The mask of each stem's part; None for a stem of no part or of several.
    """

    def __init__(self, models: Models, part_masks: Sequence[Float32 | None]) -> None:
        self.models, self.masks = models, part_masks

    @property
    def names(self) -> tuple[str, ...]:
        """The stems, in order."""
        return self.models.names

    def magnitudes(self, frames: slice) -> list[Float32 | None]:
        """Those of the models, times the roots of the weights."""
        return [
            None if own is None else own * np.sqrt(self.weight(stem, frames))
            for stem, own in enumerate(self.models.magnitudes(frames))
        ]

    def total(self, frames: slice, models: list[Float32]) -> Float32:
        """The sum of the models."""
        total: Float32 = np.sum(models, axis=0)
        return total

    def weight(self, stem: int, frames: slice) -> Float32:
        """What the powers of a stem are weighted by, (n_frames, n_bins) or (1, 1)."""
        mask = self.masks[stem]
        own = np.full((1, 1), 0.5, np.float32) if mask is None else mask[frames]
        weight: Float32 = np.maximum(own, np.float32(LEAST_MASK)) ** np.float32(
            SOFTNESS
        )
        return weight


class FineWeightedModels(WeightedModels):
    """The same for models that know frequencies more precisely than to a bin."""

    models: FineModels

    def densities(self, frames: slice, n_bins: int) -> Float32:
        """Those of the models, times the weights."""
        densities = self.models.densities(frames, n_bins)
        for stem, own in enumerate(densities):
            own *= self.weight(stem, frames)[:, np.newaxis, :n_bins]
        return densities


def weighted_models(
    models: Models, part_masks: Sequence[Float32 | None]
) -> WeightedModels:
    """Models weighted by masks, of the same kind."""
    kind = FineWeightedModels if isinstance(models, FineModels) else WeightedModels
    return kind(models, part_masks)
