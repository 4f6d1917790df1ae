"""The numbers and settings of a run on its page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from specnmf.notation import percent
from specnmf.output.page.facts import number, table, text, whole

#: A setting without effect on the result.
THREADS = "threads"

#: A null test of this many decibels or less is exact.
EXACT_DB = -300.0


def numbers(
    report: Mapping[str, Any], means: Mapping[str, float | None] | None = None
) -> list[list[str]]:
    """Pairs of a label and a value, from a run.json and the means of scores."""
    return [list(pair) for pair in (*_fit(report), *_heard(report), *_scores(means))]


def _fit(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    residual = number(report.get("residual_db"))
    if residual is not None:
        exact = residual <= EXACT_DB
        yield "Null test", "exact" if exact else _decibels(residual)
    iterations, loss = whole(report.get("iterations")), number(report.get("final_loss"))
    if iterations is not None:
        yield "Iterations", f"{iterations}"
    if loss is not None:
        yield "Final loss", f"{loss:.4g}"
    chosen = whole(table(report.get("rank_choice")).get("chosen"))
    if chosen is not None:
        yield "Components chosen", f"{chosen}"
    yield from _share("Explained by the model", report.get("explained"))


def _heard(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    alignment = table(report.get("alignment"))
    if table(report.get("settings")).get("align") != "never":
        yield from _share("Confidence of the alignment", alignment.get("confidence"))
    heard = table(report.get("transcription"))
    notes, doubtful = whole(heard.get("notes")), whole(heard.get("doubtful"))
    if notes is not None:
        doubt = f", {doubtful} of them doubtful" if doubtful else ""
        yield "Notes heard", f"{notes}{doubt}"
    yield from _share("Confidence of the notes", heard.get("confidence"))
    tunings = (each.get("tuning_cents") for each in (alignment, heard))
    for cents in (number(each) for each in tunings):
        if cents is not None and round(cents):
            yield "Tuning", f"{cents:+.0f} cents".replace("-", "−")
    marked = number(report.get("annotated_seconds"))
    if marked is not None:
        yield "Marked", f"{marked:.1f} s"


def _share(what: str, value: object) -> Iterator[tuple[str, str]]:
    found = number(value)
    if found is not None:
        yield what, percent(found)


def _scores(means: Mapping[str, float | None] | None) -> Iterator[tuple[str, str]]:
    for metric, value in (means or {}).items():
        if value is not None:
            yield f"{metric}, mean", _decibels(value)


def _decibels(value: float) -> str:
    return f"{value:.1f} dB".replace("-", "−")


def settings(
    report: Mapping[str, Any], defaults: Mapping[str, Any] | None = None
) -> list[list[Any]]:
    """Each setting: its name, its value as text, and whether that is the default.

    The number of threads is left out, as it has no effect. ``defaults`` has the
    defaults of the task's settings by name; other settings count as defaults.
    """
    asked = table(report.get("asked"))
    found = []
    for name, value in table(report.get("settings")).items():
        if name == THREADS:
            continue
        given = asked.get(name, value)
        default = _plain((defaults or {}).get(name, given)) == given
        found.append([text(name, 60), text(spelled(value)), default])
    return found


def spelled(value: object) -> str:
    """A value of a setting, as text."""
    if value is None or value == []:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list) and all(isinstance(each, str | int) for each in value):
        return ", ".join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _plain(value: object) -> object:
    """A value as JSON."""
    return list(value) if isinstance(value, tuple) else value
