"""Separate: the stems of a recording, found by its score, given or heard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from specnmf.errors import ParameterError
from specnmf.methods.score_options import ScoreOptions
from specnmf.methods.transcription.options import TranscriptionOptions
from specnmf.options import WHAT, option
from specnmf.score.options import SCORES, AlignOptions
from specnmf.tasks import hearing
from specnmf.tasks.basis import Basis, aligned, alignment_entry, heard
from specnmf.tasks.restoring import check_files, factor_arrays, factor_stems
from specnmf.tasks.settings import RunSettings
from specnmf.tasks.task import Input, Result, Song, Sources, Task, read_excerpt

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from specnmf.audio.recording import Audio
    from specnmf.methods.progress import Step
    from specnmf.methods.stems import ScoreStems, Stems
    from specnmf.output.figures import ScoreFigureData
    from specnmf.output.sources import Written
    from specnmf.score.align import Alignment
    from specnmf.score.notes import Score

#: The stem of what no note explains where no score is given.
REST = "rest"

#: Stems listed after a run; run.json has them all.
MOST_LISTED = 24


class ScoreSettings(AlignOptions, TranscriptionOptions, ScoreOptions, RunSettings):
    """The settings of `separate`, immutable.

    Examples
    --------
    >>> import specnmf
    >>> settings = specnmf.ScoreSettings(by="pitch", duration=2.0, max_iter=5)
    >>> chorale = "audio_examples/chorale/chorale"
    >>> stems = specnmf.separate(f"{chorale}.flac", f"{chorale}.mid", settings)
    >>> list(stems)[:3]
    ['G2', 'E3', 'G3']
    """

    no_score: bool = option(
        False,
        "Transcribe the notes, even if there is a score beside the song.",
        flags=("--no-score/--with-score",),
        group=WHAT,
        added=True,
    )


class Scored(NamedTuple):
    """A recording and its score, as they were read; None: it is to be heard."""

    sound: Audio
    score: Score | Alignment | None


class Separate(Task[ScoreSettings]):
    """The stems of a recording, found by its score, given or heard."""

    name = "separate"
    help = """Separate each SONG into voices, or by its score into parts.

    Without a score, the notes are transcribed and put into voices: voice_1 is the
    highest, and rest is everything that no note explains. score.mid and score.csv hold
    the notes; correct them, and pass them back with --score. A score may be in any
    tempo: it is aligned to the recording.

    Leaves OUTPUT/SONG/ with report.html, sources/, score.mid and score.csv, or
    aligned.mid and aligned.csv, run.json, factors.npz, model.npz, pianoroll.mid,
    pianoroll.csv and figures/.
    """
    example = "separate song.wav --voices 4"
    settings = ScoreSettings
    inputs = (
        Input(
            name="score",
            help="MIDI, MusicXML, MuseScore, Guitar Pro, ABC, MEI, Humdrum or CSV; by "
            "default the file beside the song; without one, the notes are transcribed.",
            suffixes=SCORES,
            beside=True,
        ),
    )

    def looks_beside(self, settings: ScoreSettings) -> bool:
        """Whether a score beside the song is taken."""
        return not settings.no_score

    def read(self, song: Song[ScoreSettings], step: Step) -> Scored:
        """The recording, and the score if there is one."""
        from specnmf.score.reading import read_score

        score = song.inputs.get("score")
        if score is not None and song.settings.no_score:
            raise ParameterError(
                f"a score ({score}) and --no-score are given; expected only one of them"
            )
        if isinstance(score, str | PathLike):
            score = read_score(score)
        return Scored(read_excerpt(song), score)

    def fit(self, song: Song[ScoreSettings], material: Scored) -> Separation:
        """The score aligned or heard, and the model of its stems."""
        from specnmf.methods import by_score
        from specnmf.methods.partials.model import RESIDUAL
        from specnmf.output.selection import Group

        audio, score = material.sound, material.score
        basis = heard(song, audio) if score is None else aligned(song, audio, score)
        settings = _with_rest(song.settings, kept=score is None)
        labels = by_score.label_notes(basis.score, settings)
        order = basis.order(labels) if settings.by in ("part", "hand") else None
        name = RESIDUAL if basis.heard is None else REST
        rest = (name,) if settings.residual else ()
        song.expect([Group((*(order or dict.fromkeys(labels)), *rest))])
        with song.stages.stage("fit", settings.max_iter) as step:
            stems = by_score.fit_stems(
                audio,
                basis.score,
                labels,
                settings,
                stems=order,
                tuning=basis.tuning,
                rest=name,
                callback=lambda i, loss: step(i, note=f"loss {loss:.5g}"),
            )
        return Separation(
            song=song,
            sound=audio,
            remarks=(*basis.remarks, *basis.doubts(stems.explained)),
            used=settings,
            basis=basis,
            labels=labels,
            stems=stems,
        )

    def restore(
        self, song: Song[ScoreSettings], material: Scored, folder: Path
    ) -> Sequence[Sources]:
        """The stems."""
        from specnmf.audio.stft import Grid
        from specnmf.methods.partials import storing
        from specnmf.output.stored import stored_model

        audio, settings = material.sound, song.settings
        if settings.model == "partials":
            stems: Stems = storing.restore(stored_model(folder), audio)
        else:
            grid = Grid.of(audio, settings.n_fft, settings.hop_length)
            stems = factor_stems(folder, audio, grid)
        return [Sources(stems, check_files(stems.names, folder))]

    def summary(self, report: Mapping[str, Any]) -> Iterator[str]:
        """Where the score is from, and the stems."""
        alignment, stems = report["alignment"], report["stems"]
        if alignment is None:
            yield hearing.heard_line(report["transcription"], report["explained"])
        else:
            warped = alignment["warped"]
            done = "warped to the recording" if warped else "in time as it was"
            yield f"score {done}, confidence {alignment['confidence']:.2f}"
        width = max(len(entry["label"]) for entry in stems[:MOST_LISTED])
        for entry in stems[:MOST_LISTED]:
            notes = f"  {entry['notes']:5} notes" if entry["notes"] else ""
            yield f"{entry['label']:{width}}{notes}".rstrip()
        if len(stems) > MOST_LISTED:
            yield f"and {len(stems) - MOST_LISTED} more in run.json"


@dataclass(frozen=True, eq=False, kw_only=True)
class Separation(Result[ScoreSettings]):
    """A separated recording.

    Attributes
    ----------
    used : ScoreSettings
        As asked for, with what is decided by whether a score was given.
    basis : Basis
        The notes.
    labels : tuple of str
        The stem of each note.
    """

    sound: Audio
    stems: ScoreStems
    used: ScoreSettings
    basis: Basis
    labels: tuple[str, ...]

    @property
    def settings(self) -> ScoreSettings:
        """As they were used."""
        return self.used

    def notes(self) -> Score:
        """The score's or heard ones."""
        return self.basis.score

    def shown(self) -> Score:
        """The same notes, each with its stem as its part."""
        from specnmf.score.notes import Score

        notes = zip(self.basis.score.notes, self.labels, strict=True)
        return Score(tuple(note._replace(part=label) for note, label in notes))

    def stored(self) -> Mapping[str, NDArray[Any]]:
        """The model."""
        from specnmf.methods.partials import fitting, storing

        if isinstance(self.stems, fitting.PartialStems):
            return storing.store(self.stems)
        return factor_arrays(self.stems)

    def write(self, folder: Path) -> None:
        """Write the score as it lies on the recording."""
        from specnmf.score import midi, notelist

        basis, beats, used = self.basis, self.beats, self.settings
        if basis.heard is not None:
            hearing.write_score(
                folder, basis.heard, used.start, beats=beats, bends=used.bends
            )
        else:
            midi.write_midi(folder / "aligned.mid", basis.score, beats=beats)
            notelist.write_csv(folder / "aligned.csv", basis.score)

    def draw(self, folder: Path) -> None:
        """Draw the figures of the factorisation and of the score."""
        from specnmf.audio import stft
        from specnmf.output import figures

        V = stft.magnitude(self.sound, self.stems.grid, threads=self.settings.threads)
        self.draw_factors(
            folder,
            V,
            beta=1.0 if self.settings.model == "partials" else 2.0,
            only=("spectrogram", "reconstruction", "loss"),
        )
        figures.draw_score_figures(
            folder, self._figure_data(V), figure_format=self.settings.figure_format
        )

    def drawn_names(self) -> Sequence[str]:
        """The song, stems and parts."""
        parts = {note.part: None for note in self.basis.score.notes}
        return [*super().drawn_names(), *parts]

    def _figure_data(self, V: NDArray[np.float32]) -> ScoreFigureData:
        from specnmf.output.figures import ScoreFigureData

        return ScoreFigureData(
            V=V,
            frequencies=self.stems.grid.frequencies,
            times=self.stems.grid.times,
            score=self.basis.score,
            labels=self.labels,
            factorization=self.stems.factors,
            pitches=self.stems.pitches,
            names=self.stems.notes,
            title=self.song.title,
            start=self.stems.start,
            envelopes=self.stems.envelopes(),
            **self._alignment_data(),
        )

    def _alignment_data(self) -> dict[str, Any]:
        """What the figure of an alignment shows."""
        aligned, start = self.basis.alignment, self.settings.start
        if aligned is None:
            return {}
        told = {"confidence": aligned.confidence, "remarks": aligned.remarks}
        if not aligned.warped:
            return told
        return {
            **told,
            "original": self.basis.original,
            "path": aligned.path - (0.0, start),
            "agreement": aligned.agreement - (start, 0.0),
        }

    def entries(self, written: Sequence[Written]) -> dict[str, Any]:
        """How the score was aligned or heard, what it explains, and the stems."""
        heard = self.basis.heard
        stems: list[dict[str, Any]] = [
            {"label": name, "notes": self.labels.count(name)}
            for name in self.stems.names
        ]
        for own in written:
            for entry in stems:
                entry |= own.entry(entry["label"])
        return {
            "alignment": alignment_entry(self.basis.alignment),
            "transcription": heard and hearing.heard_entries(heard),
            "explained": self.stems.explained,
            "stems": stems,
        }


def _with_rest(settings: ScoreSettings, *, kept: bool) -> ScoreSettings:
    """The settings, with what is decided by whether the notes were heard."""
    if settings.residual is not None:
        return settings
    return replace(settings, residual=kept and settings.model == "partials")
