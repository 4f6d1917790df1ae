"""Decompose: a recording as the sum of components."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specnmf.audio.options import PowerOptions
from specnmf.errors import ParameterError, TemplateError
from specnmf.methods.components.options import ComponentOptions
from specnmf.tasks.restoring import (
    check_files,
    factor_arrays,
    factors_from,
    pitches_from,
)
from specnmf.tasks.settings import RunSettings
from specnmf.tasks.task import Input, Result, Song, Sources, Task, read_excerpt

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from specnmf.factor.rank import RankChoice
    from specnmf.methods.components.fitting import ComponentStems
    from specnmf.methods.components.material import Material
    from specnmf.methods.progress import Step
    from specnmf.output.sources import Written

#: Components listed after a run; run.json has them all.
MOST_LISTED = 16


class Settings(PowerOptions, RunSettings, ComponentOptions):
    """The settings of `decompose`, immutable.

    Examples
    --------
    >>> import dataclasses
    >>> import specnmf
    >>> settings = specnmf.Settings(n_components=3, duration=2.0, max_iter=20)
    >>> settings.beta
    1.0
    >>> dataclasses.replace(settings, beta=2.0).beta
    2.0
    >>> stems = specnmf.decompose("audio_examples/drums/drums.flac", settings)
    >>> len(stems)
    3
    """


class Decompose(Task[Settings]):
    """A recording as the sum of components."""

    name = "decompose"
    help = """Decompose each SONG into components.

    Leaves OUTPUT/SONG/ with report.html, sources/, run.json, factors.npz, model.npz,
    pianoroll.mid, pianoroll.csv and figures/.
    """
    example = "decompose song.wav -k 12 --beta kl -o takes"
    settings = Settings
    inputs = (
        Input(
            name="templates",
            help="A factors.npz whose templates are held fixed; -k counts them too.",
            suffixes=(".npz",),
            error=TemplateError,
        ),
    )

    def read(self, song: Song[Settings], step: Step) -> Material:
        """The recording, or a survey of it where it does not fit into the memory."""
        from specnmf.methods.components.material import InMemory, open_material
        from specnmf.methods.components.templates import count_templates

        if song.settings.parts and song.inputs.get("templates") is not None:
            raise ParameterError(
                f"templates are held in a whole recording, got split "
                f"{song.settings.split}; use --split none or no --templates"
            )
        if song.held is not None:
            return InMemory(read_excerpt(song), song.settings)
        n_given = count_templates(song.inputs.get("templates"))
        n_components = max(song.settings.most_stems, n_given)
        return open_material(song.path, song.settings, n_components, step)

    def fit(self, song: Song[Settings], material: Material) -> Components:
        """The components of the recording."""
        from specnmf.factor.factorization import component_labels
        from specnmf.methods import low_notes
        from specnmf.methods.components.fitting import fit_components, part_labels
        from specnmf.methods.components.templates import templates_of
        from specnmf.output.selection import Group

        given = song.inputs.get("templates")
        templates = None if given is None else templates_of(given, material.grid)
        if song.settings.n_components != "auto":
            n_given = 0 if templates is None else templates.shape[1]
            n_components = max(song.settings.n_components, n_given)
            sizes = song.settings.part_sizes
            labels = part_labels(sizes) if sizes else component_labels(n_components)
            song.expect([Group(labels)])
        stems = fit_components(
            material, song.settings, song.stages, templates=templates
        )
        return Components(
            song=song,
            sound=material.sound,
            stems=stems,
            remarks=low_notes.remarks(stems.factors, stems.pitches, material.grid),
        )

    def restore(
        self, song: Song[Settings], material: Material, folder: Path
    ) -> Sequence[Sources]:
        """The components; those of runs without a model.npz as well."""
        from specnmf.methods.components.fitting import ComponentStems
        from specnmf.methods.storing import StoredArrays
        from specnmf.output.stored import MODEL, stored_model

        path = folder / MODEL
        stored = stored_model(folder) if path.exists() else StoredArrays({}, str(path))
        factors = factors_from(folder, stored, material.grid)
        if "pitches" in stored:
            pitches = pitches_from(stored, factors.n_components)
        else:
            pitches = material.pitches(factors)
        stems = ComponentStems(material, song.settings, None, factors, pitches)
        return [Sources(stems, check_files(stems.names, folder))]

    def summary(self, report: Mapping[str, Any]) -> Iterator[str]:
        """The components, with their notes and shares of the energy."""
        from specnmf.output.report import describe

        entries = report["components"]
        if report["rank_choice"] is not None:
            yield f"{report['rank_choice']['chosen']} components by cross-validation"
        yield from describe(entries[:MOST_LISTED])
        if len(entries) > MOST_LISTED:
            yield f"and {len(entries) - MOST_LISTED} more in run.json"


@dataclass(frozen=True, eq=False, kw_only=True)
class Components(Result[Settings]):
    """A decomposed recording."""

    stems: ComponentStems

    @property
    def settings(self) -> Settings:
        """As asked for, with the number of components that was found."""
        n_components = self.stems.options.n_components
        return dataclasses.replace(self.song.settings, n_components=n_components)

    def stored(self) -> Mapping[str, NDArray[Any]]:
        """Labels and pitches."""
        return factor_arrays(self.stems)

    def draw(self, folder: Path) -> None:
        """Draw the figures of the factorisation, and how its rank was chosen."""
        from specnmf.output import figures

        with self.stems.material.magnitudes() as V:
            self.draw_factors(
                folder,
                V,
                beta=self.settings.beta,
                step="pass" if self.stems.material.streamed else "iteration",
            )
        if self.stems.choice is not None:
            figures.draw_rank_figure(
                folder,
                self.stems.choice,
                figure_format=self.settings.figure_format,
                title=self.song.title,
            )

    def entries(self, written: Sequence[Written]) -> dict[str, Any]:
        """How the rank was chosen, and each component with its source."""
        from specnmf.output import report

        components = report.components(self.stems.factors, self.stems.pitches)
        for own in written:
            for entry in components:
                entry |= own.entry(entry["label"])
        return {
            "streamed": self.stems.material.streamed,
            "rank_choice": _choice_entry(self.stems.choice),
            "components": components,
        }


def _choice_entry(choice: RankChoice | None) -> dict[str, Any] | None:
    if choice is None:
        return None
    return {
        "chosen": choice.chosen,
        "ranks": choice.ranks.tolist(),
        "held_out_db": choice.means.tolist(),
        "standard_errors_db": choice.errors.tolist(),
    }
