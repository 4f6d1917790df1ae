"""The judge: measures estimates against the references that are not silent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from specnmf.audio.recording import Float32
from specnmf.evaluation.bss_eval import (
    Projector,
    cancels,
    decibels,
    energies,
    joint_energy,
)
from specnmf.evaluation.correlation import Array, correlate
from specnmf.evaluation.inputs import Material, Progress, Sounds
from specnmf.evaluation.measures import framewise_sdr, si_sdr
from specnmf.evaluation.scores import SourceScores

#: Scores are held within these, in dB, so that one perfect or one missing source
#: does not decide the mean. A silent estimate gets the lowest of each.
FLOOR, CEILING = -30.0, 80.0

#: References and estimates this far below the mixture, in dB, count as silent.
SILENT_REFERENCE, SILENT_ESTIMATE = -60.0, -100.0

#: The bid of a silent reference for an estimate: less than any other.
LEAST_BID = -1e3


class Judge:
    """Measures estimates against the references that are not silent; v4 is optional.

    BSS Eval v3 uses the average of the channels. If a reference would cancel in that,
    it uses all channels one after the other, with the same filters for each.
    """

    def __init__(
        self, material: Material, *, v4: bool, progress: Progress | None
    ) -> None:
        self.material, self.v4, self.progress = material, v4, progress
        self.mixture_energy = joint_energy(material.mixture)
        self.sounding: Sounds = {
            name: y
            for name, y in material.references.items()
            if self.level(y) > SILENT_REFERENCE
        }
        self.cancelled = [name for name, y in self.sounding.items() if cancels(y)]
        #: A single reference is its own mixture, above which nothing can be.
        self.improves = material.is_mixture_given or len(self.sounding) > 1
        if self.sounding:
            signals = [*self.sounding.values(), material.mixture]
            table = self._correlate(signals, "references")
            self.projector = Projector(table[:-1])
            self.mixture_sdr = self._sdr(table[-1:], signals[-1:])[0]
            si_sdrs = [si_sdr(y, material.mixture) for y in self.sounding.values()]
            self.mixture_si_sdr = _held(si_sdrs)

    def level(self, y: Float32) -> float:
        """The level of a signal relative to the mixture in dB, over all channels."""
        return float(decibels(joint_energy(y), self.mixture_energy))

    def bids(self) -> Array:
        """The bid of each reference for each estimate: its SDR in dB.

        Shape (n_references, n_estimates). Silent references get the estimates that the
        others leave, the quietest first.
        """
        signals = list(self.material.estimates.values())
        levels = np.array([self.level(y) for y in signals])
        lowest = LEAST_BID - np.clip(levels, -300, 300) / 1e6
        bids = dict.fromkeys(self.material.references, lowest)
        if self.sounding:
            sdr = self._sdr(self._correlate(signals, "matching"), signals)
            bids.update(zip(self.sounding, sdr.T, strict=True))
        return np.stack(list(bids.values()))

    def rows(
        self, matched: Mapping[str, str | None], sounds: Sounds, stage: str
    ) -> tuple[SourceScores, ...]:
        """The scores of the estimate of each reference, by its name in ``sounds``.

        ``stage`` is the name that progress shows.
        """
        estimates = {
            reference: None if name is None else sounds[name]
            for reference, name in matched.items()
        }
        scores = self._scores([estimates[name] for name in self.sounding], stage)
        found = dict(zip(self.sounding, scores, strict=True))
        for name in matched.keys() - self.sounding.keys():
            estimate = estimates[name]
            found[name] = {"leak": None}
            if estimate is not None and estimate.any() and self.mixture_energy:
                found[name] = {"leak": self.level(estimate)}
        return tuple(
            SourceScores(reference=reference, estimate=name, **found[reference])
            for reference, name in matched.items()
        )

    def _scores(
        self, estimates: Sequence[Float32 | None], stage: str
    ) -> list[dict[str, float | None]]:
        """The scores of one estimate for each reference that is not silent."""
        if not self.sounding:
            return []
        heard = {
            i: y
            for i, y in enumerate(estimates)
            if y is not None and self.level(y) > SILENT_ESTIMATE
        }
        metrics = ("sdr", "sir", "sar", "si_sdr", *(("sdr_v4",) if self.v4 else ()))
        columns = {metric: np.full(len(estimates), FLOOR) for metric in metrics}
        for metric, values in self._measured(heard, stage).items():
            columns[metric][list(heard)] = _held(values)
        if self.improves:
            columns["sdr_improvement"] = columns["sdr"] - self.mixture_sdr
            columns["si_sdr_improvement"] = columns["si_sdr"] - self.mixture_si_sdr
        return [
            {metric: _number(column[i]) for metric, column in columns.items()}
            for i in range(len(estimates))
        ]

    def _measured(self, heard: Mapping[int, Float32], stage: str) -> dict[str, Array]:
        """The metrics of estimates, by the numbers of their references."""
        if not heard:
            return {}
        signals = list(heard.values())
        references = [list(self.sounding.values())[i] for i in heard]
        table = self._correlate(signals, stage)
        ratios = self.projector.ratios(table, self._energies(signals), list(heard))
        columns = dict(zip(("sdr", "sir", "sar"), ratios, strict=True))
        columns["si_sdr"] = np.array(list(map(si_sdr, references, signals)))
        if self.v4:
            columns["sdr_v4"] = framewise_sdr(references, signals, self.material.rate)
        return columns

    def _sdr(self, table: Array, signals: Sequence[Float32]) -> Array:
        """The SDR of each signal against each reference, (n_signals, n_references)."""
        target = self.projector.onto_each(table)
        return _held(decibels(target, self._energies(signals)[:, None] - target))

    def _energies(self, signals: Sequence[Float32]) -> Array:
        return energies(signals, jointly=bool(self.cancelled))

    def _correlate(self, signals: Sequence[Float32], stage: str) -> Array:
        def tell(done: int, total: int) -> None:
            if self.progress is not None:
                self.progress(stage, done, total, "")

        references = list(self.sounding.values())
        if not self.cancelled:
            return correlate(signals, references, tell=tell)
        tables = [
            correlate(
                [y[c : c + 1] for y in signals], [y[c : c + 1] for y in references]
            )
            for c in range(len(references[0]))
        ]
        return np.asarray(np.mean(tables, axis=0))


def _held(scores: ArrayLike) -> Array:
    return np.clip(np.asarray(scores, np.float64), FLOOR, CEILING)


def _number(score: float) -> float | None:
    """A score, or None for NaN, which means unknown."""
    return None if np.isnan(score) else float(score)
