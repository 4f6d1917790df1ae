"""Drums: the drums of a recording, each as a stem, and the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from specnmf.errors import ParameterError, ScoreError, TemplateError
from specnmf.methods.drums.options import DrumOptions
from specnmf.options import changed
from specnmf.score.options import SCORES, AlignOptions
from specnmf.tasks.basis import aligned, alignment_entry
from specnmf.tasks.settings import RunSettings
from specnmf.tasks.task import Input, Result, Song, Sources, Task, read_within

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from specnmf.audio.recording import Audio
    from specnmf.methods.drums.fitting import DrumStems
    from specnmf.methods.drums.hits import Hit
    from specnmf.methods.drums.kits import Kit
    from specnmf.methods.progress import Step
    from specnmf.output.sources import Written
    from specnmf.score.align import Alignment
    from specnmf.score.notes import Score


class DrumSettings(AlignOptions, DrumOptions, RunSettings):
    """The settings of `drums`, immutable.

    Examples
    --------
    >>> import specnmf
    >>> settings = specnmf.DrumSettings(drums=("kick", "snare", "hihat"))
    >>> settings.mask_power
    2.0
    >>> specnmf.DrumSettings(sensitivity=2)
    Traceback (most recent call last):
    specnmf.errors.ParameterError: sensitivity must lie between 0 and 1, got 2
    """

    transpose: int = changed(
        AlignOptions,
        "transpose",
        help="No effect: drums have no pitch. Accepted so that all tasks with a score "
        "take the same options.",
    )


class Heard(NamedTuple):
    """A recording, with its score and its kit, as they were read."""

    sound: Audio
    score: Score | Alignment | None
    kit: Kit


class Drums(Task[DrumSettings]):
    """The drums of a recording, each as a stem, and the rest."""

    name = "drums"
    help = """Separate the drums of each SONG: kick, snare, hihat, toms, and so on.

    The strokes are heard, or read from a score of the drums. Only the drums that are
    played become stems; rest is everything else, such as pitched instruments.

    Leaves OUTPUT/SONG/ with report.html, sources/ (each drum and the rest), drums.mid
    (General MIDI, channel 10, with velocities), onsets.csv, run.json, factors.npz,
    model.npz, pianoroll.mid, pianoroll.csv and figures/.
    """
    example = "drums loop.wav --quantize 4"
    settings = DrumSettings
    inputs = (
        Input(
            name="score",
            help="The strokes, as MIDI, MusicXML, CSV or other scores; by default they "
            "are heard.",
            suffixes=SCORES,
        ),
        Input(
            name="kit",
            help="The sounds to start from: a folder of one-shots named after drums, "
            "or templates of specnmf learn; by default built-in kits.",
            suffixes=(".npz",),
            error=TemplateError,
        ),
    )

    def read(self, song: Song[DrumSettings], step: Step) -> Heard:
        """The recording, its score and its kit."""
        from specnmf.methods.drums.budget import limit
        from specnmf.methods.drums.kits import built_in
        from specnmf.score.reading import read_score

        score, kit = song.inputs.get("score"), song.inputs.get("kit")
        if isinstance(score, str | PathLike):
            score = read_score(score)
        if isinstance(kit, str | PathLike):
            from specnmf.methods.drums.own_kits import read_kit

            kit = read_kit(kit)
        audio = read_within(song, partial(limit, song.settings))
        return Heard(audio, score, kit or built_in())

    def fit(self, song: Song[DrumSettings], material: Heard) -> DrumRun:
        """The strokes, and the stems that they make."""
        from specnmf.methods.drums.fitting import REST, fit_drums
        from specnmf.methods.drums.hits import order_of
        from specnmf.output.selection import Group

        settings, audio = song.settings, material.sound
        hits, alignment, remarks = _strokes(song, material)
        if alignment is not None:
            song.expect([Group((*order_of(hits), REST))])
        with song.stages.stage("fit", settings.max_iter) as step:
            stems = fit_drums(
                audio,
                hits,
                material.kit,
                settings,
                surely=alignment is not None,
                callback=lambda i, loss: step(i, note=f"loss {loss:.5g}"),
            )
        if not stems.hits:
            remarks = (*remarks, "no drum was heard; try a higher --sensitivity")
        return DrumRun(
            song=song, sound=audio, remarks=remarks, stems=stems, alignment=alignment
        )

    def restore(
        self, song: Song[DrumSettings], material: Heard, folder: Path
    ) -> Sequence[Sources]:
        """The drums, and the rest."""
        from specnmf.methods.drums import storing
        from specnmf.output.stored import stored_model

        stems = storing.restore(stored_model(folder), material.sound)
        return [Sources(stems, stems.names)]

    def summary(self, report: Mapping[str, Any]) -> Iterator[str]:
        """The drums, and how often each is struck."""
        if report["alignment"] is not None:
            warped = report["alignment"]["warped"]
            done = "warped to the recording" if warped else "in time as it was"
            yield f"score {done}"
        if report["tempo"] is not None:
            yield f"about {report['tempo']:.0f} beats a minute"
        entries = report["stems"]
        width = max(len(entry["label"]) for entry in entries)
        for entry in entries:
            strokes = f"  {entry['notes']:5} strokes" if entry["notes"] else ""
            yield f"{entry['label']:{width}}{strokes}".rstrip()


@dataclass(frozen=True, eq=False, kw_only=True)
class DrumRun(Result[DrumSettings]):
    """The drums of a recording.

    Attributes
    ----------
    alignment : Alignment or None
        How the score lies on the recording, if there is one.
    """

    sound: Audio
    stems: DrumStems
    alignment: Alignment | None

    @property
    def settings(self) -> DrumSettings:
        """As asked for, and whether the stems are weighted by the parts of a split."""
        asked = self.song.settings
        weighted = self.stems.pitched if asked.hpss is None else asked.hpss
        return replace(asked, hpss=weighted)

    @cached_property
    def roll(self) -> Score:
        """The strokes."""
        from specnmf.methods.drums.hits import as_score

        return as_score(self.stems.hits, self.stems.model.loudness)

    @cached_property
    def quantized(self) -> Score | None:
        """The strokes moved to parts of beats; None where that is not asked for."""
        from specnmf.methods.drums.hits import on_grid

        if self.settings.quantize == "none" or self.beats is None:
            return None
        return on_grid(self.roll, self.beats, int(self.settings.quantize))

    def stored(self) -> Mapping[str, NDArray[Any]]:
        """The model."""
        from specnmf.methods.drums import storing

        return storing.store(self.stems)

    def write(self, folder: Path) -> None:
        """Write the strokes as MIDI and as a table."""
        from specnmf.methods.drums.hits import write_onsets
        from specnmf.score import midi

        midi.write_midi(folder / "drums.mid", self.roll, beats=self.beats)
        write_onsets(folder / "onsets.csv", self.roll, start=self.settings.start)
        if self.quantized is not None:
            path = folder / "drums_quantized.mid"
            midi.write_midi(path, self.quantized, beats=self.beats)

    def draw(self, folder: Path) -> None:
        """Draw the figures of the factorisation and of the drums."""
        from specnmf.audio import stft
        from specnmf.output import figures

        settings, stems = self.settings, self.stems
        V = stft.magnitude(self.sound, stems.grid, threads=settings.threads)
        only = ("spectrogram", "reconstruction", "loss")
        self.draw_factors(folder, V, beta=1.0, only=only)
        if not stems.hits:
            return
        data = figures.DrumFigureData(
            V=V,
            frequencies=stems.grid.frequencies,
            times=stems.grid.times,
            names=stems.model.drums,
            templates=stems.model.templates,
            envelopes=stems.model.envelopes,
            strokes=self.roll,
            title=self.song.title,
        )
        figures.draw_drum_figure(folder, data, figure_format=settings.figure_format)

    def entries(self, written: Sequence[Written]) -> dict[str, Any]:
        """How the score was aligned, and the stems with their strokes."""
        drums = [hit.drum for hit in self.stems.hits]
        stems: list[dict[str, Any]] = [
            {"label": name, "notes": drums.count(name)} for name in self.stems.names
        ]
        for own in written:
            for entry in stems:
                entry |= own.entry(entry["label"])
        return {"alignment": alignment_entry(self.alignment), "stems": stems}


def _strokes(
    song: Song[DrumSettings], material: Heard
) -> tuple[list[Hit], Alignment | None, tuple[str, ...]]:
    """The strokes on the excerpt's clock, the alignment of a score, and remarks."""
    from specnmf.methods.drums import hits
    from specnmf.score.align import Alignment

    settings = song.settings
    if material.score is None:
        _check_known(settings.drums, material.kit)
        with song.stages.stage("listen"):
            found = hits.heard(
                material.sound,
                settings.drums,
                offered=_offered(material.kit),
                threads=settings.threads,
            )
        return found, None, ()
    given = material.score
    score = given.score if isinstance(given, Alignment) else given
    _check_struck(song, hits.written(score))
    basis = aligned(song, material.sound, material.score)
    found = hits.written(basis.score)
    if settings.drums:
        found = [hit for hit in found if hit.drum in settings.drums]
    _check_struck(song, found)
    return found, basis.alignment, basis.remarks


def _check_struck(song: Song[DrumSettings], found: Sequence[Hit]) -> None:
    """Raise ScoreError if a score has no strokes that are asked for."""
    if not found:
        raise ScoreError(
            f"{song.inputs['score']}: expected strokes of drums (MIDI channel 10), got "
            "none; leave out --score to have them heard"
        )


def _check_known(asked: Sequence[str], kit: Kit) -> None:
    """Raise ParameterError if a drum can neither be heard nor is in the kit."""
    from specnmf.methods.drums.network import DRUMS

    known = dict.fromkeys((*DRUMS, *_offered(kit)))
    for name in asked:
        if name not in known:
            raise ParameterError(
                f"expected drums among {', '.join(known)}, got {name}; use a --kit "
                "that has its sound, or a --score"
            )


def _offered(kit: Kit) -> list[str]:
    """The drums of a kit."""
    names = ["hihat" if drum == "openhat" else drum for drum in kit.drums]
    return list(dict.fromkeys(names))
