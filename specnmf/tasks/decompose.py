"""Decompose: a recording as the sum of components."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specnmf.audio.options import PowerOptions
from specnmf.errors import TemplateError
from specnmf.factor.options import N_COMPONENTS
from specnmf.methods.components.options import ComponentOptions
from specnmf.output.options import SelectionOptions
from specnmf.tasks import component_stems
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
    from specnmf.methods.learned.fitting import KnownStems
    from specnmf.methods.learned.known import Known
    from specnmf.methods.progress import Step
    from specnmf.output.sources import Written
    from specnmf.score.notes import Score


class Settings(PowerOptions, SelectionOptions, RunSettings, ComponentOptions):
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
    pianoroll.mid, pianoroll.csv and figures/, and selections.txt where asked for.
    """
    example = "decompose song.wav -k 12 --beta kl -o takes"
    settings = Settings
    inputs = (
        Input(
            name="templates",
            help="Known templates: a file of specnmf learn, or a factors.npz, whose "
            "templates -k counts too.",
            suffixes=(".npz",),
            error=TemplateError,
        ),
    )

    def read(self, song: Song[Settings], step: Step) -> Material:
        """The recording, or a survey of it where it does not fit into the memory."""
        from specnmf.methods.components.material import InMemory, open_material
        from specnmf.methods.learned.known import n_rows

        given, settings = song.inputs.get("templates"), song.settings
        if song.held is not None:
            return InMemory(read_excerpt(song), settings)
        return open_material(song.path, settings, n_rows(given, settings), step)

    def fit(self, song: Song[Settings], material: Material) -> Components:
        """The components of the recording."""
        from specnmf.methods import low_notes
        from specnmf.methods.components.fitting import expected_names, fit_components
        from specnmf.methods.components.parts import expected_parts, fit_parts
        from specnmf.methods.learned.fitting import expected_stems, fit_known
        from specnmf.methods.learned.known import check_given, known_of

        given, settings = song.inputs.get("templates"), song.settings
        check_given(given, settings)
        known = None if given is None else known_of(given, material.grid)
        stems: ComponentStems | KnownStems
        if settings.parts:
            _expect(song, expected_parts(settings))
            stems = fit_parts(material, settings, song.stages)
        elif known is None or known.is_plain(settings):
            W = None if known is None else known.W[:, :, 0]
            n_given = 0 if W is None else W.shape[1]
            _expect(song, expected_names(settings, material.grid, n_given))
            stems = fit_components(material, settings, song.stages, templates=W)
        else:
            _expect(song, expected_stems(settings, material.grid, known))
            stems = fit_known(material, settings, song.stages, known)
        return Components(
            song=song,
            sound=material.sound,
            stems=stems,
            remarks=(
                *low_notes.remarks(stems.factors, stems.pitches, material.grid),
                *stems.remarks,
                *_unused(settings, known),
            ),
        )

    def restore(
        self, song: Song[Settings], material: Material, folder: Path
    ) -> Sequence[Sources]:
        """The components; those of runs without a model.npz as well."""
        from specnmf.methods.components.fitting import ComponentStems
        from specnmf.methods.components.grouping import stored_groups
        from specnmf.methods.learned import storing
        from specnmf.methods.storing import StoredArrays
        from specnmf.output.stored import MODEL, stored_model
        from specnmf.score.grouping import safe_names

        path = folder / MODEL
        stored = stored_model(folder) if path.exists() else StoredArrays({}, str(path))
        factors = factors_from(folder, stored, material.grid)
        if "pitches" in stored:
            pitches = pitches_from(stored, factors.n_components)
        else:
            pitches = material.pitches(factors)
        if storing.TEMPLATES in stored:
            known = storing.restore(
                stored, material, song.settings, factors=factors, pitches=pitches
            )
            return [Sources(known, tuple(safe_names(known.names).values()))]
        groups = stored_groups(song.settings.n_groups)
        stems = ComponentStems(material, song.settings, None, factors, pitches, groups)
        return [Sources(stems, check_files(stems.names, folder))]

    def summary(self, report: Mapping[str, Any]) -> Iterator[str]:
        """The components, with their notes and shares of the energy."""
        from specnmf.output.report import describe

        entries = report["components"]
        if report["rank_choice"] is not None:
            yield f"{report['rank_choice']['chosen']} components by cross-validation"
        if "stems" in report:
            yield from component_stems.lines(report["stems"])
            return
        yield from describe(entries[: component_stems.MOST_LISTED])
        yield from component_stems.unlisted(entries)


@dataclass(frozen=True, eq=False, kw_only=True)
class Components(Result[Settings]):
    """A decomposed recording."""

    stems: ComponentStems | KnownStems

    @property
    def settings(self) -> Settings:
        """As asked for, with the number of components that was found."""
        n_components = self.stems.options.n_components
        return dataclasses.replace(self.song.settings, n_components=n_components)

    @cached_property
    def files(self) -> dict[str, str]:
        """The name of each source's file, without its ending."""
        from specnmf.score.grouping import safe_names

        return safe_names(self.stems.names)

    @property
    def known(self) -> KnownStems | None:
        """The stems, if they are of templates with names."""
        from specnmf.methods.learned.fitting import KnownStems

        stems = self.stems
        return stems if isinstance(stems, KnownStems) and stems.templates else None

    def sources(self) -> Sequence[Sources]:
        """Each component, or each group of components or templates."""
        return [Sources(self.stems, tuple(self.files.values()))]

    @cached_property
    def roll(self) -> Score:
        """The activations of the components as notes, each with the name of its stem.

        What is left out of the factorisation is constant, and has none.
        """
        from specnmf.output import pianoroll

        own = self.stems.components
        pitches = self.stems.pitches[: own.n_components]
        return pianoroll.notes_of(own, self.stems.grid, pitches)

    def stored(self) -> Mapping[str, NDArray[Any]]:
        """Labels and pitches."""
        known = self.known
        if known is None:
            return factor_arrays(self.stems)
        from specnmf.methods.learned import storing

        return {**factor_arrays(known), **storing.arrays(known)}

    def write(self, folder: Path) -> None:
        """Write when each stem sounds, where it is asked for."""
        if not self.settings.selections:
            return
        from specnmf.output.selections import write_activity

        own, grid = self.stems.components, self.stems.grid
        write_activity(folder, own, grid, start=self.settings.start)

    def draw(self, folder: Path) -> None:
        """Draw the figures of the factorisation, and how its rank was chosen."""
        from specnmf.output import figures

        known = self.known
        only = [name for name in figures.FIGURES if name not in _replaced(known)]
        with self.stems.material.magnitudes() as V:
            self.draw_factors(
                folder,
                V,
                beta=self.settings.beta,
                step="pass" if self.stems.material.streamed else "iteration",
                only=only,
            )
        if known is not None:
            figures.draw_known_figure(
                folder,
                known.as_templates(),
                figure_format=self.settings.figure_format,
                title=self.song.title,
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
        stems = component_stems.entries(self.stems, components)
        for own in written:
            for entry in stems or components:
                entry |= own.entry(self.files[entry["label"]])
        return {
            "streamed": self.stems.material.streamed,
            "rank_choice": _choice_entry(self.stems.choice),
            "components": components,
            **({"stems": stems} if stems else {}),
        }


def _expect(song: Song[Settings], names: tuple[str, ...]) -> None:
    """Announce the sources, if they do not depend on the recording."""
    from specnmf.output.selection import Group
    from specnmf.score.grouping import safe_names

    if names:
        song.expect([Group(tuple(safe_names(names).values()))])


def _unused(settings: Settings, known: Known | None) -> Iterator[str]:
    """What was asked for, and does not count."""
    if known is None or not known.names or settings.n_free is not None:
        return
    if settings.n_components not in (N_COMPONENTS, known.n_templates):
        yield (
            f"-k {settings.n_components} does not count beside templates with names; "
            "use --free for components beside them"
        )


def _replaced(known: KnownStems | None) -> set[str]:
    """The figures that are others, or none, with templates that have names."""
    if known is None:
        return set()
    # of several frames, the spectra are only near to the model
    return {"templates"} if known.pattern is None else {"templates", "reconstruction"}


def _choice_entry(choice: RankChoice | None) -> dict[str, Any] | None:
    if choice is None:
        return None
    return {
        "chosen": choice.chosen,
        "ranks": choice.ranks.tolist(),
        "held_out_db": choice.means.tolist(),
        "standard_errors_db": choice.errors.tolist(),
    }
