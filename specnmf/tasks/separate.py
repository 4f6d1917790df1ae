"""Separate: the stems of a recording, found by its score."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from specnmf.methods.score_options import ScoreOptions
from specnmf.score.options import AlignOptions
from specnmf.tasks.settings import RunSettings
from specnmf.tasks.task import Input, Result, Song, Task, read_excerpt

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from specnmf.audio.features import Features
    from specnmf.audio.recording import Audio
    from specnmf.methods.progress import Step
    from specnmf.methods.stems import ScoreStems
    from specnmf.output.figures import ScoreFigureData
    from specnmf.output.sources import Written
    from specnmf.score.align import Alignment
    from specnmf.score.notes import Score

#: A score that explains less of the sound is worth a warning.
LEAST_EXPLAINED = 0.7

#: Stems listed after a run; run.json has them all.
MOST_LISTED = 24


class ScoreSettings(AlignOptions, ScoreOptions, RunSettings):
    """The settings of `separate`."""


class Scored(NamedTuple):
    """A recording and its score, as they were read."""

    sound: Audio
    score: Score


class Separate(Task[ScoreSettings]):
    """The stems of a recording, found by its score."""

    name = "separate"
    help = """Separate each SONG by its score, into parts, hands, pitches or notes.

    The score may be in any tempo: it is aligned to the recording. Leaves OUTPUT/SONG/
    with sources/, aligned.mid, aligned.csv, run.json, factors.npz, pianoroll.mid,
    pianoroll.csv and figures/.
    """
    example = "separate song.wav --score song.mid --by hand"
    settings = ScoreSettings
    inputs = (
        Input(
            name="score",
            help="MIDI, MusicXML or CSV; by default the file beside the song.",
            suffixes=(".mid", ".midi", ".musicxml", ".mxl", ".xml", ".csv"),
            beside=True,
            required=True,
        ),
    )

    def read(self, song: Song[ScoreSettings], step: Step) -> Scored:
        """The recording and the score."""
        from specnmf.score.reading import read_score

        return Scored(read_excerpt(song), read_score(song.inputs["score"]))

    def fit(self, song: Song[ScoreSettings], material: Scored) -> Separation:
        """The score aligned, and the model of its stems."""
        from specnmf.methods import by_score
        from specnmf.methods.partials.model import RESIDUAL
        from specnmf.output.selection import Group
        from specnmf.score import align

        settings, audio = song.settings, material.sound
        with song.stages.stage("align"):
            aligned = align.align(
                material.score,
                _features(song, audio),
                mode=settings.align,
                transpose=settings.transpose,
            )
            excerpt = aligned.score.excerpt(settings.start, audio.duration)
        labels = by_score.label_notes(excerpt, settings)
        rest = (RESIDUAL,) if settings.residual else ()
        song.expect([Group((*dict.fromkeys(labels), *rest))])
        with song.stages.stage("fit", settings.max_iter) as step:
            stems = by_score.fit_stems(
                audio,
                excerpt,
                labels,
                settings,
                tuning=aligned.tuning,
                callback=lambda i, loss: step(i, note=f"loss {loss:.5g}"),
            )
        return Separation(
            song=song,
            sound=audio,
            remarks=(
                *_named(song.inputs["score"], material.score.remarks),
                *aligned.remarks,
                *_doubts(stems.explained),
            ),
            original=material.score,
            alignment=aligned,
            score=excerpt,
            labels=labels,
            stems=stems,
        )

    def summary(self, report: Mapping[str, Any]) -> Iterator[str]:
        """How the score was aligned, and the stems."""
        alignment, stems = report["alignment"], report["stems"]
        done = "warped to the recording" if alignment["warped"] else "in time as it was"
        yield f"score {done}, confidence {alignment['confidence']:.2f}"
        width = max(len(entry["label"]) for entry in stems[:MOST_LISTED])
        for entry in stems[:MOST_LISTED]:
            yield f"{entry['label']:{width}}  {entry['notes']:5} notes"
        if len(stems) > MOST_LISTED:
            yield f"and {len(stems) - MOST_LISTED} more in run.json"


@dataclass(frozen=True, eq=False, kw_only=True)
class Separation(Result[ScoreSettings]):
    """A separated recording.

    Attributes
    ----------
    original : Score
        As it was read.
    alignment : Alignment
        How it lies on the recording.
    score : Score
        What of it sounds in the excerpt, on the excerpt's clock.
    labels : tuple of str
        The stem of each note.
    """

    sound: Audio
    stems: ScoreStems
    original: Score
    alignment: Alignment
    score: Score
    labels: tuple[str, ...]

    def write(self, folder: Path) -> None:
        """Write the aligned score."""
        from specnmf.score import midi, notelist

        midi.write_midi(folder / "aligned.mid", self.score)
        notelist.write_csv(folder / "aligned.csv", self.score)

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
        parts = {note.part: None for note in self.score.notes}
        return [*super().drawn_names(), *parts]

    def _figure_data(self, V: NDArray[np.float32]) -> ScoreFigureData:
        from specnmf.output.figures import ScoreFigureData

        aligned, start = self.alignment, self.settings.start
        warped = aligned.warped
        return ScoreFigureData(
            V=V,
            frequencies=self.stems.grid.frequencies,
            times=self.stems.grid.times,
            score=self.score,
            labels=self.labels,
            factorization=self.stems.factors,
            pitches=self.stems.pitches,
            names=self.stems.notes,
            title=self.song.title,
            start=self.stems.start,
            original=self.original if warped else None,
            path=aligned.path - (0.0, start) if warped else None,
            agreement=aligned.agreement - (start, 0.0) if warped else None,
            confidence=aligned.confidence,
            remarks=aligned.remarks,
            envelopes=self.stems.envelopes(),
        )

    def entries(self, written: Sequence[Written]) -> dict[str, Any]:
        """How the score was aligned, what it explains, and the stems."""
        alignment = self.alignment
        stems: list[dict[str, Any]] = [
            {"label": name, "notes": self.labels.count(name)}
            for name in self.stems.names
        ]
        for own in written:
            for entry in stems:
                entry |= own.entry(entry["label"])
        return {
            "alignment": {
                "confidence": round(float(alignment.confidence), 3),
                "warped": bool(alignment.warped),
                "transposition": int(alignment.transposition),
                "tuning_cents": round(float(alignment.tuning), 1),
                "remarks": list(alignment.remarks),
            },
            "explained": self.stems.explained,
            "stems": stems,
        }


def _features(song: Song[ScoreSettings], audio: Audio) -> Features:
    """The features of the whole recording, for a score is that of the whole."""
    from specnmf.audio import features

    settings = song.settings
    if settings.start == 0 and settings.duration is None:
        return features.features(audio, threads=settings.threads)
    return features.features_of_file(song.path, threads=settings.threads)


def _named(path: Path, remarks: Iterable[str]) -> Iterator[str]:
    """Remarks on a file, each with its name."""
    yield from (f"{path.name}: {remark}" for remark in remarks)


def _doubts(explained: float | None) -> Iterator[str]:
    from specnmf.notation import percent

    if explained is not None and explained < LEAST_EXPLAINED:
        yield (
            f"the score explains {percent(explained)} of the sound, the stems share "
            "the rest: is it this recording's, and complete? --residual keeps it apart"
        )
