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
from specnmf.methods.components.options import ComponentOptions
from specnmf.output.options import SelectionOptions
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
    from specnmf.score.notes import Score

#: Components listed after a run; run.json has them all.
MOST_LISTED = 16


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
            help="A factors.npz whose templates are held fixed; -k counts them too.",
            suffixes=(".npz",),
            error=TemplateError,
        ),
    )

    def read(self, song: Song[Settings], step: Step) -> Material:
        """The recording, or a survey of it where it does not fit into the memory."""
        from specnmf.methods.components.material import InMemory, open_material
        from specnmf.methods.components.templates import count_templates

        if song.held is not None:
            return InMemory(read_excerpt(song), song.settings)
        n_given = count_templates(song.inputs.get("templates"))
        n_components = max(song.settings.most_components, n_given)
        return open_material(song.path, song.settings, n_components, step)

    def fit(self, song: Song[Settings], material: Material) -> Components:
        """The components of the recording."""
        from specnmf.methods import low_notes
        from specnmf.methods.components.fitting import (
            expected_names,
            fit_components,
            remarks_on,
        )
        from specnmf.methods.components.templates import templates_of
        from specnmf.output.selection import Group

        given = song.inputs.get("templates")
        templates = None if given is None else templates_of(given, material.grid)
        n_given = 0 if templates is None else templates.shape[1]
        names = expected_names(song.settings, material.grid, n_given)
        if names:
            song.expect([Group(names)])
        stems = fit_components(
            material, song.settings, song.stages, templates=templates
        )
        return Components(
            song=song,
            sound=material.sound,
            stems=stems,
            remarks=(
                *low_notes.remarks(stems.factors, stems.pitches, material.grid),
                *remarks_on(stems),
            ),
        )

    def restore(
        self, song: Song[Settings], material: Material, folder: Path
    ) -> Sequence[Sources]:
        """The components; those of runs without a model.npz as well."""
        from specnmf.methods.components.fitting import ComponentStems
        from specnmf.methods.components.grouping import stored_groups
        from specnmf.methods.storing import StoredArrays
        from specnmf.output.stored import MODEL, stored_model

        path = folder / MODEL
        stored = stored_model(folder) if path.exists() else StoredArrays({}, str(path))
        factors = factors_from(folder, stored, material.grid)
        if "pitches" in stored:
            pitches = pitches_from(stored, factors.n_components)
        else:
            pitches = material.pitches(factors)
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
            yield from _describe_groups(report["stems"])
            return
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
        return factor_arrays(self.stems)

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
        stems = _group_entries(self.stems, components)
        for own in written:
            for entry in stems or components:
                entry |= own.entry(entry["label"])
        return {
            "streamed": self.stems.material.streamed,
            "rank_choice": _choice_entry(self.stems.choice),
            "components": components,
            **({"stems": stems} if stems else {}),
        }


def _group_entries(
    stems: ComponentStems, components: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """What run.json says of each stem, where components are grouped."""
    if stems.groups is None:
        return []
    periods = dict(zip(stems.groups.names, stems.groups.periods, strict=True))
    shares: dict[str, list[float]] = {name: [] for name in stems.names}
    for entry in components:
        shares[entry["label"]].append(entry["energy_share"])
    return [
        {
            "label": name,
            "components": len(own),
            "period": None if (p := periods.get(name)) is None else round(p, 4),
            "energy_share": sum(own),
        }
        for name, own in shares.items()
    ]


def _describe_groups(entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Lines for people: ``group_1  every 0.8 s  3 components  12%``."""
    from specnmf.notation import counted, percent

    width = max(len(entry["label"]) for entry in entries)
    for entry in entries:
        period = entry["period"]
        often = "no period" if period is None else f"every {period:.3g} s"
        yield (
            f"{entry['label']:{width}}  {often:<13} "
            f"{counted(entry['components'], 'component'):<14} "
            f"{percent(entry['energy_share']):>4}"
        )


def _choice_entry(choice: RankChoice | None) -> dict[str, Any] | None:
    if choice is None:
        return None
    return {
        "chosen": choice.chosen,
        "ranks": choice.ranks.tolist(),
        "held_out_db": choice.means.tolist(),
        "standard_errors_db": choice.errors.tolist(),
    }
