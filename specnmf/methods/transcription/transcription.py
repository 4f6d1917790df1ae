"""From a recording to its score: notes heard, refined by a fit, put into voices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.recording import Audio
from specnmf.errors import ScoreError
from specnmf.methods.progress import Step, part_of
from specnmf.methods.transcription.heard import Heard
from specnmf.methods.transcription.options import TranscriptionOptions
from specnmf.methods.transcription.picking import pick
from specnmf.methods.transcription.refining import refine
from specnmf.methods.transcription.transcribers import choose
from specnmf.methods.voices.assigning import assign
from specnmf.methods.voices.counting import count
from specnmf.methods.voices.hands import hands
from specnmf.score.notes import LOUDEST, Note, Score

#: What makes a part: a voice, or a keyboard player's hand.
Parts = Literal["part", "hand"]

#: The velocity of the softest notes.
SOFTEST = 10

#: The share of the notes that are softer than the loudest ones.
NEARLY_ALL = 0.98


@dataclass(frozen=True, eq=False, kw_only=True)
class Transcription:
    """The notes of a recording.

    Attributes
    ----------
    score : Score
        The notes; its parts are voice_1, the highest, and so on, or right and left.
    labels : tuple of str
        The part of each note that was heard.
    parts : tuple of str
        All parts, in this order.
    heard : Heard
        The notes with what is known of each, in order of their onset, then pitch.
    transcriber : str
        What heard them.
    tuning : float
        Cents by which A4 lies above 440 Hz.
    """

    score: Score
    labels: tuple[str, ...]
    parts: tuple[str, ...]
    heard: Heard
    transcriber: str
    tuning: float

    @property
    def confidence(self) -> float:
        """How sure the notes are, on average over their time, 0 to 1."""
        return float(np.average(self.heard.confidence, weights=self.heard.duration))


def transcription(
    audio: Audio,
    options: TranscriptionOptions,
    *,
    by: Parts = "part",
    threads: int | None = None,
    step: Step | None = None,
) -> Transcription:
    """What is heard of a recording: its notes, in voices or hands.

    Raises
    ------
    ScoreError
        If no note is heard.
    ParameterError
        If basic-pitch is asked for and not installed, or damaged.
    """
    transcriber = choose(options.transcriber)
    told = [part_of(step, number, 2) for number in range(2)]
    salience = transcriber.hear(audio, threads=threads, step=told[0])
    heard = refine(audio, pick(salience), salience, threads=threads, step=told[1])
    if not len(heard):
        raise ScoreError(
            "no note was heard; expected music with pitches; use decompose for "
            "sounds without"
        )
    place = hands(heard) if by == "hand" else _voices(heard, options.voices)
    names = ("right", "left") if by == "hand" else _names(int(place.max()) + 1)
    labels = tuple(names[each] for each in place)
    return Transcription(
        score=_score(heard, labels),
        labels=labels,
        parts=tuple(names[each] for each in np.unique(place)),
        heard=heard,
        transcriber=transcriber.name,
        tuning=_tuning(heard),
    )


def _voices(heard: Heard, voices: int | str) -> NDArray[np.int64]:
    """The voice of each note, numbered from the highest without gaps."""
    return assign(heard, count(heard) if isinstance(voices, str) else voices)


def _names(n_voices: int) -> tuple[str, ...]:
    return tuple(f"voice_{number}" for number in range(1, n_voices + 1))


def _score(heard: Heard, parts: Sequence[str]) -> Score:
    velocities = _velocities(heard.energy)
    return Score(
        tuple(
            Note(
                float(heard.start[k]),
                float(heard.duration[k]),
                int(heard.pitch[k]),
                int(velocities[k]),
                part,
                cents=round(float(heard.cents[k]), 1),
                confidence=round(float(heard.confidence[k]), 3),
            )
            for k, part in enumerate(parts)
        )
    )


def _velocities(energy: NDArray[np.float64]) -> NDArray[np.int64]:
    """Velocities that synthesisers of General MIDI play as loud as the notes were.

    `specnmf.output.pianoroll.transcribe` says why they are square roots.
    """
    loudest = max(float(np.quantile(energy, NEARLY_ALL)), 1e-20)
    velocities = LOUDEST * np.sqrt(energy / loudest)
    rounded: NDArray[np.int64] = np.rint(velocities.clip(SOFTEST, LOUDEST)).astype(int)
    return rounded


def _tuning(heard: Heard) -> float:
    """The cents of the middle note, by energy and time."""
    weights = heard.energy * heard.duration
    order = np.argsort(heard.cents, kind="stable")
    cumulated = np.cumsum(weights[order])
    middle = np.searchsorted(cumulated, cumulated[-1] / 2)
    return float(heard.cents[order][min(middle, len(order) - 1)])
