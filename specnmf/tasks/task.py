"""What a task is: settings, inputs beside the song, a fit, and what it leaves.

A task is one file in this folder. It declares its settings and inputs, and makes a
`Result` of a song; the command line, batch, rerun and run.json follow from that. See
"How to add a task" in CONTRIBUTING.md.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast

from specnmf.errors import ScoreError, SpecnmfError
from specnmf.tasks.settings import RunSettings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from specnmf.audio.masks import Models, Stream
    from specnmf.audio.recording import Audio, Sound
    from specnmf.audio.stft import Grid
    from specnmf.factor.factorization import Factorization
    from specnmf.output.sources import Written
    from specnmf.tasks.stages import Stages, Step

S = TypeVar("S", bound=RunSettings)


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


@dataclass(frozen=True)
class Song(Generic[S]):
    """A recording to be done, with what is asked for.

    Attributes
    ----------
    path : path
        The recording.
    settings : RunSettings
        As asked for.
    inputs : mapping of str to path
        The files beside it, by the names of the task's inputs.
    stages : Stages
        Times the run, and tells how far it is.
    """

    path: Path
    settings: S
    inputs: Mapping[str, Path]
    stages: Stages

    @property
    def title(self) -> str:
        """The name of the song."""
        return self.path.stem


@dataclass(frozen=True)
class Sources:
    """Sources of a song that add up to it, made when they are asked for.

    Attributes
    ----------
    names : sequence of str
        Theirs, and those of their files.
    open : callable
        Returns a context manager that yields the sources block by block, as
        `specnmf.audio.masks.stream_sources` does.
    within : str
        The folder of their files, in sources/.
    """

    names: Sequence[str]
    open: Callable[[], AbstractContextManager[Stream]]
    within: str = ""


@dataclass(frozen=True, eq=False, kw_only=True)
class Result(Generic[S]):
    """A song that has been fitted: a model of its stems, and what to write of it.

    Attributes
    ----------
    song : Song
        What was asked for.
    settings : RunSettings
        As used, once the recording has decided what was left open.
    sound : Audio or other Sound
        The recording.
    grid : Grid
        Its frames and bins.
    factors : Factorization
        V ≈ W H, for factors.npz.
    pitches : array, shape (n_components,)
        MIDI numbers, NaN where unpitched, for the piano roll.
    remarks : sequence of str
        Warnings for the user.
    """

    song: Song[S]
    settings: S
    sound: Sound
    grid: Grid
    factors: Factorization
    pitches: NDArray[np.float64]
    remarks: Sequence[str] = ()

    @property
    def iterations(self) -> int:
        """How many iterations the fit took."""
        return len(self.factors.losses)

    @abc.abstractmethod
    def sources(self) -> Sequence[Sources]:
        """The sources to write."""

    def masked(
        self,
        models: Models,
        *,
        power: float,
        names: Sequence[str] | None = None,
        within: str = "",
    ) -> Sources:
        """Sources of a recording in memory, through masks of their models.

        Parameters
        ----------
        models : Models
            The magnitudes of each.
        power : float
            The exponent of the masks.
        names : sequence of str, optional
            Of the files; by default the models' own.
        within : str
            The folder of the files, in sources/.
        """
        from specnmf.audio import masks

        def stream() -> AbstractContextManager[Stream]:
            return closing(
                masks.stream_of(
                    cast("Audio", self.sound),
                    self.grid,
                    models,
                    mask=self.settings.mask,
                    power=power,
                    threads=self.settings.threads,
                )
            )

        return Sources(models.names if names is None else names, stream, within)

    def write(self, folder: Path) -> None:
        """Write what the task leaves beside sources, factors and piano roll."""

    def draw(self, folder: Path) -> None:
        """Draw the figures into a folder."""

    def entries(self, written: Sequence[Written]) -> dict[str, Any]:
        """What run.json says of the task.

        Parameters
        ----------
        written : sequence of Written
            What became of each of `sources`; empty if they were not to be written.
        """
        return {}

    def documents(self, entries: Mapping[str, Any]) -> dict[str, Any]:
        """Further JSON files beside run.json, by name, from its entries."""
        return {}


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
        """What `fit` needs of the files: an object that has a ``sound``.

        By default the recording, or its excerpt, in memory.
        """
        return Held(read_excerpt(song))

    @abc.abstractmethod
    def fit(self, song: Song[S], material: Any) -> Result[S]:
        """Fit what was read."""

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

    settings = song.settings
    return reading.read(song.path, start=settings.start, duration=settings.duration)
