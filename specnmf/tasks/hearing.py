"""Hearing a score where none is given: what separate and transcribe share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from specnmf.tasks.task import Song

if TYPE_CHECKING:
    from specnmf.audio.recording import Audio
    from specnmf.methods.transcription.transcription import Transcription
    from specnmf.score.beats import Beats
    from specnmf.score.notes import Score

#: Notes below this confidence are counted as doubtful.
DOUBTFUL = 0.5


def hear(
    song: Song[Any], audio: Audio, *, by: Literal["part", "hand"] = "part"
) -> Transcription:
    """The notes of a recording, or of its excerpt, on the excerpt's clock."""
    from specnmf.methods.transcription.transcription import transcription

    settings = song.settings
    with song.stages.stage("listen") as step:
        return transcription(
            audio, settings, by=by, threads=settings.threads, step=step
        )


def write_score(
    folder: Path,
    heard: Transcription,
    start: float,
    *,
    beats: Beats | None,
    bends: bool,
) -> None:
    """Write score.mid and score.csv, on the clock of the whole recording.

    With beats, and where partitura is installed, also score.musicxml.
    """
    from specnmf.score import midi, musicxml_writing, notelist

    score = later(heard.score, start)
    beats = None if beats is None else beats.later(start)
    path = folder / "score.mid"
    midi.write_midi(path, score, beats=beats, bends=bends, parts=heard.parts)
    notelist.write_csv(folder / "score.csv", score)
    if beats is not None and musicxml_writing.can_write():
        path = folder / "score.musicxml"
        musicxml_writing.write_musicxml(path, score, beats, parts=heard.parts)


def write_notes(path: Path, heard: Transcription, start: float) -> None:
    """Write the arrays of `Heard`, and the part of each note, as npz."""
    import numpy as np

    notes = heard.heard
    arrays = {each.name: getattr(notes, each.name) for each in fields(notes)}
    arrays |= {"start": notes.start + start, "end": notes.end + start}
    np.savez_compressed(path, **arrays, parts=np.array(heard.labels))


def later(score: Score, seconds: float) -> Score:
    """The score, so many seconds later."""
    from specnmf.score.notes import Score

    notes = score.notes
    return Score(tuple(note._replace(start=note.start + seconds) for note in notes))


def heard_entries(heard: Transcription) -> dict[str, Any]:
    """What run.json says of the notes that were heard."""
    confidence = heard.heard.confidence
    counts = Counter(heard.labels)
    return {
        "transcriber": heard.transcriber,
        "notes": len(confidence),
        "doubtful": int((confidence < DOUBTFUL).sum()),
        "confidence": round(heard.confidence, 3),
        "tuning_cents": round(heard.tuning, 1),
        "parts": {part: counts[part] for part in heard.parts},
    }


def heard_line(entries: Mapping[str, Any], explained: float | None = None) -> str:
    """What people read of the notes that were heard."""
    from specnmf.notation import percent

    # Runs of older versions may have been heard by both.
    who = entries["transcriber"].replace("both", "basic-pitch and builtin")
    n_notes = entries["notes"]
    said = f"{n_notes} {'note' if n_notes == 1 else 'notes'} heard"
    if who != "builtin":
        said += f" by {who}"
    if entries["doubtful"]:
        said += f", {entries['doubtful']} doubtful"
    said += f", confidence {entries['confidence']:.2f}"
    if explained is not None:
        said += f"; they explain {percent(explained)} of the sound"
    return said
