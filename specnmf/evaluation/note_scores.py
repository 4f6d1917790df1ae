"""The scores of notes, for JSON and as lines of text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from specnmf.notation import counted

#: The criteria in the order of display, with their titles.
CRITERIA = {
    "onset_50": "onset 50 ms",
    "onset_100": "onset 100 ms",
    "onset_offset_50": "+ offset 50 ms",
    "onset_offset_100": "+ offset 100 ms",
}

#: The widths of a column of numbers, and of a criterion's three.
WIDTH, CRITERION = 6, 18


@dataclass(frozen=True)
class Found:
    """How many notes were found.

    Attributes
    ----------
    precision : float
        The share of the notes of the estimate that are true.
    recall : float
        The share of the true notes that are found.
    f : float
        The harmonic mean of both. All are 0 if there are no notes.

    Examples
    --------
    >>> import specnmf
    >>> notes = [specnmf.Note(start, 0.5, 60) for start in (0.0, 1.0, 2.0)]
    >>> scores = specnmf.evaluate_notes(specnmf.Score(notes[:2]), specnmf.Score(notes))
    >>> found = scores.notes.onset_50
    >>> print(f"precision {found.precision:.2f}, recall {found.recall:.2f}")
    precision 1.00, recall 0.67
    """

    precision: float
    recall: float
    f: float

    @classmethod
    def of(cls, hits: int, n_estimate: int, n_reference: int) -> Found:
        """The scores for the numbers of matched pairs and of notes on either side."""
        if not hits:
            return cls(0.0, 0.0, 0.0)
        f = 2 * hits / (n_estimate + n_reference)
        return cls(hits / n_estimate, hits / n_reference, f)


@dataclass(frozen=True, kw_only=True)
class NoteScores:
    """How well the notes of one part, or of all, were transcribed.

    Attributes
    ----------
    reference, estimate : str
        The names of the parts; the estimate is None if there is none.
    n_reference, n_estimate : int
        The numbers of notes.
    onset_50, onset_100 : Found
        Onsets within 50 or 100 ms.
    onset_offset_50, onset_offset_100 : Found or None
        Also offsets, within a fifth of the note or 50 or 100 ms, whichever is longer;
        None for percussion.

    Examples
    --------
    >>> import specnmf
    >>> notes = [specnmf.Note(start, 0.5, 60) for start in (0.0, 1.0, 2.0)]
    >>> scores = specnmf.evaluate_notes(specnmf.Score(notes[:2]), specnmf.Score(notes))
    >>> row = scores.notes
    >>> row.n_estimate, row.n_reference, round(row.onset_100.f, 2)
    (2, 3, 0.8)
    """

    reference: str
    estimate: str | None
    n_reference: int
    n_estimate: int
    onset_50: Found
    onset_100: Found
    onset_offset_50: Found | None = None
    onset_offset_100: Found | None = None


@dataclass(frozen=True, kw_only=True)
class NoteEvaluation:
    """How well a piece was transcribed: the result of `specnmf.evaluate_notes`.

    Attributes
    ----------
    notes : NoteScores or None
        All pitched notes, whatever their part; None if the reference has none.
    voices : tuple of NoteScores
        One per part of the reference, in its order; a note counts only in its own part.
    percussion : NoteScores or None
        Drums, if both scores have some.
    unused : tuple of str
        The parts of the estimate that match no part of the reference.
    warnings : tuple of str
        What to know before trusting the scores.

    Examples
    --------
    >>> import specnmf
    >>> notes = [specnmf.Note(start, 0.5, 60, part="flute") for start in (0.0, 1.0)]
    >>> scores = specnmf.evaluate_notes(specnmf.Score(notes), specnmf.Score(notes))
    >>> [(voice.reference, voice.estimate) for voice in scores.voices]
    [('flute', 'flute')]
    >>> scores.mean["onset_50"]
    1.0
    """

    notes: NoteScores | None
    voices: tuple[NoteScores, ...]
    percussion: NoteScores | None = None
    unused: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """One line: how many notes and voices, and the means of F."""
        every = self.notes or self.percussion
        notes = counted(every.n_reference if every else 0, "note")
        voices = counted(len(self.voices), "voice")
        known = ((c, v) for c, v in self.mean.items() if v is not None)
        means = [f"{CRITERIA[each].lstrip('+ ')} F {f:.2f}" for each, f in known]
        return f"NoteEvaluation({', '.join([notes, voices, *means])})"

    @property
    def mean(self) -> dict[str, float | None]:
        """The F of each criterion, mean over the voices; None without voices."""
        means: dict[str, float | None] = {}
        for criterion in CRITERIA:
            found = [getattr(voice, criterion).f for voice in self.voices]
            means[criterion] = sum(found) / len(found) if found else None
        return means

    def as_dict(self) -> dict[str, Any]:
        """Everything as a dict for JSON, with the means."""
        return {**asdict(self), "mean": self.mean}


def describe(evaluation: NoteEvaluation) -> list[str]:
    """The lines of a table: one row for all notes, one per voice, and their mean F."""
    rows = [evaluation.notes, *evaluation.voices, evaluation.percussion]
    shown = [row for row in rows if row is not None]
    width = max(4, *(len(_name(row)) for row in shown))
    lines = _head(width) + [f"{_name(row):{width}}{_cells(row)}" for row in shown]
    if evaluation.voices:
        lines.append(f"{'mean':{width}}{_means(evaluation)}")
    if evaluation.unused:
        lines += ["", f"unused: {', '.join(evaluation.unused)}"]
    return lines


def _head(width: int) -> list[str]:
    titles = "".join(f"{title:>{CRITERION}}" for title in CRITERIA.values())
    columns = ["notes", "true", *len(CRITERIA) * ("P", "R", "F")]
    return [" " * (width + 2 * WIDTH) + titles, " " * width + _columns(columns)]


def _name(row: NoteScores) -> str:
    if row.estimate == row.reference:
        return row.reference
    return f"{row.reference} = {row.estimate or '-'}"


def _cells(row: NoteScores) -> str:
    return _columns([str(row.n_estimate), str(row.n_reference), *_numbers(row)])


def _numbers(row: NoteScores) -> list[str]:
    texts: list[str] = []
    for criterion in CRITERIA:
        found: Found | None = getattr(row, criterion)
        values = (found.precision, found.recall, found.f) if found else ()
        texts += [f"{value:.2f}" for value in values] or ["-"] * 3
    return texts


def _means(evaluation: NoteEvaluation) -> str:
    texts = ["", ""]
    for value in evaluation.mean.values():
        texts += ["", "", "-" if value is None else f"{value:.2f}"]
    return _columns(texts)


def _columns(texts: Sequence[str]) -> str:
    return "".join(f"{text:>{WIDTH}}" for text in texts)
