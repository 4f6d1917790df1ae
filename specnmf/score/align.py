"""Alignment of a score to the times of a recording."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from specnmf.checks import check_choice
from specnmf.errors import ScoreError
from specnmf.score import matching
from specnmf.score.differences import named, stuck_notes, told
from specnmf.score.matching import Music, Recording, Way
from specnmf.score.notes import Note, Score
from specnmf.score.options import Align
from specnmf.score.passages import leaps, passage
from specnmf.score.placing import distances, placed

Float64 = NDArray[np.float64]

#: Confidence is what either side explains of the other beside this share, which clear
#: recordings of the right score reach.
CLEAR = 0.5

#: Below REFUSED a score is that of another piece, below DOUBTED the result is doubtful.
REFUSED, DOUBTED = 0.5, 0.7

#: Below CERTAIN other keys are tried; one is taken that explains MUCH more.
CERTAIN, MUCH = 0.9, 1.25

#: A score keeps its times if neighbouring notes are at most SAME from where the
#: recording has them, and nine tenths of all notes at most FEW_STRAY, in seconds.
SAME, FEW_STRAY = 0.06, 0.11


@dataclass(frozen=True, eq=False)
class Alignment:
    """A score with the times of a recording: the result of `specnmf.align`.

    Parameters
    ----------
    score : Score
        The notes with the times of the recording. Bars that the recording lacks are
        left out.
    path : array, shape (n_points, 2), float64
        Corresponding seconds of the score and of the recording. The path jumps where
        one has something that the other lacks.
    agreement : array, shape (n_points, 2), float64
        Seconds of the recording, and how well the score agrees with it there: 1 for the
        same sound, 0 for an unrelated one.
    confidence : float
        0 to 1. Below 0.5, the score is most likely that of another piece.
    transposition : int
        The semitones by which the score was transposed.
    tuning : float
        The tuning of the recording: cents from 440 Hz up to its A4.
    warped : bool
        Whether the times were changed.
    remarks : tuple of str
        Doubts, and differences between score and recording.

    Examples
    --------
    The first seconds of a chorale; its score is already in time:

    >>> import specnmf
    >>> recording = specnmf.read("audio_examples/chorale/chorale.flac", duration=4.0)
    >>> score = specnmf.read_score("audio_examples/chorale/chorale.mid")
    >>> alignment = specnmf.align(score.excerpt(0, 4.0), recording)
    >>> alignment
    Alignment(Score(27 notes, 4 parts, 4.4 s), confidence 1.00, times kept)
    >>> alignment.transposition, alignment.warped
    (0, False)
    """

    score: Score
    path: Float64
    agreement: Float64
    confidence: float
    transposition: int
    tuning: float
    warped: bool
    remarks: tuple[str, ...]

    def __repr__(self) -> str:
        """One line without the path."""
        kept = "warped" if self.warped else "times kept"
        return f"Alignment({self.score!r}, confidence {self.confidence:.2f}, {kept})"


def align(
    score: Score,
    recording: Recording,
    *,
    mode: Align = "auto",
    transpose: int | Literal["auto"] = 0,
) -> Alignment:
    """A score with the times of a recording.

    The path is found by dynamic time warping from coarse to fine [1]_, on what the
    score should sound like: partials for harmony, decaying onsets for timing [2]_. Bars
    that only one of the two has are left out. The beginning of each note is then
    searched in the recording near its place on the path. For the options see
    `specnmf.align`.

    Raises
    ------
    ScoreError
        If the score has no notes, the recording is silent, or they are different pieces
        or in different keys. With ``mode="never"``, the last two are remarks.
    ParameterError
        If the mode is unknown.

    References
    ----------
    .. [1] T. Prätzlich, J. Driedger and M. Müller, "Memory-restricted multiscale
       dynamic time warping", ICASSP 2016.
    .. [2] S. Ewert, M. Müller and P. Grosche, "High resolution audio synchronization
       using chroma onset features", ICASSP 2009.
    """
    check_choice("mode", mode, get_args(Align))
    if not score.notes:
        raise ScoreError("the score has no notes to align")
    semitones = 0 if transpose == "auto" else transpose
    fit = _fit(transposed(score, semitones), recording)
    key = _better_key(fit)
    if key and transpose == "auto":
        semitones, key = key, 0
        fit = _fit(transposed(score, semitones), recording)
    doubts = list(_doubts(fit.confidence, key, semitones))
    if doubts and mode != "never" and (key or fit.confidence < REFUSED):
        raise ScoreError(doubts[0])
    return _aligned(fit, recording, mode, semitones, doubts)


def transposed(score: Score, semitones: int) -> Score:
    """The score with its pitches transposed; drums stay.

    Raises ScoreError if a pitch leaves the range of MIDI.
    """
    if semitones == 0:
        return score
    return Score(
        tuple(
            note if note.percussion else note._replace(pitch=note.pitch + semitones)
            for note in score.notes
        )
    )


class _Fit(NamedTuple):
    """A score, the features of both sides, and the coarse path between them."""

    score: Score
    music: Music
    way: Way
    confidence: float


def _fit(score: Score, recording: Recording) -> _Fit:
    music = matching.music(score, recording)
    way = matching.way(music)
    return _Fit(score, music, way, min(1.0, matching.explained(way) / CLEAR))


def _better_key(fit: _Fit) -> int:
    """The semitones to transpose the score by so that it fits; 0 if it does."""
    if fit.music.drums or fit.confidence >= CERTAIN:
        return 0
    semitones, share = matching.key(fit.music)
    better = share > MUCH * matching.explained(fit.way)
    return semitones if better and share / CLEAR >= REFUSED else 0


def _doubts(confidence: float, key: int, semitones: int) -> Iterator[str]:
    """Yield reasons to doubt that the score is the recording's, the strongest first."""
    if key:
        side = "above" if key > 0 else "below"
        plural = "" if abs(key) == 1 else "s"
        yield (
            f"the recording is {abs(key)} semitone{plural} {side} the score; "
            f"transpose the score by {semitones + key} (--transpose {semitones + key})"
        )
    if confidence < REFUSED:
        yield (
            "the recording does not sound like the score (confidence "
            f"{confidence:.2f}, expected {REFUSED} or more): is it the score of "
            "another piece?"
        )
    elif confidence < DOUBTED:
        yield f"score and recording agree poorly (confidence {confidence:.2f} of 1)"


def _aligned(
    fit: _Fit, recording: Recording, mode: Align, semitones: int, doubts: list[str]
) -> Alignment:
    paths = matching.paths(fit.music, fit.way)
    found = [passage(path, fit.music) for path in paths]
    gaps = leaps(fit.music, paths, found)
    notes = placed(fit.score.notes, found, gaps, recording)
    apart, stray = distances(notes)
    together = apart <= SAME and stray <= FEW_STRAY
    keep = mode == "never" or (mode == "auto" and together)
    stuck = stuck_notes(gaps, fit.score)
    remarks = [*doubts, *named(stuck), *told(gaps, fit.score, set(notes.notes))]
    if mode == "never" and apart > SAME:
        remarks.append(
            f"the times of score and recording differ by up to {apart:.2f} s"
        )
    score = fit.score
    if not keep:
        score = Score(tuple(notes.warped))
    elif stuck and mode != "never":
        score = _cut(score, stuck, recording.duration)
    return Alignment(
        score,
        np.concatenate([np.stack(common, axis=1) for common in found]),
        matching.agreement(fit.music, fit.way),
        fit.confidence,
        semitones,
        recording.tuning,
        not keep,
        tuple(remarks),
    )


def _cut(score: Score, stuck: Sequence[Note], end: float) -> Score:
    """The score, with some notes cut at the end of the recording."""
    ends = {note: max(0.0, end - note.start) for note in stuck}
    return Score(
        tuple(
            note._replace(duration=min(note.duration, ends.get(note, note.duration)))
            for note in score.notes
        )
    )
