"""The notes that a recording is separated by: a score's, aligned, or those heard."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specnmf.tasks import hearing
from specnmf.tasks.task import Song

if TYPE_CHECKING:
    from specnmf.audio.features import Features
    from specnmf.audio.recording import Audio
    from specnmf.methods.transcription.transcription import Transcription
    from specnmf.score.align import Alignment
    from specnmf.score.notes import Score

#: Notes that explain less of the sound are worth a warning: a score's, and heard ones.
LEAST_EXPLAINED, LEAST_HEARD = 0.7, 0.5

#: What heard voices are called.
_VOICE = re.compile("voice_[0-9]+")


@dataclass(frozen=True, eq=False, kw_only=True)
class Basis:
    """The notes, and where they are from.

    Attributes
    ----------
    score : Score
        What sounds in the excerpt, on the excerpt's clock.
    tuning : float
        Cents by which A4 lies above 440 Hz.
    remarks : tuple of str
        Warnings for the user.
    original : Score or None
        The score that was given, as it was read.
    alignment : Alignment or None
        How it lies on the recording.
    heard : Transcription or None
        What was heard where no score was given.
    """

    score: Score
    tuning: float
    remarks: tuple[str, ...] = ()
    original: Score | None = None
    alignment: Alignment | None = None
    heard: Transcription | None = None

    def order(self, labels: Sequence[str]) -> tuple[str, ...] | None:
        """The stems of heard voices, the highest first; None: as of any score.

        Voices are known by their names if their score was corrected and given back.
        """
        if self.heard is not None:
            parts = self.heard.parts
        elif all(map(_VOICE.fullmatch, self.score.parts)):
            parts = tuple(sorted(self.score.parts, key=lambda part: int(part[6:])))
        else:
            return None
        owned = zip((note.part for note in self.score.notes), labels, strict=True)
        ranked = sorted(owned, key=lambda pair: parts.index(pair[0]))
        return tuple(dict.fromkeys(label for _, label in ranked))

    def doubts(self, explained: float | None) -> Iterator[str]:
        """What to say if the notes explain little."""
        from specnmf.notation import percent

        if explained is None:
            return
        share = f"{percent(explained)} of the sound"
        if self.heard is None and explained < LEAST_EXPLAINED:
            yield (
                f"the score explains {share}, and the stems share the rest; check that "
                "the score is complete and of this recording, or use --residual"
            )
        elif self.heard is not None and explained < LEAST_HEARD:
            yield (
                f"the notes that were heard explain only {share}; correct score.mid, "
                "and pass it back with --score"
            )


def aligned(song: Song[Any], audio: Audio, score: Score | Alignment) -> Basis:
    """A given score on the recording's clock."""
    from specnmf.score.align import Alignment

    settings = song.settings
    if isinstance(score, Alignment):
        found, original = score, score.score
    else:
        found, original = _align(song, audio, score), score
    return Basis(
        score=found.score.excerpt(settings.start, audio.duration),
        tuning=found.tuning,
        remarks=(*_named(song.inputs["score"], original.remarks), *found.remarks),
        original=original,
        alignment=found,
    )


def _align(song: Song[Any], audio: Audio, score: Score) -> Alignment:
    """A score aligned to the recording, as the settings say."""
    from specnmf.score import align

    settings = song.settings
    with song.stages.stage("align"):
        return align.align(
            score,
            _features(song, audio),
            mode=settings.align,
            transpose=settings.transpose,
        )


def heard(song: Song[Any], audio: Audio) -> Basis:
    """The notes that are heard."""
    by_hand = song.settings.by == "hand"
    found = hearing.hear(song, audio, by="hand" if by_hand else "part")
    return Basis(score=found.score, tuning=found.tuning, heard=found)


def alignment_entry(alignment: Alignment | None) -> dict[str, Any] | None:
    """What run.json says of an alignment."""
    if alignment is None:
        return None
    return {
        "confidence": round(float(alignment.confidence), 3),
        "warped": bool(alignment.warped),
        "transposition": int(alignment.transposition),
        "tuning_cents": round(float(alignment.tuning), 1),
        "remarks": list(alignment.remarks),
    }


def _features(song: Song[Any], audio: Audio) -> Features:
    """The features of the whole recording, for a score is that of the whole."""
    from specnmf.audio import features

    settings = song.settings
    if settings.start == 0 and settings.duration is None:
        return features.features(audio, threads=settings.threads)
    if song.held is not None:
        return features.features(song.held, threads=settings.threads)
    return features.features_of_file(song.path, threads=settings.threads)


def _named(score: object, remarks: Iterable[str]) -> Iterator[str]:
    """Remarks on a score, each with the name of its file, if it is one."""
    name = f"{score.name}: " if isinstance(score, Path) else ""
    yield from (f"{name}{remark}" for remark in remarks)
