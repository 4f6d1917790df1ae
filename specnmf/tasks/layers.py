"""Layers: the notes of a recording, and which of them sound together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specnmf.audio.options import PowerOptions
from specnmf.factor.options import BETAS
from specnmf.methods.labels.options import LABEL_KINDS, LABEL_SUFFIXES, TierOptions
from specnmf.methods.layers.options import LayerOptions
from specnmf.tasks.restoring import layers_from, pitches_from
from specnmf.tasks.settings import RunSettings
from specnmf.tasks.task import Input, Result, Song, Sources, Task, read_within

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from specnmf.audio.recording import Audio
    from specnmf.audio.stft import Grid
    from specnmf.factor.layers import model, tree
    from specnmf.methods.components.scope import Scope
    from specnmf.methods.marking import Marked
    from specnmf.methods.progress import Step
    from specnmf.methods.storing import StoredArrays
    from specnmf.output.sources import Written
    from specnmf.score.marks import Marks

#: The file of the tree.
TREE = "tree.json"

#: Components listed after a run, and notes of each; tree.json has them all.
MOST_LISTED, MOST_NOTES = 24, 5


class LayerSettings(TierOptions, PowerOptions, LayerOptions, RunSettings):
    """The settings of `layers`, immutable.

    Examples
    --------
    >>> import specnmf
    >>> settings = specnmf.LayerSettings(ranks=(4, 2), stems=(2,), duration=2.0)
    >>> found = specnmf.layers(
    ...     "audio_examples/chorale/chorale.flac", settings=settings, max_iter=20
    ... )
    >>> list(found)
    ['layer_2/component_01', 'layer_2/component_02']
    """

    @property
    def written_layers(self) -> list[int]:
        """The layers whose components are written as sound, from 0."""
        chosen = self.stems or range(1, len(self.ranks) + 1)
        return sorted({layer - 1 for layer in chosen})


class Layers(Task[LayerSettings]):
    """The notes of a recording, and which of them sound together."""

    name = "layers"
    help = """Factorise each SONG in layers: notes, then what sounds together.

    The first layer finds spectra, mostly those of notes. Each further layer finds
    which components of the one below sound at the same time: chords or textures,
    then, with few components, what those have in common, such as a harmony or a
    section. It finds what sounds together, not who plays it: components are not
    instruments.

    Leaves OUTPUT/SONG/ with report.html, sources/layer_1/ and so on, each of which
    adds up to the recording, tree.json, layers.npz, run.json, factors.npz, model.npz,
    pianoroll.mid, pianoroll.csv and figures/.
    """
    example = "layers song.wav --ranks 32,8,3"
    settings = LayerSettings
    inputs = (
        Input(
            name="labels",
            help=f"Named regions that the last layer follows: {LABEL_KINDS}",
            suffixes=LABEL_SUFFIXES,
        ),
    )

    def read(self, song: Song[LayerSettings], step: Step) -> Marked:
        """The recording and its labels, if any, if they fit into the memory."""
        from specnmf.methods.layers.budget import limit
        from specnmf.methods.marking import marked

        labels = song.inputs.get("labels")
        audio = read_within(
            song, partial(limit, song.settings, labelled=labels is not None)
        )
        return marked(audio, labels, song.settings, tier=song.settings.tier)

    def fit(self, song: Song[LayerSettings], material: Marked) -> Layered:
        """The layers, and their tree."""
        from specnmf.audio import stft
        from specnmf.factor.factorization import Factorization, component_labels
        from specnmf.factor.layers import tree
        from specnmf.methods import low_notes
        from specnmf.methods.components.scope import Scope, names_left_out
        from specnmf.methods.layers.fitting import expected_iterations, fit_layers
        from specnmf.methods.layers.stems import layer_stems
        from specnmf.methods.progress import telling
        from specnmf.output.selection import Group
        from specnmf.parallel import workers

        settings, grid, marks = song.settings, material.grid, material.marks
        left_out = names_left_out(grid, settings)
        song.expect(
            [
                Group(
                    (*component_labels(settings.ranks[layer]), *left_out),
                    f"layer_{layer + 1}",
                )
                for layer in settings.written_layers
            ]
        )
        with song.stages.stage("transform"):
            V = stft.magnitude(material.sound, grid, threads=settings.threads)
            scope = Scope.of(V, grid, settings)
        with song.stages.stage("factorise", expected_iterations(settings)) as step:
            found, iterations = fit_layers(
                scope.seen(V), settings, marks, callback=telling(step)
            )
        with workers(1):
            found = tree.by_energy(_among_all(found, scope))
            grown = tree.grow_tree(found)
        first = Factorization(found.A[0], found.S[0])
        with song.stages.stage("pitches"):
            pitches = low_notes.pitches_in(
                material.sound, grid, first, threads=settings.threads
            )
        return Layered(
            song=song,
            sound=material.sound,
            stems=layer_stems(material.sound, grid, found, 0, pitches, scope=scope),
            remarks=(
                *(() if marks is None else marks.remarks),
                *low_notes.remarks(first, pitches, grid),
            ),
            V=V,
            scope=scope,
            marks=marks,
            layers=found,
            tree=grown,
            n_iterations=iterations,
        )

    def restore(
        self, song: Song[LayerSettings], material: Marked, folder: Path
    ) -> Sequence[Sources]:
        """The components of each layer that was written, or would have been."""
        from specnmf.output.stored import stored_model

        settings, grid = song.settings, material.grid
        stored = stored_model(folder)
        found = layers_from(folder, len(settings.ranks), grid)
        pitches = pitches_from(stored, found.ranks[0])
        scope = _stored_scope(stored, grid, settings)
        return _groups(material.sound, grid, found, pitches, settings, scope)

    def archives(self) -> dict[str, set[str]]:
        """The factors of the first layer, and of all."""
        return {**super().archives(), "layers.npz": {"A_1.npy", "S_1.npy"}}

    def summary(self, report: Mapping[str, Any]) -> Iterator[str]:
        """The components of the last layer, each with those of the layer below."""
        layers = report["layers"]
        lines = []
        for node in layers[-1]["components"]:
            lines.append(_line(node))
            for child in layers[-2]["components"] if len(layers) > 1 else ():
                if child["parents"] and child["parents"][0]["name"] == node["name"]:
                    lines.append(f"  {_line(child)}")
        yield from lines[:MOST_LISTED]
        if len(lines) > MOST_LISTED:
            yield f"and {len(lines) - MOST_LISTED} more in {TREE}"


@dataclass(frozen=True, eq=False, kw_only=True)
class Layered(Result[LayerSettings]):
    """A recording in layers.

    Attributes
    ----------
    V : array, shape (n_bins, n_frames)
        Its magnitudes.
    scope : Scope
        What of them is factorised.
    marks : Marks or None
        What was marked, if anything was.
    layers : Layers
        The factors.
    tree : Tree
        Which components belong to which.
    n_iterations : int
        Of all layers.
    """

    sound: Audio
    V: NDArray[np.float32]
    scope: Scope
    marks: Marks | None
    layers: model.Layers
    tree: tree.Tree
    n_iterations: int

    @property
    def iterations(self) -> int:
        """How many iterations all layers took."""
        return self.n_iterations

    def sources(self) -> Sequence[Sources]:
        """The components of each layer."""
        grid, own = self.stems.grid, (self.layers, self.pitches, self.settings)
        return _groups(self.sound, grid, *own, self.scope)

    @property
    def pitches(self) -> NDArray[np.float64]:
        """The pitch of each component of the first layer; NaN without one."""
        return self.stems.pitches[: self.layers.ranks[0]]

    def stored(self) -> Mapping[str, NDArray[Any]]:
        """Pitches, and the level outside the band; layers.npz has the rest."""
        from specnmf.methods.components.scope import OUTSIDE

        outside = self.scope.outside
        return {
            "pitches": self.pitches,
            **({} if outside is None else {OUTSIDE: outside}),
        }

    def write(self, folder: Path) -> None:
        """Write all layers, and where the labels are heard."""
        import numpy as np

        from specnmf.methods.layers.description import most_heard
        from specnmf.output import report
        from specnmf.score.marks import runs
        from specnmf.score.regions import write_label_track

        found = self.layers
        arrays: dict[str, NDArray[Any]] = {
            **{f"A_{number}": A for number, A in enumerate(found.A, 1)},
            **{f"S_{number}": S for number, S in enumerate(found.S, 1)},
            "frequencies": self.stems.grid.frequencies,
            "times": self.stems.grid.times,
            "losses": found.losses,
        }
        if self.marks is not None and found.B is not None:
            arrays["B"] = found.B
            arrays["labels"] = np.array(self.marks.names, dtype=np.str_)
            heard = runs(
                most_heard(found, self.stems.grid),
                self.marks.names,
                self.stems.grid.times,
                duration=self.sound.duration,
                start=self.settings.start,
            )
            write_label_track(folder / "labels.txt", heard)
        report.write_arrays(folder / "layers.npz", arrays)

    def draw(self, folder: Path) -> None:
        """Draw the figures of the first layer, and of all."""
        from specnmf.methods.layers.description import label_of, owners
        from specnmf.output import figures

        settings, grid = self.settings, self.stems.grid
        owned = owners(self.layers, self.marks)
        together = settings.method == "neural"
        self.draw_factors(
            folder,
            self.V,
            beta=settings.beta,
            only=("spectrogram", "templates", "activations", "reconstruction"),
        )
        data = figures.LayerFigureData(
            layers=self.layers,
            tree=self.tree,
            frequencies=grid.frequencies,
            times=grid.times,
            pitches=self.pitches,
            labels=tuple(label_of(owner) or "" for owner in owned),
            title=self.song.title,
            together=together,
            beta=BETAS["euclidean"] if together else settings.beta,
        )
        figures.draw_layer_figures(folder, data, figure_format=settings.figure_format)

    def drawn_names(self) -> Sequence[str]:
        """The song and the labels."""
        return [self.song.title, *(() if self.marks is None else self.marks.names)]

    def entries(self, written: Sequence[Written]) -> dict[str, Any]:
        """The labels, and the layers with their components and sources."""
        from specnmf.methods.layers.description import beside, describe

        band, found = self.scope.band, self.layers
        seen = replace(found, A=[found.A[0][band], *found.A[1:]])
        layers = describe(self.V[band], seen, self.tree, self.pitches, self.marks)
        if self.scope.names:
            beside(layers, float(self.stems.factors.energy_shares()[-1]))
        for layer, own in zip(self.settings.written_layers, written, strict=False):
            layers[layer]["residual_db"] = own.residual_db
            for node in layers[layer]["components"]:
                node |= own.entry(node["name"].split("/")[1])
        names = None if self.marks is None else list(self.marks.names)
        return {"labels": names, "layers": layers}

    def documents(self, entries: Mapping[str, Any]) -> dict[str, Any]:
        """The tree in a file of its own."""
        return {TREE: {"layers": entries["layers"]}}


def _among_all(found: model.Layers, scope: Scope) -> model.Layers:
    """Layers of what is seen as layers of all bins; those outside are zero."""
    return replace(found, A=[scope.placed(found.A[0]), *found.A[1:]])


def _stored_scope(stored: StoredArrays, grid: Grid, settings: LayerSettings) -> Scope:
    """What was factorised in a finished run."""
    import numpy as np

    from specnmf.audio.band import band_of
    from specnmf.methods.components.scope import OUTSIDE, Scope, names_left_out

    outside = None
    if names_left_out(grid, settings):
        outside = stored.floats(OUTSIDE, (grid.n_bins,), np.float32, least=0)
    return Scope(band_of(grid, settings), grid.n_bins, outside=outside)


def _groups(
    sound: Audio,
    grid: Grid,
    layers: model.Layers,
    pitches: NDArray[np.float64],
    settings: LayerSettings,
    scope: Scope,
) -> list[Sources]:
    """The components of each layer that is to be written."""
    from specnmf.methods.layers.stems import layer_stems

    groups = []
    for layer in settings.written_layers:
        stems = layer_stems(sound, grid, layers, layer, pitches, scope=scope)
        groups.append(Sources(stems, stems.names, within=f"layer_{layer + 1}"))
    return groups


def _line(node: Mapping[str, Any]) -> str:
    from specnmf.methods.layers.stems import spell_notes
    from specnmf.notation import percent

    shares = {entry["note"]: entry["share"] for entry in node["notes"]}
    notes = spell_notes(shares, most=MOST_NOTES)
    label = f"{node['label']}: " if node.get("label") else ""
    return f"{node['name']}  {percent(node['energy_share']):>4}  {label}{notes}"
