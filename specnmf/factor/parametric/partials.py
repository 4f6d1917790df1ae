"""The layer of notes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from specnmf.factor.parametric import kernels
from specnmf.factor.parametric.densities import add_densities
from specnmf.factor.parametric.fading import Fading
from specnmf.factor.parametric.fitting import Float32, Layer
from specnmf.factor.parametric.lobes import Lobes, Support

#: From this iteration on a detuning is given up below this share of the strongest.
LEAST_FROM, LEAST_SHARE = 3, 1e-2

#: From this iteration on the detunings are sharpened, by this exponent.
SHARPEN_FROM, SHARPEN = 10, 0.05

#: From this iteration on a partial is given up below this share of the strongest.
FAINT_FROM, FAINT = 5, 1e-3

#: How far the amplitudes of a template are drawn to those of its instrument.
TIE = 0.1

#: Every so many iterations the pans are fitted, not the amplitudes.
PAN_EVERY = 4


class Partials(Layer):
    """Notes as sums of partials that move together.

    Template c in frame t is the sum over detunings d and partials m of
    g[t, d] a[c, m] P[c, d, m], where the lobes P are fixed (Hennequin, Badeau and
    David 2010).

    All strengths start at one ``strength``. Templates of one number in ``instruments``,
    (n_templates,), have their amplitudes tied weakly.

    ``strengths`` are g for each entry of the support, (n_entries, n_detunings);
    ``amplitudes`` a, (n_templates, n_partials), each row of which sums to one; ``pans``
    how strongly each channel hears a template, (n_templates, n_channels), each row with
    a mean of one. ``fading``, if any, tells where the strengths may only fall.
    ``hasty``: whether the faint is given up before detunings are sharpened.
    """

    fading: Fading | None = None
    hasty: bool = True

    def __init__(
        self,
        lobes: Lobes,
        support: Support,
        *,
        strength: float,
        n_channels: int,
        instruments: NDArray[np.intp],
    ) -> None:
        self.lobes, self.support, self.instruments = lobes, support, instruments
        n_templates, n_detunings, n_partials = lobes.length.shape
        shape = len(support.template), n_detunings
        self.strengths = np.full(shape, strength, np.float32)
        sounding = lobes.length.max(axis=1) > 0
        decay = sounding / np.arange(1, n_partials + 1)
        self.amplitudes = _normalised(decay.astype(np.float32))
        self.pans = np.ones((n_templates, n_channels), np.float32)

    def add(self, frames: slice, model: Float32) -> None:
        """Add what the notes contribute to the frames."""
        self.add_by_owner(frames, np.zeros_like(self.support.template), model[None])

    def add_by_owner(
        self, frames: slice, owner: NDArray[np.int64], models: Float32
    ) -> None:
        """Add each entry to its owner's model (n_owners, n_channels, ...)."""
        kernels.add_partials(*self._state(frames), owner, models)

    def add_densities(
        self,
        frames: slice,
        steps: Float32,
        owner: NDArray[np.int64],
        densities: Float32,
    ) -> None:
        """Add the power of each entry to its owner's density.

        ``steps``, (n_templates, n_detunings, n_partials, 2), are the bins from and to
        which each partial may lie; densities are (n_owners, n_channels, n_frames,
        n_fine, n_bins), with n_fine points a bin.
        """
        span, support, _, factors = self._state(frames)
        add_densities(span, support, owner, factors, steps, densities)

    def untouched(self) -> Partials:
        """The same layer before any update, at a strength of one."""
        return Partials(
            self.lobes,
            self.support,
            strength=1 / self.strengths.shape[1],
            n_channels=self.pans.shape[1],
            instruments=self.instruments,
        )

    def spectra(
        self, template: NDArray[np.int64], detuning: NDArray[np.float64], n_bins: int
    ) -> Float32:
        """The sums of n templates over detunings, shape (n_bins, n).

        Of the weights ``detuning``, (n, n_detunings), only the proportions count.
        """
        n = len(template)
        models = np.zeros((1, 1, n, n_bins), np.float32)
        support = np.arange(n + 1), template
        weights = _normalised(detuning.astype(np.float32))
        pans = np.ones((len(self.amplitudes), 1), np.float32)
        kernels.add_partials(
            (0, n),
            support,
            tuple(self.lobes.chunks),
            (weights, self.amplitudes, pans),
            np.zeros(n, np.int64),
            models,
        )
        summed: Float32 = models[0, 0].T
        return summed

    def follow(self, frames: slice, ratio: Float32) -> None:
        """Update the strengths of the frames' entries."""
        self._update(frames, ratio, follow=True)

    def gather(self, frames: slice, ratio: Float32, iteration: int) -> Float32:
        """Numerators of the amplitudes, or every few iterations of the pans."""
        return self._chosen(self._update(frames, ratio, follow=False), iteration)

    def update(self, frames: slice, ratio: Float32, iteration: int) -> Float32:
        """Both in one go."""
        return self._chosen(self._update(frames, ratio, follow=True), iteration)

    def _update(self, frames: slice, ratio: Float32, *, follow: bool) -> Float32:
        """Numerators of both by channel, (n_templates, n_partials, n_channels)."""
        out = np.zeros((*self.amplitudes.shape, len(ratio)), np.float32)
        state = self._state(frames)
        kernels.update_partials(*state, np.ascontiguousarray(ratio), out, follow)
        return out

    def _chosen(self, numerators: Float32, iteration: int) -> Float32:
        """Those of the pans where they are due, else those of the amplitudes."""
        if self._pans_are_due(iteration):
            pans: Float32 = np.einsum("cmx,cm->cx", numerators, self.amplitudes)
            return pans
        amplitudes: Float32 = np.einsum("cmx,cx->cm", numerators, self.pans)
        return amplitudes

    def learn(self, numerators: Float32, iteration: int) -> None:
        """Update amplitudes, or every few iterations pans; give up the faint."""
        played = self.support.totals(self.strengths.sum(axis=1), len(self.amplitudes))
        heard = np.maximum(played, kernels.SILENCE)[:, np.newaxis].astype(np.float32)
        n_channels = self.pans.shape[1]
        factors = numerators / (heard * n_channels)
        if self._pans_are_due(iteration):
            self.pans = n_channels * self._rescaled(self.pans * factors)
        else:
            self.amplitudes = self._rescaled(self.amplitudes * factors)
            self._tie(played)
        if self.hasty and iteration >= FAINT_FROM:
            strongest = self.amplitudes.max(axis=1, keepdims=True)
            self.amplitudes[self.amplitudes < FAINT * strongest] = 0
        if iteration >= (LEAST_FROM if self.hasty else SHARPEN_FROM):
            power = np.float32(SHARPEN if iteration >= SHARPEN_FROM else 0)
            kernels.sharpen(self.strengths, power, np.float32(LEAST_SHARE))
        if self.fading is not None:
            self.fading.limit(self.strengths, iteration)

    def _state(self, frames: slice) -> tuple[Any, Any, Any, Any]:
        """What the kernels take first."""
        return (
            (frames.start, frames.stop),
            self.support.arrays,
            tuple(self.lobes.chunks),
            (self.strengths, self.amplitudes, self.pans),
        )

    def _pans_are_due(self, iteration: int) -> bool:
        return self.pans.shape[1] > 1 and iteration % PAN_EVERY == PAN_EVERY - 1

    def _rescaled(self, rows: Float32) -> Float32:
        """Rows, one a template, that sum to one; their scale goes to the strengths."""
        self.strengths *= rows.sum(axis=1)[self.support.template, np.newaxis]
        return _normalised(rows)

    def _tie(self, played: NDArray[np.float64]) -> None:
        """Draw the amplitudes of an instrument's templates together a little."""
        for instrument in np.unique(self.instruments):
            own = np.flatnonzero(self.instruments == instrument)
            weights = played[own] + kernels.SILENCE
            mean = weights @ self.amplitudes[own] / weights.sum()
            sounding = self.amplitudes[own] > 0
            drawn = (1 - TIE) * self.amplitudes[own] + TIE * mean * sounding
            self.amplitudes[own] = _normalised(drawn.astype(np.float32))


def _normalised(rows: Float32) -> Float32:
    """Rows that sum to one; those of zeros stay."""
    sums = rows.sum(axis=1, keepdims=True)
    return np.asarray(rows / np.where(sums > 0, sums, 1), np.float32)
