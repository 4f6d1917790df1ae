"""Transcribe: the notes of a recording, heard without a score."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from specnmf.methods.transcription.options import TranscriptionOptions
from specnmf.options import WHAT, changed, option
from specnmf.tasks import hearing
from specnmf.tasks.settings import SongSettings
from specnmf.tasks.task import AnyResult, Held, Song, Task

if TYPE_CHECKING:
    from specnmf.audio.recording import Audio
    from specnmf.methods.transcription.transcription import Transcription
    from specnmf.output.sources import Written
    from specnmf.score.notes import Score

#: The archive of the notes, as arrays.
NOTES = "notes.npz"


class TranscribeSettings(TranscriptionOptions, SongSettings):
    """The settings of `transcribe`, immutable.

    Examples
    --------
    >>> import specnmf
    >>> settings = specnmf.TranscribeSettings(by="hand", transcriber="builtin")
    >>> settings.voices
    'auto'
    >>> specnmf.TranscribeSettings(voices=17)
    Traceback (most recent call last):
    specnmf.errors.ParameterError: voices must lie between 1 and 16, got 17
    """

    by: Literal["part", "hand"] = option(
        "part",
        "A track for each voice, or for each hand of a keyboard player.",
        group=WHAT,
    )
    seed: int = changed(
        SongSettings,
        "seed",
        help="No effect: nothing is random. Accepted so that all tasks take the same "
        "options.",
    )


class Transcribe(Task[TranscribeSettings]):
    """The notes of a recording."""

    name = "transcribe"
    help = """Transcribe each SONG to notes: MIDI, with a track for each voice, and CSV.

    Leaves OUTPUT/SONG/ with report.html, score.mid, score.csv, notes.npz, model.npz,
    run.json and figures/; where partitura is installed, also score.musicxml.
    """
    example = "transcribe song.wav --voices 4"
    settings = TranscribeSettings

    def fit(self, song: Song[TranscribeSettings], material: Held) -> Transcribed:
        """The notes."""
        audio = material.sound
        heard = hearing.hear(song, audio, by=song.settings.by)
        return Transcribed(song=song, sound=audio, heard=heard)

    def summary(self, report: Mapping[str, Any]) -> Iterator[str]:
        """How many notes, and how sure they are."""
        entries = report["transcription"]
        yield hearing.heard_line(entries)
        width = max(map(len, entries["parts"]))
        for name, n_notes in entries["parts"].items():
            yield f"{name:{width}}  {n_notes:5} notes"

    def archives(self) -> dict[str, set[str]]:
        """The notes."""
        return {NOTES: {"start.npy", "end.npy", "pitch.npy"}}


@dataclass(frozen=True, eq=False, kw_only=True)
class Transcribed(AnyResult[TranscribeSettings]):
    """A transcribed recording."""

    sound: Audio
    heard: Transcription

    def notes(self) -> Score:
        """What was heard."""
        return self.heard.score

    def write(self, folder: Path) -> None:
        """Write the score."""
        start, bends = self.settings.start, self.settings.bends
        hearing.write_score(folder, self.heard, start, beats=self.beats, bends=bends)
        hearing.write_notes(folder / NOTES, self.heard, start)

    def draw(self, folder: Path) -> None:
        """Draw the notes over the spectrogram, and as a piano roll."""
        from specnmf.audio import stft
        from specnmf.audio.stft import Grid
        from specnmf.output import figures

        settings, score = self.settings, self.heard.score
        grid = Grid.of(self.sound)
        data = figures.NoteFigureData(
            V=stft.magnitude(self.sound, grid, threads=settings.threads),
            frequencies=grid.frequencies,
            times=grid.times,
            title=self.song.title,
            score=score,
            labels=[note.part for note in score.notes],
        )
        figures.draw_transcription(folder, data, figure_format=settings.figure_format)

    def drawn_names(self) -> Sequence[str]:
        """The song and its voices."""
        return [*super().drawn_names(), *self.heard.parts]

    def entries(self, written: Sequence[Written]) -> dict[str, Any]:
        """How many notes there are, and how sure."""
        return {"transcription": hearing.heard_entries(self.heard)}
