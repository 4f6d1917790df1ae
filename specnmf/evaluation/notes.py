"""Scores of transcribed notes against the true ones.

A note is found if a note of the same pitch begins within the tolerance of its onset;
with offsets, it must also end within a fifth of the note's length, or within the
tolerance if that is longer. Each note is found at most once. mir_eval matches the
notes. A pitch is the MIDI number in the score; deviations in cents do not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import get_args

import numpy as np

from specnmf.checks import check_choice
from specnmf.errors import ScoreError
from specnmf.evaluation.correlation import Array
from specnmf.evaluation.evaluate import Match
from specnmf.evaluation.inputs import read_notes
from specnmf.evaluation.matching import match_by_name, match_by_score
from specnmf.evaluation.note_scores import Found, NoteEvaluation, NoteScores
from specnmf.notation import hertz
from specnmf.score.loading import PathLike
from specnmf.score.notes import Note, Score, pitched_parts

#: In seconds: how far an onset, and an offset, may be off.
NEAR, FAR = 0.05, 0.1

#: How much of the note's length an offset may be off, if that is more.
OFFSET_RATIO = 0.2

#: In cents: less than the semitone that lies between any two notes.
PITCH_TOLERANCE = 50.0

#: In seconds: mir_eval compares no notes without length.
SHORTEST = 1e-3

PERCUSSION = "percussion"


def evaluate_notes(
    estimate: Score | PathLike, reference: Score | PathLike, *, match: Match = "auto"
) -> NoteEvaluation:
    """The scores of transcribed notes against the true ones, over all and in each part.

    Parameters
    ----------
    estimate, reference : Score or path
        The transcribed notes and the true ones, with times on the same clock. A path is
        that of a score or of a run with ``score.mid``.
    match : {"auto", "name", "best"}
        Match the parts by name, or so that the sum of their F, with onsets within 50
        ms, is highest; ``"auto"`` matches by F if no names agree.

    Returns
    -------
    NoteEvaluation
        Percussion is scored separately, by drum and onset, if both scores have some;
        otherwise it is left out, with a warning. A part of the reference without a
        counterpart counts as not found.

    Raises
    ------
    ScoreError
        If the reference has no pitched notes, unless both have percussion; or if a file
        cannot be read.
    ParameterError
        If ``match`` is none of these.

    References
    ----------
    Bay, Ehmann and Downie, "Evaluation of multiple-F0 estimation and tracking systems",
    ISMIR 2009; Raffel et al., "mir_eval: a transparent implementation of common MIR
    metrics", ISMIR 2014.

    Examples
    --------
    >>> import specnmf
    >>> true = [specnmf.Note(start, 0.5, 60, part="flute") for start in (0.0, 1.0, 2.0)]
    >>> heard = [specnmf.Note(start + 0.02, 0.5, 60) for start in (0.0, 1.0, 2.0)]
    >>> scores = specnmf.evaluate_notes(specnmf.Score(heard), specnmf.Score(true))
    >>> scores.notes.onset_50.f, scores.notes.n_reference
    (1.0, 3)
    """
    check_choice("match", match, get_args(Match))
    heard, true = read_notes(estimate), read_notes(reference)
    voices, true_voices = pitched_parts(heard), pitched_parts(true)
    drums, true_drums = _percussion(heard), _percussion(true)
    if not true_voices and not (drums and true_drums):
        raise ScoreError("the reference has no pitched notes, expected at least one")
    matched = _matched(voices, true_voices, match)
    rows = [
        _rated(name, own, voices.get(own or "", ()), true_voices[name])
        for name, own in matched.items()
    ]
    whole = _rated("all", "all", _joined(voices), _joined(true_voices))
    return NoteEvaluation(
        notes=whole if true_voices else None,
        voices=tuple(rows),
        percussion=_drummed(drums, true_drums) if drums and true_drums else None,
        unused=tuple(name for name in voices if name not in matched.values()),
        warnings=tuple(_remarks(voices, drums, true_drums, matched)),
    )


def _percussion(score: Score) -> list[Note]:
    return [note for note in score.notes if note.percussion]


def _joined(parts: dict[str, list[Note]]) -> list[Note]:
    return [note for own in parts.values() for note in own]


def _matched(
    voices: dict[str, list[Note]], true_voices: dict[str, list[Note]], match: Match
) -> dict[str, str | None]:
    """The estimate of each true part, None where there is none."""
    named = match_by_name(list(true_voices), list(voices))
    if match == "name" or (match == "auto" and any(named.values())):
        return named
    scores = np.zeros((len(true_voices), len(voices)))
    for i, true in enumerate(true_voices.values()):
        for j, own in enumerate(voices.values()):
            scores[i, j] = _found(own, true, NEAR).f
    return match_by_score(list(true_voices), list(voices), scores)


def _rated(
    name: str, own_name: str | None, own: Sequence[Note], true: Sequence[Note]
) -> NoteScores:
    return NoteScores(
        reference=name,
        estimate=own_name,
        n_reference=len(true),
        n_estimate=len(own),
        onset_50=_found(own, true, NEAR),
        onset_100=_found(own, true, FAR),
        onset_offset_50=_found(own, true, NEAR, offsets=True),
        onset_offset_100=_found(own, true, FAR, offsets=True),
    )


def _drummed(own: Sequence[Note], true: Sequence[Note]) -> NoteScores:
    """Scores by onset alone: the player does not control how long a drum sounds."""
    return NoteScores(
        reference=PERCUSSION,
        estimate=PERCUSSION,
        n_reference=len(true),
        n_estimate=len(own),
        onset_50=_found(own, true, NEAR),
        onset_100=_found(own, true, FAR),
    )


def _found(
    own: Sequence[Note],
    true: Sequence[Note],
    tolerance: float,
    *,
    offsets: bool = False,
) -> Found:
    """Precision, recall and F, pitch by pitch: mir_eval compares all with all."""
    by_pitch, true_by_pitch = _by_pitch(own), _by_pitch(true)
    hits = sum(
        _n_matched(by_pitch[pitch], true_by_pitch[pitch], tolerance, offsets=offsets)
        for pitch in sorted(by_pitch.keys() & true_by_pitch.keys())
    )
    return Found.of(hits, len(own), len(true))


def _by_pitch(notes: Iterable[Note]) -> dict[int, list[Note]]:
    pitches: dict[int, list[Note]] = {}
    for note in notes:
        pitches.setdefault(note.pitch, []).append(note)
    return pitches


def _n_matched(
    own: Sequence[Note], true: Sequence[Note], tolerance: float, *, offsets: bool
) -> int:
    from mir_eval.transcription import match_notes

    matching = match_notes(
        *_spans(true),
        *_spans(own),
        onset_tolerance=tolerance,
        pitch_tolerance=PITCH_TOLERANCE,
        offset_ratio=OFFSET_RATIO if offsets else None,
        offset_min_tolerance=tolerance,
    )
    return len(matching)


def _spans(notes: Sequence[Note]) -> tuple[Array, Array]:
    """Onsets and offsets in seconds, (n, 2), and frequencies in Hz, (n,)."""
    spans = np.array([(n.start, n.start + max(n.duration, SHORTEST)) for n in notes])
    pitches = np.array([note.pitch for note in notes])
    return spans, hertz(pitches)


def _remarks(
    voices: dict[str, list[Note]],
    drums: list[Note],
    true_drums: list[Note],
    matched: dict[str, str | None],
) -> list[str]:
    """The remarks that a reader of the scores should know."""
    lines = [] if voices or not matched else ["the estimate has no pitched notes"]
    if bool(drums) != bool(true_drums):
        lacking = "reference" if drums else "estimate"
        n = len(drums or true_drums)
        lines.append(f"{PERCUSSION} ({n} strokes) left out: the {lacking} has none")
    missing = [name for name, own in matched.items() if own is None]
    lines += [
        f"{name}: no such part in the estimate, counted as not found"
        for name in missing
    ]
    return lines
