"""What a task is: settings, inputs beside the song, a fit, and what it leaves.

A task is one file in this folder. It declares its settings and inputs, and makes a
`Result` of a song; the command line, batch, rerun and run.json follow from that. See
"How to add a task" in CONTRIBUTING.md.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

from specnmf.errors import ScoreError, SpecnmfError
from specnmf.tasks.settings import RunSettings, SongSettings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from specnmf.audio.recording import Audio, Sound
    from specnmf.audio.resynthesis import Stream
    from specnmf.audio.stft import Grid
    from specnmf.factor.factorization import Factorization
    from specnmf.methods.memory import Limit
    from specnmf.methods.progress import Step
    from specnmf.output.selection import Group
    from specnmf.output.sources import Written
    from specnmf.score.beats import Beats
    from specnmf.score.notes import Score
    from specnmf.tasks.stages import Stages

S = TypeVar("S", bound=SongSettings)
R = TypeVar("R", bound=RunSettings)


@dataclass(frozen=True, kw_only=True)
class Input:
    """A file that a task takes beside the song.

    Attributes
    ----------
    name : str
        Of the option, and of the input in run.json.
    help : str
        One line for ``--help``.
    suffixes : tuple of str
        Of such files.
    beside : bool
        Whether the file beside the song that has its name is taken where none is given.
    required : bool
        Whether there is no run without it.
    error : type
        Raised where it is missing or another file than it was.
    """

    name: str
    help: str
    suffixes: tuple[str, ...]
    beside: bool = False
    required: bool = False
    error: type[SpecnmfError] = ScoreError

    @property
    def spellings(self) -> tuple[str, ...]:
        """The suffixes, in small and in capital letters."""
        return tuple(s for suffix in self.suffixes for s in (suffix, suffix.upper()))

    def find(self, song: str | Path) -> Path | None:
        """The file beside a song that is taken where none is given, if there is one."""
        paths = (Path(song).with_suffix(s) for s in self.spellings if self.beside)
        return next((path for path in paths if path.is_file()), None)

    def missing(self, song: object) -> SpecnmfError:
        """The error to raise where the input is required and not there."""
        sought = f", and none beside it ({', '.join(self.suffixes)})"
        return self.error(
            f"{song}: no {self.name} given{sought if self.beside else ''}; "
            f"use --{self.name}"
        )


def _ignore(groups: Sequence[Group]) -> None:
    """Take note of nothing."""


@dataclass(frozen=True)
class Song(Generic[S]):
    """A recording to be done, with what is asked for.

    Attributes
    ----------
    path : path
        The recording; what it is called, if it is held.
    settings : SongSettings
        As asked for.
    inputs : mapping of str to object
        What comes with it, by the names of the task's inputs: a path, or in memory what
        such a file holds.
    stages : Stages
        Times the run, and tells how far it is.
    expect : callable
        ``expect(groups)`` takes note of the sources that there will be: a fit calls it
        as soon as it knows, so that what cannot be written is told before the work.
    held : Audio or None
        The whole recording, if it is in memory and in no file.
    called : str
        The path or URL that names it, if the path is that of a copy.
    """

    path: Path
    settings: S
    inputs: Mapping[str, Any]
    stages: Stages
    expect: Callable[[Sequence[Group]], None] = _ignore
    held: Audio | None = None
    called: str = ""

    @property
    def place(self) -> str:
        """Where it is, or where it is from."""
        return self.called or str(self.path.absolute())

    @property
    def title(self) -> str:
        """The name of the song."""
        return self.path.stem


class StemModel(Protocol):
    """A model of stems, as every method makes it: see `specnmf.methods.stems.Stems`."""

    @property
    def names(self) -> Sequence[str]:
        """The stems, in order."""

    @property
    def grid(self) -> Grid:
        """The frames and bins of the analysis."""

    @property
    def losses(self) -> NDArray[np.float64]:
        """The cost after each iteration."""

    @property
    def factors(self) -> Factorization:
        """The model as V ≈ W H, for factors.npz."""

    @property
    def pitches(self) -> NDArray[np.float64]:
        """The pitch of each component, for the piano roll; NaN without one."""

    def stream(self, options: Any) -> Stream:
        """Yield the stems as sound, block by block; they add up to the recording."""


@dataclass(frozen=True)
class Sources:
    """Stems to write, which add up to the recording.

    Attributes
    ----------
    stems : StemModel
        The model.
    names : sequence of str
        Of the files, without their endings.
    within : str
        The folder of the files, in sources/.
    """

    stems: StemModel
    names: Sequence[str]
    within: str = ""


@dataclass(frozen=True, eq=False, kw_only=True)
class AnyResult(abc.ABC, Generic[S]):
    """What came of a song, and what to write of it.

    Attributes
    ----------
    song : Song
        What was asked for.
    sound : Audio or other Sound
        The recording.
    remarks : sequence of str
        Warnings for the user.
    """

    song: Song[S]
    sound: Sound
    remarks: Sequence[str] = ()

    @property
    def settings(self) -> S:
        """As asked for, but for what the recording has decided."""
        return self.song.settings

    @abc.abstractmethod
    def notes(self) -> Score:
        """The notes whose onsets tell the beats, on the excerpt's clock."""

    def shown(self) -> Score:
        """The notes to show, on the excerpt's clock; the part of each is its stem."""
        return self.notes()

    @cached_property
    def beats(self) -> Beats | None:
        """The beats that MIDI files are laid on, on the excerpt's clock; None: none."""
        from specnmf.score.beats import beats_of

        if not self.settings.grid:
            return None
        return beats_of(self.notes(), self.sound.duration)

    def write(self, folder: Path) -> None:
        """Write what the task leaves beside sources, factors and piano roll."""

    def draw(self, folder: Path) -> None:
        """Draw the figures into a folder."""

    def drawn_names(self) -> Sequence[str]:
        """The names that stand in the figures, which a font may lack."""
        return [self.song.title]

    def entries(self, written: Sequence[Written]) -> dict[str, Any]:
        """What run.json says of the task.

        Parameters
        ----------
        written : sequence of Written
            What became of each of the sources; empty if there are none.
        """
        return {}

    def documents(self, entries: Mapping[str, Any]) -> dict[str, Any]:
        """Further JSON files beside run.json, by name, from its entries."""
        return {}


@dataclass(frozen=True, eq=False, kw_only=True)
class Result(AnyResult[R], Generic[R]):
    """A fitted song: a model of its stems, and what to write of it.

    Attributes
    ----------
    stems : StemModel
        The model.
    """

    stems: StemModel

    @cached_property
    def roll(self) -> Score:
        """The activations as notes; what was not factorised is constant, has none."""
        from specnmf.methods.components.scope import components_of
        from specnmf.output import pianoroll

        own, stems = components_of(self.stems.factors), self.stems
        return pianoroll.notes_of(own, stems.grid, stems.pitches[: own.n_components])

    def notes(self) -> Score:
        """The activations as notes, where none are surer."""
        return self.roll

    @property
    def iterations(self) -> int:
        """How many iterations the fit took."""
        return len(self.stems.losses)

    def sources(self) -> Sequence[Sources]:
        """What to write as sound."""
        return [Sources(self.stems, self.stems.names)]

    def stored(self) -> Mapping[str, NDArray[Any]]:
        """What `Task.restore` needs of the model beyond factors.npz, for model.npz."""
        return {}

    def drawn_names(self) -> Sequence[str]:
        """The song and its stems."""
        return [*super().drawn_names(), *self.stems.names]

    def draw_factors(self, folder: Path, V: Any, **options: Any) -> None:
        """Draw the figures of V ≈ W H.

        Parameters
        ----------
        folder : path
            Where to.
        V : array, shape (n_bins, n_frames), or RollingMagnitudes
            The magnitudes that were factorised.
        **options
            beta and step of `specnmf.output.figures.FigureData`, and only of
            `specnmf.output.figures.draw_figures`.
        """
        from specnmf.output import figures

        only = options.pop("only", figures.FIGURES)
        data = figures.FigureData(
            V=V,
            factorization=self.stems.factors,
            frequencies=self.stems.grid.frequencies,
            times=self.stems.grid.times,
            pitches=self.stems.pitches,
            title=self.song.title,
            **options,
        )
        form = self.settings.figure_format
        figures.draw_figures(folder, data, figure_format=form, only=only)


class Task(abc.ABC, Generic[S]):
    """Something that can be done with a song.

    Attributes
    ----------
    name : str
        Of the command, and the ``kind`` in run.json.
    help : str
        The text of ``--help``: what SONG becomes, what is left in OUTPUT.
    example : str
        A command, without ``specnmf``.
    settings : type
        The class of its settings.
    inputs : tuple of Input
        The files that it takes beside the song.
    many : bool
        Whether the command takes several songs.
    """

    name: ClassVar[str]
    help: ClassVar[str]
    example: ClassVar[str]
    settings: type[S]
    inputs: ClassVar[tuple[Input, ...]] = ()
    many: ClassVar[bool] = True

    def read(self, song: Song[S], step: Step) -> Any:
        """What `fit` needs of the song: an object that has a ``sound``.

        By default the recording, or its excerpt, in memory.
        """
        return Held(read_excerpt(song))

    def looks_beside(self, settings: S) -> bool:
        """Whether a file beside the song is taken where none is given."""
        return True

    @abc.abstractmethod
    def fit(self, song: Song[S], material: Any) -> AnyResult[S]:
        """Fit what was read: a `Result`, if there are stems."""

    def restore(self, song: Song[S], material: Any, folder: Path) -> Sequence[Sources]:
        """The sources of a finished run, from the model that it stored.

        Parameters
        ----------
        song : Song
            With the settings as they were used.
        material : object
            What `read` gives.
        folder : path
            The run.

        Returns
        -------
        sequence of Sources
            As `Result.sources` gave them; their streams give the same samples.

        Raises
        ------
        OutputError
            If there is no whole model in the folder.
        """
        raise NotImplementedError

    def summary(self, report: Mapping[str, Any]) -> Iterator[str]:
        """The lines that people read after a run, from its run.json."""
        yield from ()

    def archives(self) -> dict[str, set[str]]:
        """The archives that rerun compares, each with arrays that it must hold."""
        return {"factors.npz": {"W.npy", "H.npy"}}


@dataclass(frozen=True)
class Held:
    """A recording in memory."""

    sound: Audio


def read_excerpt(song: Song[Any]) -> Audio:
    """The recording, or the excerpt that is asked for."""
    from specnmf.audio import reading

    start, duration = song.settings.start, song.settings.duration
    if song.held is not None:
        return song.held.excerpt(start, duration)
    return reading.load(song.path, start=start, duration=duration)


def read_within(song: Song[Any], limit_of: Callable[[int, int], Limit]) -> Audio:
    """The recording, or its excerpt, if it fits into the memory.

    Parameters
    ----------
    song : Song
        What was asked for.
    limit_of : callable
        ``limit_of(sr, n_channels)`` is the limit for such a recording.

    Raises
    ------
    ParameterError
        If it does not fit, before it is read as far as its header is true.
    """
    from specnmf.audio import reading

    if song.held is not None:
        audio = read_excerpt(song)
        limit_of(audio.sr, audio.n_channels).check(audio.n_samples)
        return audio
    start, duration = song.settings.start, song.settings.duration
    with reading.reading(song.path) as source:
        limit = limit_of(source.sr, source.n_channels)
        limit.check(int(source.expected(start, duration)))
    most = limit.most_samples()
    found = reading.read_up_to(most, song.path, start=start, duration=duration)
    if found is None:
        raise limit.exceeded(most)
    return found
