"""Label: sounds that a person marked here and there, found in the whole recording."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specnmf.audio.options import PowerOptions
from specnmf.errors import ScoreError
from specnmf.factor.options import BETAS
from specnmf.methods.labels.options import (
    LABEL_KINDS,
    LABEL_SUFFIXES,
    LabelOptions,
    TierOptions,
)
from specnmf.output.options import SelectionOptions
from specnmf.tasks.restoring import factor_arrays, factor_stems
from specnmf.tasks.settings import RunSettings
from specnmf.tasks.task import Input, Result, Song, Sources, Task, read_within

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from specnmf.methods.labels.fitting import Labelled
    from specnmf.methods.marking import Marked
    from specnmf.methods.progress import Step
    from specnmf.output.sources import Written
    from specnmf.score.marks import Marks


class LabelSettings(
    TierOptions, PowerOptions, SelectionOptions, LabelOptions, RunSettings
):
    """The settings of `label`, immutable.

    Examples
    --------
    >>> import specnmf
    >>> settings = specnmf.LabelSettings(n_rest=0, mask_power=2.0)
    >>> settings.n_rest
    0
    >>> specnmf.LabelSettings(max_iter=0)
    Traceback (most recent call last):
    specnmf.errors.ParameterError: max_iter must be at least 1, got 0
    """


class Label(Task[LabelSettings]):
    """Sounds that a person marked here and there, found in the whole recording."""

    name = "label"
    help = """Separate SONG by labels that mark where each sound is heard.

    Mark as many regions as you like, each with the name of a sound that is heard there;
    regions where a sound is heard alone help most. Within marked time, a sound without
    a region counts as absent; mark a region rest where none of the sounds is heard.
    In all other places, the sounds are found.

    Leaves OUTPUT/SONG/ with report.html, sources/ (each label and the rest), labels.txt
    (where each is heard, for Audacity), run.json, factors.npz, model.npz,
    pianoroll.mid, pianoroll.csv and figures/, and selections.txt where asked for.
    """
    example = "label song.wav --labels song.txt"
    settings = LabelSettings
    many = False
    inputs = (
        Input(
            name="labels",
            help=f"Where each sound is heard: {LABEL_KINDS}",
            suffixes=LABEL_SUFFIXES,
            required=True,
        ),
    )

    def read(self, song: Song[LabelSettings], step: Step) -> Marked:
        """The recording and its labels, if they fit into the memory."""
        from specnmf.methods.labels.budget import limit, most_learned
        from specnmf.methods.marking import marked
        from specnmf.score.regions import REST

        plan = partial(limit, song.settings)
        audio = read_within(song, plan)
        found = marked(
            audio,
            song.inputs["labels"],
            song.settings,
            tier=song.settings.tier,
            bounds=song.settings.bounds and song.settings.n_rest > 0,
        )
        assert found.marks is not None  # labels are required
        own = [name != REST for name in found.marks.names]
        plan(
            audio.sr,
            audio.n_channels,
            n_labels=sum(own),
            n_learned=most_learned(found.marks.heard[own], found.marks.annotated),
        ).check(audio.n_samples)
        return found

    def fit(self, song: Song[LabelSettings], material: Marked) -> Labelling:
        """The labelled sounds, and where each is heard."""
        from specnmf.audio import stft
        from specnmf.methods.components.scope import Scope, names_left_out
        from specnmf.methods.labels.fitting import fit_labelled
        from specnmf.methods.marking import bins_within
        from specnmf.output.selection import Group
        from specnmf.score.grouping import safe_names
        from specnmf.score.regions import REST

        settings, grid, marks = song.settings, material.grid, material.marks
        assert marks is not None  # labels are required
        heard = [name for name in marks.names if name != REST]
        own = [*heard, REST] if settings.n_rest != 0 else heard
        left_out = names_left_out(grid, settings)
        for name in left_out:
            if name in own:
                raise ScoreError(
                    f"{name} is the stem of the sound beyond the band; rename the label"
                )
        files = safe_names([*own, *left_out])
        song.expect([Group(tuple(files.values()))])
        with song.stages.stage("transform"):
            V = stft.magnitude(material.sound, grid, threads=settings.threads)
            scope = Scope.of(V, grid, settings)
        with song.stages.stage("fit", settings.max_iter) as step:
            fitted = fit_labelled(
                scope.silenced(V),
                marks.heard,
                marks.annotated,
                marks.names,
                settings,
                support=bins_within(marks, grid),
                frame_seconds=grid.hop_length / grid.sr,
                callback=lambda i, loss: step(i, note=f"loss {loss:.5g}"),
            )
        fitted = replace(
            fitted,
            factorization=scope.completed(fitted.factorization),
            names=(*fitted.names, *scope.names),
        )
        return Labelling(
            song=song,
            sound=material.sound,
            stems=fitted.stems(material.sound, grid, threads=settings.threads),
            remarks=(*marks.remarks, *fitted.remarks),
            V=V,
            marks=marks,
            fitted=fitted,
        )

    def restore(
        self, song: Song[LabelSettings], material: Marked, folder: Path
    ) -> Sequence[Sources]:
        """Each labelled sound, and the rest."""
        from specnmf.score.grouping import safe_names

        stems = factor_stems(folder, material.sound, material.grid)
        files = safe_names(stems.names)
        return [Sources(stems, [files[name] for name in stems.names])]

    def summary(self, report: Mapping[str, Any]) -> Iterator[str]:
        """How much was marked, and how long each sound was found."""
        from specnmf.notation import spell_seconds

        entries = [e for e in report["labels"] if "seconds_marked" in e]
        seconds, whole = report["annotated_seconds"], report["audio"]["duration"]
        yield f"{seconds:.1f} of {whole:.1f} s annotated"
        width = max(len(entry["label"]) for entry in entries)
        for entry in entries:
            yield (
                f"{entry['label']:{width}}  "
                f"marked {spell_seconds(entry['seconds_marked']):>8}, "
                f"alone {spell_seconds(entry['seconds_alone']):>8}, "
                f"found {spell_seconds(entry['seconds_predicted']):>8}"
                f"{_spell_bounds(entry.get('bounds'))}"
            )


def _spell_bounds(bounds: Sequence[float] | None) -> str:
    """The frequencies between which a sound was kept, for the end of a line."""
    return "" if bounds is None else f", {bounds[0]:.0f} to {bounds[1]:.0f} Hz"


@dataclass(frozen=True, eq=False, kw_only=True)
class Labelling(Result[LabelSettings]):
    """A recording separated by labels.

    Attributes
    ----------
    V : array, shape (n_bins, n_frames)
        Its magnitudes.
    marks : Marks
        What was marked.
    fitted : Labelled
        What was found.
    """

    V: NDArray[np.float32]
    marks: Marks
    fitted: Labelled

    @cached_property
    def files(self) -> dict[str, str]:
        """The name of each source's file, without its ending."""
        from specnmf.score.grouping import safe_names

        return safe_names(self.fitted.names)

    def sources(self) -> Sequence[Sources]:
        """Each labelled sound, and the rest."""
        names = [self.files[name] for name in self.stems.names]
        return [Sources(self.stems, names)]

    def stored(self) -> Mapping[str, NDArray[Any]]:
        """Names, labels and pitches."""
        return factor_arrays(self.stems)

    def write(self, folder: Path) -> None:
        """Write where each sound was found, as labels to correct and give back.

        Where it is asked for, also when each sounds and in which band.
        """
        from specnmf.methods.components.scope import components_of
        from specnmf.output.selections import write_activity
        from specnmf.score.marks import runs
        from specnmf.score.regions import write_label_track

        found = runs(
            self.fitted.active,
            self.marks.names,
            self.stems.grid.times,
            duration=self.sound.duration,
            start=self.settings.start,
        )
        write_label_track(folder / "labels.txt", found)
        if self.settings.selections:
            own, grid = components_of(self.stems.factors), self.stems.grid
            write_activity(folder, own, grid, start=self.settings.start)

    def draw(self, folder: Path) -> None:
        """Draw the figures of the factorisation and of the labels."""
        from specnmf.output import figures

        settings, grid, fitted = self.settings, self.stems.grid, self.fitted
        self.draw_factors(
            folder,
            self.V,
            beta=BETAS["kl"],
            only=("spectrogram", "reconstruction", "loss"),
        )
        data = figures.LabelFigureData(
            V=self.V,
            frequencies=grid.frequencies,
            times=grid.times,
            names=self.marks.names,
            heard=self.marks.heard,
            annotated=self.marks.annotated,
            activity=fitted.activity,
            active=fitted.active,
            title=self.song.title,
        )
        figures.draw_label_figure(folder, data, figure_format=settings.figure_format)

    def entries(self, written: Sequence[Written]) -> dict[str, Any]:
        """How much was marked, and each sound with its source."""
        labels = [self._label_entry(row) for row in range(len(self.fitted.names))]
        for own in written:
            for entry in labels:
                entry |= own.entry(self.files[entry["label"]])
        return {
            "annotated_seconds": self._seconds(self.marks.annotated),
            "labels": labels,
        }

    def _label_entry(self, row: int) -> dict[str, Any]:
        """What there is to say of a sound; the rest comes last, and is not marked."""
        entry: dict[str, Any] = {"label": self.fitted.names[row]}
        heard = self.marks.heard
        if row < len(heard):
            alone = heard[row] & (heard.sum(axis=0) == 1)
            entry["seconds_marked"] = self._seconds(heard[row])
            entry["seconds_alone"] = self._seconds(alone)
            entry["seconds_predicted"] = self._seconds(self.fitted.active[row])
            if entry["label"] in self.marks.bounds:
                low, high = self.marks.bounds[entry["label"]]
                entry["bounds"] = [low, min(high, self.sound.sr / 2)]
        return entry

    def _seconds(self, frames: NDArray[np.bool_]) -> float:
        """How long some frames last together."""
        hop = self.stems.grid.hop_length / self.stems.grid.sr
        return round(float(frames.sum()) * hop, 3)
