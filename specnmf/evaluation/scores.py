"""The scores of sources, and their means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

#: The scores, in the order in which they are shown, and what they are called.
METRICS = {
    "sdr": "SDR",
    "sir": "SIR",
    "sar": "SAR",
    "si_sdr": "SI-SDR",
    "sdr_improvement": "SDRi",
    "si_sdr_improvement": "SI-SDRi",
    "sdr_v4": "SDR v4",
}


@dataclass(frozen=True, kw_only=True)
class SourceScores:
    """How well one source was separated; in dB, higher is better.

    Attributes
    ----------
    reference, estimate : str
        Their names; the estimate is None if there is none, which counts as silence.
    sdr, sir, sar : float or None
        BSS Eval v3: distortion, interference and artifacts. All scores are None
        where the reference is silent.
    si_sdr : float or None
        The scale-invariant SDR.
    sdr_improvement, si_sdr_improvement : float or None
        How far above the mixture's own SDR and SI-SDR.
    sdr_v4 : float or None
        BSS Eval v4, if asked for: median over frames of a second.
    leak : float or None
        Where the reference is silent: the estimate's level relative to the mixture;
        None if it is silent, too.
    """

    reference: str
    estimate: str | None
    sdr: float | None = None
    sir: float | None = None
    sar: float | None = None
    si_sdr: float | None = None
    sdr_improvement: float | None = None
    si_sdr_improvement: float | None = None
    sdr_v4: float | None = None
    leak: float | None = None


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """How well a mixture was separated.

    Attributes
    ----------
    sources : tuple of SourceScores
        One a reference, in the references' order.
    oracle : tuple of SourceScores
        The same of ideal ratio masks, if asked for.
    oracle_n_fft : int or None
        The window of those masks in samples.
    unused : tuple of str
        Estimates that belong to no reference.
    warnings : tuple of str
        What to know before believing the scores.
    """

    sources: tuple[SourceScores, ...]
    oracle: tuple[SourceScores, ...] = ()
    oracle_n_fft: int | None = None
    unused: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def mean(self) -> dict[str, float | None]:
        """Each metric's mean over the references that are not silent."""
        return mean_scores(self.sources)

    def as_dict(self) -> dict[str, Any]:
        """All of it for JSON, with the means."""
        content = asdict(self)
        content["mean"] = self.mean
        content["oracle_mean"] = mean_scores(self.oracle)
        return content


def mean_scores(sources: Sequence[SourceScores]) -> dict[str, float | None]:
    """Each metric's mean over the sources that have it; None if none has."""
    means: dict[str, float | None] = {}
    for metric in METRICS:
        values = [getattr(source, metric) for source in sources]
        known = [value for value in values if value is not None]
        means[metric] = sum(known) / len(known) if known else None
    return means
