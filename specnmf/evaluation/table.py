"""An evaluation as lines of text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict

from specnmf.evaluation.scores import METRICS, Evaluation, SourceScores, mean_scores

#: The width of a number's column.
WIDTH = 9


def describe(evaluation: Evaluation) -> list[str]:
    """Lines for people: a table in dB, one row a source and one of the means."""
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
    return f"  silent, estimate at {source.leak:z.1f} dB of the mixture"


def _numbers(scores: Mapping[str, float | None], shown: Iterable[str]) -> str:
    values = (scores[metric] for metric in shown)
    return _columns("-" if value is None else f"{value:z.2f}" for value in values)


def _columns(texts: Iterable[str]) -> str:
    return "".join(f"{text:>{WIDTH}}" for text in texts)
