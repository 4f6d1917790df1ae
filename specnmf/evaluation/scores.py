"""The scores of sources, their means, and both as lines of text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from specnmf.notation import counted

#: The scores in the order of display, with their titles.
METRICS = {
    "sdr": "SDR",
    "sir": "SIR",
    "sar": "SAR",
    "si_sdr": "SI-SDR",
    "sdr_improvement": "SDRi",
    "si_sdr_improvement": "SI-SDRi",
    "sdr_v4": "SDR v4",
}

#: The width of a number's column.
WIDTH = 9


@dataclass(frozen=True, kw_only=True)
class SourceScores:
    """How well one source was separated; in dB, higher is better.

    Attributes
    ----------
    reference, estimate : str
        The names; the estimate is None if there is none, which counts as silence.
    sdr, sir, sar : float or None
        BSS Eval v3: the ratio to distortion, interference and artifacts. All scores are
        None if the reference is silent.
    si_sdr : float or None
        The scale-invariant SDR.
    sdr_improvement, si_sdr_improvement : float or None
        The improvement over SDR and SI-SDR of the mixture.
    sdr_v4 : float or None
        BSS Eval v4, if requested: the median over frames of one second.
    leak : float or None
        If the reference is silent, the level of the estimate relative to the mixture;
        None if the estimate is silent too.

    Examples
    --------
    >>> import numpy as np
    >>> import specnmf
    >>> bass, voice = np.random.default_rng(0).standard_normal((2, 8000))
    >>> estimates = {"low": bass + 0.1 * voice}
    >>> scores = specnmf.evaluate(estimates, {"bass": bass, "voice": voice})
    >>> row = scores.sources[0]
    >>> row.reference, row.estimate, round(row.si_sdr)
    ('bass', 'low', 20)
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
    """How well a mixture was separated: the result of `specnmf.evaluate`.

    Attributes
    ----------
    sources : tuple of SourceScores
        One row per reference, in their order.
    oracle : tuple of SourceScores
        The scores of ideal ratio masks, if requested.
    oracle_n_fft : int or None
        The window of these masks in samples.
    unused : tuple of str
        The estimates that match no reference.
    warnings : tuple of str
        What to know before trusting the scores.

    Examples
    --------
    >>> import numpy as np
    >>> import specnmf
    >>> bass, voice = np.random.default_rng(0).standard_normal((2, 8000))
    >>> estimates = {"bass": bass + 0.1 * voice, "voice": voice + 0.1 * bass}
    >>> scores = specnmf.evaluate(estimates, {"bass": bass, "voice": voice})
    >>> [row.reference for row in scores.sources]
    ['bass', 'voice']
    >>> round(scores.mean["si_sdr"])
    20
    """

    sources: tuple[SourceScores, ...]
    oracle: tuple[SourceScores, ...] = ()
    oracle_n_fft: int | None = None
    unused: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """One line: how many sources, and the means."""
        known = ((m, v) for m, v in self.mean.items() if v is not None)
        means = [f"{METRICS[metric]} {value:z.1f} dB" for metric, value in known]
        sources = counted(len(self.sources), "source")
        return f"Evaluation({', '.join([sources, *means])})"

    @property
    def mean(self) -> dict[str, float | None]:
        """The mean of each metric over the references that are not silent."""
        return mean_scores(self.sources)

    def as_dict(self) -> dict[str, Any]:
        """Everything as a dict for JSON, with the means."""
        content = asdict(self)
        content["mean"] = self.mean
        content["oracle_mean"] = mean_scores(self.oracle)
        return content


def mean_scores(sources: Sequence[SourceScores]) -> dict[str, float | None]:
    """The mean of each metric over the sources that have it; None if none has."""
    means: dict[str, float | None] = {}
    for metric in METRICS:
        values = [getattr(source, metric) for source in sources]
        known = [value for value in values if value is not None]
        means[metric] = sum(known) / len(known) if known else None
    return means


def describe(evaluation: Evaluation) -> list[str]:
    """The lines of a table in dB: one row per source, and one of the means."""
    lines = _table(evaluation.sources)
    if evaluation.oracle:
        title = f"ideal ratio masks, {evaluation.oracle_n_fft} samples"
        lines += ["", title, *_table(evaluation.oracle)]
    if evaluation.unused:
        lines += ["", f"unused: {', '.join(evaluation.unused)}"]
    return lines


def _table(sources: Sequence[SourceScores]) -> list[str]:
    means = mean_scores(sources)
    shown = [metric for metric in METRICS if means[metric] is not None]
    width = max(4, *(len(_name(source)) for source in sources))
    return [
        f"{'dB':{width}}{_columns(METRICS[metric] for metric in shown)}",
        *(f"{_name(source):{width}}{_cells(source, shown)}" for source in sources),
        f"{'mean':{width}}{_numbers(means, shown)}",
    ]


def _name(source: SourceScores) -> str:
    if source.estimate is None:
        return f"{source.reference} (missing)"
    if source.estimate == source.reference:
        return source.reference
    return f"{source.reference} = {source.estimate}"


def _cells(source: SourceScores, shown: Iterable[str]) -> str:
    if source.sdr is not None:
        return _numbers(asdict(source), shown)
    if source.leak is None:
        return "  silent"
    return f"  silent; estimate {source.leak:z.1f} dB relative to the mixture"


def _numbers(scores: Mapping[str, float | None], shown: Iterable[str]) -> str:
    values = (scores[metric] for metric in shown)
    return _columns("-" if value is None else f"{value:z.2f}" for value in values)


def _columns(texts: Iterable[str]) -> str:
    return "".join(f"{text:>{WIDTH}}" for text in texts)
